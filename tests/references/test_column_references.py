"""Declared columns that hold keys of several models: only the rows that are meant follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import ColumnReference, CustomReference, DedupeError, register
from dedupe_toolkit.checks import check_declarations, check_relations
from dedupe_toolkit.registry import unregister
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.odd.models import Follower, Passport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

pytestmark = pytest.mark.django_db

COLUMN = "odd.Follower.res_id"


@pytest.fixture
def declare() -> Iterator[Callable[..., None]]:
    yield lambda *references: register(Passport, references=references)
    unregister(Passport)


@pytest.fixture
def passports() -> list[Passport]:
    found = [Passport.objects.create(number="A") for _ in range(3)]
    _, second, third = (passport.pk for passport in found)
    for model, key, who in (
        ("passport", second, "u1"),
        ("passport", third, "u1"),
        ("product", second, "u1"),
        ("product", third, "u2"),
    ):
        Follower.objects.create(res_model=model, res_id=key, who=who)
    return found


class Lines(CustomReference):
    def keys(self, value: Any) -> Iterable[Any]:
        return value.splitlines()

    def replaced(self, value: Any, survivors: Mapping[Any, Any]) -> Any:
        keys = [str(survivors.get(key, key)) for key in self.keys(value)]
        return chr(10).join(dict.fromkeys(keys))


def ids(model: str) -> list[tuple[int, str]]:
    rows = Follower.objects.filter(res_model=model).order_by("pk")
    return list(rows.values_list("res_id", "who"))


def test_only_the_rows_that_are_meant_are_repointed(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    declare(ColumnReference(COLUMN, where={"res_model": "passport"}))
    products, before = ids("product"), snapshot()
    run = merged(Passport, "number")
    assert ids("passport") == [(passports[0].pk, "u1")]
    assert ids("product") == products
    assert counts(run, COLUMN) == (1, 1, 0)
    assert_undo_restores(run, before)


def test_rows_named_one_by_one_are_previewed_alike(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    declare(ColumnReference(COLUMN, where={"res_model__in": ["passport", "pass'port%"]}))
    products = ids("product")
    merged_rows(Passport, *(passport.pk for passport in passports))
    assert ids("product") == products


def test_a_column_beside_one_that_names_a_type_is_refused_before_anything_is_written(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    declare(COLUMN)
    before = snapshot()
    with pytest.raises(DedupeError, match="res_model seems to name the type of what it holds"):
        planned(Passport, "number")
    assert snapshot() == before


def test_the_check_names_column_and_neighbour_dedupe_toolkit_w003(
    declare: Callable[..., None],
) -> None:
    declare(COLUMN)
    (warning,) = (w for w in check_relations() if w.obj is Passport)
    assert warning.id == "dedupe_toolkit.W003"
    assert warning.msg == (
        "reference 'odd.Follower.res_id' to odd.Passport: beside it, res_model seems to name the"
        " type of what it holds, and rows of other types would be repointed too; say which rows"
        ' are meant: ColumnReference("odd.Follower.res_id", where={"res_model": …}), or where={}'
        " for all"
    )
    declare(ColumnReference(COLUMN, where={"res_model": "passport"}))
    assert not [w for w in check_relations() if w.obj is Passport]


def test_all_rows_are_meant_where_that_is_said(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    declare(ColumnReference(COLUMN, where={}))
    merged(Passport, "number")
    assert {key for key, _ in ids("product")} == {passports[0].pk}


def test_a_condition_on_a_field_that_is_not_there_is_an_error_dedupe_toolkit_e005(
    declare: Callable[..., None],
) -> None:
    declare(ColumnReference(COLUMN, where={"res_modle": "passport"}))
    (error,) = (e for e in check_declarations() if e.obj is Passport)
    assert error.id == "dedupe_toolkit.E005"
    assert "where={'res_modle': 'passport'}: Cannot resolve keyword 'res_modle'" in error.msg


def test_keys_inside_larger_values_are_asked_the_same(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    first, second, _ = (passport.pk for passport in passports)
    Follower.objects.update(payload={"model_id": second}, ids=f"{second}", ids_kind="product")
    kept = Follower.objects.filter(res_model="passport").first()
    assert kept is not None
    Follower.objects.filter(pk=kept.pk).update(ids_kind="passport")
    declare(
        ColumnReference("odd.Follower.payload__model_id", where={"pk": kept.pk}),
        ColumnReference(Lines("odd.Follower.ids"), where={"ids_kind": "passport"}),
    )
    before = snapshot()
    run = merged(Passport, "number")
    rows = {row.pk: (row.payload["model_id"], row.ids) for row in Follower.objects.all()}
    assert rows.pop(kept.pk) == (first, str(first))
    assert set(rows.values()) == {(second, str(second))}
    assert_undo_restores(run, before)


def test_a_custom_reference_beside_a_type_is_refused_too(
    declare: Callable[..., None], passports: list[Passport]
) -> None:
    declare(Lines("odd.Follower.ids"))
    with pytest.raises(DedupeError, match="ids_kind seems to name the type"):
        planned(Passport, "number")
