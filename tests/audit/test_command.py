"""The audit as a command: what it prints, accepts, counts and remembers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from dedupe_toolkit.audit.accepted import acceptances
from dedupe_toolkit.audit.modules import parsed
from dedupe_toolkit.audit.running import audit_get_or_create
from dedupe_toolkit.audit.sources import Kind, SourceFile, source_files
from tests.commands.kit import Outcome, run
from tests.situations.audited.models import Loose

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def audited(*options: str) -> Outcome:
    # the situation lies among tests, and its calls are what is looked for
    return run("audit_get_or_create", "audited", "--all", *options)


def test_each_call_is_a_line_with_its_place_verdict_and_reason() -> None:
    lines = audited().lines
    assert (
        "tests/situations/audited/calls.py:31: unsafe: audited.Loose by key: nothing is unique"
        " within what it looks up: a race creates duplicates"
    ) in lines
    at = next(n for n, line in enumerate(lines) if "calls.py:31:" in line)
    assert "manage.py make_unique audited.Loose --fields key" in lines[at + 2]


def test_calls_in_tests_are_left_out_and_counted() -> None:
    outcome = run("audit_get_or_create", "audited")
    (line,) = outcome.lines
    assert line.startswith("No calls in ")
    assert line.endswith("more in tests and migrations (--all).")


def test_a_call_that_is_fragile_is_shown_as_it_should_be() -> None:
    text = audited().out
    assert "    better: Pair.objects.get_or_create(a=key, b=key, defaults={'c': key})" in text
    assert (
        "    better: coded, created = Coded.objects.get_or_create(key=key); board.coded.add(coded)"
        in text
    )
    by_hand = "Pair.objects.get_or_create(a=key, b=key, defaults={'c': f'hand-{key}'})"
    assert f"    better: obj, created = {by_hand}" in text


def test_a_flag_in_a_look_up_is_for_a_person_to_decide() -> None:
    lines = audited().lines
    at = next(n for n, line in enumerate(lines) if "audited.Moving by is_public" in line)
    assert lines[at + 1].strip().startswith("to decide: is_public is true or false: --where may")


def test_where_a_project_has_no_users_what_is_looked_up_among_them_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "AUTH_USER_MODEL", "nowhere.User")
    (line,) = (one for one in audited().lines if "calls.py:101:" in one)
    assert ": unknown: " in line
    assert "'nowhere.User' that has not been installed" in line


def test_check_fails_for_unsafe_calls_that_are_not_in_the_baseline(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert audited("--check").code == 1
    assert audited("--write-baseline", str(baseline)).code == 0
    outcome = audited("--check", "--baseline", str(baseline))
    assert outcome.code == 0
    assert "in the baseline" in outcome.out


def test_a_second_call_like_one_in_the_baseline_is_new(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    audited("--write-baseline", str(baseline))
    document = json.loads(baseline.read_text())
    unsafe = next(one for one in document["findings"] if one["verdict"] == "unsafe")
    document["findings"].remove(unsafe)
    baseline.write_text(json.dumps(document))
    assert audited("--check", "--baseline", str(baseline)).code == 1


@pytest.mark.parametrize("content", ["", "[]", '{"findings": [1]}'])
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content)
    outcome = audited("--baseline", str(path))
    assert outcome.code == 1
    assert outcome.err == (
        f"CommandError: --baseline {path} is no baseline; write one with --write-baseline {path}\n"
    )


def test_a_baseline_does_not_speak_of_lines(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    audited("--write-baseline", str(baseline))
    entries = json.loads(baseline.read_text())["findings"]
    assert {key for one in entries for key in one} == {
        *("fingerprint", "model", "fields", "name", "verdict")
    }


def test_count_says_how_many_duplicate_groups_are_there() -> None:
    for _ in range(2):
        Loose.objects.create(key="twice")
    assert "    1 duplicate group already there" in audited("--count").lines


def test_the_json_document_is_the_documented_one() -> None:
    document = audited("--format", "json").document
    assert set(document) == {"files", "left_out", "verdicts", "findings", "notes", "skipped"}
    (finding,) = [
        one for one in document["findings"] if one["line"] == 32 and "calls" in one["path"]
    ]
    finding.pop("fingerprint")
    assert finding == {
        "path": "tests/situations/audited/calls.py",
        "line": 32,
        "name": "plain",
        "form": "get_or_create",
        "kind": "test",
        "model": "audited.Coded",
        "fields": ["key"],
        "verdict": "safe",
        "reason": "exact",
        "sentence": "unique (key) covers what it looks up",
        "covered_by": "unique (key)",
        "command": None,
        "rewrite": None,
        "needs_decision": None,
        "accepted": None,
        "in_baseline": False,
        "duplicate_groups": None,
        "newest": None,
    }


def test_github_gets_an_error_for_each_unsafe_call() -> None:
    lines = audited("--format", "github").lines
    (line,) = [line for line in lines if "line=31," in line and "calls.py" in line]
    assert line.startswith(
        "::error file=tests/situations/audited/calls.py,line=31,endLine=31,"
        "title=unsafe%3A audited.Loose by key::nothing is unique"
    )
    assert not [line for line in lines if "line=32," in line and "calls.py" in line]


def test_gitlab_gets_an_entry_with_a_fingerprint_of_its_own_for_each_call() -> None:
    entries = audited("--format", "gitlab").document
    assert len({one["fingerprint"] for one in entries}) == len(entries) > 20
    assert {one["severity"] for one in entries} == {"major", "minor", "info"}
    for one in entries:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}


def test_sarif_names_its_rules_and_where_each_result_is() -> None:
    document = audited("--format", "sarif").document
    (found,) = document["runs"]
    rules = [one["id"] for one in found["tool"]["driver"]["rules"]]
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith(".py")
    assert document["version"] == "2.1.0"


def test_an_unknown_format_or_app_is_answered_by_one_line() -> None:
    assert audited("--format", "jsn").err == (
        "CommandError: --format takes table, json, github, sarif or gitlab, not 'jsn';"
        " did you mean json?\n"
    )
    outcome = run("audit_get_or_create", "auditd")
    assert outcome.err.startswith("CommandError: there is no app 'auditd'")


def comments(text: str) -> Iterable[Any]:
    file = SourceFile(path=Path("a.py"), shown="a.py", module="a", kind=Kind.CODE)
    return [(one.line, one.reason, one.is_alone) for one in acceptances(file, text)]


def test_accepting_comments_are_comments_and_no_text_that_looks_like_one() -> None:
    text = (
        "call()  # dedupe: safe — one worker\n"
        "# dedupe: safe - the next one\n"
        "call()\n"
        "call('# dedupe: safe - no')  # dedupe: safe\n"
    )
    assert comments(text) == [
        (1, "one worker", False),
        (2, "the next one", True),
        (4, "", False),
    ]


def test_a_link_to_nothing_and_a_folder_around_the_project_are_not_read(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "views.py").write_text("Model.objects.get_or_create(key=1)\n", encoding="utf-8")
    (project / ".#views.py").symlink_to("nobody@nowhere")
    (tmp_path / "other.py").write_text("Model.objects.get_or_create(key=1)\n", encoding="utf-8")
    settings.BASE_DIR = project
    monkeypatch.chdir(tmp_path)
    names = {one.path.name for one in source_files() if one.path.is_relative_to(tmp_path)}
    assert names == {"views.py"}


def test_a_file_that_goes_while_the_audit_runs_is_named_and_skipped(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manage.py").write_text("", encoding="utf-8")
    for name in ("a_stays.py", "goes.py"):
        (tmp_path / name).write_text("Model.objects.get_or_create(key=1)\n", encoding="utf-8")
    settings.BASE_DIR = tmp_path
    monkeypatch.chdir(tmp_path)

    def lose_it(done: int, total: int) -> None:
        (tmp_path / "goes.py").unlink(missing_ok=True)

    audit = audit_get_or_create(progress=lose_it)
    assert audit.broken == (("goes", "No such file or directory"),)
    assert "a_stays.py" in {one.path for one in audit.findings}


def test_a_file_is_read_in_the_encoding_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "views.py"
    path.write_bytes(b'# coding: latin-1\nname = "Agn\xe8s"\n')
    assert parsed("views", path).text.endswith('name = "Agn\u00e8s"\n')
