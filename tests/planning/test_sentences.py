"""Why a group is held back, and what to know of a merge: codes told in English and for people."""

from __future__ import annotations

import ast
from copy import deepcopy
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from django.test.utils import override_settings
from django.utils.translation import gettext, override

from dedupe_toolkit import match_key, merge, plan_merge
from dedupe_toolkit.models import HeldGroup, QueuedGroup
from dedupe_toolkit.sentences import Sentence
from dedupe_toolkit.wording import WORDING
from dedupe_toolkit.wording.errors import ERRORS, OBSTACLES
from dedupe_toolkit.wording.notes import NOTES
from dedupe_toolkit.wording.reasons import REASONS
from tests.queue.scanning import scanned
from tests.situations.rivals.models import Profile, User

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "dedupe_toolkit"
LANGUAGES = ["de", "fr"]
TECHNICAL = ("--", "_meta", "primary key", "dedupe.py", "column", "constraint")


def calls() -> Iterator[ast.Call]:
    for path in PACKAGE.rglob("*.py"):
        yield from (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))


def texts_in(node: ast.AST) -> set[str]:
    return {
        n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_code_in_use_has_its_sentence_and_every_sentence_is_in_use() -> None:
    sources = [path.read_text() for path in PACKAGE.rglob("*.py") if path.parent.name != "wording"]
    written = {text for source in sources for text in texts_in(ast.parse(source))}
    assert [code for code in WORDING if code not in written] == []
    named = {
        call.args[0].value
        for call in calls()
        if isinstance(call.func, ast.Name)
        and call.func.id == "Sentence"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    held = {
        call.args[0].value
        for call in calls()
        if ast.unparse(call.func).endswith("held.add") and isinstance(call.args[0], ast.Constant)
    }
    assert named - set(WORDING) == set()
    assert held - set(REASONS) == set()


@pytest.mark.parametrize("code", REASONS | ERRORS | OBSTACLES)
def test_every_reason_and_refusal_is_told_to_people_without_technical_words(code: str) -> None:
    people = WORDING[code].people
    assert people
    assert [word for word in TECHNICAL if word in people] == []


@pytest.mark.parametrize("code", WORDING)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_translated_and_speaks_of_the_same(code: str, language: str) -> None:
    people = WORDING[code].people
    if not people:
        assert code in NOTES
        return
    with override(language):
        told = gettext(people)
    assert told != people
    assert names_in(told) <= names_in(people)


@pytest.mark.parametrize("code", WORDING)
def test_people_are_told_of_nothing_that_the_sentence_does_not_know(code: str) -> None:
    wording = WORDING[code]
    beside = {"model", "fields"}
    assert names_in(wording.people) <= names_in(wording.text) | beside


def test_a_sentence_stays_what_it_is_when_copied_or_read_again() -> None:
    told = Sentence("does not fit", model="rivals.User", field="name", first="1", type="char(1)")
    for copy in (deepcopy(told), Sentence.from_plain(told.plain)):
        assert (copy, copy.code, copy.params) == (told, told.code, told.params)


def test_braces_in_what_it_speaks_of_stay_as_they_are() -> None:
    assert "{first} of {}" in Sentence("changed all the time", words="{first} of {}")


def test_a_code_that_is_gone_is_told_by_its_name() -> None:
    assert Sentence("of old", first="1") == "of old"
    assert Sentence("of old", first="1").for_people == "of old"


@pytest.mark.django_db
def test_a_stored_reason_is_read_in_english_by_commands_and_by_people_in_their_language() -> None:
    users = [User.objects.create(name="Ann") for _ in range(2)]
    first, second = (Profile.objects.create(user=user, bio=str(user.pk)) for user in users)
    key = match_key(User, ["name"])
    scan = scanned(key)
    merge(plan_merge(key))
    rows = f"rows {first.pk} and {second.pk} would break"
    for kept in (HeldGroup.objects.get().reason, QueuedGroup.objects.get(scan=scan).reason):
        assert kept.code == "rivals"
        assert rows in kept
        with override("de"), override_settings(USE_I18N=True):
            assert f"Nr. {first.pk}" in kept.for_people
            assert "rivals.Profile" not in kept.for_people
        with override("en"):
            assert "cannot both belong" in kept.for_people
