"""What a person looks at before a merge: its largest groups, and keys that say nothing. Reads."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.hashable import make_hashable

from ..databases.common_tables import compiled
from ..databases.tables import pk_names, python_key
from ..finding.key_rows import candidates, key_columns
from ..keys import ends_in_text
from ..plan_values import BlankKeys, PlannedGroup
from ..values import Blanks, MatchKey

if TYPE_CHECKING:
    from ..mapping.mapping import MergeMap
    from ..values import RowSet
    from .session import Session

GROUPS = 5
DUPLICATES = 10
"""How many groups are told of, and how many duplicates of each."""


def largest_groups(
    session: Session, mapping: MergeMap, source: MatchKey | RowSet
) -> tuple[PlannedGroup, ...]:
    """The largest groups that will be merged, the first survivor's first where they are equal."""
    if not isinstance(source, MatchKey):
        return ()
    database, work = session.database, session.database.q(mapping.name)
    sizes = dict(
        database.fetch(
            f"SELECT m.group_number, COUNT(*) AS size FROM {work} m GROUP BY m.group_number"
            f" ORDER BY size DESC, m.group_number LIMIT {GROUPS}"
        )
    )
    if not sizes:
        return ()
    members = ", ".join(database.qualified("m", mapping.members))
    rows = database.fetch(
        f"SELECT m.group_number, {members} FROM {work} m WHERE m.place <= {DUPLICATES}"
        f" AND m.group_number IN ({', '.join(map(str, sizes))}) ORDER BY m.group_number, m.place"
    )
    keys = {
        number: [python_key(source.model, row[1:], database.using) for row in found]
        for number, found in groupby(rows, key=lambda row: row[0])
    }
    values = _values(source, session.database.using, [found[0] for found in keys.values()])
    return tuple(
        PlannedGroup(
            values=values.get(make_hashable(keys[number][0]), {}),
            survivor=keys[number][0],
            duplicates=tuple(keys[number][1:]),
            rows=int(size),
        )
        for number, size in sizes.items()
    )


def _values(key: MatchKey, using: str, survivors: list[Any]) -> dict[Any, dict[str, Any]]:
    rows = candidates(key, using).filter(pk__in=survivors)
    return {
        make_hashable(pk): dict(zip(key.fields, values, strict=True))
        for pk, *values in rows.values_list("pk", *key_columns(key))
    }


def blank_keys(session: Session, mapping: MergeMap, source: MatchKey | RowSet) -> BlankKeys:
    """The groups whose key has an empty text in it."""
    if not isinstance(source, MatchKey) or source.blanks is Blanks.DISTINCT:
        return BlankKeys()
    columns = zip(key_columns(source), source.fields, strict=True)
    texts = [(c, "") for c, lookup in columns if ends_in_text(source.model, lookup)]
    if not texts:
        return BlankKeys()
    database, blank = session.database, Q(*texts, _connector=Q.OR)
    rows = candidates(source, database.using).filter(blank).values_list(*pk_names(source.model))
    sql, params = compiled(rows)
    names = [f"k{number}" for number in range(len(mapping.members))]
    member = database.join_on("b", names, "m", mapping.members)
    ((groups, found),) = database.fetch(
        f"WITH dedupe_blank ({', '.join(names)}) AS ({sql})"
        " SELECT COUNT(DISTINCT m.group_number), COUNT(*)"
        f" FROM dedupe_blank b JOIN {database.q(mapping.name)} m ON {member}",
        params,
    )
    return BlankKeys(groups=int(groups), rows=int(found))
