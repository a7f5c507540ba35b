"""Models ahead of the database: what it has no columns for yet is left out, and named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, models

from dedupe_toolkit import match_key, merge, plan_merge
from dedupe_toolkit.errors import InvalidMatchKey
from tests.kit import merged, planned
from tests.situations.blanks.models import Key, Licence, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Field, Model

pytestmark = pytest.mark.django_db


@pytest.fixture
def pending() -> Iterator[Callable[[type[Model], str, Field[Any, Any]], None]]:
    """Give a model a field for which no migration has run."""
    added: list[tuple[type[Model], Any]] = []

    def add(model: type[Model], name: str, field: Field[Any, Any]) -> None:
        model.add_to_class(name, field)
        added.append((model, field))

    yield add
    for model, field in added:
        model._meta.local_fields.remove(field)
        model._meta.apps.clear_cache()
        delattr(model, field.name)
    connection.close_if_unusable_or_obsolete()


def keys() -> list[int]:
    found = [Key.everything.create(name="a") for _ in range(2)]
    for key in found:
        Use.objects.create(key=key)
    return [key.pk for key in found]


def test_a_field_of_the_merged_model_is_left_out(pending: Any) -> None:
    for seats in (None, 3):
        Licence.objects.create(name="x", seats=seats)
    pending(Licence, "note", models.CharField(max_length=9, blank=True))
    plan = planned(Licence, "name", on_conflict="hold")
    assert plan.warnings == ("blanks.Licence: the database has no field note yet: left out",)
    assert merge(plan).merged == 1
    with pytest.raises(InvalidMatchKey, match="has no column 'note' in the database yet"):
        plan_merge(match_key(Licence, ["note"]))


def test_a_relation_without_a_column_is_left_out(pending: Any) -> None:
    first, _ = keys()
    second = models.ForeignKey(Key, models.CASCADE, null=True, related_name="+")
    pending(Use, "second", second)
    plan = planned(Key, "name")
    assert plan.warnings == (
        "blanks.Use.second: the database has no column second_id yet: left out",
    )
    assert merge(plan).merged == 1
    assert list(Use.objects.values_list("key_id", flat=True)) == [first, first]


def test_a_relation_that_models_have_under_another_name_holds_its_groups_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys()
    monkeypatch.setattr(Use._meta.get_field("key"), "column", "owner_id")
    plan = plan_merge(match_key(Key, ["name"]))
    (held,) = plan.held_back
    assert held.reason.startswith("blanks_use.key_id points at row")
    assert held.reason.endswith(
        "no relation of blanks.Use declares it: apply its migrations, or give it one"
    )
    assert "blanks.Use.key: the database has no column owner_id yet: left out" in plan.warnings


def test_a_database_that_is_up_to_date_is_no_matter_for_words() -> None:
    keys()
    assert planned(Key, "name").warnings == ()
    assert merged(Key, "name").merged == 1


class NotesElsewhere:
    """A router that keeps notes on anything in the other database."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        return db == "other" if (app_label, model_name) == ("films", "note") else None


def test_the_other_database_is_not_asked_for_that(settings: Any) -> None:
    keys()
    settings.DATABASE_ROUTERS = [f"{__name__}.NotesElsewhere"]
    (warning,) = planned(Key, "name").warnings  # the test may not reach the other database
    assert warning.startswith("films.Note.subject is in database other, where this merge changes")


class UsesElsewhere:
    """A router that keeps one model in the other database."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        return db == "other" if (app_label, model_name) == ("blanks", "use") else None


def test_a_relation_from_a_table_in_another_database_is_named(settings: Any) -> None:
    keys()
    settings.DATABASE_ROUTERS = [f"{__name__}.UsesElsewhere"]
    assert planned(Key, "name").warnings == (
        "blanks.Use.key is in database other, where this merge changes nothing: what it holds of"
        " the duplicates' keys stays, unless a receiver of post_merge repoints it",
    )
    assert planned(Licence, "name").warnings == ()
