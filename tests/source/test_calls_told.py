"""The calls that make_unique tells of: what they should become under the constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.source.kit import EXPRESSIONS, ITEM

if TYPE_CHECKING:
    from tests.source.project import Project

CALLS = """\
from .models import Item, Special


def exact(name):
    return Item.objects.get_or_create(name=name)


def wider(name, code):
    return Item.objects.get_or_create(name=name, code=code)


def child(name, extra):
    return Special.objects.get_or_create(name=name, extra=extra)


def by_hand(name):
    try:
        return Item.objects.get(name=name)
    except Item.DoesNotExist:
        return Item.objects.create(name=name)


def other(code):
    return Item.objects.get_or_create(code=code)


def accepted(name, code):
    return Item.objects.get_or_create(name=name, code=code)  # dedupe: safe — one worker
"""


def told_of_calls(project: Project, *options: str) -> list[str]:
    """What is said of the calls between the diff and the last line."""
    (project.folder / "shop" / "views.py").write_text(CALLS)
    printed = project.must("make_unique", ITEM, "--fields", *options)
    return printed.partition("With it, ")[2].splitlines()[:-1]


def test_calls_that_the_constraint_does_not_make_safe_are_told_what_to_become(
    project: Project,
) -> None:
    first, *calls = told_of_calls(project, "name")
    assert first == "3 calls still need a change:"
    assert [line.partition(": shop")[0] for line in calls[::2]] == [
        "shop/views.py:9: fragile",
        "shop/views.py:13: fragile",
        "shop/views.py:17: fragile",
    ]
    assert [line.strip() for line in calls[1::2]] == [
        "better: Item.objects.get_or_create(name=name, defaults={'code': code})",
        "better: Special.objects.get_or_create(name=name, defaults={'extra': extra})",
        "better: obj, created = Item.objects.get_or_create(name=name)",
    ]


def test_a_call_that_looks_up_less_than_the_constraint_stays_unsafe_and_is_told_so(
    project: Project,
) -> None:
    calls = told_of_calls(project, "name", "code")
    assert calls[0] == "4 calls still need a change:"
    assert calls[1].startswith("shop/views.py:5: unsafe: shop.Item by name: ")
    assert "to decide: look up code as well, or make the look-up itself unique" in calls[2]


def test_where_no_call_looks_the_key_up_nothing_is_said_of_calls(project: Project) -> None:
    assert told_of_calls(project, "year") == []


def test_another_spelling_under_a_constraint_without_case_is_told_what_to_become(
    project: Project,
) -> None:
    if not project.has(EXPRESSIONS):
        pytest.skip("the database has no constraints on expressions")
    calls = told_of_calls(project, "name", "--ignore-case")
    assert "better: Item.objects.get_or_create(name__iexact=name, defaults={'name': name})" in [
        line.strip() for line in calls
    ]
