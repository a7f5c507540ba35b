"""What a race does to a call is what its verdict says: nothing, duplicates, or errors.

Three sessions make the same call. All of them look before any creates, and who creates first
waits until the others have come as far as they can, so that each race comes out the same way
every time. The verdict is that of the guard, which watches them.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from dedupe_toolkit.guard import memory
from dedupe_toolkit.prove.race import waiting_after_the_look
from tests.concurrency_kit import (
    PATIENCE,
    isolation,
    on_a_server,
    on_postgresql,
    on_sqlite,
    session,
)
from tests.situations.audited.models import (
    Board,
    Child,
    Coded,
    Folded,
    Late,
    Loose,
    NullsEqual,
    Parent,
    Stray,
    Switched,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

    from tests.concurrency_kit import Session

pytestmark = [
    pytest.mark.django_db(
        transaction=True,
        available_apps=[
            "django.contrib.contenttypes",
            "dedupe_toolkit",
            "tests.situations.audited",
        ],
    ),
    pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning"),
    pytest.mark.usefixtures("guarded"),
]

RACERS = 3
LEVELS = ["read committed", "repeatable read", "serializable"]
IS_SERVER = connection.vendor != "sqlite"
LOCKS_GAPS = connection.vendor == "mysql"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many rows there are, what the losers raised, and what the guard says of the call."""

    rows: int
    errors: Counter[str]
    verdicts: set[str]

    def bears_out(self, verdict: str) -> bool:
        """The guard says so, and it came like this."""
        kind, _ = verdict.split()
        came = "unsafe" if self.rows > 1 else "fragile" if self.errors else "safe"
        return (came, {verdict}) == (kind, self.verdicts)


class _Race:
    """Where the racers wait for each other, and the winner for those whom it holds up."""

    def __init__(self, sessions: list[Session], call: Callable[[int], Any], inside: bool) -> None:
        self.sessions, self.call, self.inside = sessions, call, inside
        self._looked = threading.Barrier(len(sessions), timeout=PATIENCE)
        self._winning = threading.Lock()
        self._begun = threading.Event()
        self._racing = [one.start(self._run, number) for number, one in enumerate(sessions)]
        self._begun.set()

    def errors(self) -> Counter[str]:
        raised = [one.exception(PATIENCE) for one in self._racing]
        return Counter(type(error).__name__ for error in raised if error)

    def wait(self) -> None:
        self._looked.wait()

    def _run(self, number: int) -> None:
        self._begun.wait()
        inside = transaction.atomic() if self.inside else nullcontext()
        with waiting_after_the_look(self, connection), self._holding(number), inside:
            self.call(number)

    def _holding(self, number: int) -> Any:
        pairs = enumerate(zip(self.sessions, self._racing, strict=True))
        others = [pair for other, pair in pairs if other != number and IS_SERVER]

        is_winner = False

        def wait() -> None:
            for other, future in others:
                other.wait_until_done_or_blocked(future)

        def hold(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal is_winner
            is_insert = sql.startswith("INSERT")
            if is_insert and is_winner:
                wait()
            result = execute(sql, params, many, context)
            if is_insert and self._winning.acquire(blocking=False):
                is_winner = True
                wait()
            return result

        return connection.execute_wrapper(hold)


def raced(
    model: type[Model], call: Callable[[int], Any], *, inside: bool = False, **options: Any
) -> Outcome:
    """Let three sessions with these OPTIONS make the call."""
    if LOCKS_GAPS:
        _forget_deleted_rows(model)
    with ExitStack() as stack:
        sessions = [stack.enter_context(session(**options)) for _ in range(RACERS)]
        errors = _Race(sessions, call, inside).errors()
    decisions = [one.decision for one in memory.seen() if one.model is model]
    return Outcome(
        rows=model._base_manager.count(),
        errors=errors,
        verdicts={f"{one.verdict} {one.reason}" for one in decisions},
    )


def _forget_deleted_rows(model: type[Model]) -> None:
    """MySQL keeps them while anybody may see them, and whoever inserts one of them anew locks what
    is left of it: two who do so deadlock, where the one that comes second would be a duplicate.
    """
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE TABLE {connection.ops.quote_name(model._meta.db_table)}")


# -- isolation levels and transactions -------------------------------------------------------------

SNAPSHOT, DEADLOCK, SAFE = "fragile snapshot", "fragile deadlock", "safe exact"


def at_level(level: str, method: str, inside: bool) -> str:
    """The verdict on a call whose look-up is unique."""
    if method == "update_or_create" and LOCKS_GAPS:
        return DEADLOCK
    is_inside = inside or method == "update_or_create"
    return SNAPSHOT if is_inside and level != "read committed" else SAFE


@on_a_server
@pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "atomic"])
@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
@pytest.mark.parametrize("level", LEVELS)
def test_with_a_unique_rule_no_level_lets_a_duplicate_in(
    level: str, method: str, inside: bool
) -> None:
    call = getattr(Coded.objects, method)
    outcome = raced(Coded, lambda _: call(key="k"), inside=inside, **isolation(level))
    assert outcome.bears_out(at_level(level, method, inside)), outcome


@on_a_server
@pytest.mark.parametrize("inside", [False, True], ids=["autocommit", "atomic"])
@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_without_one_every_racer_creates_a_row(method: str, inside: bool) -> None:
    call = getattr(Loose.objects, method)
    outcome = raced(Loose, lambda _: call(key="k"), inside=inside)
    assert outcome.bears_out("unsafe no-rule"), outcome


# -- spellings and rules ---------------------------------------------------------------------------


def get_or_create(model: type[Model], **lookups: Any) -> Callable[[int], Any]:
    return lambda _: model._default_manager.get_or_create(**lookups)


def with_a_value_of_its_own(number: int) -> None:
    Coded.objects.get_or_create(key="k", note=str(number))


def in_a_spelling_of_its_own(number: int) -> None:
    Folded.objects.get_or_create(key="K" if number else "k")


def without_case(number: int) -> None:
    key = "K" if number else "k"
    Folded.objects.get_or_create(key__iexact=key, defaults={"key": key})


def board() -> Board:
    """The board, without reading it: that would be what all racers wait for."""
    return Board.from_db("default", ["id"], [1])


def of_a_parent(number: int) -> None:
    Parent(pk=1).children.get_or_create(key="k")


def among_rows_of_a_parent(number: int) -> None:
    Parent(pk=1).children.all().get_or_create(key="k")


def through_links(number: int) -> None:
    board().coded.get_or_create(key="k")


def through_loose_links(number: int) -> None:
    board().loose.get_or_create(key="k")


def got_first_and_added_then(number: int) -> None:
    row, _ = Coded.objects.get_or_create(key="k")
    board().coded.add(row)


def got_first_and_updated_then(number: int) -> None:
    row, _ = Coded.objects.get_or_create(key="k")
    Coded.objects.filter(pk=row.pk).update(note=str(number))


NULLS_EQUAL = "supports_nulls_distinct_unique_constraints"
CONDITIONS = "supports_partial_indexes"
EXPRESSIONS = "supports_expression_indexes"


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """A call, and its verdict; where the database lacks what the rule takes, there is no rule."""

    model: type[Model]
    call: Callable[[int], Any]
    verdict: str
    takes: str = ""


SPELLED = {
    "null": Spelling(
        model=Stray, call=get_or_create(Stray, code=None, key="k"), verdict="unsafe null"
    ),
    "nulls-equal": Spelling(
        model=NullsEqual,
        call=get_or_create(NullsEqual, parent=None, key="k"),
        verdict="safe exact",
        takes=NULLS_EQUAL,
    ),
    "subset": Spelling(model=Coded, call=with_a_value_of_its_own, verdict="fragile subset"),
    "iexact": Spelling(model=Folded, call=without_case, verdict="safe exact", takes=EXPRESSIONS),
    "condition": Spelling(
        model=Switched,
        call=get_or_create(Switched, key="k", active=True),
        verdict="safe exact",
        takes=CONDITIONS,
    ),
    "outside": Spelling(
        model=Switched,
        call=get_or_create(Switched, key="k", active=False),
        verdict="unsafe condition",
        takes=CONDITIONS,
    ),
    "parent": Spelling(model=Child, call=of_a_parent, verdict="safe exact"),
    "parent-all": Spelling(model=Child, call=among_rows_of_a_parent, verdict="fragile lost"),
    "loose-links": Spelling(model=Loose, call=through_loose_links, verdict="unsafe many-to-many"),
    "then-add": Spelling(model=Coded, call=got_first_and_added_then, verdict="safe exact"),
    "then-update": Spelling(model=Coded, call=got_first_and_updated_then, verdict="safe exact"),
}


@pytest.mark.parametrize("spelling", SPELLED.values(), ids=SPELLED)
def test_each_spelling_comes_out_as_its_verdict_says(spelling: Spelling) -> None:
    Board.objects.create(pk=1)
    Parent.objects.create(pk=1)
    outcome = raced(spelling.model, spelling.call)
    has_rule = not spelling.takes or getattr(connection.features, spelling.takes)
    assert outcome.bears_out(spelling.verdict if has_rule else "unsafe no-rule"), outcome


@on_a_server
@pytest.mark.parametrize(
    ("model", "verdict"), [(Coded, DEADLOCK if LOCKS_GAPS else SAFE), (Loose, "unsafe no-rule")]
)
def test_a_row_that_is_not_there_cannot_be_locked(model: type[Model], verdict: str) -> None:
    rows = model._default_manager.select_for_update()
    outcome = raced(model, lambda _: rows.all().get_or_create(key="k"), inside=True)
    assert outcome.bears_out(verdict), outcome


@pytest.mark.skipif(LOCKS_GAPS, reason="columns compare without case here, rule or no rule")
def test_the_losers_spelling_is_not_the_winners() -> None:
    outcome = raced(Folded, in_a_spelling_of_its_own)
    assert outcome.bears_out("fragile other-spelling"), outcome


@on_a_server
def test_through_many_to_many_the_losers_raise_whatever_is_unique() -> None:
    Board.objects.create(pk=1)
    outcome = raced(Coded, through_links)
    assert outcome.bears_out("fragile many-to-many"), outcome


@on_postgresql
def test_a_rule_that_is_asked_at_the_end_of_a_transaction_makes_the_losers_raise() -> None:
    outcome = raced(Late, get_or_create(Late, key="k"), inside=True)
    assert outcome.bears_out("fragile deferrable"), outcome


@pytest.mark.parametrize("model", [Coded, Loose])
def test_by_hand_there_are_duplicates_without_a_rule_and_errors_with_one(
    model: type[Model],
) -> None:
    rows = model._default_manager
    outcome = raced(model, lambda _: rows.filter(key="k").first() or rows.create(key="k"))
    expected = (1, {"IntegrityError": RACERS - 1}) if model is Coded else (RACERS, {})
    assert (outcome.rows, outcome.errors) == expected


@on_sqlite
@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_on_sqlite_one_transaction_goes_on_of_those_that_have_looked(method: str) -> None:
    call = getattr(Coded.objects, method)
    outcome = raced(Coded, lambda _: call(key="k"), inside=True)
    assert (outcome.rows, outcome.errors) == (1, {"OperationalError": RACERS - 1})
