"""What an audit writes for other programs, held against the formats that those publish."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from dedupe_toolkit.audit.findings import Audit, Finding, Note
from dedupe_toolkit.audit.formats.github import github_lines
from dedupe_toolkit.audit.formats.gitlab import gitlab_document
from dedupe_toolkit.audit.formats.sarif import sarif_document
from dedupe_toolkit.audit.values import Decision, Reason, Verdict
from tests.commands.kit import run

SCHEMAS = Path(__file__).with_name("schemas")
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "continuous-integration.md"


def complaints(document: Any, schema: str) -> list[str]:
    validator = Draft7Validator(json.loads((SCHEMAS / schema).read_text(encoding="utf-8")))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def finding(**changes: Any) -> Finding:
    decision = Decision(
        verdict=Verdict.UNSAFE, reason=Reason.NO_RULE, sentence="100 % of a,b: none\nis unique"
    )
    values = {
        "path": "shop/a b,c:d.py",
        "line": 3,
        "end_line": 4,
        "name": "run",
        "form": "get_or_create",
        "model": None,
        "fields": (),
        "decision": decision,
    }
    return Finding(**{**values, **changes})


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize(
    ("form", "schema"),
    [("sarif", "sarif-2.1.0-used.json"), ("gitlab", "gitlab-code-quality.json")],
)
def test_the_document_is_as_its_readers_publish_it(form: str, schema: str) -> None:
    document = run("audit_get_or_create", "audited", "--all", "--format", form).document
    assert complaints(document, schema) == []


def test_accepted_and_known_findings_are_suppressed_in_sarif() -> None:
    audit = Audit(findings=(finding(accepted="one worker"), finding(in_baseline=True)))
    document = sarif_document(audit)
    assert complaints(document, "sarif-2.1.0-used.json") == []
    suppressions = [one["suppressions"] for one in document["runs"][0]["results"]]
    assert suppressions == [
        [{"kind": "inSource", "justification": "one worker"}],
        [{"kind": "external", "justification": "known in the baseline"}],
    ]
    assert gitlab_document(audit) == []


def test_an_audit_without_findings_is_a_document_as_well() -> None:
    assert complaints(sarif_document(Audit(findings=())), "sarif-2.1.0-used.json") == []
    assert complaints(gitlab_document(Audit(findings=())), "gitlab-code-quality.json") == []


def test_github_reads_back_what_was_meant() -> None:
    note = Note(path="shop/a b,c:d.py", line=7, text="50 % of\r\nthem")
    first, second, summary = github_lines(Audit(findings=(finding(),), notes=(note,))).splitlines()
    assert read_back(first) == (
        "error",
        {"file": "shop/a b,c:d.py", "line": "3", "endLine": "4", "title": "unsafe: get_or_create"},
        "100 % of a,b: none\nis unique",
    )
    assert read_back(second) == (
        "warning",
        {"file": "shop/a b,c:d.py", "line": "7"},
        "50 % of\r\nthem",
    )
    assert summary.startswith("1 call in ")


def read_back(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command, taken apart and unescaped as the runner does."""
    found = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert found is not None
    pairs = [pair.split("=", 1) for pair in found[2].split(",")]
    return found[1], {name: unescaped(value) for name, value in pairs}, unescaped(found[3])


def unescaped(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(code, character)
    return text.replace("%25", "%")


def snippets() -> list[Any]:
    text = HOW_TO.read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def commands() -> list[list[str]]:
    """The audits that the page's shell and YAML blocks run."""
    text = HOW_TO.read_text(encoding="utf-8")
    found = re.findall(r"manage\.py (audit_get_or_create[^\n`>]*)", text)
    return [one.split() for one in found]


def test_the_pages_workflows_are_yaml_of_the_right_shape() -> None:
    workflow, upload, gitlab, hooks = snippets()
    steps = [*workflow["jobs"]["audit"]["steps"], *upload]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert gitlab["dedupe"]["artifacts"]["reports"] == {
        "codequality": "gl-code-quality-report.json"
    }
    (hook,) = hooks["repos"][0]["hooks"]
    assert {"id", "name", "entry", "language"} <= set(hook)


@pytest.mark.django_db(databases=["default", "other"])
def test_every_audit_on_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = commands()
    assert len(found) >= 6
    found.sort(key=lambda words: "--write-baseline" not in words)
    for words in found:
        outcome = run(words[0], "audited", *words[1:])
        assert outcome.code == 0, (words, outcome.err)
