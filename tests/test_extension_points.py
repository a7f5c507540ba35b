"""What is added from outside works as what the package brings: named, listed, undone."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db.models import CharField, F, Transform
from django.db.models.functions import Length

from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.field_rules import rules as field_rules
from dedupe_toolkit.field_rules.rules import Pick
from dedupe_toolkit.finding import survivor_rules as survivors
from dedupe_toolkit.keys import is_text
from tests.kit import assert_undo_restores, merged, snapshot
from tests.situations.links.models import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def authors() -> None:
    for name, bio in (("Leo", "long"), ("Leo", "longest"), ("Leo", "a")):
        Author.objects.create(name=name, bio=bio)


def helped(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    return capsys.readouterr().out


def test_a_field_rule_is_one_object(
    authors: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shortest = Pick(
        order=lambda value, mapping, database: f"{database.characters(value)}, m.place",
        fits=is_text,
    )
    monkeypatch.setitem(field_rules.RULES, "shortest", shortest)
    before = snapshot()
    run = merged(Author, "name", field_rules={"bio": "shortest"})
    assert Author.objects.get().bio == "a"
    assert_undo_restores(run, before)
    assert "shortest" in helped("merge_duplicates", capsys)
    with pytest.raises(InvalidOption, match=r"'shortest' does not fit links\.Author\.born"):
        merged(Author, "name", field_rules={"born": "shortest"})


def test_a_field_rule_says_what_it_fits() -> None:
    with pytest.raises(TypeError, match="fits"):
        Pick(order=lambda value, mapping, database: "m.place")  # type: ignore[call-arg]  # forgotten


def test_a_survivor_rule_is_one_function(
    authors: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(
        survivors.RULES, "best-told", lambda model, using: [Length(F("bio")).desc()]
    )
    longest = Author.objects.get(bio="longest")
    merged(Author, "name", survivor="best-told")
    assert Author.objects.get() == longest
    for command in ("find_duplicates", "merge_duplicates"):
        assert "best-told" in helped(command, capsys)


class FirstLetter(Transform):
    template = "SUBSTR(%(expressions)s, 1, 1)"
    lookup_name = "first_letter"


@pytest.fixture
def first_letter() -> Iterator[None]:
    CharField.register_lookup(FirstLetter)
    yield
    CharField._unregister_lookup(FirstLetter)


def test_a_transform_is_one_class(first_letter: None) -> None:
    for name in ("Leo", "Lea", "Mary"):
        Author.objects.create(name=name)
    out = StringIO()
    call_command("find_duplicates", "links.Author", "--fields", "name__first_letter", stdout=out)
    assert "1 duplicate group" in out.getvalue()
    before = snapshot()
    run = merged(Author, "name__first_letter")
    assert Author.objects.count() == 2
    assert_undo_restores(run, before)
