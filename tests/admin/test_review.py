"""The review page: what it says of a merge, what may be chosen, and what happens afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime

from dedupe_toolkit.admin import choice as choices
from dedupe_toolkit.models import DismissedGroup, MergeRun
from testproject.films.admin import PersonAdmin
from testproject.films.models import Award, Credit, Film, Genre, Person, Role
from tests.admin.kit import REVIEW, client_of, fields_of, merge, messages_of, select, text_of

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db

USERS = "/admin/dedupe_toolkit/mergerun/merge/auth/user/"


@pytest.fixture
def people() -> list[Person]:
    film = Film.objects.create(catalogue_id=1, title="Lola", year=1961)
    found = [
        Person.objects.create(name="Jacques Demy", acting_since=1957),
        Person.objects.create(name="Jacques Demy", acting_since=1961, biography="Nantes."),
        Person.objects.create(name="J. Demy", biography="Film maker."),
    ]
    for person, role in zip(found[1:], (Role.DIRECTOR, Role.WRITER), strict=True):
        Credit.objects.create(person=person, film=film, role=role)
    return found


def shown(client: Client, rows: list[Any], url: str = REVIEW, **chosen: Any) -> HttpResponse:
    return client.get(url, {"rows": [row.pk for row in rows], **chosen})


def result_in(page: HttpResponse, label: str) -> str:
    """What the page says that a field will hold."""
    text = " ".join(page.content.decode().split())
    found = re.search(
        rf'<th scope="row">{label}(?: <span.*?)?</th> <td class="dedupe-result"> <span'
        r' class="dedupe-value">(.*?)</span>',
        text,
    )
    assert found, label
    return found[1]


# -- what it says ------------------------------------------------------------------------------


def test_the_verdict_says_in_words_what_becomes_of_the_rows(
    admin_client: Client, people: list[Person]
) -> None:
    page = text_of(shown(admin_client, people[:2]))
    assert (
        "2 people become one. 1 credit moves, 1 value gives way to another, and is kept in the"
        " journal." in page
    )
    twins = [Person.objects.create(name="Ann") for _ in range(2)]
    assert "2 people become one. Nothing is lost." in text_of(shown(admin_client, twins))


def test_each_row_is_headed_by_what_points_at_it(
    admin_client: Client, people: list[Person]
) -> None:
    people[0].genres.add(Genre.objects.create(name="Drama"), Genre.objects.create(name="Musical"))
    page = text_of(shown(admin_client, people))
    assert f"#{people[0].pk} · since " in page
    assert "· 2 genres" in page
    assert page.count("· 1 credit") == 2


def test_equal_fields_are_folded_and_differing_ones_stand_with_their_result(
    admin_client: Client, people: list[Person]
) -> None:
    later = people[0].created + timedelta(minutes=1)
    Person.objects.filter(pk=people[1].pk).update(created=later)
    page = shown(admin_client, people[:2])
    assert (result_in(page, "Acting since"), result_in(page, "Biography")) == ("1957", "Nantes.")
    assert "2 fields are the same in all of them" in text_of(page)


def test_many_rows_stand_one_below_the_other(admin_client: Client, people: list[Person]) -> None:
    many = [Person.objects.create(name="Jacques Demy", acting_since=1960 + n) for n in range(9)]
    assert "dedupe-records" not in shown(admin_client, many[:8]).content.decode()
    page = shown(admin_client, many)
    assert "dedupe-records" in page.content.decode()
    merge(admin_client, page)
    assert Person.objects.filter(name="Jacques Demy").count() == 3


def test_a_value_that_is_no_choice_of_its_field_is_shown_all_the_same(
    admin_client: Client, people: list[Person]
) -> None:
    film = Film.objects.create(catalogue_id=2, title="Bay of Angels")
    rows = [
        Credit.objects.create(person=people[0], film=film, role=role)
        for role in (Role.CAST, "gaffer")
    ]
    url = "/admin/dedupe_toolkit/mergerun/merge/films/credit/"
    assert "gaffer (no known choice)" in text_of(shown(admin_client, rows, url))


# -- what may be chosen ------------------------------------------------------------------------


def test_a_value_chosen_from_a_row_is_shown_as_the_result_and_kept(
    admin_client: Client, people: list[Person]
) -> None:
    first, second, third = people
    chosen = {"field_acting_since": f"row:{second.pk}", "field_biography": f"row:{third.pk}"}
    page = shown(admin_client, people, **chosen)
    assert result_in(page, "Acting since") == "1961"
    assert result_in(page, "Biography") == "Film maker."
    assert chosen.items() <= fields_of(page).items()
    merge(admin_client, page)
    person = Person.objects.get()
    assert (person.pk, person.acting_since, person.biography) == (first.pk, 1961, "Film maker.")


def test_a_blank_may_be_chosen(admin_client: Client, people: list[Person]) -> None:
    page = shown(admin_client, people, into=people[1].pk, field_acting_since=f"row:{people[2].pk}")
    assert result_in(page, "Acting since") == "-"
    merge(admin_client, page)
    assert Person.objects.get().acting_since is None


def test_the_survivors_own_blank_may_be_kept(admin_client: Client, people: list[Person]) -> None:
    merge(admin_client, shown(admin_client, people, field_biography=f"row:{people[0].pk}"))
    assert Person.objects.get().biography == ""


def test_a_relation_may_be_chosen(admin_client: Client, people: list[Person]) -> None:
    scouts = [Person.objects.create(name=name) for name in ("Ann", "Bob")]
    for person, scout in zip(people[:2], scouts, strict=True):
        Person.objects.filter(pk=person.pk).update(discovered_by=scout)
    page = shown(admin_client, people[:2], field_discovered_by=f"row:{people[1].pk}")
    assert result_in(page, "Discovered by") == "Bob"
    merge(admin_client, page)
    assert Person.objects.get(pk=people[0].pk).discovered_by == scouts[1]


@pytest.mark.parametrize(
    ("field", "rule", "told"),
    [
        ("acting_since", "max", "1961"),
        ("acting_since", "min", "1957"),
        ("acting_since", "sum", "3918"),
        ("biography", "longest", "Film maker."),
        ("biography", "concat", "Nantes.\nFilm maker."),
    ],
)
def test_a_rule_that_fits_the_type_may_be_chosen(
    field: str, rule: str, told: str, admin_client: Client, people: list[Person]
) -> None:
    page = shown(admin_client, people, **{f"field_{field}": f"rule:{rule}"})
    label = {"acting_since": "Acting since", "biography": "Biography"}[field]
    assert result_in(page, label) == " ".join(told.split())
    merge(admin_client, page)
    assert str(getattr(Person.objects.get(), field)) == told


def test_a_row_may_be_left_out(admin_client: Client, people: list[Person]) -> None:
    page = shown(admin_client, people, leave_out=people[2].pk)
    assert fields_of(page)["rows"] == [str(person.pk) for person in people[:2]]
    merge(admin_client, page)
    assert set(Person.objects.all()) == {people[0], people[2]}


def test_two_rows_are_the_fewest(admin_client: Client, people: list[Person]) -> None:
    assert "leave_out" not in shown(admin_client, people[:2]).content.decode()


@pytest.mark.parametrize(
    "chosen",
    [
        {"field_id": "row:1"},
        {"field_nothing": "row:1"},
        {"field_created": "row:1"},
        {"field_acting_since": "row:2000000000"},
        {"field_acting_since": "rule:concat"},
        {"field_acting_since": "1961"},
        {"field_acting_since": "row:\x00"},
        {"field_name": "rule:" + "x" * 9000},
    ],
)
def test_a_choice_that_nobody_was_offered_leads_back_with_a_message(
    chosen: dict[str, str], admin_client: Client, people: list[Person]
) -> None:
    page = shown(admin_client, people, **chosen)
    assert page.status_code == 302
    assert "There is no such" in messages_of(admin_client.get(page.url))


# -- what a form may not do, a merge may not either --------------------------------------------


@pytest.mark.parametrize("way", ["exclude", "readonly_fields", "fields"])
def test_a_field_that_the_form_does_not_let_edit_is_neither_shown_nor_offered_nor_filled(
    way: str, admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["name", "acting_since"] if way == "fields" else ["biography"]
    monkeypatch.setattr(PersonAdmin, way, names)
    page = shown(admin_client, people)
    assert "Nantes." not in page.content.decode()
    assert "field_biography" not in page.content.decode()
    assert "cannot edit" in text_of(page)
    told = shown(admin_client, people, field_biography=f"row:{people[1].pk}")
    assert told.status_code == 302
    merge(admin_client, page)
    assert Person.objects.get().biography == ""
    changes = admin_client.get("/admin/dedupe_toolkit/rowchange/").content.decode()
    assert "Jacques Demy" in changes
    assert "Nantes." not in changes


def test_a_declared_rule_does_not_change_what_the_form_does_not(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dedupe_toolkit import registry

    monkeypatch.setattr(registry, "_declarations", {})
    registry.register(Person, field_rules={"acting_since": "max"})
    monkeypatch.setattr(PersonAdmin, "readonly_fields", ["acting_since"])
    merge(admin_client, shown(admin_client, people))
    assert Person.objects.get().acting_since == 1957


def test_nobody_takes_over_the_groups_of_another_user(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, other = (User.objects.create_user(name, password=name) for name in ("me", "other"))
    other.groups.add(Group.objects.create(name="Owners"))
    hardened = type(admin.site.get_model_admin(User))
    rows = [me, other]
    merge_url = shown(admin_client, rows, USERS)
    assert "Merging needs someone else." not in text_of(merge_url), "who may edit them, may"
    monkeypatch.setattr(hardened, "readonly_fields", ["groups", "user_permissions"])
    page = shown(admin_client, rows, USERS)
    assert "would gain what your account may not give it: groups" in text_of(page)
    assert "If the form lets nobody edit this, whoever looks after this site can" in text_of(page)
    admin_client.post(USERS, {**fields_of(page), "merge": "Merge"})
    assert User.objects.filter(username="other").exists()
    assert not me.groups.exists()


def test_password_hashes_are_hidden_whatever_their_field_is_called(
    admin_client: Client, people: list[Person]
) -> None:
    hashed = User(password="").set_password
    user = User()
    user.set_password("secret")
    assert hashed
    Person.objects.filter(pk=people[0].pk).update(biography=user.password)
    page = shown(admin_client, people)
    assert user.password not in page.content.decode()
    merge(admin_client, page)
    changes = admin_client.get("/admin/dedupe_toolkit/rowchange/").content.decode()
    assert user.password not in changes


# -- what was seen is what is merged -----------------------------------------------------------


def stale(client: Client, page: HttpResponse) -> str:
    page = merge(client, page)
    assert "this is not what you were shown" in messages_of(page)
    assert not MergeRun.objects.exists()
    return text_of(page)


def test_a_page_that_is_out_of_date_says_what_has_changed(
    admin_client: Client, people: list[Person]
) -> None:
    page = shown(admin_client, people)
    people[0].genres.add(Genre.objects.create(name="Musical"))
    Credit.objects.filter(person=people[1]).delete()
    Person.objects.filter(pk=people[1].pk).update(acting_since=1962)
    told = stale(admin_client, page)
    assert f"+1 genre on #{people[0].pk}" in told
    assert f"\N{MINUS SIGN}1 credit on #{people[1].pk}" in told or "fewer rows" in told
    assert "instead of" not in told  # which tells of what no row has a count of
    assert f"Acting since of #{people[1].pk} has another value" in told


def test_what_points_at_the_row_that_stays_is_seen_as_well(
    admin_client: Client, people: list[Person]
) -> None:
    page = shown(admin_client, people)
    Award.objects.create(person=people[0], film=Film.objects.get(), text="Palme d'Or")
    assert f"+1 award on #{people[0].pk}" in stale(admin_client, page)


def test_the_choices_are_kept_on_a_page_that_was_out_of_date(
    admin_client: Client, people: list[Person]
) -> None:
    page = shown(admin_client, people, field_acting_since=f"row:{people[1].pk}", into=people[2].pk)
    Person.objects.filter(pk=people[0].pk).update(biography="Born in Pontchâteau.")
    data = fields_of(page)
    again = merge(admin_client, page)
    kept = fields_of(again)
    assert (kept["into"], kept["field_acting_since"]) == (data["into"], data["field_acting_since"])
    merge(admin_client, again)
    assert Person.objects.get().acting_since == 1961


# -- afterwards --------------------------------------------------------------------------------


def undo_in(text: str) -> dict[str, str]:
    form = re.search(r'<form method="post" action="([^"]*undo/[^"]*)" class="dedupe-undo">', text)
    assert form
    (back,) = re.findall(r'name="back" value="([^"]*)"', text[form.start() :])[:1]
    return {"url": form[1], "back": back}


def test_a_merge_is_undone_by_one_press_that_leads_back(
    admin_client: Client, people: list[Person]
) -> None:
    response = merge(admin_client, shown(admin_client, people))
    undo = undo_in(messages_of(response))
    back = admin_client.post(undo["url"], {"back": undo["back"]})
    assert back.url == "/admin/films/person/"
    assert Person.objects.count() == 3


@pytest.mark.parametrize("back", ["https://example.com/", "//example.com", "javascript:alert(1)"])
def test_an_undo_leads_nowhere_else(back: str, admin_client: Client, people: list[Person]) -> None:
    response = merge(admin_client, shown(admin_client, people))
    url = undo_in(messages_of(response))["url"]
    assert admin_client.post(url, {"back": back}).url.startswith("/admin/dedupe_toolkit/mergerun/")


def test_whoever_may_not_undo_gets_no_button(people: list[Person]) -> None:
    from tests.admin.kit import user_who_may

    user = user_who_may("view", "change", "delete", own=("merge_duplicates",))
    client = client_of(user)
    response = merge(client, shown(client, people[:2]))
    assert "Merged 1 row" in messages_of(response)
    assert "Undo" not in messages_of(response)


def test_the_session_lists_its_decisions_and_undoes_them(
    admin_client: Client, people: list[Person]
) -> None:
    merge(admin_client, shown(admin_client, people[:2]))
    rest = [people[2], Person.objects.create(name="J. Demy")]
    admin_client.post(REVIEW, {**fields_of(shown(admin_client, rest)), "dismiss": "Dismiss"})
    page = shown(admin_client, rest)
    told = text_of(page)
    assert "This session (2)" in told
    assert told.index("Dismissed: these people") < told.index("Merged 1 row into")
    admin_client.post(undo_in(page.content.decode())["url"])
    assert "undone" in text_of(shown(admin_client, rest)).split("This session")[1]
    assert Person.objects.count() == 4
    assert DismissedGroup.objects.count() == 1


def test_the_page_takes_few_queries(admin_client: Client, people: list[Person]) -> None:
    many = [Person.objects.create(name="Jacques Demy") for _ in range(20)]
    shown(admin_client, people)
    with CaptureQueriesContext(connection) as queries:
        shown(admin_client, [*people, *many])
    assert len(queries) <= 15, "\n".join(query["sql"] for query in queries)


def test_more_than_can_be_compared_are_too_many(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "MOST_ROWS", 2)
    assert shown(admin_client, people).status_code == 302
    assert select(admin_client, *people[:2]).status_code == 200


def test_when_rows_were_written_is_told_to_the_second(admin_client: Client) -> None:
    first, second, third = (Person.objects.create(name="Chris Marker") for _ in range(3))
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    for person, created in (
        (first, moment),
        (second, moment + timedelta(microseconds=5)),
        (third, moment + timedelta(seconds=20)),
    ):
        Person.objects.filter(pk=person.pk).update(created=created)
    text = text_of(shown(admin_client, [first, second, third]))
    written = localtime(moment + timedelta(seconds=20))
    assert f"{written:%Y-%m-%d %H:%M:%S}" in text
    assert ":30:15.123" not in text
    # those of the same second are one to whoever reads them
    page = shown(admin_client, [first, second])
    assert [line.name for line in page.context["lines"]] == []
    assert ":30:15." not in page.content.decode()


@pytest.mark.parametrize(
    "middleware", [[], ["django.contrib.auth.middleware.LoginRequiredMiddleware"]]
)
def test_what_was_chosen_is_in_the_way_back_from_the_login(
    people: list[Person], settings: Any, middleware: list[str]
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *middleware]
    settings.LOGIN_URL = "/accounts/sign-in/"  # the admin has a login of its own
    rows = [person.pk for person in people[:2]]
    chosen = {"rows": rows, "into": rows[1], "field_biography": f"row:{rows[0]}", "merge": "Merge"}
    sent = Client().post(REVIEW, chosen | {"seen": "x", "memory": "y"})
    login, _question, query = sent.url.partition("?")
    (back,) = parse_qs(query)["next"]
    assert login == "/admin/login/"
    assert parse_qs(back.partition("?")[2]) == {
        "logged_out": ["1"],
        "rows": [str(pk) for pk in rows],
        "into": [str(rows[1])],
        "field_biography": [f"row:{rows[0]}"],
    }
    many = Client().post(REVIEW, {"rows": list(range(600)), "merge": "Merge"})
    assert many.url == f"/admin/login/?next={REVIEW}"
