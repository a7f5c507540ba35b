"""Between two batches a merge waits for replicas that are behind, and for what a project asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from dedupe_toolkit import DedupeError, MergePolicy, MergeRun, match_key, merge, plan_merge
from dedupe_toolkit.databases import database
from dedupe_toolkit.merging import throttle
from tests.situations.links.models import Author

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

# nobody is waited for inside a transaction, as most tests are
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

ASKED: list[tuple[int, str]] = []
ANSWERS: list[Any] = []
NAME = f"{__name__}.pause"


def pause(run: MergeRun) -> Any:
    ASKED.append((run.batches, MergeRun.objects.get(pk=run.pk).waits_for))
    return ANSWERS.pop(0) if ANSWERS else 0


def numbers(run: MergeRun) -> int:
    return "soon"  # type: ignore[return-value]  # as a project gets it wrong


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which no test waits for."""
    ASKED.clear()
    ANSWERS.clear()
    pauses: list[float] = []
    monkeypatch.setattr(throttle, "sleep", pauses.append)
    return pauses


def merged_in_batches(**options: Any) -> MergeRun:
    """Three groups in three batches."""
    for name in ["Ann", "Bob", "Cid"] * 2:
        Author.objects.create(name=name)
    plan = plan_merge(match_key(Author, ["name"]), policy=MergePolicy(batch_size=1))
    return merge(plan, **options)


def test_a_function_of_the_project_is_asked_between_two_batches(
    settings: SettingsWrapper, quick: list[float]
) -> None:
    settings.DEDUPE_THROTTLE = NAME
    ANSWERS[:] = [0.25, 30]
    run = merged_in_batches()
    first, second = f"{NAME} asks for 0.25 s", f"{NAME} asks for 30 s"
    assert [(1, ""), (1, first), (1, second), (2, "")] == ASKED
    assert quick == [0.25, throttle.LONGEST]  # nobody knows what is in half a minute
    assert (run.status, run.merged, run.waits_for) == ("done", 3, "")


def test_it_is_told_what_a_run_waits_for_and_that_it_goes_on(settings: SettingsWrapper) -> None:
    settings.DEDUPE_THROTTLE = NAME
    ANSWERS[:] = [2]
    told: list[tuple[int, str]] = []
    merged_in_batches(
        progress=lambda done, _: told.append((done, MergeRun.objects.get().waits_for))
    )
    assert told == [(1, ""), (1, f"{NAME} asks for 2 s"), (1, ""), (2, ""), (3, "")]


def test_in_a_pipe_a_line_says_once_what_a_merge_waits_for(
    settings: SettingsWrapper, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEDUPE_THROTTLE = NAME
    ANSWERS[:] = [5, 4, 0, 7]
    for name in ["Ann", "Bob", "Cid"] * 2:
        Author.objects.create(name=name)
    options = ["--fields", "name", "--batch-size", "1", "--no-input"]
    call_command("merge_duplicates", "links.Author", *options)
    assert capsys.readouterr().err.splitlines() == [
        f"Waiting: {NAME} asks for 5 s.",
        f"Waiting: {NAME} asks for 7 s.",
    ]


def test_inside_a_transaction_nobody_is_waited_for(settings: SettingsWrapper) -> None:
    settings.DEDUPE_THROTTLE = NAME
    with transaction.atomic():
        assert merged_in_batches().merged == 3
    assert ASKED == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{__name__}.paws", "DEDUPE_THROTTLE: "),
        ("no_such_module.pause", "DEDUPE_THROTTLE: "),
        (f"{__name__}.NAME", "DEDUPE_THROTTLE: .* is no function"),
    ],
)
def test_a_setting_that_names_no_function_refuses_the_merge(
    settings: SettingsWrapper, name: str, message: str
) -> None:
    settings.DEDUPE_THROTTLE = name
    with pytest.raises(DedupeError, match=message):
        merged_in_batches()
    assert not MergeRun.objects.exists()


def test_an_answer_that_is_no_number_stops_the_run_after_a_whole_batch(
    settings: SettingsWrapper,
) -> None:
    settings.DEDUPE_THROTTLE = f"{__name__}.numbers"
    with pytest.raises(DedupeError, match="returns 'soon'; it has to return for how many seconds"):
        merged_in_batches()
    run = MergeRun.objects.get()
    assert (run.status, run.merged) == ("interrupted", 1)


# -- replicas ----------------------------------------------------------------------------------


@pytest.fixture
def lags(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a replica answers, one after the other; `tests/replicas` asks real ones."""
    answers: list[Any] = []

    def answer(*_: Any) -> Any:
        lag = answers.pop(0) if answers else 0
        if isinstance(lag, Exception):
            raise lag
        return lag

    monkeypatch.setattr(type(database("other")), "is_replica", lambda _: True)
    monkeypatch.setattr(type(database("other")), "replica_lag", answer)
    return answers


def test_a_merge_waits_until_the_replicas_have_come_near(
    lags: list[Any], quick: list[float]
) -> None:
    lags[:] = [12.0, DatabaseError("gone"), None, 5.0, 5.1]
    told: list[str] = []
    run = merged_in_batches(
        max_lag=5,
        replicas=["other"],
        progress=lambda *_: told.append(MergeRun.objects.get().waits_for),
    )
    assert [reason for reason in told if reason] == [
        "replica 'other' is 12.0 s behind",
        "replica 'other' does not answer: gone",
        "replica 'other' does not replicate",
        "replica 'other' is 5.1 s behind",
    ]
    assert len(quick) == 4
    assert run.merged == 3


def test_a_merge_that_waits_for_a_replica_ends_when_it_is_told_to(
    lags: list[Any], quick: list[float]
) -> None:
    lags[:] = [12.0] * 9
    run = merged_in_batches(max_lag=5, replicas=["other"], stop=lambda: len(quick) == 2)
    assert (run.status, run.merged, run.waits_for) == ("interrupted", 1, "")
    assert len(quick) == 2


def test_the_replicas_asked_are_those_that_databases_declares(
    lags: list[Any], quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections

    monkeypatch.setitem(connections.settings["other"]["TEST"], "MIRROR", "default")
    lags[:] = [9.0]
    merged_in_batches(max_lag=5)
    assert len(quick) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-lag", "5s"], "no alias is declared as a replica of database 'default'"),
        (["--max-lag", "5s", "--replicas", "other"], "database 'other' is no replica"),
        (["--max-lag", "5s", "--replicas", "othr"], "'othr'.*other"),
        (["--replicas", "other"], "replicas are named without a lag"),
        (["--max-lag", "5"], "--max-lag takes a time such as 5s, 0.5s, 2m or 1h, not '5'"),
    ],
)
def test_a_lag_that_nobody_can_be_asked_for_refuses_the_merge(
    options: list[str], message: str
) -> None:
    for _ in range(2):
        Author.objects.create(name="Ann")
    with pytest.raises(CommandError, match=message):
        call_command("merge_duplicates", "links.Author", "--fields", "name", "--no-input", *options)
    assert not MergeRun.objects.exists()
    assert Author.objects.count() == 2
