"""Keys as their fields see them: generic keys hold what Python has, not what the database has."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import F

from dedupe_toolkit import CustomReference, survivor_of
from dedupe_toolkit.errors import InvalidOption
from dedupe_toolkit.models import MergeRun
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.generic.models import Page
from tests.situations.spelled.models import (
    Audit,
    Count,
    Dossier,
    Employee,
    Login,
    Mention,
    Person,
    Rating,
    Remark,
    Search,
    Seat,
    Ticket,
    Token,
    User,
)

pytestmark = pytest.mark.django_db
Declare = Callable[..., None]


def type_of(row: Any) -> ContentType:
    return ContentType.objects.get_for_model(type(row))


def users(*, others: int = 0) -> list[User]:
    """Three users who are one, and some who are not."""
    made = [User.objects.create(key=f"usr_{key}", email="ann") for key in (9, 10, 100)]
    for number in range(others):
        User.objects.create(email=f"other {number}")
    return list(User.objects.filter(pk__in=[user.pk for user in made]))


def test_the_reported_keys_are_those_of_python() -> None:
    users()
    plan = planned(User, "email")
    assert (plan.largest[0].survivor, plan.largest[0].duplicates) == (
        "usr_9",
        ("usr_10", "usr_100"),
    )


def test_a_key_with_a_prefix_is_repointed_as_it_is_written() -> None:
    for user in users():
        Remark.objects.create(subject=user)
        Login.objects.create(user=user)
    before = snapshot()
    run = merged(User, "email")
    assert {remark.object_id for remark in Remark.objects.all()} == {"usr_9"}
    assert {remark.subject for remark in Remark.objects.all()} == {User.objects.get()}
    assert counts(run, "spelled.Remark.subject") == (2, 0, 0)
    assert_undo_restores(run, before)


def test_rows_named_one_by_one_are_merged_the_same() -> None:
    for user in users():
        Remark.objects.create(subject=user)
    before = snapshot()
    run = merged_rows(User, "usr_9", "usr_100", into="usr_100")
    assert sorted(Remark.objects.values_list("object_id", flat=True)) == [
        "usr_10",
        "usr_100",
        "usr_100",
    ]
    assert_undo_restores(run, before)


def test_keys_that_are_objects_are_repointed_as_their_text() -> None:
    for _ in range(3):
        Remark.objects.create(subject=Ticket.objects.create(title="broken"))
    before = snapshot()
    run = merged(Ticket, "title")
    survivor = Ticket.objects.get()
    assert isinstance(survivor.pk, Token)
    assert {remark.object_id for remark in Remark.objects.all()} == {str(survivor.pk)}
    assert_undo_restores(run, before)


def test_rows_of_other_models_that_hold_the_databases_own_number_are_left_alone() -> None:
    users()
    page = Page.objects.create(pk=10, slug="home")
    remark = Remark.objects.create(subject=page)
    number = Count.objects.create(subject=page)
    merged(User, "email")
    assert Remark.objects.get(pk=remark.pk).object_id == "10"
    assert Count.objects.get(pk=number.pk).object_id == 10


def test_a_unique_rule_over_such_a_generic_key_collides() -> None:
    first, second, _ = users()
    Rating.objects.create(subject=first, who="Bob")
    Rating.objects.create(subject=second, who="Bob")
    Rating.objects.create(subject=second, who="Cleo")
    before = snapshot()
    run = merged(User, "email")
    assert set(Rating.objects.values_list("object_id", "who")) == {
        ("usr_9", "Bob"),
        ("usr_9", "Cleo"),
    }
    assert counts(run, "spelled.Rating.subject") == (1, 1, 0)
    assert_undo_restores(run, before)


def test_colliding_keys_are_no_conflict_of_rows_that_are_equal_otherwise() -> None:
    for _ in range(2):
        Person.objects.create(name="Ann")
    first, second = Person.objects.order_by("pk")  # the lowest key, as the database sorts, survives
    for person in (first, second):
        Rating.objects.create(subject=person, who="Bob", points=3)
    Rating.objects.create(subject=second, who="Cleo", points=1)
    before = snapshot()
    run = merged(Person, "name", on_collision="merge", on_conflict="hold")
    assert counts(run, "spelled.Rating.subject") == (1, 1, 0)
    assert_undo_restores(run, before)
    Rating.objects.filter(who="Bob").update(points=F("pk"))
    (held,) = planned(Person, "name", on_collision="merge", on_conflict="hold").held_back
    assert "differ in points" in held.reason


def test_rivals_that_differ_hold_the_group_back() -> None:
    first, second, _ = users()
    Rating.objects.create(subject=first, who="Bob", points=1)
    Rating.objects.create(subject=second, who="Bob", points=5)
    before = snapshot()
    run = merged(User, "email")
    assert "would break unique" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_a_number_that_stands_for_such_a_key_holds_the_group_back() -> None:
    """No field of the project could have written it: nobody can say which user is meant."""
    _, second, _ = users()
    Count.objects.create(content_type=type_of(second), object_id=10)
    before = snapshot()
    run = merged(User, "email")
    assert "spelled.Count.subject" in run.held_back[0]["reason"]
    assert snapshot() == before


def test_a_composite_key_that_a_generic_key_may_hold_holds_the_group_back() -> None:
    seats = [Seat.objects.create(row=1, number=number, label="aisle") for number in (1, 2)]
    merged_rows(Seat, *(seat.pk for seat in seats), into=seats[0].pk)
    third = Seat.objects.create(row=2, number=1, label="aisle")
    Remark.objects.create(content_type=type_of(third), object_id="(2, 1)")
    run = merged(Seat, "label")
    assert "spelled.Remark.subject" in run.held_back[0]["reason"]
    assert Seat.objects.count() == 2


@pytest.mark.parametrize("spell", [str, lambda key: key.hex])
def test_the_uuid_of_a_child_is_found_with_hyphens_and_without(spell: Any) -> None:
    for badge in ("a", "b", "c"):
        employee = Employee.objects.create(name="Ann", badge=badge)
        for model in (Employee, Person):
            Remark.objects.create(
                content_type=ContentType.objects.get_for_model(model), object_id=spell(employee.pk)
            )
    before = snapshot()
    run = merged(Person, "name")
    survivor = Person.objects.get()
    assert {remark.object_id for remark in Remark.objects.all()} == {spell(survivor.pk)}
    assert counts(run, "spelled.Remark.subject") == (4, 0, 0)
    assert_undo_restores(run, before)


def test_each_uuid_keeps_its_own_spelling() -> None:
    persons = [Person.objects.create(name="Ann") for _ in range(2)]
    for person in persons:
        Remark.objects.create(content_type=type_of(person), object_id=str(person.pk))
        Remark.objects.create(content_type=type_of(person), object_id=person.pk.hex)
    before = snapshot()
    run = merged(Person, "name")
    key = Person.objects.get().pk
    held = sorted(Remark.objects.values_list("object_id", flat=True))
    assert held == sorted([str(key), str(key), key.hex, key.hex])
    assert_undo_restores(run, before)


def test_most_referenced_counts_both_spellings_of_a_uuid() -> None:
    first, second = (Person.objects.create(pk=uuid.UUID(int=n), name="Ann") for n in (1, 2))
    Remark.objects.create(content_type=type_of(first), object_id=str(first.pk))
    for text in (str(second.pk), second.pk.hex):
        Remark.objects.create(content_type=type_of(second), object_id=text)
    merged(Person, "name", survivor="most-referenced")
    assert Person.objects.get().pk == second.pk


def test_most_referenced_works_where_only_python_can_read_the_keys() -> None:
    for user in users():
        Remark.objects.create(subject=user)
    Login.objects.create(user=User.objects.get(pk="usr_10"))
    merged(User, "email", survivor="most-referenced")
    assert User.objects.get().pk == "usr_10"


def test_both_ids_beside_a_content_type_are_repointed() -> None:
    for page in [Page.objects.create(pk=pk, slug="home") for pk in (9, 10, 100)]:
        Audit.objects.create(content_type=type_of(page), object_pk=str(page.pk), object_id=page.pk)
        Search.objects.create(object=page, object_id_int=page.pk)
    before = snapshot()
    run = merged(Page, "slug")
    assert set(Audit.objects.values_list("object_pk", "object_id")) == {("9", 9)}
    assert set(Search.objects.values_list("object_id", "object_id_int")) == {("9", 9)}
    assert_undo_restores(run, before)


def test_of_two_ids_the_one_that_holds_the_key_is_repointed() -> None:
    for user in users():
        Audit.objects.create(content_type=type_of(user), object_pk=user.pk)
    for person in [Person.objects.create(name="Ann") for _ in range(2)]:
        Search.objects.create(content_type=type_of(person), object_id=person.pk.hex)
    before = snapshot()
    run = merged(User, "email")
    assert set(Audit.objects.values_list("object_pk", "object_id")) == {("usr_9", None)}
    assert_undo_restores(run, before)
    run = merged(Person, "name")
    survivor = Person.objects.get()
    assert {entry.object_id for entry in Search.objects.all()} == {survivor.pk.hex}
    assert_undo_restores(run, before)


def test_old_keys_are_resolved_as_python_has_them() -> None:
    users()
    merged(User, "email")
    assert survivor_of(User, "usr_10") == "usr_9"


def test_rows_that_move_with_their_key_take_such_generic_keys_along() -> None:
    first = Person.objects.create(name="Ann")
    second = Employee.objects.create(name="Ann")
    Remark.objects.create(content_type=type_of(second), object_id=second.pk.hex)
    before = snapshot()
    run = merged_rows(Person, first.pk, second.pk, into=first.pk)
    assert Remark.objects.get().object_id == first.pk.hex
    assert Employee.objects.get().pk == first.pk
    assert_undo_restores(run, before)


def test_registered_columns_hold_keys_as_their_fields_write_them(declare: Declare) -> None:
    for user in users():
        Mention.objects.create(text=user.pk, number=int(user.pk[4:]))
    before = snapshot()
    declare(User, references=["spelled.Mention.text", "spelled.Mention.number"])
    run = merged(User, "email")
    assert set(Mention.objects.values_list("text", "number")) == {("usr_9", 9)}
    assert_undo_restores(run, before)


def test_inside_json_such_keys_are_for_a_custom_reference(declare: Declare) -> None:
    users()
    declare(User, references=["spelled.Mention.data__user"])
    with pytest.raises(InvalidOption, match="CustomReference"):
        planned(User, "email")


class Names(CustomReference):
    """The keys of a JSON list."""

    def keys(self, value: Any) -> Any:
        return value

    def replaced(self, value: Any, survivors: Any) -> Any:
        return [survivors.get(key, key) for key in value]


def test_custom_references_are_given_keys_as_python_has_them(declare: Declare) -> None:
    Mention.objects.create(data=[user.pk for user in users()])
    declare(User, references=[Names("spelled.Mention.data")])
    before = snapshot()
    run = merged(User, "email")
    assert Mention.objects.get().data == ["usr_9", "usr_9", "usr_9"]
    assert_undo_restores(run, before)


def test_blank_ids_beside_a_content_type_are_filled_from_one_row() -> None:
    first, second = (type_of(model()) for model in (Person, User))
    Dossier.objects.create(name="A")
    Dossier.objects.create(name="A", content_type=first, object_pk="7")
    Dossier.objects.create(name="A", content_type=second, object_pk="8", object_id=8)
    before = snapshot()
    run = merged(Dossier, "name")
    dossier = Dossier.objects.get()
    assert (dossier.content_type, dossier.object_pk, dossier.object_id) == (first, "7", None)
    assert_undo_restores(run, before)


def test_conditions_on_rows_and_querysets_are_stored_with_the_run() -> None:
    for user in users():
        Login.objects.create(user=user)
        Login.objects.create(user=user)
    user = User.objects.get(pk="usr_10")
    run = merged(Login, "user", where={"user": user, "user__in": User.objects.filter(email="ann")})
    stored = MergeRun.objects.get(pk=run.pk).policy["where"]
    assert stored["user"] == "usr_10"
    assert stored["user__in"].startswith("spelled.User: SELECT ")
    assert "ann" in stored["user__in"]
    assert Login.objects.count() == 5
    empty = merged(Login, "user", where={"pk__in": Login.objects.none()})
    assert MergeRun.objects.get(pk=empty.pk).policy["where"] == {"pk__in": "spelled.Login: no rows"}
