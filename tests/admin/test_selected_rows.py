"""Merging rows selected on a change list: who may, what the page shows, and what is written."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dedupe_toolkit import plan_merge, registry, row_set
from dedupe_toolkit.admin import install
from dedupe_toolkit.models import (
    DismissedGroup,
    MergeRun,
    MergeStep,
    QueuedGroup,
    RowChange,
    Scan,
)
from dedupe_toolkit.verbose import reference_words
from testproject.films.admin import PersonAdmin
from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role
from tests.admin.kit import (
    GARBAGE,
    PEOPLE,
    REVIEW,
    client_of,
    fields_of,
    merge,
    messages_of,
    select,
    text_of,
    user_who_may,
)
from tests.kit import snapshot

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client, RequestFactory

pytestmark = pytest.mark.django_db


# -- who may -----------------------------------------------------------------------------------


def test_every_change_list_offers_the_action_but_those_of_the_journal(
    admin_user: User, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.user = admin_user
    journal = {MergeRun, RowChange, DismissedGroup, Scan, QueuedGroup}
    for model, model_admin in admin.site._registry.items():
        offered = "merge_selected" in model_admin.get_actions(request)
        assert offered == (model not in journal), model


@pytest.mark.parametrize("verbs", [("view",), ("view", "change"), ("view", "delete")])
def test_without_the_right_to_change_and_delete_there_is_no_action_and_no_page(
    verbs: tuple[str, ...], people: tuple[Person, Person]
) -> None:
    client = client_of(user_who_may(*verbs))
    assert "merge_selected" not in client.get(PEOPLE).content.decode()
    select(client, *people)
    address = {"rows": [person.pk for person in people]}
    assert client.get(REVIEW, address).status_code == 403
    assert client.post(REVIEW, {**address, "merge": "Merge"}).status_code == 403
    assert Person.objects.count() == 2
    assert not MergeRun.objects.exists()


def test_the_rights_to_merge_change_and_delete_suffice(people: tuple[Person, Person]) -> None:
    client = client_of(user_who_may("view", "change", "delete"))
    assert "Merge selected people" in client.get(PEOPLE).content.decode()
    response = merge(client, select(client, *people))
    assert "Merged 1 row into" in messages_of(response)
    assert "<a href" not in messages_of(response), "may not see the journal"


def test_a_model_admin_that_forbids_one_row_forbids_to_merge_it(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_delete_permission(self: Any, request: Any, obj: Any = None) -> bool:
        return obj != people[1]

    monkeypatch.setattr(PersonAdmin, "has_delete_permission", has_delete_permission)
    assert select(admin_client, *people).status_code == 403


def test_a_model_admin_may_ask_more_of_its_users(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PersonAdmin, "has_merge_permission", lambda self, request: False, raising=False
    )
    assert "merge_selected" not in admin_client.get(PEOPLE).content.decode()
    address = {"rows": [person.pk for person in people]}
    assert admin_client.get(REVIEW, address).status_code == 403


def test_rows_that_the_model_admin_hides_cannot_be_merged(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PersonAdmin, "get_queryset", lambda self, request: Person.objects.exclude(pk=people[1].pk)
    )
    address = {"rows": [person.pk for person in people]}
    response = admin_client.get(REVIEW, address, follow=True)
    assert f"No longer there, nothing was merged: person {people[1].pk}" in messages_of(response)


def test_a_site_of_your_own_has_it_all_once_installed(admin_user: User, rf: RequestFactory) -> None:
    site = admin.AdminSite(name="own")
    site.register(Person)
    install(site)
    request = rf.get("/")
    request.user = admin_user
    assert "merge_selected" in site.get_model_admin(Person).get_actions(request)
    assert site.is_registered(MergeRun)


def test_the_action_can_be_kept_to_a_few_change_lists(admin_user: User, rf: RequestFactory) -> None:
    site = admin.AdminSite(name="own")
    install(site)
    site.disable_action("merge_selected")
    site.register([Film, Award])
    site.get_model_admin(Film).actions = ["merge_selected"]
    request = rf.get("/")
    request.user = admin_user
    assert "merge_selected" in site.get_model_admin(Film).get_actions(request)
    assert "merge_selected" not in site.get_model_admin(Award).get_actions(request)


def test_a_form_without_its_token_merges_nothing(
    admin_user: User, people: tuple[Person, Person]
) -> None:
    careful = client_of(admin_user, enforce_csrf_checks=True)
    response = merge(careful, select(client_of(admin_user), *people))
    assert response.status_code == 403
    assert Person.objects.count() == 2


# -- how many ----------------------------------------------------------------------------------


def test_one_row_is_too_few(admin_client: Client, people: tuple[Person, Person]) -> None:
    response = admin_client.get(select(admin_client, people[0]).url)
    assert "Select at least two people to merge." in messages_of(response)


def test_more_rows_than_can_be_compared_are_too_many(admin_client: Client) -> None:
    names = [Person(name="Agnès Varda") for _ in range(101)]
    Person.objects.bulk_create(names)
    response = admin_client.get(select(admin_client, Person.objects.first(), select_across=1).url)
    assert "At most 100 people can be compared on one page" in messages_of(response)


def test_all_rows_across_pages_are_merged(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersonAdmin, "list_per_page", 1)
    page = select(admin_client, people[0], select_across=1)
    assert fields_of(page)["rows"] == [str(person.pk) for person in people]


# -- what the page shows -----------------------------------------------------------------------


def test_showing_the_plan_writes_nothing(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    before = snapshot()
    page = select(admin_client, *people)
    admin_client.get(REVIEW, {"rows": [person.pk for person in people]})
    admin_client.get(REVIEW, fields_of(page) | {"merge": "Merge"})
    admin_client.post(REVIEW, fields_of(page) | {"show": "Show"})
    assert snapshot() == before
    assert not MergeRun.objects.exists()


def test_the_rows_stand_side_by_side_with_what_differs_and_what_fills_a_blank(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    text = " ".join(select(admin_client, *people).content.decode().split())
    cells = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', text)
    lines = {label: " ".join(re.sub("<[^>]*>", " ", rest).split()) for label, rest in cells}
    assert lines["Name"] == "Agnès Varda", "the same in all of them"
    usual = "as usual the lowest the highest all of them, added up"
    assert lines["Acting since"] == f"1954 {usual} 1954 ≠ differs: 1958"
    usual = "as usual the longest all of them, joined"
    text = "Photographer first."
    assert lines["Biography"] == f"{text} {usual} - + fills the blank: {text}"


def test_the_numbers_are_those_of_the_plan(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    text = " ".join(select(admin_client, *people).content.decode().split())
    for count in plan_merge(row_set(Person, [person.pk for person in people])).references:
        numbers = [count.repointed, count.discarded, count.merged]
        cells = "".join(f' <td class="dedupe-number">{number}</td>' for number in numbers)
        name = reference_words(count.reference)
        row = f'<th scope="row">{name}</th>'
        assert (row + cells in text) == any(numbers)
        assert name in text


def test_another_survivor_gives_another_plan(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    page = select(admin_client, *people)
    assert fields_of(page)["into"] == str(people[0].pk)
    page = admin_client.post(REVIEW, fields_of(page) | {"into": people[1].pk, "show": "Show"})
    assert fields_of(page)["into"] == str(people[1].pk)
    assert "No row of any reference changes." in page.content.decode()


def test_names_are_escaped_wherever_they_stand(admin_client: Client) -> None:
    name = '<script>alert("Varda")</script>'
    people = [Person.objects.create(name=name, biography=name * 20) for _ in range(2)]
    page = select(admin_client, *people)
    merged = merge(admin_client, page)
    run = MergeRun.objects.get()
    pages = [page, merged]
    pages += [
        admin_client.get(reverse(f"admin:dedupe_toolkit_{name}", args=args))
        for name, args in (
            ("mergerun_change", [run.pk]),
            ("mergerun_undo", [run.pk]),
            ("rowchange_changelist", []),
        )
    ]
    for response in pages:
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()


def test_the_number_of_queries_does_not_depend_on_the_number_of_references(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    counts = []
    for start in (10, 100):
        films = [Film(catalogue_id=start + n, title="Vagabond") for n in range(start // 2)]
        Film.objects.bulk_create(films)
        Credit.objects.bulk_create(
            Credit(person=people[1], film=film, role=Role.CAST)
            for film in Film.objects.filter(catalogue_id__gte=start, catalogue_id__lt=start * 2)
        )
        select(admin_client, *people)  # asks what the database is made of
        with CaptureQueriesContext(connection) as queries:
            select(admin_client, *people)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    more = [Person.objects.create(name="Agnès Varda", discovered_by=people[0]) for _ in range(20)]
    counts = []
    for rows in ([*people, more[0]], [*people, *more]):
        select(admin_client, *rows)
        with CaptureQueriesContext(connection) as queries:
            select(admin_client, *rows)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_passwords_and_excluded_fields_are_not_shown(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [User.objects.create_user(name, password=name) for name in ("agnes", "varda")]
    monkeypatch.setattr(type(admin.site.get_model_admin(User)), "exclude", ["email"])
    url = "/admin/dedupe_toolkit/mergerun/merge/auth/user/"
    text = admin_client.get(url, {"rows": [user.pk for user in users]}).content.decode()
    assert "Email address" not in text
    assert "differs:" in text
    assert not any(html.escape(user.password) in text for user in users)


# -- merging -----------------------------------------------------------------------------------


def test_the_row_chosen_survives_and_everything_points_at_it(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    response = merge(admin_client, select(admin_client, *people))
    assert list(Person.objects.all()) == [people[0]]
    assert Award.objects.get().person == Credit.objects.get().person == people[0]
    run = MergeRun.objects.get()
    assert f'<a href="/admin/dedupe_toolkit/mergerun/{run.pk}/change/">' in messages_of(response)


def test_the_merge_stands_in_the_history_of_the_survivor(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    merge(admin_client, select(admin_client, *people))
    entry = LogEntry.objects.get()
    assert entry.object_id == str(people[0].pk)
    assert "Merged 1 row into “Agnès Varda”" in entry.get_change_message()


def test_filters_of_the_change_list_survive_the_merge(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    data = {"action": "merge_selected", "_selected_action": [person.pk for person in people]}
    page = admin_client.post(f"{PEOPLE}?q=Varda", data)
    (action,) = re.findall(r'<form method="post" action="([^"]*merge[^"]*)"', page.content.decode())
    response = admin_client.post(html.unescape(action), fields_of(page) | {"merge": "Merge"})
    assert response.url == f"{PEOPLE}?q=Varda"


def test_a_survivor_whose_plan_was_not_shown_is_shown_first(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    page = select(admin_client, *people)
    page = merge(admin_client, page, into=people[1].pk)
    assert "this is not what you were shown" in messages_of(page)
    assert Person.objects.count() == 2
    merge(admin_client, page)
    assert list(Person.objects.all()) == [people[1]]


def test_rows_changed_since_they_were_shown_are_shown_again(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    page = select(admin_client, *people)
    Person.objects.filter(pk=people[1].pk).update(name="Agnès Godard")
    page = merge(admin_client, page)
    assert "this is not what you were shown" in messages_of(page)
    assert "Agnès Godard" in page.content.decode()
    assert Person.objects.count() == 2


def shown_again(page: HttpResponse) -> None:
    assert "this is not what you were shown" in messages_of(page)
    assert Person.objects.count() == 2
    assert not MergeRun.objects.exists()


def test_a_row_that_came_to_a_reference_since_is_shown_first(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    Award.objects.all().delete()
    page = select(admin_client, *people)
    assert "Awards (person) 1" not in text_of(page)
    Award.objects.create(person=people[1], film=Film.objects.get(), text="Golden Lion")
    page = merge(admin_client, page)
    shown_again(page)
    assert "Awards (person) 1 0 0" in text_of(page)
    assert "Merged 1 row" in messages_of(merge(admin_client, page))


def test_a_row_that_would_be_discarded_and_came_since_is_not_discarded_unseen(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    page = select(admin_client, *people)
    Credit.objects.create(person=people[0], film=Film.objects.get(), role=Role.DIRECTOR)
    page = merge(admin_client, page)
    shown_again(page)
    assert "Credits (person) 0 1 0" in text_of(page)
    assert Credit.objects.count() == 2


@pytest.mark.parametrize("choice", ["hold", "merge", "discard"])
def test_a_collision_that_came_since_is_shown_first_and_the_choices_are_kept(
    choice: str, admin_client: Client, people: tuple[Person, Person]
) -> None:
    film = Film.objects.get()
    PersonProfile.objects.create(person=people[1], known_for=film, known_as=Role.WRITER)
    data = {"rows": [person.pk for person in people], "into": people[1].pk, "on_collision": choice}
    page = admin_client.post(REVIEW, data)
    PersonProfile.objects.create(person=people[0], known_for=film, known_as=Role.DIRECTOR)
    into = fields_of(page)["into"]
    page = merge(admin_client, page)
    shown_again(page)
    assert (fields_of(page)["into"], fields_of(page)["on_collision"]) == (into, choice)
    assert PersonProfile.objects.count() == 2
    merge(admin_client, page)
    assert Person.objects.count() == (2 if choice == "hold" else 1)


@pytest.mark.parametrize("choice", ["hold", "merge", "discard"])
def test_what_did_not_change_is_merged_at_once_whatever_is_chosen(
    choice: str, admin_client: Client, people: tuple[Person, Person]
) -> None:
    data = {"rows": [person.pk for person in people], "on_collision": choice}
    page = merge(admin_client, admin_client.post(REVIEW, data))
    assert "Merged 1 row" in messages_of(page)


@pytest.mark.parametrize("choice", ["merge", "discard"])
def test_rows_that_collided_as_shown_are_merged_at_once(
    choice: str, admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    data = {"rows": [person.pk for person in rivals], "on_collision": choice}
    page = merge(admin_client, admin_client.post(REVIEW, data))
    assert "Merged 1 row" in messages_of(page)
    assert PersonProfile.objects.count() == 1


def test_rows_gone_since_they_were_shown_are_named(
    admin_client: Client, people: tuple[Person, Person]
) -> None:
    page = select(admin_client, *people)
    Award.objects.all().delete()
    gone = people[1].pk
    people[1].delete()
    page = merge(admin_client, page)
    assert f"No longer there, nothing was merged: person {gone}" in messages_of(page)
    assert not MergeRun.objects.exists()


def test_rows_that_collide_are_held_back_with_the_reason(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = select(admin_client, *rivals)
    page = admin_client.post(REVIEW, fields_of(page) | {"on_collision": "hold", "show": "Show"})
    text = page.content.decode()
    assert "Held back: nothing will be merged." in text
    assert "Person profiles: #" in text
    assert re.search(r'name="merge" value="Merge" disabled', text)
    assert merge(admin_client, page).status_code == 200
    assert Person.objects.count() == 2
    assert not MergeRun.objects.exists()


def test_what_is_declared_for_the_model_holds_until_something_else_is_chosen(
    admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = select(admin_client, *rivals)
    assert fields_of(page)["on_collision"] == ""
    assert "As declared for this model: hold back, Person profiles (person): merge" in text_of(page)
    merge(admin_client, page)
    assert MergeStep.objects.filter(model="films.PersonProfile", reason="rival").exists()


def test_without_a_declaration_rows_that_collide_are_held_back(
    admin_client: Client, rivals: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    page = select(admin_client, *rivals)
    assert fields_of(page)["on_collision"] == "hold"
    assert "Held back: nothing will be merged." in text_of(page)


def test_declared_rules_choose_the_survivor_and_stand_beside_their_fields(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    registry.register(Person, survivor="newest", field_rules={"acting_since": "min"})
    page = select(admin_client, *people)
    assert fields_of(page)["into"] == str(people[1].pk)
    assert "Acting since rule: min" in text_of(page)
    merge(admin_client, page)
    assert Person.objects.get().acting_since == 1954


def test_a_declared_function_is_shown_by_name_and_is_the_same_in_every_process(
    admin_client: Client, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})

    def declare() -> None:
        def latest_start(values: list[Any]) -> Any:
            return max(values)

        registry.register(Person, field_rules={"acting_since": latest_start})

    declare()
    page = select(admin_client, *people)
    assert "Acting since rule: latest_start" in text_of(page)
    declare()
    merge(admin_client, page)
    assert Person.objects.get().acting_since == 1958


@pytest.mark.parametrize("policy", ["merge", "discard"])
def test_rows_that_collide_are_merged_or_discarded_when_chosen(
    policy: str, admin_client: Client, rivals: tuple[Person, Person]
) -> None:
    page = select(admin_client, *rivals)
    page = admin_client.post(REVIEW, fields_of(page) | {"on_collision": policy, "show": "Show"})
    merge(admin_client, page)
    assert PersonProfile.objects.get().known_as == Role.DIRECTOR
    assert list(Person.objects.all()) == [rivals[0]]


# -- addresses typed by hand -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({}, "Select at least two people"),
        ({"rows": ["one", "two"]}, "People: there cannot be one with the number"),
        ({"rows": ["1", "1"]}, "Select at least two people"),
        ({"rows": ["1", "2"], "into": "3"}, "People: #3, which is to stay, is not among"),
        ({"rows": ["1", "2"], "on_collision": "guess"}, "There is no such choice: guess"),
        (
            {"rows": ["1999999999", "2000000000"]},
            "No longer there, nothing was merged: person 1999999999, 2000000000",
        ),
    ],
)
def test_an_address_that_makes_no_sense_leads_back_with_a_message(
    address: dict[str, Any], said: str, admin_client: Client
) -> None:
    assert said in messages_of(admin_client.get(REVIEW, address, follow=True))


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_what_cannot_be_a_row_leads_back_with_a_message(
    garbage: str, admin_client: Client, people: tuple[Person, Person]
) -> None:
    first, second = (person.pk for person in people)
    addresses: list[dict[str, Any]] = [
        {"rows": [first, garbage]},
        {"rows": [garbage, garbage]},
        {"rows": [first, second], "into": garbage},
        {"rows": [first, second], "on_collision": garbage},
        {"into": garbage},
    ]
    for address in addresses:
        for button in ({}, {"merge": "Merge"}, {"dismiss": "Dismiss", "note": garbage}):
            if "dismiss" in button and address.get("rows") == [first, second]:
                continue  # a verdict knows neither survivor nor collisions
            method = admin_client.post if button else admin_client.get
            page = method(REVIEW, address | button)
            assert page.status_code == 302, (address, button)
            assert messages_of(admin_client.get(page.url)), (address, button)
    assert Person.objects.count() == 2


def test_a_note_of_any_text_is_kept(admin_client: Client, people: tuple[Person, Person]) -> None:
    note = {"dismiss": "Dismiss", "note": "twin\x00s " + "💥" * 3000}
    admin_client.post(REVIEW, {"rows": [person.pk for person in people], **note})
    assert DismissedGroup.objects.get().note == "twins " + "💥" * 3000


@pytest.mark.parametrize("path", ["films/nobody", "nowhere/person", "contenttypes/contenttype"])
def test_a_model_that_the_site_does_not_have_is_not_found(path: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/dedupe_toolkit/mergerun/merge/{path}/").status_code == 404


# -- other databases ---------------------------------------------------------------------------


@pytest.mark.django_db(databases=["default", "other"])
def test_rows_of_another_database_are_merged_there(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PersonAdmin, "get_queryset", lambda self, request: Person.objects.using("other")
    )
    people = [Person.objects.using("other").create(name="Agnès Varda") for _ in range(2)]
    response = merge(admin_client, select(admin_client, *people))
    assert list(Person.objects.using("other")) == [people[0]]
    assert not MergeRun.objects.exists()
    run = MergeRun.objects.using("other").get()
    url = f"/admin/dedupe_toolkit/mergerun/{run.pk}/change/?database=other"
    assert f'<a href="{url}">' in messages_of(response)
    assert admin_client.get(url).status_code == 200
    undo = f"/admin/dedupe_toolkit/mergerun/{run.pk}/undo/?database=other"
    assert admin_client.post(undo, follow=True).status_code == 200
    assert Person.objects.using("other").count() == 2


# -- other languages ---------------------------------------------------------------------------


def test_the_pages_speak_the_language_of_the_site(
    admin_client: Client, people: tuple[Person, Person], settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"
    page = select(admin_client, *people)
    assert "Welche Zeile bleibt?" in page.content.decode()
    assert "1 Zeile mit „Agnès Varda“ zusammengeführt." in messages_of(merge(admin_client, page))
