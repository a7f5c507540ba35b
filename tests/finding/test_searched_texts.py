"""Keys that look inside texts of a collation that compares them only as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from dedupe_toolkit import find_duplicates, match_key, plan_merge
from dedupe_toolkit.errors import InvalidMatchKey
from tests.concurrency_kit import on_postgresql
from tests.situations.links.models import Author, Book

pytestmark = pytest.mark.django_db


@pytest.fixture
def any_case() -> None:
    """The names of authors are equal whatever their case, as far as the database can say so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE COLLATION any_case"
            " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
        cursor.execute("ALTER TABLE links_author ALTER name TYPE varchar(100) COLLATE any_case")


@pytest.fixture
def authors() -> None:
    for name in ("Ann", "Ann", "Bea"):
        Book.objects.create(author=Author.objects.create(name=name), title="one")


SEARCHES: list[tuple[Any, list[str], dict[str, Any], str]] = [
    (Author, ["name__collapse"], {}, "collapse"),
    (Author, ["name__collapse__lower"], {}, "collapse"),
    (Author, ["name"], {"name__collapse": "Ann"}, "collapse"),
    (Book, ["title"], {"author__name__startswith": "A"}, "startswith"),
    *(
        (Author, ["name"], {f"name__{lookup}": "Ann"}, lookup)
        for lookup in ("contains", "icontains", "startswith", "istartswith")
    ),
    *(
        (Author, ["name"], {f"name__{lookup}": "Ann"}, lookup)
        for lookup in ("endswith", "iendswith", "regex", "iregex")
    ),
]
WHOLE: list[tuple[list[str], dict[str, Any]]] = [
    (["name"], {}),
    (["name__lower"], {}),
    (["name__trim__upper"], {}),
    (["name"], {"name": "ann"}),
    (["name"], {"name__in": ["ANN", "Bea"]}),
    (["name"], {"name__iexact": "ann"}),
    (["name"], {"name__gt": "a"}),
    (["name"], {"bio__contains": ""}),
    (["bio__collapse"], {}),
]


@on_postgresql
@pytest.mark.parametrize(("model", "fields", "where", "search"), SEARCHES)
def test_a_search_that_the_collation_rules_out_is_refused_with_a_way_out(
    any_case: None, model: Any, fields: list[str], where: dict[str, Any], search: str
) -> None:
    if connection.pg_version >= 180000:  # type: ignore[attr-defined]
        pytest.skip("this server searches texts of any collation")
    key = match_key(model, fields, where=where)
    for verb in (find_duplicates, plan_merge):
        with pytest.raises(InvalidMatchKey) as refused:
            verb(key)
        told = str(refused.value)
        assert f"{search} looks inside links.Author.name, and the database 'default'" in told
        assert "its collation any_case only as a whole" in told
        way_out = "name__trim" if search == "collapse" else "whole texts (exact, in)"
        assert way_out in told


@on_postgresql
def test_the_commands_refuse_it_in_one_line(any_case: None) -> None:
    for options in (["--ignore-space"], ["--where", "name__startswith=A"]):
        for command in ("find_duplicates", "merge_duplicates"):
            with pytest.raises(CommandError, match="its collation any_case only as a whole"):
                call_command(command, "links.Author", "--fields", "name", *options)


@on_postgresql
@pytest.mark.parametrize(("fields", "where"), WHOLE)
def test_what_compares_whole_texts_works_in_such_a_collation(
    any_case: None, authors: None, fields: list[str], where: dict[str, Any]
) -> None:
    key = match_key(Author, fields, where=where)
    assert (find_duplicates(key).groups, plan_merge(key).groups) == (1, 1)


@pytest.mark.parametrize(("model", "fields", "where", "search"), SEARCHES)
def test_any_text_is_searched_elsewhere(
    authors: None, model: Any, fields: list[str], where: dict[str, Any], search: str
) -> None:
    key = match_key(model, fields, where=where)
    assert (find_duplicates(key).groups, plan_merge(key).groups) == (1, 1)
