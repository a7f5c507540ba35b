"""Prove that a key is raced for, and that a constraint ends it. Writes to a scratch table only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from ..arguments import checking_arguments, require_kind
from ..databases import database
from ..databases.scratch import scratch_copy
from ..databases.sessions import KEEPING_SNAPSHOTS
from ..databases.tables import pk_fields, require_table
from ..errors import InvalidMatchKey, InvalidOption
from ..keys import check_alias, key_field
from ..source.constraints import constraint_for, generated_name, simplified
from ..source.owner import on_owner
from ..values import MatchKey, Nulls
from .bare_model import bare_model, made_up
from .keeping import keeping, refuse_unkept
from .processes import run_in_step
from .race import Course, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.db.models import Model

    from ..databases import Database
    from ..databases.scratch import Scratch


@dataclass(frozen=True, kw_only=True)
class Race:
    """What came of one race: how many calls, how many rows too many, which errors they raised."""

    calls: int
    duplicates: int
    errors: Mapping[str, int]
    calls_per_second: float

    @property
    def duplicates_per_thousand(self) -> float:
        return 1000 * self.duplicates / self.calls


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The same race twice: ``without`` a unique constraint on the key, and ``constrained`` by it.

    ``constraint`` is the statement that made it; ``notes`` explain what a person may wonder at.
    """

    key: MatchKey
    processes: int
    inside_transaction: bool
    isolation: str
    constraint: str
    without: Race
    constrained: Race

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(_notes(self))


@checking_arguments
def prove_get_or_create(
    key: MatchKey,
    *,
    using: str = "default",
    processes: int = 8,
    calls: int = 1000,
    inside_transaction: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Proof:
    """Let processes race for ``get_or_create`` on the key, without and with its constraint.

    They race on a scratch copy of the table, which is gone afterwards; after a process that was
    killed, the next proof drops it. Rows of the model are never written; the values of one of
    them are read. In each round all processes call at once, and in the first all of them look
    before any creates, so that the race without the constraint cannot fail to show.
    ``inside_transaction`` puts each call into ``atomic()``. ``progress`` is called with the rounds
    done and their number.

    Raises `ConstraintRefused` where the database cannot keep the key, `InvalidMatchKey` for a key
    that its primary key keeps unique, and `InvalidOption` for fewer than two processes or calls,
    inside a transaction, or through a pooler that gives each transaction another session.
    """
    check_alias(using)
    require_kind("prove_get_or_create()", key, MatchKey, "a match key: match_key(Model, [fields])")
    if processes < 2 or calls < processes:
        raise InvalidOption("a race takes two processes at least, and a call for each of them")
    owned = simplified(on_owner(key))
    require_table(owned.model, using)
    refuse_primary_key(owned)
    found, table = database(using), owned.model._meta.db_table
    row = _row(owned, bare_model(owned.model, table), using)
    with scratch_copy(found, owned.model) as scratch:
        refuse_unkept(owned, using)
        course = _course(owned, row, found, scratch, calls // processes, inside_transaction)
        tallies = run_in_step(
            "dedupe_toolkit.prove.race.race",
            course,
            processes=processes,
            names={using: scratch.database},
            progress=progress,
        )
        isolation = found.isolation()
    without, constrained = zip(*tallies, strict=True)
    return Proof(
        key=owned,
        processes=processes,
        inside_transaction=inside_transaction,
        isolation=isolation,
        constraint="; ".join(keeping(owned, table, generated_name(owned), using)),
        without=_summed(without),
        constrained=_summed(constrained),
    )


def refuse_primary_key(key: MatchKey) -> None:
    """Raises `InvalidMatchKey` for a key that its model's primary key keeps unique."""
    if {field.name for field in pk_fields(key.model)} <= set(key.fields):
        raise InvalidMatchKey(
            f"{key.label}: the primary key is among {', '.join(key.fields)} and keeps them unique"
            " already: there is nothing to prove"
        )


def _course(
    key: MatchKey,
    row: dict[str, Any],
    found: Database,
    scratch: Scratch,
    rounds: int,
    inside_transaction: bool,
) -> Course:
    return Course(
        model=key.label,
        table=scratch.table,
        fields=key.fields,
        where=_by_name(key),
        row=row,
        # the names of indexes are shared by all tables of a database
        keeping=keeping(key, scratch.table, f"{scratch.name}_key", found.using),
        rounds=rounds,
        using=found.using,
        inside_transaction=inside_transaction,
        # where a transaction keeps all others out, they cannot look while it waits for them
        starts_in_step=not (inside_transaction and found.is_alone_in_batch),
    )


def _by_name(key: MatchKey) -> tuple[tuple[str, Any], ...]:
    """The conditions, with the names of relations where those of their columns were typed."""
    names = {field.attname: field.name for field in key.model._meta.local_concrete_fields}
    parted = ((lookup.partition("__"), value) for lookup, value in key.where)
    return tuple((f"{names.get(name, name)}{sep}{rest}", v) for (name, sep, rest), v in parted)


def _row(key: MatchKey, bare: type[Model], using: str) -> dict[str, Any]:
    """The values of a row as the key is about it: of one that is there, or made up."""
    fields = {f.name: f for f in bare._meta.local_concrete_fields if not f.generated}
    of_key = [key_field(key.model, lookup).name for lookup in key.fields]
    are_equal = key.nulls is Nulls.EQUAL
    filled = {} if are_equal else {f"{name}__isnull": False for name in of_key}
    condition = constraint_for(key).condition or Q()
    rows: QuerySet[Any] = QuerySet(key.model, using=using).order_by().filter(condition, **filled)
    row = rows.values(*fields).first() or _made_up_row(key, fields, of_key)
    if are_equal:
        # two that are NULL there are what such a key is about
        row |= {name: None for name in of_key if fields[name].null}
    counted = {f.name for f in pk_fields(bare) if f.get_internal_type().endswith("AutoField")}
    return {name: value for name, value in row.items() if name not in counted}


def _made_up_row(key: MatchKey, fields: Mapping[str, Any], of_key: Sequence[str]) -> dict[str, Any]:
    said = {name: value for name, value in _by_name(key) if "__" not in name}
    row = dict(said)
    # one number for each, or what must differ from another column would not
    for number, (name, field) in enumerate(fields.items(), 1):
        if name in said or field.has_db_default():
            continue
        if field.has_default():
            row[name] = field.get_default()
        else:
            is_left = field.null and name not in of_key
            row[name] = None if is_left else made_up(field, number)
    return row


def _summed(tallies: Sequence[Tally]) -> Race:
    calls = sum(tally.calls for tally in tallies)
    slowest = max(tally.seconds for tally in tallies)
    return Race(
        calls=calls,
        duplicates=sum(tally.duplicates for tally in tallies),
        errors=dict(sum((tally.errors for tally in tallies), Counter()).most_common()),
        calls_per_second=round((calls - len(tallies)) / slowest, 1) if slowest else 0.0,
    )


def _notes(proof: Proof) -> Iterator[str]:
    keeps_snapshot = proof.inside_transaction and proof.isolation in KEEPING_SNAPSHOTS
    if keeps_snapshot and proof.constrained.errors:
        yield (
            f"Inside a transaction at {proof.isolation} the loser looks again for the row that the"
            " winner has made, but its transaction still sees the table as it first saw it, so"
            " get_or_create raises: call it outside of transactions, set the isolation_level in"
            " OPTIONS of DATABASES to read committed, or try the whole transaction again"
        )
    elif proof.constrained.errors:
        # where all transactions are alike, two that have looked cannot both write
        turns = "set transaction_mode in OPTIONS of DATABASES to IMMEDIATE, and they take turns"
        advice = "try the whole transaction again" if proof.isolation else turns
        yield (
            "With the constraint no call leaves a duplicate, but some raise: the database ends one"
            f" of two transactions that wait for each other; {advice}"
        )
    if not proof.without.duplicates:
        yield (
            "Without the constraint no call left a duplicate this time: the database let only one"
            " of these transactions at a time look and create"
            f"{', which the errors pay for' if proof.without.errors else ''}"
        )
