"""Python functions as field rules: only where a person looks at the group, and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import MergePolicy, merge, plan_merge, register, row_set
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.models import MergeRun
from dedupe_toolkit.registry import unregister
from dedupe_toolkit.reviewing.side_by_side import side_by_side
from tests.commands.kit import run
from tests.kit import assert_undo_restores, merged_rows, planned, snapshot
from tests.situations.family.models import Place, Restaurant
from tests.situations.keyed.models import Measurement
from tests.situations.links.models import Author
from tests.situations.rivals.models import User
from tests.situations.typed.models import Everything

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def all_of_them(values: list[Any]) -> str:
    return "+".join(map(str, values))


def greatest(values: list[Any]) -> Any:
    return max(value for value in values if value is not None)


def nothing(values: list[Any]) -> None:
    return None


def empty(values: list[Any]) -> str:
    return ""


def divided(values: list[Any]) -> float:
    return float(1 / len(values[1:-1]))


@pytest.fixture
def authors() -> list[Author]:
    rows = [("Ann", "c", 1950), ("Anne", "", None), ("A.", "a", 1940)]
    return [Author.objects.create(name=name, bio=bio, born=born) for name, bio, born in rows]


def pks(rows: list[Any]) -> list[Any]:
    return [row.pk for row in rows]


def test_a_function_gets_the_values_of_all_rows_and_the_survivors_first(
    authors: list[Author],
) -> None:
    rules = {"bio": all_of_them, "born": all_of_them, "name": "survivor"}
    with pytest.raises(InvalidOption, match="returned '1940\\+1950\\+None'"):
        merged_rows(Author, *pks(authors), into=authors[2].pk, field_rules=rules)
    before = snapshot()
    rules["born"] = greatest
    run = merged_rows(Author, *pks(authors), into=authors[2].pk, field_rules=rules)
    author = Author.objects.get()
    assert (author.name, author.bio, author.born) == ("A.", "a+c+", 1950)
    assert run.policy["field_rules"] == {
        "bio": "all_of_them",
        "born": "greatest",
        "name": "survivor",
    }
    assert_undo_restores(run, before)


def test_a_function_may_return_a_blank_where_the_field_allows_it(authors: list[Author]) -> None:
    before = snapshot()
    with pytest.raises(InvalidOption, match=r"links\.Author\.name: .* empty returned ''"):
        merged_rows(Author, *pks(authors), field_rules={"name": empty})
    rules = {"bio": empty, "born": nothing}
    run = merged_rows(Author, *pks(authors[::2]), field_rules=rules)
    assert Author.objects.values_list("bio", "born").first() == ("", None)
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("decimal", [Decimal("1.5"), Decimal("2.000001")]),
        ("binary", [b"", b"\x00\xff"]),
        ("json", [{"a": 1}, {"a": [2, None]}]),
        ("char", ["", "%s %% 'quoted'"]),
        ("boolean", [None, True]),
    ],
)
def test_values_come_and_go_as_the_field_has_them_in_python(field: str, values: list[Any]) -> None:
    rows = [Everything.objects.create(name="x", **{field: value}) for value in values]
    seen = []

    def last(given: list[Any]) -> Any:
        seen.append(given)
        return given[-1]

    before = snapshot()
    source, policy = row_set(Everything, pks(rows)), MergePolicy(field_rules={field: last})
    run = merge(plan_merge(source, policy=policy))
    # once to try it and once to write, and once more where the database checks what it returns
    assert seen == [values] * len(seen)
    assert len(seen) in (2, 3)
    assert getattr(Everything.objects.get(), field) in (values[1], memoryview(b"\x00\xff"))
    assert_undo_restores(run, before)


def test_rules_of_all_tables_of_an_object_are_called_once_each() -> None:
    rows = [Restaurant.objects.create(name=n, stars=s) for n, s in (("a", 1), ("b", 3))]
    before = snapshot()
    run = merged_rows(Restaurant, *pks(rows), field_rules={"stars": greatest, "phone": empty})
    assert Restaurant.objects.get().stars == 3
    assert_undo_restores(run, before)


def test_a_row_without_a_part_in_the_table_has_no_say() -> None:
    restaurant = Restaurant.objects.create(name="a", stars=1)
    place = Place.objects.create(name="a")
    before = snapshot()
    run = merged_rows(Place, restaurant.pk, place.pk, field_rules={"name": all_of_them})
    assert Restaurant.objects.get().name == "a+a"
    assert_undo_restores(run, before)


def test_rows_with_composite_keys_can_have_functions() -> None:
    rows = [
        Measurement.objects.create(station=1, number=number, name="m", note=note)
        for number, note in enumerate("ab")
    ]
    before = snapshot()
    run = merged_rows(Measurement, *pks(rows), field_rules={"note": all_of_them})
    assert Measurement.objects.get().note == "a+b"
    assert_undo_restores(run, before)


def test_a_function_that_raises_stops_the_plan_and_names_field_function_and_values(
    authors: list[Author],
) -> None:
    before = snapshot()
    with pytest.raises(InvalidOption) as error:
        merged_rows(Author, *pks(authors[:2]), field_rules={"bio": divided})
    assert str(error.value) == (
        "links.Author.bio: the field rule divided raised ZeroDivisionError for ['c', '']:"
        " division by zero; correct it, or name another rule"
    )
    assert snapshot() == before
    assert not MergeRun.objects.exists()


def test_a_function_is_given_nothing_that_cannot_be_read(
    authors: list[Author], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot()
    with monkeypatch.context() as patch:
        field = Author._meta.get_field("bio")
        patch.setattr(field, "from_db_value", lambda *_: 1 // 0, raising=False)
        with pytest.raises(InvalidOption) as error:
            merged_rows(Author, *pks(authors[:2]), field_rules={"bio": all_of_them})
    keys = ", ".join(map(str, pks(authors[:2])))
    assert str(error.value) == (
        "links.Author.bio: the field rule all_of_them cannot be given the values of rows"
        f" {keys}: reading them raised ZeroDivisionError: integer division or modulo by zero;"
        " correct them, or name another rule"
    )
    assert snapshot() == before
    assert not MergeRun.objects.exists()


def test_a_function_that_raises_only_in_the_merge_leaves_the_database_as_it_was(
    authors: list[Author],
) -> None:
    Author.objects.update(born=1900)
    policy = MergePolicy(field_rules={"born": lambda values: 1900 // (values[1] - 1899)})
    plan = plan_merge(row_set(Author, pks(authors)), policy=policy)
    Author.objects.update(born=1899)
    before = snapshot()
    with pytest.raises(InvalidOption, match="the field rule <lambda> raised ZeroDivisionError"):
        merge(plan)
    assert snapshot() == before


def test_a_merge_by_a_key_refuses_functions_and_says_what_to_do() -> None:
    users = [User.objects.create(name="Ann") for _ in range(2)]
    before = snapshot()
    with pytest.raises(InvalidOption) as error:
        planned(User, "name", field_rules={"email": all_of_them})
    assert str(error.value) == (
        "rivals.User.email: the field rule all_of_them is a Python function, which only merges of"
        " rows named one by one can use (--pks, row_set(), the admin); name another rule to merge"
        " by a key: --field-rule email=fill"
    )
    assert snapshot() == before
    assert merged_rows(User, *pks(users), field_rules={"email": all_of_them}).merged


def test_a_declared_function_serves_named_rows_and_gives_way_to_an_option_for_keys(
    authors: list[Author],
) -> None:
    register(Author, field_rules={"bio": all_of_them})
    try:
        Author.objects.create(name="Ann", bio="x")
        line = ("merge_duplicates", "links.Author", "--no-input")
        refused = run(*line, "--fields", "name")
        assert refused.code == 1
        assert "the field rule all_of_them is a Python function" in refused.err
        assert run(*line, "--fields", "name", "--field-rule", "bio=concat").code == 0
        assert Author.objects.get(name="Ann").bio == "c\nx"
        assert run(*line, "--pks", *map(str, pks(authors))).code == 0
        assert Author.objects.get().bio == "c\nx++a"
    finally:
        unregister(Author)


@pytest.mark.parametrize(
    ("field", "what"), [("mentor", "ForeignKey"), ("id", "AutoField and the primary key")]
)
def test_keys_are_none_of_a_functions_business(field: str, what: str) -> None:
    with pytest.raises(InvalidOption) as error:
        planned(Author, "name", field_rules={field: greatest})
    assert f"field rule {field}=greatest: 'greatest' does not fit" in str(error.value)
    assert str(error.value).endswith(what)


@pytest.mark.parametrize("rule", [all_of_them, type("Joined", (), {"__call__": all_of_them})()])
def test_a_reviewer_sees_the_function_by_its_name(
    authors: list[Author], rule: Callable[[list[Any]], Any]
) -> None:
    policy = MergePolicy(field_rules={"bio": rule})
    comparison = side_by_side(row_set(Author, pks(authors)), policy=policy)
    names = {line.field.name: line.rule for line in comparison.lines}
    assert names["bio"] in ("all_of_them", "Joined")
    assert not names["born"]
