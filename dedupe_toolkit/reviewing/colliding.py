"""Rows that collide once others are merged, two by two, for a person to compare. Only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from ..collisions.compared_rows import rule_rows
from ..collisions.losing_rows import (
    are_alike,
    beside_winners,
    loser_keys,
    losing_rows,
    winner_keys,
)
from ..collisions.resolutions import RESOLUTIONS, Outcome
from ..databases.caching import caching
from ..field_rules.fillers import exact_text, raw
from ..journal.key_texts import keys_of
from ..mapping.groups import mapping_for
from ..planning.plan import open_session
from ..references.refusals import refusal_of
from .preview_counts import InlineMapping, inline, is_simple
from .related_rows import read_related
from .row_counts import row_counts
from .unreadable import read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from django.db.models import Model

    from ..collisions.resolutions import Resolution
    from ..planning.session import Session
    from ..references.referrers import Referrer
    from ..references.rule_sql import TableRule
    from ..values import MergePolicy, RowSet

SHOWN = 10
"""How many pairs of a table are looked at."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two rows of which only one can point at the survivor: the one that stays, and its rival.

    ``is_referenced`` says that something points at the rival, so that it cannot just go.
    """

    stays: Model
    rival: Model
    is_referenced: bool


@dataclass(frozen=True, kw_only=True)
class CollidingRows:
    """The pairs of one table that differ; ``reference`` names it in a policy's ``collisions``.

    ``columns`` are those in which the rows cannot but differ. ``allowed`` is what a person may
    choose, and ``outcome`` what becomes of rivals by what is chosen.
    """

    reference: str
    model: type[Model]
    columns: frozenset[str]
    pairs: tuple[Pair, ...]
    allowed: tuple[Resolution, ...]
    outcome: Outcome

    @property
    def fingerprint(self) -> str:
        """Another one as soon as other rows collide, or one of them has another value."""
        fields = self.model._meta.concrete_fields
        rows = [
            [exact_text(raw(field, row)) for field in fields]
            for pair in self.pairs
            for row in (pair.stays, pair.rival)
        ]
        return sha256(repr(rows).encode()).hexdigest()


@caching()
def colliding_rows(
    source: RowSet,
    *,
    using: str,
    policy: MergePolicy,
    models: Collection[str],
    members: Sequence[Model] = (),
) -> tuple[CollidingRows, ...]:
    """The rows of these models that collide when those of ``source`` are merged, and differ.

    ``members`` are the rows that are merged, as far as they are at hand.
    One statement, and a few for each table with such rows. Tables whose rows win by a rule of their
    own are left out, and so are those that point otherwise than by one column with the key.
    """
    if not models:
        return ()
    session = open_session(source, using, policy)
    # no work table has this name, as in a preview
    mapping = replace(mapping_for(session, source), name="dedupe_preview")
    rows = inline(session, source, mapping)
    asked = list(_asked(session, rows, models))
    if not asked:
        return ()
    found: dict[str, list[tuple[Any, ...]]] = {}
    parts = [_pairs(session, rows, *one, number) for number, one in enumerate(asked)]
    for number, *pair in rows.fetch(" UNION ALL ".join(parts)):
        found.setdefault(asked[int(number)][0].table.name, []).append(tuple(pair))
    referrers = {referrer.table.name: referrer for referrer, _rule in asked}
    return tuple(
        _told(session, referrers[name], pairs, members) for name, pairs in sorted(found.items())
    )


def _asked(
    session: Session, rows: InlineMapping, models: Collection[str]
) -> Iterator[tuple[Referrer, TableRule]]:
    top = session.policies.top
    for referrer in session.referrers(rows.mapping.table.model):
        if referrer.table.model._meta.label not in models:
            continue
        is_plain = all(is_simple(reference, rows.mapping) for reference in referrer.references)
        if referrer.is_link or referrer.is_inherited or not is_plain:
            continue
        if not session.policies.below(top, referrer).ordering:
            yield from ((referrer, rule) for rule in referrer.rules)


def _pairs(
    session: Session, rows: InlineMapping, referrer: Referrer, rule: TableRule, number: int
) -> str:
    """A query for the first pairs of keys that lose by one rule, each after the rule's number."""
    database, mapping = rows.database, rows.mapping
    losers, winners = loser_keys(referrer), winner_keys(referrer)
    first, second = (database.key_text(referrer.table.pk, keys) for keys in (winners, losers))
    losing = losing_rows(database, mapping, referrer, rule_rows(database, mapping, referrer, rule))
    policy = session.policies.below(session.policies.top, referrer)
    alike = are_alike(database, mapping, referrer, policy.rules)
    return (
        f"SELECT * FROM (SELECT {number} AS n, {first} AS a_key, {second} AS b_key"
        f" FROM (SELECT x.* {losing}) x"
        f" {beside_winners(database, referrer, losers, winners)} WHERE NOT ({alike})"
        f" ORDER BY {first}, {second} LIMIT {SHOWN}) q{number}"
    )


def _told(
    session: Session,
    referrer: Referrer,
    found: Sequence[tuple[Any, ...]],
    members: Sequence[Model],
) -> CollidingRows:
    model, using = referrer.table.model, session.database.using
    texts = list({text for pair in found for text in pair})
    keys = dict(zip(texts, keys_of(model, texts, using), strict=True))
    columns = frozenset(name for ref in referrer.references for name in ref.columns)
    named: QuerySet[Any] = QuerySet(model, using=using).filter(pk__in=keys.values())
    rows: dict[Any, Model] = {row.pk: row for row in read_rows(named)}
    _tell_known(list(rows.values()), members)
    read_related(list(rows.values()))
    counts = row_counts(model, [keys[rival] for _, rival in found], using)
    referenced = {pk for count in counts for pk in count.rows}
    pairs = tuple(
        Pair(
            stays=rows[keys[first]],
            rival=rows[keys[second]],
            is_referenced=keys[second] in referenced,
        )
        for first, second in dict.fromkeys(found)
        if keys[first] in rows and keys[second] in rows
    )
    policy = session.policies.top
    said = [ref.label for ref in referrer.references if ref.label in policy.collisions]
    return CollidingRows(
        reference=next(iter(said), referrer.references[0].label),
        model=model,
        columns=columns,
        pairs=pairs,
        allowed=_allowed(model, pairs),
        outcome=policy.of_rivals(referrer).outcome,
    )


def _tell_known(rows: Sequence[Model], members: Sequence[Model]) -> None:
    """A row's name may speak of the rows that it points at: those that are merged are at hand."""
    fields: Sequence[Any] = rows[0]._meta.concrete_fields if rows else ()
    for field in fields:
        if field.is_relation:
            known = {getattr(one, field.target_field.attname): one for one in _of(field, members)}
            for row in rows:
                if (found := known.get(getattr(row, field.attname))) is not None:
                    field.set_cached_value(row, found)


def _of(field: Any, rows: Sequence[Model]) -> list[Model]:
    """Those of the rows that the field can point at."""
    return [row for row in rows if isinstance(row, field.related_model)]


def _allowed(model: type[Model], pairs: Sequence[Pair]) -> tuple[Resolution, ...]:
    """Rows that others reference cannot just go, and those of some packages cannot change."""
    is_unmergeable = refusal_of(model) is not None
    is_referenced = any(pair.is_referenced for pair in pairs)

    def can_be(outcome: Outcome) -> bool:
        return outcome is Outcome.HOLD or not (
            is_unmergeable or (is_referenced and outcome.is_deleted)
        )

    return tuple(one for one in RESOLUTIONS.values() if one.rivals and can_be(one.rivals.outcome))
