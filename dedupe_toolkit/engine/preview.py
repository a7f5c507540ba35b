"""What merging rows named one by one will do, for a page that only shows it. Only reads.

Where nothing collides one statement counts everything, and no work table is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps

from ..databases.asking import asking_once
from ..graph.discover import column_references, references_to
from ..graph.refusals import agreeing_columns
from ..values import MergePlan, OnConflict
from .groups import member_rows, unfilled
from .levels import Level, Work
from .mapping import MERGED, filling
from .missing_indexes import missing_indexes
from .new_values import FieldRules
from .plan import open_session, plan_merge, views
from .repointing import are_merged, repointed_rows
from .rivals import Fate
from .rule_rows import rule_rows
from .tally import Tally

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from ..values import MergePolicy, RowSet
    from .holders import Holder
    from .mapping import Mapping
    from .session import Session


@asking_once()
def preview_merge(
    source: RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> MergePlan:
    """What `plan_merge` says of rows named one by one; raises what that raises.

    A dozen statements where nothing collides but links to one and the same row; any other case
    is planned in full. The plan is there to be shown: to merge, make one with `plan_merge`.
    """
    session = open_session(source, using, policy)
    FieldRules(session.database, source.model, session.policy.field_rules)
    mapping = unfilled(session, source)
    level = _counted(session, source, mapping) if _is_plain(session, mapping) else None
    if level is None:
        return plan_merge(source, using=using, policy=policy)
    return MergePlan(
        source=source,
        using=using,
        policy=session.policy,
        groups=1,
        rows_to_merge=len(source.pks) - 1,
        references=level.tally.references,
        held_back=(),
        warnings=(*views(source.model, using), *missing_indexes(session.database, level.level)),
    )


@dataclass(frozen=True, kw_only=True)
class _Counted:
    level: Level
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """Subqueries for numbers, each under what it counts, to be asked in one statement."""

    database: Database
    sql: dict[Any, str] = field(default_factory=dict)
    params: list[Any] = field(default_factory=list)

    def add(self, what: Any, sql: str, params: Any = ()) -> None:
        self.sql[what] = f"({sql})"
        self.params.extend(params)

    def ask(self, mapping: Mapping, names: list[str], rows: str, params: Any) -> dict[Any, int]:
        """All the numbers, with the mapping's rows under its name."""
        listed = ", ".join(map(self.database.q, names))
        (found,) = self.database.fetch(
            f"WITH {self.database.q(mapping.name)} ({listed}) AS ({rows})"
            f" SELECT {', '.join(self.sql.values())}",
            [*params, *self.params],
        )
        return {what: int(number or 0) for what, number in zip(self.sql, found, strict=True)}


def _is_plain(session: Session, mapping: Mapping) -> bool:
    """Whether counting alone can tell what a merge does, as far as models and policy go."""
    model, policy = mapping.table.model, session.policy
    references = references_to(model, session.database.using)
    return (
        policy.on_conflict == OnConflict.SURVIVOR
        and _has_plain_rules(session, model)
        and len(column_references(references)) == len(references)
        and all(_is_simple(reference, mapping) for reference in references)
        and not agreeing_columns(model)
        and not apps.is_installed("wagtail")
        and not session.strangers(model)
    )


def _has_plain_rules(session: Session, model: type[Model]) -> bool:
    """Whether the field rules need no look at the rows: no functions, no parts in other tables."""
    rules = session.policy.field_rules.values()
    is_whole = not any(holder.is_inherited for holder in session.holders(model))
    return not rules or (is_whole and all(isinstance(rule, str) for rule in rules))


def _is_simple(reference: Reference, mapping: Mapping) -> bool:
    """Whether a reference is one column with the primary key, as it is or as text."""
    return len(reference.columns) == 1 and reference.targets == tuple(mapping.key)


def _counted(session: Session, source: RowSet, mapping: Mapping) -> _Counted | None:
    """What the references hold; None if there is more to a merge than repointing and links."""
    database, holders = session.database, session.holders(mapping.table.model)
    counts = _Counts(database=database)
    for holder in holders:
        for reference in holder.references:
            _count_reference(counts, mapping, reference)
        for number, rule in enumerate(holder.rules):
            counts.add((holder.table.name, number), *_losers_sql(database, mapping, holder, rule))
    members, params = member_rows(session, source)
    names, rows = filling(database, mapping, members)
    counts.add("members", f"SELECT COUNT(*) FROM {database.q(mapping.name)}")
    found = counts.ask(mapping, names, _texts_typed(database, mapping, rows, names), params)
    if found["members"] != len(source.pks) or any(_is_delicate(h, found) for h in holders):
        return None
    works = tuple(Work(holder=holder, fates=_fates(holder, found)) for holder in holders)
    return _Counted(level=Level(mapping=mapping, works=works), tally=_tally(works, found))


def _texts_typed(database: Database, mapping: Mapping, rows: str, names: list[str]) -> str:
    """The rows, their keys as text comparing as those of a work table do."""
    if not mapping.text:
        return rows
    columns = ", ".join(map(database.q, names))
    plain = [database.q(name) for name in names if name not in mapping.texts]
    texts = [database.as_text(database.q(name), mapping.text) for name in mapping.texts]
    return f"WITH d ({columns}) AS ({rows}) SELECT {', '.join(plain + texts)} FROM d"


def _count_reference(counts: _Counts, mapping: Mapping, reference: Reference) -> None:
    database = counts.database
    rows = repointed_rows(database, mapping, reference)
    gone = are_merged(database, mapping, reference)
    counts.add(reference, f"SELECT COUNT(*) {rows} AND NOT ({gone})")
    if reference.holder is mapping.table.model and not reference.is_key:
        counts.add((reference, "own"), _own_targets(database, mapping, reference))


def _own_targets(database: Database, mapping: Mapping, reference: Reference) -> str:
    """The survivors that point at a duplicate of theirs."""
    survivor = database.equal(
        database.qualified("t", mapping.key), database.qualified("m", mapping.survivors)
    )
    held = database.equal(
        database.qualified("t", reference.columns), database.qualified("m", mapping.old(reference))
    )
    conditions = filter(None, [MERGED, held, reference.condition("t", database)])
    return (
        f"SELECT COUNT(*) FROM {database.q(mapping.name)} m {database.join}"
        f" {database.q(mapping.table.name)} t ON {survivor} WHERE {' AND '.join(conditions)}"
    )


def _losers_sql(
    database: Database, mapping: Mapping, holder: Holder, rule: UniqueRule
) -> tuple[str, Any]:
    """How many rows more than one of the same values a unique rule would meet."""
    rows = rule_rows(database, mapping, holder, rule)
    conditions = rows.conditions or ["1 = 1"]
    if holder.table.name == mapping.table.name:
        same = database.equal(database.qualified("g", mapping.members), rows.keys)
        gone = f"SELECT 1 FROM {database.q(mapping.name)} g WHERE g.place > 0 AND {same}"
        conditions = [*conditions, f"NOT EXISTS ({gone})"]
    alike = (
        f"SELECT COUNT(*) AS n FROM {rows.source} WHERE {' AND '.join(conditions)}"
        f" GROUP BY {', '.join(rows.values)} HAVING COUNT(*) > 1"
    )
    return f"SELECT SUM(y.n - 1) FROM ({alike}) y", rows.params


def _losers(holder: Holder, found: dict[Any, int]) -> int:
    return sum(found[holder.table.name, number] for number in range(len(holder.rules)))


def _is_delicate(holder: Holder, found: dict[Any, int]) -> bool:
    """Whether its rows do more than change their reference, or vanish as a link that is there."""
    rows = sum(found[reference] for reference in holder.references)
    own = sum(found.get((reference, "own"), 0) for reference in holder.references)
    is_link = holder.is_link and len(holder.references) == 1 and not holder.followers
    return bool(
        own
        or (rows and (holder.key or holder.link_pairs))
        or (_losers(holder, found) and not is_link)
    )


def _fates(holder: Holder, found: dict[Any, int]) -> dict[Fate, int]:
    losers = _losers(holder, found)
    return {Fate.REDUNDANT: losers} if losers else {}


def _tally(works: tuple[Work, ...], found: dict[Any, int]) -> Tally:
    tally = Tally()
    for work in works:
        for reference in work.holder.references:
            # all links that lose pointed at a duplicate: those of the survivor win
            repointed = found[reference] - work.discarded
            tally.add(
                reference.label, reference.kind, repointed=repointed, discarded=work.discarded
            )
    return tally
