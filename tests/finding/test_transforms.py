"""What the transforms make of a text: the table of the documentation, and white space."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from dedupe_toolkit import find_duplicates, match_key, plan_merge
from dedupe_toolkit.transforms import WHITE_SPACE
from tests.package.pages import page
from tests.situations.links.models import Author

pytestmark = pytest.mark.django_db

COLUMN = {"sqlite": 2, "postgresql": 3, "mysql": 4}[connection.vendor]
ESCAPED = re.compile(r"\\(u[0-9a-f]{4}|[tn])")


def documented() -> list[tuple[str, str, list[str]]]:
    """Key, text, and what may come of it on this database."""
    rows = re.findall(r"^\| (`name__.*) \|$", page("commands.md"), re.MULTILINE)
    cells = [[re.findall(r"`(.*?)`", cell) for cell in row.split(" | ")] for row in rows]
    return [(row[0][0], typed(row[1][0]), [typed(c) for c in row[COLUMN]]) for row in cells]


def typed(cell: str) -> str:
    return ESCAPED.sub(lambda found: found[0].encode().decode("unicode_escape"), cell)


@pytest.mark.parametrize(("key", "text", "results"), documented())
def test_a_transform_makes_of_a_text_what_the_documentation_says(
    key: str, text: str, results: list[str]
) -> None:
    Author.objects.create(name=text)
    rows = QuerySet(Author).annotate(value=F(key))
    assert rows.values_list("value", flat=True).get() in results


def test_the_documentation_shows_every_transform() -> None:
    shown = {key.partition("__")[2] for key, _, _ in documented()}
    assert shown == {"lower", "upper", "trim", "collapse"}


@pytest.mark.parametrize("space", WHITE_SPACE, ids=ascii)
def test_every_white_space_collapses_on_every_database(space: str) -> None:
    for name in ("日 本", f"{space}日{space} {space}本{space}"):
        Author.objects.create(name=name)
    key = match_key(Author, ["name__collapse"])
    assert (find_duplicates(key).groups, plan_merge(key).rows_to_merge) == (1, 1)


def test_all_transforms_of_a_key_fit_into_one_statement() -> None:
    for name in ("Ann", " ANN\u3000"):
        Author.objects.create(name=name)
    key = match_key(
        Author, ["name__trim__lower", "bio__upper"], ignore_case=True, ignore_space=True
    )
    assert key.fields == ("name__trim__lower__collapse", "bio__upper__collapse__lower")
    assert (find_duplicates(key).groups, plan_merge(key).rows_to_merge) == (1, 1)
