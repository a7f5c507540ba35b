"""What merging rows named one by one will do, for a page that only shows it. Only reads.

Where rows are only repointed, discarded or held back, two statements tell it, and no work table
is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps

from ..databases.asking import asking_once
from ..databases.tables import python_key
from ..graph.discover import column_references, references_to
from ..graph.refusals import agreeing_columns
from ..values import HeldGroup, MergePlan, OnConflict
from .groups import unfilled
from .levels import Level, Work
from .missing_indexes import missing_indexes
from .new_values import FieldRules
from .plan import collision_advice, open_session, plan_merge, views
from .preview_counts import Found, count_members, inline
from .preview_rivals import collisions, compare
from .rivals import Fate
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

    from ..graph.references import Reference
    from ..values import MergePolicy, RowSet
    from .mapping import Mapping
    from .session import Session


@asking_once()
def preview_merge(
    source: RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> MergePlan:
    """What `plan_merge` says of rows named one by one; raises what that raises.

    A dozen statements unless rows that collide are merged in their turn, or the merge does more
    than repoint, discard or hold back: that is planned in full. The plan is there to be shown: to
    merge, make one with `plan_merge`.
    """
    session = open_session(source, using, policy)
    FieldRules(session.database, source, session.policy.field_rules)
    mapping = unfilled(session, source)
    told = _told(session, source, mapping) if _is_plain(session, mapping) else None
    if told is None:
        return plan_merge(source, using=using, policy=policy)
    level = Level(mapping=mapping, works=tuple(map(_work, told.holders)))
    return MergePlan(
        source=source,
        using=using,
        policy=session.policy,
        groups=1,
        rows_to_merge=0 if told.held_back else len(source.pks) - 1,
        references=_tally(told).references,
        held_back=told.held_back,
        warnings=(
            *collision_advice(session.policy, told.held_back),
            *views(source.model, using),
            *missing_indexes(session.database, level),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What there is for a merge in each holder, once the group is held back if it must be."""

    holders: list[Found]
    looked_at: tuple[Reference, ...] = ()
    held_back: tuple[HeldGroup, ...] = ()


def _told(session: Session, source: RowSet, mapping: Mapping) -> _Told | None:
    """What two statements tell; None if there is more to the merge."""
    rows = inline(session, source, mapping)
    members, holders = count_members(rows, session.holders(mapping.table.model))
    if members != len(source.pks):
        return None  # the plan says which are missing
    asked, is_all = collisions(session, mapping, holders)
    keys, answers = compare(rows, asked) if asked else ([], [])
    for answer in answers:
        if answer.reason:
            held = _held(source, keys, answer.reason)
            return _Told(holders=[found.nothing for found in holders], held_back=(held,))
        if answer.is_deep(session):
            return None
    looked_at = tuple(reference for answer in answers for reference in answer.merged_with)
    return _Told(holders=holders, looked_at=looked_at) if is_all else None


def _held(source: RowSet, keys: Sequence[Any], reason: str) -> HeldGroup:
    rows = tuple(python_key(source.model, key) for key in keys)
    return HeldGroup(values={}, rows=rows, reason=reason)


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


def _work(found: Found) -> Work:
    losers = sum(found.losers)
    return Work(holder=found.holder, fates={Fate.REDUNDANT: losers} if losers else {})


def _tally(told: _Told) -> Tally:
    tally = Tally()
    for found in told.holders:
        discarded = sum(found.losers)
        for reference, rows in found.rows.items():
            # all that lose pointed at a duplicate: rows of the survivor win
            tally.add(
                reference.label, reference.kind, repointed=rows - discarded, discarded=discarded
            )
    for reference in told.looked_at:
        tally.add(reference.label, reference.kind)
    return tally
