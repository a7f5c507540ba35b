"""What merging rows named one by one will do, for a page that only shows it. Only reads.

Where rows are only repointed, discarded or held back, two statements tell it, and no work table
is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..collisions.repeated_links import told as repeated
from ..collisions.resolutions import Outcome
from ..databases.caching import caching
from ..databases.tables import python_key
from ..field_rules.differences import compared_columns, counting
from ..field_rules.differences import told as unlike
from ..field_rules.rules import Call
from ..mapping.groups import mapping_for
from ..plan_values import FieldDifference, HeldCollisions, HeldGroup, MergePlan
from ..planning.ahead import ahead
from ..planning.levels import Level, Work
from ..planning.missing_indexes import missing_indexes
from ..planning.plan import collision_advice, open_session, plan_to_show, views
from ..planning.reasons.held_collisions import summed
from ..planning.reasons.limits import is_unnamed
from ..planning.reasons.of_rows import Merging, needs_plan
from ..planning.rehearsal import doubts
from ..planning.tally import Tally
from ..planning.unenforced import unenforced
from ..references.discover import column_references, parent_links, references_to
from ..references.hidden import hiding_columns
from ..repointing.rows import repointed_rows
from .preview_counts import Found, count_members, inline, is_simple
from .preview_rivals import collisions, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model

    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..sentences import Sentence
    from ..values import MergePolicy, RowSet


@caching()
def preview_merge(
    source: RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> MergePlan:
    """What `plan_merge` says of rows named one by one; raises what that raises.

    A dozen statements unless rows that collide are merged in their turn, or the merge does more
    than repoint, discard or hold back: that is planned in full. The plan is there to be shown: to
    merge, make one with `plan_merge`.
    """
    session = open_session(source, using, policy)
    # no work table has this name: MySQL would take the query of that name for the table
    mapping = replace(mapping_for(session, source), name="dedupe_preview")
    told = _told(session, source, mapping) if _is_plain(session, mapping) else None
    if told is None:
        return plan_to_show(source, using=using, policy=policy)
    level = _met(session, mapping, told)
    return MergePlan(
        source=source,
        using=using,
        policy=session.policy,
        groups=1,
        rows_to_merge=0 if told.held_back else len(source.pks) - 1,
        references=_tally(told).references,
        held_back=told.held_back,
        collisions=told.collisions,
        differences=told.differences,
        repeated_links=tuple(
            link for found in told.referrers for link in repeated(found.referrer, found.repeated)
        ),
        warnings=(
            *collision_advice(told.collisions),
            *ahead(session.database, source.model),
            *unenforced(session.database, level),
            *views(source.model, using),
            *missing_indexes(session.database, level),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What there is for a merge in each referrer, once the group is held back if it must be."""

    referrers: list[Found]
    looked_at: tuple[Reference, ...] = ()
    held_back: tuple[HeldGroup, ...] = ()
    differences: tuple[FieldDifference, ...] = ()
    collisions: tuple[HeldCollisions, ...] = ()


def _told(session: Session, source: RowSet, mapping: MergeMap) -> _Told | None:
    """What two statements tell; None if there is more to the merge."""
    rows = inline(session, source, mapping)
    doubtful = doubts(session, _level(session, mapping))
    if doubtful is None:
        return None
    asked_first = [*doubtful, *_unnamed(session, mapping)]
    columns = compared_columns(mapping)
    beside = counting(session.database, mapping, columns)
    counted = count_members(rows, session.referrers(mapping.table.model), asked_first, beside)
    if counted.members != len(source.pks) or counted.doubts:
        return None  # the plan says which are missing, or fail what the database demands
    referrers, numbers = counted.referrers, counted.beside
    asked, is_all = collisions(session, mapping, referrers)
    keys, answers = compare(rows, asked) if asked else ([], [])
    for answer in answers:
        if answer.reason:
            if not is_all:
                return None  # what only the plan can tell of may collide as well
            return _Told(
                referrers=[found.nothing for found in referrers],
                held_back=(_held(source, keys, answer.reason, session.database.using),),
                collisions=summed(a.stake for a in answers if a.reason and a.stake),
            )
        if answer.is_deep(session):
            return None
    looked_at = tuple(reference for answer in answers for reference in answer.merged_with)
    differences = tuple(unlike(mapping, session.policies.top.rules, columns, numbers))
    return (
        _Told(referrers=referrers, looked_at=looked_at, differences=differences) if is_all else None
    )


def _unnamed(session: Session, mapping: MergeMap) -> Iterator[str]:
    """Queries for how many rows that change the journal could not name."""
    database, table = session.database, mapping.table
    if condition := is_unnamed(database, table):
        yield f"SELECT COUNT(*) FROM {mapping.with_rows('t', database)} WHERE {condition}"
    for referrer in session.referrers(table.model):
        if condition := is_unnamed(database, referrer.table):
            for reference in referrer.references:
                rows = repointed_rows(database, mapping, reference)
                yield f"SELECT COUNT(*) {rows} AND ({condition})"


def _level(session: Session, mapping: MergeMap) -> Level:
    """All that a merge may change, where no rows are merged below."""
    works = tuple(Work(referrer=referrer) for referrer in session.referrers(mapping.table.model))
    pointing = frozenset(reference for work in works for reference in work.referrer.references)
    return Level(mapping=mapping, policy=session.policies.top, works=works, pointing=pointing)


def _met(session: Session, mapping: MergeMap, told: _Told) -> Level:
    """What the merge does change."""
    pointing = frozenset(
        one for found in told.referrers for one, rows in found.rows.items() if rows
    )
    works = tuple(map(_work, told.referrers))
    return Level(mapping=mapping, policy=session.policies.top, works=works, pointing=pointing)


def _held(source: RowSet, keys: Sequence[Any], reason: Sentence, using: str) -> HeldGroup:
    rows = tuple(python_key(source.model, key, using) for key in keys)
    return HeldGroup(values={}, rows=rows, reason=reason)


def _is_plain(session: Session, mapping: MergeMap) -> bool:
    """Whether counting alone can tell what a merge does, as far as models and policy go."""
    model = mapping.table.model
    rows = Merging(session=session, mapping=mapping, policy=session.policies.top)
    references = references_to(model, session.database.using)
    return (
        _has_plain_rules(session, model)
        and len(column_references(references)) == len(references)
        and all(is_simple(reference, mapping) for reference in references)
        and not hiding_columns(session.source.model)
        and not parent_links(model)
        and not needs_plan(rows)
        and not any(_moves_parts(session, referrer) for referrer in session.referrers(model))
    )


def _moves_parts(session: Session, referrer: Referrer) -> bool:
    """Whether a key of several columns moves, or keys that hold one that moves, or rows with it
    that the journal may not be able to name.

    What such keys become has to be written into work tables.
    """
    return referrer.moves and any(
        len(reference.targets) > 1 or below.moves or is_unnamed(session.database, below.table)
        for below in session.referrers(referrer.table.model)
        for reference in below.references
    )


def _has_plain_rules(session: Session, model: type[Model]) -> bool:
    """Whether the field rules need no look at the rows: no functions, no parts in other tables."""
    rules = session.policies.top.rules.named.values()
    is_whole = not any(referrer.is_inherited for referrer in session.referrers(model))
    return not rules or (is_whole and not any(isinstance(one.rule, Call) for one in rules))


def _work(found: Found) -> Work:
    losers = sum(found.losers)
    return Work(referrer=found.referrer, outcomes={Outcome.REDUNDANT: losers} if losers else {})


def _tally(told: _Told) -> Tally:
    tally = Tally()
    for found in told.referrers:
        discarded = sum(found.losers)
        for reference, rows in found.rows.items():
            # all that lose pointed at a duplicate: rows of the survivor win
            tally.add(reference, repointed=rows - discarded, discarded=discarded)
    for reference in told.looked_at:
        tally.add(reference)
    return tally
