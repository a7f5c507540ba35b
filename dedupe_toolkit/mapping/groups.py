"""From a match key, or rows named one by one, to a filled mapping. Writes work tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from ..databases.common_tables import Joined, compiled
from ..databases.names import numbered
from ..databases.places import stores_rows
from ..databases.tables import pk_names
from ..errors import InvalidOption
from ..finding.key_rows import candidates, key_columns, places, ranked, survivor_columns
from ..finding.survivor_rules import survivor_ordering
from ..journal.key_texts import key_text
from ..journal.old_keys import merged_into
from ..references.discover import inheritance_root, present, references_to
from ..references.finders import models_pointing_at
from ..sentences import Sentence
from ..values import MatchKey, Nulls, RowSet
from .key_members import fill_by_key
from .mapping import MergeMap, create, fill, settle, texts_for
from .whole_groups import drop_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

    from ..databases import Database
    from ..planning.session import Session


def map_groups(session: Session, source: MatchKey | RowSet) -> MergeMap:
    """The mapping of every duplicate group of the source, at most `MergePolicy.limit` of them.

    Raises `InvalidOption` when one of the rows named does not exist.
    """
    database = session.database
    if isinstance(source, RowSet):
        require_rows(source, database.using)
    mapping = create(database, mapping_for(session, source))
    rows = None
    if isinstance(source, RowSet):
        rows = fill(database, mapping, *named_members(session, source))
    else:
        fill_by_key(session, mapping, source)
    settle(database, mapping, rows)
    if session.policy.limit is not None:
        drop_groups(database, mapping, "group_number > %s", [session.policy.limit])
    return mapping


def mapping_for(session: Session, source: MatchKey | RowSet) -> MergeMap:
    """The mapping for a source, before its work table is made."""
    database, root = session.database, inheritance_root(source.model)
    references = references_to(root, database.using)
    referrers = {reference.referrer: None for reference in references}
    below = {one: None for referrer in referrers for one in models_pointing_at(referrer)}
    stored = filter(lambda one: stores_rows(one, database.using), below)
    database.read_tables([root, *referrers, *stored])
    return MergeMap(
        name=session.work_table("map"),
        table=database.table(root),
        texts_for=texts_for(database, present(references, database)),
    )


def named_members(session: Session, source: RowSet) -> tuple[str, Sequence[Any]]:
    """SQL for what a mapping is filled with, of the rows named: the row to merge into first."""
    using = session.database.using
    ordering = survivor_ordering(source.model, session.policy.survivor, using)
    if source.into is not None:
        chosen = Case(When(pk=source.into, then=Value(0)), default=Value(1))
        ordering = [chosen, *ordering]
    return places(Joined(rows=ranked(named_rows(source, using), [], ordering)))


def require_rows(source: RowSet, using: str) -> None:
    """Raises `InvalidOption` when one of the rows named does not exist."""
    refuse_missing(source, named_rows(source, using).values_list("pk", flat=True), using)


def refuse_missing(source: RowSet, pks: Iterable[Any], using: str) -> None:
    """Raises `InvalidOption` when one of the rows named is not among those found.

    Says of a row that has been merged into which.
    """
    found = set(pks)
    missing = [pk for pk in source.pks if pk not in found]
    if missing:
        told = "; ".join(_whereabouts(source.model, pk, using) for pk in missing)
        raise InvalidOption(Sentence("missing", model=source.label, rows=missing, told=told))


def _whereabouts(model: type[Model], pk: Any, using: str) -> str:
    """A clause on what became of a row that is not there; empty where nobody knows."""
    if "," in str(pk) and not isinstance(pk, tuple):
        return "; separate keys by spaces"
    merged = merged_into(model, key_text(model, pk, using), using)
    if merged is None:
        return ""
    return f": {pk} was merged into {merged.survivor} in run {merged.run}"


def named_rows(source: RowSet, using: str) -> QuerySet[Any]:
    """The rows named that exist, in no order."""
    rows: QuerySet[Any] = QuerySet(source.model, using=using).filter(pk__in=source.pks)
    return rows.order_by()


def changed_groups(session: Session, mapping: MergeMap, source: MatchKey | RowSet) -> None:
    """Hold back the groups that are no longer what they were when the mapping was made.

    Call it with the rows locked: what it lets through cannot change any more.
    """
    database = session.database
    if isinstance(source, RowSet):
        sql, params = _existing(session, mapping), ()
    elif _all_agree(database, mapping, source):
        return
    else:
        sql, params = _ranked_again(session, mapping, source)
    table, names = database.q(mapping.name), ", ".join([*mapping.survivors, *mapping.members])
    member = database.join_on("n", mapping.members, "r", mapping.members)
    together = " AND ".join(f"COUNT(DISTINCT r.{name}) = 1" for name in mapping.survivors)
    # one pass over the rows as they are now: joining them to the mapping's members one by one
    # would have SQLite scan them for each, as a common table expression has no index
    unchanged = (
        f"WITH dedupe_ranked ({names}) AS ({sql})"
        f" SELECT n.group_number FROM dedupe_ranked r {database.join} {table} n"
        f" ON {member} GROUP BY n.group_number HAVING {together} AND COUNT(*) ="
        f" (SELECT COUNT(*) FROM {table} s WHERE s.group_number = n.group_number)"
    )
    session.held.add(
        "changed",
        f"FROM {table} x WHERE x.place = 0 AND x.group_number NOT IN ({unchanged})",
        params,
    )


def _all_agree(database: Database, mapping: MergeMap, key: MatchKey) -> bool:
    """Whether all duplicates still equal their survivors on the key: nearly always, found fast."""
    if key.nulls is Nulls.EQUAL:
        return False
    # under names of their own: Django calls a column in a query by its field, or as it is called
    pk = numbered("dedupe_pk", len(mapping.key))
    named = {name: F(field) for name, field in zip(pk, pk_names(key.model), strict=True)}
    rows = candidates(key, database.using).annotate(**named)
    sql, params = compiled(rows.values_list(*pk, *key_columns(key)))
    joins = [
        f"{database.join} ({sql}) {row} ON " + database.join_on(row, pk, "n", side)
        for row, side in (("r", mapping.members), ("s", mapping.survivors))
    ]
    agree = database.equal(*(database.qualified(row, key_columns(key)) for row in ("r", "s")))
    table = database.q(mapping.name)
    alike = f"SELECT COUNT(*) FROM {table} n {' '.join(joins)} WHERE n.place > 0 AND {agree}"
    all_duplicates = f"SELECT COUNT(*) FROM {table} WHERE place > 0"
    return bool(database.value(f"SELECT ({alike}) = ({all_duplicates})", [*params, *params]))


def _existing(session: Session, mapping: MergeMap) -> str:
    database = session.database
    keys = database.qualified("t", mapping.key)
    same = database.equal(keys, database.qualified("n", mapping.members))
    survivors = database.qualified("n", mapping.survivors)
    return (
        f"SELECT {', '.join(survivors + keys)} FROM {database.q(mapping.name)} n"
        f" {database.join} {database.q(mapping.table.name)} t ON {same}"
    )


def _ranked_again(session: Session, mapping: MergeMap, key: MatchKey) -> tuple[str, Any]:
    """The members grouped anew by the key's values as they are now, whatever the survivor rule."""
    database = session.database
    lowest = [F(name).asc() for name in pk_names(key.model)]
    equal = [F(column) for column in key_columns(key)]
    ranks = ranked(candidates(key, database.using), equal, lowest)
    rows = _only_members(ranks, database, mapping)
    return compiled(rows.values_list(*survivor_columns(key.model), *pk_names(key.model)))


def _only_members(rows: QuerySet[Any], database: Database, mapping: MergeMap) -> QuerySet[Any]:
    members = ", ".join(database.qualified("n", mapping.members))
    sql = f"SELECT {members} FROM {database.q(mapping.name)} n"
    if len(mapping.key) == 1:
        return rows.filter(pk__in=RawSQL(sql, []))  # noqa: S611  # quoted names of our own
    keys = database.qualified(database.q(mapping.table.name), mapping.key)
    return rows.extra(where=[f"({', '.join(keys)}) IN ({sql})"])  # noqa: S610  # as above
