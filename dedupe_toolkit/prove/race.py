"""What each of the racing processes does: one row, looked up and created by all at once.

Runs in processes of its own, and writes to a scratch table only.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import DatabaseError, connections, transaction
from django.db.models import QuerySet, signals

from ..databases import database
from ..databases.tables import pk_fields
from ..errors import InvalidOption
from .bare_model import bare_model, made_up, makes_its_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

    from .processes import Turn


@dataclass(frozen=True, kw_only=True)
class Course:
    """What all racers are told. ``row`` holds the values of one row of the model, by field.

    ``keeping`` are the statements that make the key unique. ``starts_in_step`` lets everyone look
    in the first round before anyone creates.
    """

    model: str
    table: str
    fields: tuple[str, ...]
    where: tuple[tuple[str, Any], ...]
    row: dict[str, Any] = field(repr=False)
    keeping: tuple[str, ...]
    rounds: int
    using: str
    inside_transaction: bool
    starts_in_step: bool


@dataclass(kw_only=True)
class Tally:
    """What one process did and met. Only the first counts the rows, for all of them."""

    calls: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)


def race(turn: Turn, course: Course) -> tuple[Tally, Tally]:
    """Race without the constraint, let the first process add it, and race again."""
    for signal in (signals.pre_init, signals.post_init, signals.pre_save, signals.post_save):
        # those of all models would be called, and write who knows where
        signal.receivers = []
        signal.sender_receivers_cache.clear()
    model = bare_model(apps.get_model(course.model), course.table)
    connections[course.using].disable_constraint_checking()
    racer = _Racer(turn, course, QuerySet(model, using=course.using))
    without = racer.run(done=0)
    if turn.number == 0:
        with connections[course.using].cursor() as cursor:
            for statement in course.keeping:
                cursor.execute(statement)
    return without, racer.run(done=course.rounds)


@contextmanager
def waiting_after_the_look(turn: Turn, connection: Any) -> Iterator[None]:
    """Let the call made within look, and create only once all others have looked, too."""
    waits = iter([turn.wait])

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT"):
            for wait in waits:
                wait()
        return result

    try:
        with connection.execute_wrapper(look):
            yield
    finally:
        # the others wait for us, whatever came in between
        for wait in waits:
            wait()


class _Racer:
    def __init__(self, turn: Turn, course: Course, rows: QuerySet[Any]) -> None:
        self.turn, self.course, self.rows = turn, course, rows
        self.connection: Any = connections[course.using]
        self.look_up = self._prepared()
        own = _own_key(rows.model, turn.number + 1, course.fields)
        # calling it is the very thing that is raced for
        self.call: Callable[[], Any] = lambda: rows.get_or_create(
            **self.look_up, defaults=self.defaults | own
        )

    def _prepared(self) -> dict[str, Any]:
        """What the call looks up, as the database stores it; the first process writes it once."""
        if self.turn.number == 0:
            self._write_once()
        self.turn.wait()
        (key,) = self.rows.values(*self.course.fields)
        (stored,) = self.rows.values(*(f.name for f in _stored(self.rows.model)))
        look_up = key | dict(self.course.where)
        self.defaults = {name: value for name, value in stored.items() if name not in look_up}
        if not self.rows.filter(**look_up).exists():
            raise InvalidOption(
                f"{self.course.model}: no row was found that --where and --nulls are about, and"
                " none could be made up: let the table hold one"
            )
        self.turn.wait()
        self._emptied()
        return look_up

    def _write_once(self) -> None:
        try:
            self.rows.create(**self.course.row)
        except DatabaseError as error:
            said = self._demanded(str(error).strip().splitlines()[0])
            raise InvalidOption(
                f"{self.course.model}: no row could be made up to race for ({said}): let the table"
                " hold one, whose values are taken"
            ) from error

    def _demanded(self, said: str) -> str:
        """A refusal, and what its check demands: in a copied table MySQL names checks anew."""
        checks = database(self.course.using).demands(self.rows.model).checks
        named = [check.sql.replace("%%", "%") for check in checks if check.name in said]
        return " ".join([said, *(f"It demands {sql}." for sql in named)])

    def run(self, *, done: int) -> Tally:
        tally = Tally()
        for number in range(self.course.rounds):
            self.turn.wait()
            in_step = number == 0 and self.course.starts_in_step
            started = perf_counter()
            self._call(
                tally,
                waiting_after_the_look(self.turn, self.connection) if in_step else nullcontext(),
            )
            # waiting for each other is no work
            tally.seconds += 0 if in_step else perf_counter() - started
            self.turn.wait()
            tally.duplicates += max(self._emptied() - 1, 0)
            if self.turn.number == 0:
                self.turn.tell(done + number + 1, 2 * self.course.rounds)
        self.turn.wait()
        return tally

    def _call(self, tally: Tally, staged: Any) -> None:
        is_inside, using = self.course.inside_transaction, self.course.using
        tally.calls += 1
        try:
            with staged, transaction.atomic(using=using) if is_inside else nullcontext():
                self.call()
        except Exception as error:
            tally.errors[type(error).__name__] += 1

    def _emptied(self) -> int:
        """How many rows there were; only the first process looks, and empties the table."""
        if self.turn.number:
            return 0
        rows = self.rows.count()
        self.rows._raw_delete(self.course.using)
        return rows


def _stored(model: type[Model]) -> list[Any]:
    """The fields that a call can give values for, the primary key aside."""
    keys = pk_fields(model)
    return [
        each
        for each in model._meta.local_concrete_fields
        if each not in keys and not each.generated
    ]


def _own_key(model: type[Model], number: int, fields: tuple[str, ...]) -> dict[str, Any]:
    """The parts of the primary key that a row of this process needs for itself."""
    return {
        each.name: made_up(each, number)
        for each in pk_fields(model)
        if each.name not in fields and not makes_its_own(each)
    }
