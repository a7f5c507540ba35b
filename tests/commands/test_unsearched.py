"""A plan says which JSON and array columns it has not searched, and where keys seem to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.commands.kit import run
from tests.kit import planned
from tests.situations.links.models import Author
from tests.situations.odd.models import Audit, Follower

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

PAYLOAD = "odd.Audit.payload"


@pytest.fixture(autouse=True)
def authors() -> None:
    for _ in range(2):
        Author.objects.create(name="Leo")


def own_type() -> int:
    return ContentType.objects.get_for_model(Author).pk


def test_columns_that_are_not_searched_are_counted_by_their_tables() -> None:
    found = planned(Author, "name").unsearched
    assert found.tables >= 3
    assert found.holding == ()
    output = run("merge_duplicates", "links.Author", "--fields", "name", "--dry-run").out
    sentence = f"JSON and array columns of {found.tables} tables were not searched for keys."
    assert sentence in output.splitlines()


@pytest.mark.parametrize("type_of", [own_type, lambda: "links.author", lambda: "author"])
def test_a_column_that_seems_to_hold_keys_is_named(type_of: Callable[[], Any]) -> None:
    Audit.objects.create(payload={"path": [["shop.device:7", f"{type_of()}:12"]]})
    assert planned(Author, "name").unsearched.holding == (PAYLOAD,)
    output = run("merge_duplicates", "links.Author", "--fields", "name", "--dry-run").out
    assert any("a type and a key" in line and PAYLOAD in line for line in output.splitlines())


def test_numbers_times_and_keys_of_other_models_are_none_of_the_model() -> None:
    number = own_type()
    for text in (f"{number}", f"at {number}:30", f"1{number}:5", "links.book:7", "co-author:7"):
        Audit.objects.create(payload={"text": text, "author": 5})
    assert planned(Author, "name").unsearched.holding == ()


def test_a_declared_column_is_searched(declare: Callable[..., None]) -> None:
    Audit.objects.create(payload={"about": "author:7"})
    Follower.objects.create(res_id=1, payload={"about": "author:7"})
    before = planned(Author, "name").unsearched
    declare(Author, references=["odd.Audit.payload__customer"])
    after = planned(Author, "name").unsearched
    assert after.tables == before.tables - 1
    assert after.holding == ("odd.Follower.payload",)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
def test_arrays_are_looked_into_as_well() -> None:
    from tests.situations.arrays.models import Singer

    Singer.objects.create(name="Ann", tags=["fado", f"{own_type()}:3"])
    assert planned(Author, "name").unsearched.holding == ("arrays.Singer.tags",)
