"""The guard: what it says of calls as they are made, where, at which cost; what it never does."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import subprocess
import sys
import threading
import tomllib
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_save

from dedupe_toolkit.errors import RaceWarning
from dedupe_toolkit.guard import memory, watching
from dedupe_toolkit.guard.report import add, entries, write
from tests.audit.kit import expected, here
from tests.commands.kit import run
from tests.commands.terminal import ROOT
from tests.situations.audited import calls
from tests.situations.audited.models import Board, Coded, Loose, Pair, Parent, Stray

pytestmark = [
    pytest.mark.any_database,  # it watches calls, whatever answers them
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("guarded"),
]

CALLS = Path(calls.__file__)
RUN = ("plain", "chained", "managers", "related", "looked_up_by_name", "through_functions")
FUNCTIONS = 40
"""How many functions more a call may call that is known; they take some microseconds."""


def line_of(text: str) -> int:
    """The line of this file on which that stands, as a mark."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return 1 + next(n for n, line in enumerate(lines) if line.endswith(f"# {text}"))


def warned(caught: list[warnings.WarningMessage]) -> list[tuple[str, int]]:
    races = [one for one in caught if issubclass(one.category, RaceWarning)]
    return [(Path(one.filename).name, one.lineno) for one in races]


def run_statements(*functions: str) -> None:
    """Each statement of the audit's own file for itself: many of them raise, as they should."""
    own = {"key": "k", "parent": Parent.objects.create(), "board": Board(), "thing": Coded}
    names: dict[str, Any] = {**vars(calls), **own, "kwargs": {"key": "other"}}
    names["board"].save()
    for node in ast.parse(CALLS.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef) or node.name not in functions:
            continue
        for statement in node.body:
            with suppress(Exception), transaction.atomic():
                code = compile(ast.Module([statement], []), str(CALLS), "exec")
                exec(code, names)  # noqa: S102 (a file of these tests)


@pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning")
def test_a_call_is_judged_as_the_audit_judges_it() -> None:
    run_statements(*RUN)
    seen = {one.line: one for one in memory.seen() if one.path == str(CALLS)}
    wanted = {
        place[1]: here(place, verdict) for place, verdict in expected() if place[0] == CALLS.name
    }
    names = {name: inspect.getsourcelines(getattr(calls, name)) for name in RUN}
    within = {n for lines, start in names.values() for n in range(start, start + len(lines))}
    found = {
        line: f"{one.model.__name__}: {' '.join(one.fields)}: {one.decision.verdict}"
        f" {one.decision.reason}"
        for line, one in seen.items()
    }
    # a relation's own fields come last here
    assert {line: sorted(text.replace(":", " ").split()) for line, text in found.items()} == {
        line: sorted(verdict.replace(":", " ").split())
        for line, verdict in wanted.items()
        if line in within
    }


def test_an_unsafe_call_warns_on_its_own_line() -> None:
    Coded.objects.get_or_create(key="a")
    with pytest.warns(RaceWarning) as caught:
        Loose.objects.get_or_create(key="a")  # unsafe
    assert warned(caught.list) == [("test_guard.py", line_of("unsafe"))]
    assert str(caught.list[0].message) == (
        "audited.Loose by key: nothing is unique within what it looks up: a race creates duplicates"
    )


@pytest.mark.filterwarnings("error::dedupe_toolkit.errors.RaceWarning")
def test_the_same_text_in_two_files_is_two_places(tmp_path: Path) -> None:
    text = "def add():\n    model.objects.get_or_create(key='a')\n"
    for name in ("one.py", "other.py"):
        names: dict[str, Any] = {"model": Loose}
        exec(compile(text, str(tmp_path / name), "exec"), names)  # noqa: S102 (the text above)
        with pytest.warns(RaceWarning) as caught:
            names["add"]()
        assert warned(caught.list) == [(name, 2)]


def test_what_is_compiled_again_and_again_is_one_place(tmp_path: Path) -> None:
    for _ in range(3):
        code = compile("model.objects.get_or_create(key='a')", str(tmp_path / "one.py"), "exec")
        exec(code, {"model": Coded})  # noqa: S102 (the text above)
    (one,) = memory.seen()
    assert one.calls == 3


def test_defaults_that_differ_between_calls_complete_no_rule() -> None:
    for name in ("a", "b", "c"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Pair.objects.get_or_create(a=name, defaults={"b": name.upper()})  # differing
        assert warned(caught) == [] if name == "a" else [("test_guard.py", line_of("differing"))]
    (one,) = memory.seen()
    assert (one.decision.verdict, one.decision.reason, one.calls) == ("unsafe", "superset", 3)


@pytest.mark.filterwarnings("error::dedupe_toolkit.errors.RaceWarning")
def test_defaults_that_are_the_same_or_what_is_looked_up_complete_a_rule() -> None:
    for name in ("a", "b"):
        Pair.objects.get_or_create(a=name, defaults={"b": "x"})
        Pair.objects.get_or_create(a=f"{name}!", defaults={"b": f"{name}!"})
    assert {str(one.decision.reason) for one in memory.seen()} == {"defaults"}


def test_as_an_error_it_stops_the_call_before_a_row_is_made() -> None:
    for _ in range(2):
        with pytest.raises(RaceWarning):
            Loose.objects.update_or_create(key="a")
    assert not Loose.objects.exists()


def test_the_call_does_what_it_does_without_a_guard() -> None:
    with pytest.warns(RaceWarning):
        row, created = Loose.objects.get_or_create(defaults={"note": "x"}, key="a")
    assert (row.note, created) == ("x", True)
    with pytest.warns(RaceWarning):
        row, created = Loose.objects.update_or_create({"note": "y"}, {"note": "z"}, key="a")
    assert (row.note, created) == ("y", False)


def test_a_value_that_is_none_is_another_way_of_calling() -> None:
    def call(parent: Parent | None) -> None:
        Stray.objects.get_or_create(parent=parent, key="a")

    with warnings.catch_warnings():
        warnings.simplefilter("error", RaceWarning)
        call(Parent.objects.create())
    with pytest.warns(RaceWarning, match="NULL"):
        call(None)


# -- the line --------------------------------------------------------------------------------------


async def gathered() -> None:
    parent = await Parent.objects.acreate()
    board = await Board.objects.acreate()
    await asyncio.gather(
        Loose.objects.aget_or_create(key="a"),  # first
        Loose.objects.filter(note="").aupdate_or_create(key="b"),  # second
        sync_to_async(Loose.objects.get_or_create)(key="c"),  # third
        board.loose.aget_or_create(key="d"),  # fourth
        parent.children.aget_or_create(key="e"),
    )
    await board.loose.aupdate_or_create(key="f")  # fifth


def test_the_line_is_right_under_gather_and_sync_to_async() -> None:
    with pytest.warns(RaceWarning) as caught:
        async_to_sync(gathered)()
    marks = ("first", "second", "third", "fourth", "fifth")
    assert sorted(warned(caught.list)) == [("test_guard.py", line_of(mark)) for mark in marks]


@pytest.mark.django_db(transaction=True)
def test_the_line_is_right_in_a_thread() -> None:
    def work() -> None:
        Loose.objects.get_or_create(key="a")  # threaded
        connection.close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert warned(caught) == [("test_guard.py", line_of("threaded"))]


def test_what_a_signal_calls_has_its_own_line() -> None:
    def receive(sender: Any, **_: Any) -> None:
        Loose.objects.get_or_create(key="inner")  # in a receiver

    post_save.connect(receive, sender=Coded)
    board = Board.objects.create()
    try:
        for call in (board.coded.get_or_create, Coded.objects.update_or_create):
            with pytest.warns(RaceWarning) as caught:
                call(key=call.__name__)
            assert warned(caught.list) == [("test_guard.py", line_of("in a receiver"))]
    finally:
        post_save.disconnect(receive, sender=Coded)


# -- what it never does ----------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"nothing": 1}, {"key__nothing": 1}])
def test_a_call_that_cannot_be_right_raises_what_django_raises(given: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"Cannot resolve|Unsupported lookup"):
        Coded.objects.get_or_create(**given)


def test_a_failure_of_the_guard_never_reaches_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the guard is broken")

    monkeypatch.setattr(memory, "judged", fail)
    monkeypatch.setattr(memory, "caller", fail)
    monkeypatch.setattr(watching, "caller", fail)
    _, created = Loose.objects.get_or_create(key="a")
    assert created
    board = Board.objects.create()
    assert board.loose.get_or_create(key="b")[1]
    assert async_to_sync(awaited)("c")
    assert memory.seen() == []


@pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning")
def test_what_it_asks_the_database_is_not_counted(django_assert_num_queries: Any) -> None:
    Loose.objects.create(key="a")
    with django_assert_num_queries(1):
        Loose.objects.get_or_create(key="a")
    memory.forget()
    with connection.execute_wrapper(_refuse_the_catalogue):
        Loose.objects.get_or_create(key="a")
    assert len(memory.seen()) == 1


async def awaited(key: str) -> bool:
    return (await Loose.objects.aget_or_create(key=key))[1]


def _refuse_the_catalogue(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "audited_loose" in sql
    return execute(sql, params, many, context)


def test_nothing_of_it_is_there_when_it_is_off() -> None:
    watching.uninstall()
    for name in ("get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"):
        assert inspect.getsourcefile(inspect.unwrap(getattr(QuerySet, name))) == (
            inspect.getsourcefile(QuerySet)
        )
        assert not hasattr(getattr(QuerySet, name), "__wrapped__")
    manager = type(Board.objects.create().loose)
    assert not hasattr(vars(manager)["get_or_create"], "__wrapped__")


def test_a_call_that_is_known_has_next_to_nothing_to_do() -> None:
    class Still(QuerySet[Coded]):
        def get(self, *_: Any, **__: Any) -> Any:
            return None

    rows = Still(Coded)

    def calls_of_one() -> int:
        counted = 0

        def count(frame: Any, event: str, argument: Any) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            rows.get_or_create(key="a")
        finally:
            sys.setprofile(None)
        return counted

    # the first from a place is judged, and asks the catalogue
    *_, guarded = [calls_of_one() for _ in range(3)]
    watching.uninstall()
    assert guarded - calls_of_one() <= FUNCTIONS


# -- the report ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning")
def test_the_audit_decides_with_what_was_seen(tmp_path: Path) -> None:
    run_statements("nobody_calls_this", "values")
    report = tmp_path / "seen.json"
    write(report, entries(memory.seen()))
    before = verdicts()
    after = verdicts("--observed", str(report))
    line = next(n for n, verdict in before.items() if verdict == ("unknown", "opaque-arguments"))
    assert after[line] == ("safe", "exact")
    unresolved = [n for n, verdict in before.items() if verdict == ("unknown", "unresolved")]
    assert after[unresolved[0]] == ("safe", "exact")
    assert after[unresolved[1]] == ("unknown", "unresolved")
    # seen with a parent alone: without one it is unsafe all the same
    depends = [n for n, verdict in before.items() if verdict == ("fragile", "unless-null")]
    assert {after[n] for n in depends} == {("fragile", "unless-null")}
    assert {n: v for n, v in after.items() if before[n][0] != "unknown"} == {
        n: v for n, v in before.items() if v[0] != "unknown"
    }


def verdicts(*options: str) -> dict[int, tuple[str, str]]:
    document = json.loads(
        run("audit_get_or_create", "audited", "--all", *options, "--format", "json").out
    )
    return {
        one["line"]: (one["verdict"], one["reason"])
        for one in document["findings"]
        if one["path"].endswith("/calls.py")
    }


@pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning")
def test_a_file_that_has_changed_since_is_left_out_and_named(tmp_path: Path) -> None:
    run_statements("nobody_calls_this")
    report = tmp_path / "seen.json"
    found = [one | {"source": "0" * 16} for one in entries(memory.seen())]
    write(report, found)
    out = run("audit_get_or_create", "audited", "--all", "--observed", str(report)).out
    assert "calls.py:1: note: has changed since the guard watched it" in out
    assert verdicts("--observed", str(report)) == verdicts()


@pytest.mark.parametrize("content", ["", "[]", '{"observed": [1]}', '{"observed": [{}]}'])
def test_a_file_that_the_guard_has_not_written_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "seen.json"
    path.write_text(content)
    outcome = run("audit_get_or_create", "audited", "--observed", str(path))
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "is not what the guard writes" in outcome.err


@pytest.mark.filterwarnings("ignore::dedupe_toolkit.errors.RaceWarning")
def test_reports_of_several_processes_add_up(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    for _ in range(3):
        Loose.objects.get_or_create(key="a")
    add(path, entries(memory.seen()))
    add(path, entries(memory.seen()))
    (one,) = json.loads(path.read_text())["observed"]
    assert (one["model"], one["fields"], one["verdict"], one["calls"]) == (
        "audited.Loose",
        ["key"],
        "unsafe",
        6,
    )


# -- how it is switched on -------------------------------------------------------------------------

TESTS = """
import pytest
from tests.situations.audited.models import Coded, Loose

@pytest.mark.django_db
@pytest.mark.parametrize("number", range(4))
def test_import(number):
    Coded.objects.get_or_create(key="a")
    Loose.objects.get_or_create(key="a")
"""
PLUGINS = ("pytest_django.plugin", "xdist.plugin", "dedupe_toolkit.pytest_plugin")


@pytest.mark.parametrize("processes", ["0", "2"])
def test_pytest_warns_and_writes_what_all_processes_saw(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    report = tmp_path / "seen.json"
    command = [sys.executable, "-m", "pytest", *(f"-p{name}" for name in PLUGINS), "-n", processes]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), f"--dedupe-guard={report}", str(tmp_path)],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            "DATABASE_URL": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert "RaceWarning: audited.Loose by key" in done.stdout
    found = json.loads(report.read_text())["observed"]
    own = [one for one in found if one["path"].endswith("test_it.py")]
    assert {(one["model"], one["verdict"], one["calls"]) for one in own} == {
        ("audited.Coded", "safe", 4),
        ("audited.Loose", "unsafe", 4),
    }


def test_the_setting_watches_a_process_and_writes_at_its_end(tmp_path: Path) -> None:
    report = tmp_path / "seen.json"
    (tmp_path / "watched_settings.py").write_text(
        "from tests.settings import *\n"
        "DATABASES['default']['NAME'] = ':memory:'\n"
        f"DEDUPE_GUARD = True\nDEDUPE_GUARD_REPORT = {str(report)!r}\n"
    )
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0, run_syncdb=True)\n"
        "from tests.situations.audited.models import Loose\n"
        "Loose.objects.get_or_create(key='a')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "watched_settings",
            "PYTHONPATH": str(tmp_path),
            "DATABASE_URL": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RaceWarning: audited.Loose by key" in done.stderr
    (one,) = [
        one for one in json.loads(report.read_text())["observed"] if one["model"] == "audited.Loose"
    ]
    assert (one["verdict"], one["calls"]) == ("unsafe", 1)


def test_the_plugin_is_found_by_pytest() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert project["entry-points"]["pytest11"] == {"dedupe_toolkit": PLUGINS[-1]}
