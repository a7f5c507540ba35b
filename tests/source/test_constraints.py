"""A match key becomes the constraint whose violations are its duplicates, and its source."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.db.models import functions

from dedupe_toolkit.command_lines import merge_line
from dedupe_toolkit.keys import match_key
from dedupe_toolkit.source.constraints import (
    constraint_for,
    generated_name,
    needs_constraint,
    simplified,
)
from dedupe_toolkit.source.covered import says_the_same
from dedupe_toolkit.source.render import Names, Renderer
from testproject.films.models import Award, Credit, Film, Person

KEYS: dict[str, tuple[Any, str]] = {
    "plain_fields": (
        match_key(Film, ["title", "year"]),
        'models.UniqueConstraint(fields=["title", "year"], name="{}")',
    ),
    "a_foreign_key": (
        match_key(Award, ["film"]),
        'models.UniqueConstraint(fields=["film"], name="{}")',
    ),
    "a_transform": (
        match_key(Person, ["name"], ignore_case=True),
        'models.UniqueConstraint(Lower("name"), name="{}")',
    ),
    "a_transform_beside_a_plain_field": (
        match_key(Award, ["film", "text"], ignore_case=True, ignore_space=True),
        'models.UniqueConstraint("film", Lower(Collapse("text")), name="{}")',
    ),
    "a_transform_of_djangos_own": (
        match_key(Person, ["created__date"]),
        'models.UniqueConstraint("created__date", name="{}")',
    ),
    "a_condition": (
        match_key(Award, ["text"], where={"is_removed": False, "film__in": [1, 2]}),
        'models.UniqueConstraint(fields=["text"],'
        ' condition=models.Q(film__in=[1, 2], is_removed=False), name="{}")',
    ),
    "blanks_that_are_distinct": (
        match_key(Award, ["film", "text"], blanks="distinct"),
        'models.UniqueConstraint(fields=["film", "text"], condition=~models.Q(text=""), name="{}")',
    ),
    "a_condition_and_blanks_that_are_distinct": (
        match_key(
            Person, ["name", "biography"], blanks="distinct", where={"pk__gt": 1, "genres": 2}
        ),
        'models.UniqueConstraint(fields=["name", "biography"],'
        " condition=models.Q(genres=2) & models.Q(pk__gt=1)"
        ' & ~models.Q(name="") & ~models.Q(biography=""), name="{}")',
    ),
    "nulls_that_are_equal": (
        match_key(Film, ["title", "year"], nulls="equal"),
        'models.UniqueConstraint(fields=["title", "year"], nulls_distinct=False, name="{}")',
    ),
    "text_that_needs_care": (
        match_key(Person, ["biography"], where={"name": 'O\'Neill "Jim"'}),
        'models.UniqueConstraint(fields=["biography"],'
        ' condition=models.Q(name=\'O\\\'Neill "Jim"\'), name="{}")',
    ),
}


def imported(needed: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {name: getattr(importlib.import_module(module), name) for module, name in needed}


@pytest.mark.parametrize(("key", "source"), KEYS.values(), ids=KEYS)
def test_the_source_of_a_constraint_means_the_constraint(key: Any, source: str) -> None:
    constraint = constraint_for(key)
    rendered = Renderer(Names(known={"models": models})).rendered(constraint)
    assert str(rendered.code) == source.format(generated_name(key))
    again = eval(str(rendered.code), {"models": models, **imported(rendered.imports)})  # noqa: S307
    assert again.deconstruct() == constraint.deconstruct()


@pytest.mark.parametrize(
    ("known", "head"),
    [
        ({"models": models}, "models.UniqueConstraint(Lower("),
        ({"m": models, "Lower": functions.Lower}, "m.UniqueConstraint(Lower("),
        ({"Unique": models.UniqueConstraint, "f": functions}, "Unique(f.Lower("),
        ({}, "UniqueConstraint(Lower("),
    ],
)
def test_a_module_keeps_its_own_names(known: dict[str, Any], head: str) -> None:
    constraint = constraint_for(match_key(Person, ["name__lower"]))
    assert str(Renderer(Names(known=known)).rendered(constraint).code).startswith(head)


def test_only_what_the_module_lacks_is_imported() -> None:
    constraint = constraint_for(match_key(Person, ["name__collapse__lower"]))
    names = Names(known={"UniqueConstraint": models.UniqueConstraint})
    assert Renderer(names).rendered(constraint).imports == (
        ("dedupe_toolkit.transforms", "Collapse"),
        ("django.db.models.functions", "Lower"),
    )


def test_a_name_that_means_something_else_in_the_module_is_imported_under_another() -> None:
    constraint = constraint_for(match_key(Person, ["name__lower"]))
    rendered = Renderer(Names(known={"models": models, "Lower": str.lower})).rendered(constraint)
    assert rendered.imports == (("django.db.models.functions", "Lower as DatabaseLower"),)
    assert str(rendered.code).startswith('models.UniqueConstraint(DatabaseLower("name"), name=')


def test_a_name_is_short_stable_and_its_own() -> None:
    keys = [key for key, _ in KEYS.values()]
    keys += [match_key(Film, ["title"]), match_key(Film, ["title"], where={"year": 1999})]
    names = [generated_name(key) for key in keys]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 30 and name.isidentifier() and name[0].isalpha() for name in names)
    assert generated_name(match_key(Film, ["title", "year"])) == "films_film_ad3c2c_uniq"


def test_a_name_does_not_depend_on_the_order_of_the_fields() -> None:
    one, other = (match_key(Film, fields) for fields in (["title", "year"], ["year", "title"]))
    assert generated_name(one) == generated_name(other)
    assert says_the_same(constraint_for(one), constraint_for(other))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (match_key(Film, ["title"]), ""),
        (match_key(Film, ["title__lower"]), "it cannot hold the transforms of title__lower"),
        (match_key(Film, ["title"], where={"year": 1}), "it cannot hold the condition of --where"),
        (match_key(Film, ["year"], nulls="equal"), "it lets NULLs repeat"),
        (match_key(Film, ["title"], blanks="distinct"), "it does not let empty strings repeat"),
    ],
)
def test_unique_together_says_why_it_cannot_hold_a_key(key: Any, reason: str) -> None:
    said = needs_constraint(key)
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


def test_policies_that_make_no_difference_ask_for_nothing() -> None:
    key = match_key(Credit, ["film", "person"], nulls="equal", blanks="distinct")
    assert needs_constraint(simplified(key)) == ""
    key = match_key(Film, ["year", "title"], nulls="equal", blanks="distinct")
    assert simplified(key) == key


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (match_key(Film, ["title"]), "films.Film --fields title"),
        (
            match_key(User, ["email"], ignore_case=True, nulls="equal", blanks="distinct"),
            "auth.User --fields email__lower --nulls equal --blanks distinct",
        ),
        (
            match_key(Award, ["text"], where={"is_removed": False, "film__in": [1, 2]}),
            "films.Award --fields text --where is_removed=false --where film__in=1,2",
        ),
        (
            match_key(Person, ["biography"], where={"name": "O'Neill"}),
            """films.Person --fields biography --where 'name=O'"'"'Neill'""",
        ),
    ],
)
def test_the_line_that_merges_can_be_pasted_into_a_shell(key: Any, line: str) -> None:
    assert merge_line(key) == f"manage.py merge_duplicates {line}"


def test_the_line_that_merges_names_another_database() -> None:
    line = merge_line(match_key(Film, ["title"]), "other")
    assert line == "manage.py merge_duplicates films.Film --fields title --database other"
