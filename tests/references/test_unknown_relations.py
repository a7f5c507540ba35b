"""A relation of a kind that nobody knows: refused before the first write, and told by a check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from dedupe_toolkit import match_key, plan_merge
from dedupe_toolkit.checks import check_databases, check_relations
from dedupe_toolkit.errors import MergeRefused
from dedupe_toolkit.references.unknown import unknown_relations
from tests.kit import assert_undo_restores, merged, planned, snapshot
from tests.situations.joined.models import Carton, Letter, Part, Person, Player, Student, Team

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def test_no_other_situation_has_such_relations() -> None:
    from django.apps import apps

    strange = {model for model in apps.get_models() if unknown_relations(model)}
    assert strange == {Carton, Person, Player, Student, Team}


@pytest.mark.parametrize(
    ("model", "relation"),
    [
        (Student, "joined.Letter.student"),
        (Person, "joined.Letter.student"),
        (Team, "joined.Match.team"),
        (Carton, "joined.Shipment.carton"),
    ],
)
def test_a_merge_is_refused_before_the_first_write_and_says_what_to_do(
    model: Any, relation: str
) -> None:
    for number in range(2):
        made = {"maker": number, "code": "a"} if model is Carton else {}
        model.objects.create(name="x", **made)
    before = snapshot()
    with pytest.raises(MergeRefused) as error:
        plan_merge(match_key(model, ["name"]))
    assert str(error.value) == (
        f"{model._meta.label} cannot be merged: no merge knows how to follow {relation}; if its"
        " column holds primary keys, register it among the references in dedupe.py"
    )
    assert snapshot() == before


def test_once_its_column_is_registered_it_is_followed(declare: Callable[..., None]) -> None:
    declare(Student, references=["joined.Letter.student"])
    students = [Student.objects.create(name="x") for _ in range(2)]
    Letter.objects.create(student=students[1].pk)
    before = snapshot()
    run = merged(Student, "name")
    assert Letter.objects.values_list("student", flat=True).get() == students[0].pk
    assert_undo_restores(run, before)


def test_rivals_with_such_a_relation_are_held_back_whatever_the_policy() -> None:
    parts = [Part.objects.create(maker=number, code="a", name="x") for number in range(2)]
    for part in parts:
        Player.objects.create(part=part)
    (held,) = planned(Part, "name", on_collision="merge").held_back
    assert "would have to become one, but no merge knows how to follow joined.Cap.player" in (
        held.reason
    )


def test_system_check_w001_lists_them_for_declared_models_only(
    declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedupe_toolkit.registry._declarations", {})
    assert check_relations() == []
    declare(Part, keys=["name"])
    declare(Team, keys=["name"])
    declare(Person, keys=["name"])
    assert [(check.id, check.msg, check.hint) for check in check_relations()] == [
        (
            "dedupe_toolkit.W001",
            f"{label}: no merge knows how to follow {name}, so merges of this model are refused",
            f'If its column holds primary keys: references=["{name}"] in dedupe.py.',
        )
        for label, name in (
            ("joined.Person", "joined.Letter.student"),
            ("joined.Team", "joined.Match.team"),
        )
    ]
    declare(Student, references=["joined.Letter.student"])
    assert [check.obj for check in check_relations()] == [Team]


@pytest.mark.django_db(transaction=True)
def test_system_check_w002_lists_foreign_keys_that_no_model_has(
    declare: Callable[..., None],
) -> None:
    declare(Person, keys=["name"])
    kind = "integer" if connection.vendor == "sqlite" else "bigint"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE stray (child {kind} NOT NULL,"
            " FOREIGN KEY (child) REFERENCES joined_student (person_ptr_id))"
        )
    try:
        assert check_databases() == []
        (check,) = check_databases(databases=["default"])
        assert check in run_checks(databases=["default"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE stray")
    assert check_databases(databases=["default"]) == []
    assert (check.id, check.msg, check.obj) == (
        "dedupe_toolkit.W002",
        "joined.Student: stray.child points at it in database 'default', and no model of the"
        " project has this table: its groups are held back",
        Person,
    )
