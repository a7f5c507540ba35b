"""Values that a project's own code cannot read or write: the pages show all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from dedupe_toolkit import match_key
from dedupe_toolkit.models import DismissedGroup, MergeRun, QueuedGroup
from testproject.films.admin import PersonAdmin
from testproject.films.models import Film, Person, PersonProfile, Role
from tests.admin.kit import OVERVIEW, QUEUE, REVIEW, fields_of, messages_of, text_of
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client

pytestmark = pytest.mark.django_db

RUNS = "/admin/dedupe_toolkit/mergerun/"
CHANGES = "/admin/dedupe_toolkit/rowchange/"
NOT_SHOWN = "(cannot be shown)"


class Odd:
    """A value that nobody can write."""

    def __init__(self, held: str) -> None:
        self.held = held

    def __str__(self) -> str:
        raise ValueError(self.held)

    __repr__ = __str__

    def __ne__(self, other: object) -> bool:
        raise ValueError(self.held)

    def __hash__(self) -> int:
        raise ValueError(self.held)


class Choosy:
    """A value that compares itself with its like alone."""

    def __init__(self, held: str) -> None:
        self.held = held

    def __eq__(self, other: Any) -> bool:
        return bool(self.held == other.held)

    def __hash__(self) -> int:
        return 1

    __str__ = Odd.__str__


def refuse(*_args: Any) -> Any:
    raise ValueError("of no use")


def as_secret(value: str, *_args: Any) -> str:
    return value if value.startswith("Text") else refuse()


def as_odd(_field: Any, value: Any, *_args: Any) -> Any:
    return None if value is None else Odd(value)


@pytest.fixture
def group() -> QueuedGroup:
    """Two people of one name, found by another, with a profile each."""
    finder = Person.objects.create(name="Henri Langlois", biography="Found many.")
    film = Film.objects.create(catalogue_id=1, title="Lola", year=1961)
    for number, role in enumerate((Role.DIRECTOR, Role.CAST)):
        person = Person.objects.create(
            name="Agnès Varda",
            biography=f"Text {number}",
            acting_since=1954 + number,
            discovered_by=finder,
        )
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    return scanned(match_key(Person, ["name"])).queued.get()


CASES: dict[str, tuple[type[Model], str, str, Any]] = {
    "read": (Person, "biography", "from_db_value", refuse),
    "written": (Person, "biography", "from_db_value", lambda value, *_: as_odd(None, value)),
    "compared": (Person, "biography", "from_db_value", lambda value, *_: Choosy(value)),
    "of a moment": (Person, "created", "from_db_value", refuse),
    "of rows that collide": (PersonProfile, "known_as", "from_db_value", refuse),
}


@pytest.fixture(params=CASES)
def odd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, group: Any) -> str:
    model, name, method, function = CASES[request.param]
    field = model._meta.get_field(name)
    monkeypatch.setattr(field, method, function, raising=False)
    # a field of a project has it from its class
    monkeypatch.setattr(Person, "__str__", lambda self: f"{self.name}: {self.biography}")
    return str(request.param)


def test_a_group_is_reviewed_merged_and_undone_all_the_same(
    admin_client: Client, group: QueuedGroup, odd: str
) -> None:
    page = f"{QUEUE}{group.pk}/"
    for address in (OVERVIEW, QUEUE):
        assert admin_client.get(address).status_code == 200
    shown = admin_client.get(page, {"on_collision": "merge"})
    text = text_of(shown)
    assert NOT_SHOWN in text
    assert "Unreadable" not in text
    assert "1955" in text
    told = admin_client.post(page, fields_of(shown) | {"merge": "Merge"}, follow=True)
    assert "Merged 1 row into" in messages_of(told)
    run = MergeRun.objects.get()
    for address in (RUNS, f"{RUNS}{run.pk}/change/", f"{RUNS}{run.pk}/undo/", CHANGES):
        assert admin_client.get(address).status_code == 200
    assert "Undone." in messages_of(admin_client.post(f"{RUNS}{run.pk}/undo/", follow=True))
    again = fields_of(admin_client.get(page)) | {"dismiss": "Dismiss"}
    assert admin_client.post(page, again, follow=True).status_code == 200
    assert DismissedGroup.objects.count() == 1


@pytest.mark.parametrize("rule", ["longest", "concat"])
def test_a_rule_is_chosen_for_values_that_nobody_can_read(
    admin_client: Client, group: QueuedGroup, odd: str, rule: str
) -> None:
    chosen = {"on_collision": "merge", "field_biography": f"rule:{rule}"}
    shown = admin_client.get(f"{QUEUE}{group.pk}/", chosen)
    assert shown.status_code == 200
    admin_client.post(f"{QUEUE}{group.pk}/", fields_of(shown) | {"merge": "Merge"})
    assert MergeRun.objects.get().merged == 1


def test_rows_selected_are_compared_where_what_they_point_at_cannot_be_read(
    admin_client: Client, group: QueuedGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    field: Any = Person._meta.get_field("biography")
    first, second = Person.objects.filter(name="Agnès Varda").values_list("pk", flat=True)
    monkeypatch.setattr(field, "from_db_value", refuse, raising=False)
    shown = text_of(admin_client.get(REVIEW, {"rows": [first, second]}))
    assert "Henri Langlois" in shown


def test_a_value_that_has_changed_meanwhile_is_told_though_nobody_can_read_it(
    admin_client: Client, group: QueuedGroup, odd: str
) -> None:
    page = f"{QUEUE}{group.pk}/"
    sent = fields_of(admin_client.get(page, {"on_collision": "merge"})) | {"merge": "Merge"}
    Person.objects.filter(name="Agnès Varda", acting_since=1955).update(biography="Another.")
    told = text_of(admin_client.post(page, sent))
    assert "Biography of #" in told.partition("What has changed")[2]


def test_rows_are_dismissed_where_a_row_read_with_them_cannot_be(
    admin_client: Client, group: QueuedGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    field: Any = Person._meta.get_field("biography")
    rows = list(Person.objects.filter(name="Agnès Varda").values_list("pk", flat=True))
    whole = Person.objects.select_related("discovered_by")
    monkeypatch.setattr(PersonAdmin, "get_queryset", lambda *_: whole.all())
    monkeypatch.setattr(field, "from_db_value", as_secret, raising=False)
    shown = admin_client.get(REVIEW, {"rows": rows})
    assert admin_client.post(REVIEW, fields_of(shown) | {"dismiss": "Dismiss"}).status_code == 302
    assert DismissedGroup.objects.count() == 1


def test_a_function_for_values_that_nobody_can_read_is_refused_in_one_line(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, declare: Any
) -> None:
    declare(User, keys=["last_name"], field_rules={"first_name": max})
    rows = [User.objects.create(username=f"Text {number}", first_name="x").pk for number in "12"]
    field: Any = User._meta.get_field("first_name")
    read = lambda value, *_: value and refuse()  # noqa: E731  # the account's own is blank
    monkeypatch.setattr(field, "from_db_value", read, raising=False)
    shown = admin_client.get(f"{RUNS}merge/auth/user/", {"rows": rows})
    assert shown.status_code == 302
    told = messages_of(admin_client.get("/admin/"))
    assert "the field rule max cannot be given the values of rows" in told
