"""Looks closer at the groups that a scan has found: their values, and whether they are safe.

In batches, each of a bounded number of statements. Writes work tables and the review queue only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.utils import timezone

from ..collisions.resolutions import Outcome
from ..databases.caching import caching
from ..field_rules.differences import differing_columns
from ..finding.key_rows import candidates, key_columns
from ..finding.whole_texts import whole_texts
from ..mapping.family import family_parts
from ..mapping.groups import mapping_for
from ..mapping.key_members import fill_from
from ..mapping.mapping import create, settle
from ..mapping.waves import number_by_waves
from ..models import OPEN_STATES, QueuedGroup
from ..plain import plain_values
from ..planning.plan import analysed, open_session
from ..planning.prepared import forget
from ..registry import declared_policy
from .queued import first_rows, of_groups
from .readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model

    from ..mapping.mapping import MergeMap
    from ..models import Scan
    from ..planning.levels import Level
    from ..planning.session import Session
    from ..sentences import Sentence
    from ..values import MatchKey, MergePolicy

State = QueuedGroup.State
_COLLISIONS = (Outcome.MERGE, Outcome.DISCARD, Outcome.TIED)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a closer look finds out about the groups of a batch, by the numbers of their mapping.

    ``numbers`` are those of the groups whose first rows have these keys.
    """

    numbers: dict[str, int]
    sizes: dict[int, int]
    differing: dict[int, int]
    collided: frozenset[int]
    held: dict[int, Sentence]


def unexamined(scan: Scan) -> Any:
    """The groups of the latest search that nobody has looked at since."""
    groups = QueuedGroup.objects.using(scan.using).filter(scan=scan)
    return groups.filter(examined__lt=scan.number, seen=scan.number)


def next_unexamined(scan: Scan, most: int) -> Any:
    """So many of them, in the order of an index: each part of a scan asks for the next."""
    return unexamined(scan).order_by("examined", "pk")[:most]


def examine(scan: Scan, key: MatchKey, most: int) -> int:
    """Look closer at so many of the groups; returns how many there were, 0 when all are known.

    Raises `MergeRefused` for a model whose rows cannot be merged at all.
    """
    using = scan.using
    groups = list(next_unexamined(scan, most))
    if not groups:
        return 0
    firsts = first_rows(key.model, groups, using)
    seen = _seen(of_groups(key, firsts, using), groups, using)
    texts = _texts(key, groups, firsts, using)
    for group in groups:
        _describe(group, scan, seen, texts.get(group.row))
    _save(groups, using)
    return len(groups)


def cancel(scan: Scan) -> None:
    """End a scan that is under way: whoever has it in hand begins no other batch."""
    open_ones = (scan.Status.NEW, scan.Status.RUNNING)
    under_way = type(scan).objects.using(scan.using).filter(pk=scan.pk, status__in=open_ones)
    under_way.update(status=scan.Status.CANCELLED)


def finish(scan: Scan) -> None:
    """All groups are known now; does nothing if the scan was cancelled meanwhile."""
    running = type(scan).objects.using(scan.using).filter(pk=scan.pk, status=scan.Status.RUNNING)
    running.update(status=scan.Status.DONE, finished=timezone.now())
    scan.refresh_from_db()


def scan_policy(model: type[Model]) -> MergePolicy:
    """The declared policy, as it can be applied to groups that nobody looks at one by one."""
    policy = declared_policy(model, limit=None, batch_size=None)
    named = {name: rule for name, rule in policy.field_rules.items() if not callable(rule)}
    return replace(policy, field_rules=named)


@caching()
def _seen(key: MatchKey, groups: Sequence[QueuedGroup], using: str) -> Seen:
    session = open_session(key, using, scan_policy(key.model))
    forget(using)
    with whole_texts(key, using), session.database.planning():
        rules = session.policies.top.rules
        mapping = create(session.database, mapping_for(session, key))
        # dismissed ones as well: they, too, are listed with their values
        fill_from(session, mapping, key, candidates(key, using))
        settle(session.database, mapping)
        number_by_waves(session, mapping)
        numbers = _numbers(session, mapping, [group.row for group in groups])
        sizes = _sizes(session, mapping)
        differing = _differing(session, mapping)
        level = analysed(session, mapping, rules)
        return Seen(
            numbers=numbers,
            sizes=sizes,
            differing=differing,
            collided=frozenset(_collided(session, level)),
            held=session.held.reasons(),
        )


def _numbers(session: Session, mapping: MergeMap, rows: Sequence[str]) -> dict[str, int]:
    dialect = session.database
    members = dialect.qualified("m", mapping.members)
    text = dialect.key_text(mapping.table.pk, members)
    named = ", ".join(["%s"] * len(rows))
    found = dialect.fetch(
        f"SELECT {text}, m.group_number FROM {dialect.q(mapping.name)} m WHERE {text} IN ({named})",
        rows,
    )
    return {str(row): int(number) for row, number in found}


def _sizes(session: Session, mapping: MergeMap) -> dict[int, int]:
    table = session.database.q(mapping.name)
    found = session.database.fetch(
        f"SELECT m.group_number, COUNT(*) FROM {table} m GROUP BY m.group_number"
    )
    return {int(number): int(rows) for number, rows in found}


def _differing(session: Session, mapping: MergeMap) -> dict[int, int]:
    total: dict[int, int] = {}
    for part in family_parts(session, mapping):
        for number, columns in differing_columns(session.database, part).items():
            total[number] = total.get(number, 0) + columns
    return total


def _collided(session: Session, level: Level) -> Iterator[int]:
    """The groups in which rows that point at them are merged or discarded, and are not alike."""
    dialect = session.database
    for part in _own_levels(level):
        for work in part.works:
            if not work.rivals or work.referrer.is_inherited:
                continue
            if any(work.outcomes.get(outcome) for outcome in _COLLISIONS):
                outcomes = ", ".join(f"'{outcome}'" for outcome in _COLLISIONS)
                rows = dialect.fetch(
                    f"SELECT DISTINCT x.group_number FROM {dialect.q(work.rivals.name)} x"
                    f" WHERE x.outcome IN ({outcomes})"
                )
                yield from (int(number) for (number,) in rows)


def _own_levels(level: Level) -> Iterator[Level]:
    """The levels of the parts of the merged objects themselves."""
    yield level
    for work in level.works:
        if work.nested and work.referrer.is_inherited:
            yield from _own_levels(work.nested)
    for side in level.sides:
        yield from _own_levels(side)


def _texts(
    key: MatchKey, groups: Sequence[QueuedGroup], firsts: Sequence[Any], using: str
) -> dict[str, tuple[dict[str, Any], str]]:
    """The values of the key, plain and as people read them, by the group's first row."""
    rows = candidates(key, using).filter(pk__in=firsts)
    values = {
        pk: dict(zip(key.fields, held, strict=True))
        for pk, *held in rows.values_list("pk", *key_columns(key))
    }
    shown = readable(key, values, using)
    return {
        group.row: (plain_values(key, values[pk]), shown[pk])
        for group, pk in zip(groups, firsts, strict=True)
        if pk in values
    }


def _describe(
    group: QueuedGroup, scan: Scan, seen: Seen, told: tuple[dict[str, Any], str] | None
) -> None:
    number = seen.numbers.get(group.row)
    group.examined = scan.number
    if number is None or told is None:
        group.state, group.is_safe = State.OUTDATED, False
        return
    group.values, group.text = told
    group.size = seen.sizes[number]
    group.differing = seen.differing.get(number, 0)
    group.reason = seen.held.get(number)
    group.is_safe = not (group.differing or group.reason or number in seen.collided)


_FACTS = ["values", "text", "size", "differing", "is_safe", "reason", "examined"]


def _save(groups: Sequence[QueuedGroup], using: str) -> None:
    """What was found out; of the states only those that it settles, in case a person was faster."""
    queue = QueuedGroup.objects.using(using)
    features = connections[using].features
    queue.bulk_create(
        groups,
        update_conflicts=True,
        update_fields=_FACTS,
        unique_fields=["pk"] if features.supports_update_conflicts_with_target else None,
    )
    gone = [group.pk for group in groups if group.state == State.OUTDATED]
    held = [group.pk for group in groups if group.reason]
    free = [group.pk for group in groups if not group.reason]
    queue.filter(pk__in=gone, state__in=OPEN_STATES).update(state=State.OUTDATED)
    queue.filter(pk__in=held, state=State.PENDING).update(state=State.HELD)
    queue.filter(pk__in=free, state=State.HELD).update(state=State.PENDING)
