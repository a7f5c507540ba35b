"""The review page of a group in the queue: its own address, large groups, what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from dedupe_toolkit import match_key
from dedupe_toolkit.models import MergeRun, QueuedGroup
from testproject.films.admin import PersonAdmin
from testproject.films.models import Award, Film, Person
from tests.admin.kit import (
    ALL_RIGHTS,
    OVERVIEW,
    client_of,
    fields_of,
    messages_of,
    steward,
    text_of,
)
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

State = QueuedGroup.State


def queued(*people: Person) -> list[QueuedGroup]:
    Person.objects.bulk_create(people)
    return list(scanned(match_key(Person, ["name"])).queued.order_by("pk"))


def url_of(group: QueuedGroup) -> str:
    return f"/admin/dedupe_toolkit/queuedgroup/{group.pk}/"


def decide(client: Client, group: QueuedGroup, button: str, **more: Any) -> HttpResponse:
    page = client.get(url_of(group))
    data = {**fields_of(page), button: "pressed", **more}
    return client.post(url_of(group), data)


def test_a_merge_leads_to_the_next_group_or_back_to_the_queue(admin_client: Client) -> None:
    names = ("Ann", "Bob", "Cy")
    groups = queued(*[Person(name=name) for name in names for _ in range(2)])
    assert decide(admin_client, groups[0], "merge_next").url == url_of(groups[1])
    assert "queuedgroup/?" in decide(admin_client, groups[1], "merge").url
    assert decide(admin_client, groups[2], "skip").url.startswith("/admin/dedupe_toolkit/queued")
    states = QueuedGroup.objects.order_by("pk").values_list("state", "by")
    assert list(states) == [(s, "admin") for s in (State.MERGED, State.MERGED, State.SKIPPED)]


def test_two_who_begin_at_one_group_do_not_meet_at_each(admin_client: Client) -> None:
    names = ("Ann", "Bob", "Cy", "Dan", "Eve", "Flo")
    groups = queued(*[Person(name=name) for name in names for _ in range(2)])
    colleague = client_of(User.objects.create_superuser("Bert"))
    slower = faster = url_of(groups[0])
    while "?" not in faster:
        pages = [
            (client, url, fields_of(client.get(url)))
            for client, url in ((colleague, faster), (admin_client, slower))
            if "?" not in url
        ]
        urls = [
            client.post(url, {**opened, "merge_next": "1"}).url for client, url, opened in pages
        ]
        faster, slower = (*urls, slower)[:2]
    merged = QueuedGroup.objects.filter(state=State.MERGED)
    assert merged.count() == len(names)
    assert merged.filter(by="admin").count() >= len(names) // 3


def test_who_is_slower_than_a_colleague_goes_on_with_the_next_group(admin_client: Client) -> None:
    groups = queued(*[Person(name=name) for name in ("Ann", "Bob") for _ in range(2)])
    opened = fields_of(admin_client.get(url_of(groups[0])))
    decide(client_of(User.objects.create_superuser("Bert")), groups[0], "merge")
    for button in ("merge_next", "skip", "dismiss"):
        response = admin_client.post(url_of(groups[0]), {**opened, button: "pressed"})
        assert response.url == url_of(groups[1])
        shown = admin_client.get(response.url)
        assert f"“{groups[0]}” has been merged already, by Bert." in messages_of(shown)
    assert "queuedgroup/?" in admin_client.post(url_of(groups[0]), {**opened, "merge": "1"}).url


def test_nobody_is_led_to_a_group_of_which_they_do_not_see_all_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("Ann", "Bob", "Cy", "Dan")
    groups = queued(*[Person(name=name) for name in names for _ in range(2)])
    for group in (groups[1], groups[3]):  # each database finds them in an order of its own
        hidden = Person.objects.filter(name=group.text).latest("pk")
        Person.objects.filter(pk=hidden.pk).update(biography="secret")
    client = client_of(steward(*ALL_RIGHTS))
    monkeypatch.setattr(
        PersonAdmin,
        "get_queryset",
        lambda self, request: Person.objects.exclude(biography="secret"),
    )
    assert decide(client, groups[0], "skip").url == url_of(groups[2])
    away = client.get(url_of(groups[1]), follow=True)
    assert f"“{groups[1]}” needs someone else: you do not see all of its rows." in messages_of(away)
    assert decide(client, groups[2], "skip").url.startswith("/admin/dedupe_toolkit/queuedgroup/?")


def test_a_name_from_right_to_left_turns_no_number_beside_it(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="يوسف شاهين") for _ in range(2)])
    isolated = "\N{FIRST STRONG ISOLATE}يوسف شاهين\N{POP DIRECTIONAL ISOLATE}"
    page = text_of(admin_client.get(url_of(group)))
    assert f"Group 1 of 1 · {isolated} · 0 done" in page
    assert f"merged into “{isolated}”" in page
    decide(admin_client, group, "merge")
    page = admin_client.get(url_of(group), follow=True)
    assert f"Merged 1 row into “{isolated}”" in messages_of(page)
    assert f"“{isolated}” has been merged already" in messages_of(page)


def test_who_came_from_a_search_finds_it_again_after_any_number_of_groups(
    admin_client: Client,
) -> None:
    names = ("Anna", "Anne", "Annie")
    groups = queued(*[Person(name=name) for name in names for _ in range(2)])
    kept = "_changelist_filters=q%3DAnn"
    listed = admin_client.get("/admin/dedupe_toolkit/queuedgroup/?q=Ann").content.decode()
    assert f"{url_of(groups[0])}?{kept}" in listed
    page = admin_client.get(f"{url_of(groups[0])}?{kept}")
    assert page.context["place"].action_url == f"{url_of(groups[0])}?{kept}"
    data = {**fields_of(page), "merge_next": "pressed"}
    onward = admin_client.post(page.context["place"].action_url, data).url
    assert onward == f"{url_of(groups[1])}?{kept}"
    page = admin_client.get(onward)
    back = page.context["place"].back_url
    assert back.endswith("queuedgroup/?q=Ann")
    left = admin_client.get(back).context["cl"].result_list
    assert {group.pk for group in left} == {groups[1].pk, groups[2].pk}


def test_rows_that_joined_since_are_shown_before_they_are_merged(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(2)])
    data = {**fields_of(admin_client.get(url_of(group))), "merge": "Merge"}
    third = Person.objects.create(name="Ann")
    page = admin_client.post(url_of(group), data)
    assert "this is not what you were shown" in messages_of(page)
    assert f"you were shown this: #{third.pk} has joined them" in text_of(page)
    assert Person.objects.count() == 3
    admin_client.post(url_of(group), {**fields_of(page), "merge": "Merge"})
    assert Person.objects.count() == 1


def test_a_row_that_left_since_is_told_once_whatever_pointed_at_it(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(3)])
    first, second, third = Person.objects.order_by("pk")
    film = Film.objects.create(catalogue_id=1, title="Lola", year=1961)
    for person in (first, third):
        Award.objects.create(person=person, film=film, text="Lion")
    data = {**fields_of(admin_client.get(url_of(group))), "merge": "Merge"}
    Person.objects.filter(pk=third.pk).update(name="Bob")
    Award.objects.filter(person=first).delete()
    page = admin_client.post(url_of(group), data)
    listed = page.context["changed"]
    assert [line for line in listed if f"#{third.pk}" in line] == [
        f"#{third.pk} is no longer one of them"
    ]
    assert [line for line in listed if f"#{first.pk}" in line] == [
        f"fewer rows point at #{first.pk}"
    ]
    assert not [line for line in listed if f"#{second.pk}" in line]


def test_a_group_of_which_a_row_was_left_out_is_merged_without_it(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(4)])
    out = Person.objects.order_by("pk").last()
    page = admin_client.get(url_of(group), {"leave_out": out.pk})
    data = {**fields_of(page), "left_out": out.pk, "merge": "Merge"}
    assert admin_client.post(url_of(group), data).status_code == 302
    assert Person.objects.count() == 2
    group.refresh_from_db()
    assert group.state == State.PENDING, "two are left, and equal"
    assert group.size == 2
    assert "Continue merging" not in text_of(admin_client.get(OVERVIEW)), "no run has it before it"


def test_a_group_of_thousands_is_looked_at_page_by_page_and_merged(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann", acting_since=1900 + n % 90) for n in range(1200)])
    people = list(Person.objects.order_by("pk"))
    page = admin_client.get(url_of(group), {"page": 2, "into": people[-1].pk})
    text = page.content.decode()
    assert "51\N{EN DASH}100 / 1200" in text_of(page)
    assert text.count('type="radio" name="into"') == 50
    assert f'<input type="hidden" name="into" value="{people[-1].pk}">' in text
    data = {**fields_of(page), "field_acting_since": f"row:{people[60].pk}", "show": "Show"}
    page = admin_client.post(url_of(group), data)
    decided = {**fields_of(page), "field_acting_since": f"row:{people[60].pk}", "merge": "Merge"}
    admin_client.post(url_of(group), decided)
    person = Person.objects.get()
    assert (person.pk, person.acting_since) == (people[-1].pk, people[60].acting_since)


def test_a_skip_does_not_undo_what_a_colleague_decided_meanwhile(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(2)])
    opened = fields_of(admin_client.get(url_of(group)))
    colleague = User.objects.create_superuser("Bert")
    client_of(colleague).post(url_of(group), {**opened, "dismiss": "Dismiss"})
    assert admin_client.post(url_of(group), {**opened, "skip": "Skip"}).status_code == 302
    group.refresh_from_db()
    assert (group.state, group.by) == (State.DISMISSED, "Bert")


def test_an_undone_merge_puts_its_group_back_into_the_queue(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(2)])
    decide(admin_client, group, "merge")
    run = MergeRun.objects.get()
    group.refresh_from_db()
    assert (group.state, group.run) == (State.MERGED, run)
    back = admin_client.post(
        f"/admin/dedupe_toolkit/mergerun/{run.pk}/undo/", {"back": url_of(group)}
    )
    assert back.url == url_of(group)
    group.refresh_from_db()
    assert (group.state, group.run) == (State.PENDING, None)


def test_rows_that_are_not_in_the_group_cannot_be_merged_there(admin_client: Client) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(2)], Person(name="Bob"))
    data = {"rows": list(Person.objects.values_list("pk", flat=True)), "merge": "Merge"}
    response = admin_client.post(url_of(group), data, follow=True)
    assert "The rows of this group have changed" in messages_of(response)
    assert Person.objects.count() == 3


def test_numbers_are_written_as_the_site_writes_them_and_sent_as_they_are(
    admin_client: Client, settings: Any
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    first = Person.objects.create(pk=1_000_000, name="Ann")
    others = [
        Person(pk=first.pk + n, name="Ann", acting_since=1950 + n % 2) for n in range(1, 1_101)
    ]
    (group,) = queued(*others)
    awards = [Award(person=first, film=_film(), text=str(n)) for n in range(1_200)]
    Award.objects.bulk_create(awards)
    last = Person.objects.order_by("pk")[1_000]
    page = admin_client.get(url_of(group), {"into": last.pk})
    shown = text_of(page)
    assert "1,101 people become one. 1,200 awards move" in shown
    assert f"#{first.pk} · since" in shown
    data = {**fields_of(page), "merge": "Merge", "into": last.pk}
    told = messages_of(admin_client.post(url_of(group), data, follow=True))
    assert "Merged 1,100 rows into “Ann”." in told
    assert Person.objects.get() == last
    run = MergeRun.objects.get()
    undo = f"/admin/dedupe_toolkit/mergerun/{run.pk}/undo/"
    assert "Rows restored: 1,100" in text_of(admin_client.get(undo))
    assert "Rows restored: 1,100" in messages_of(admin_client.post(undo, follow=True))


def _film() -> Film:
    return Film.objects.get_or_create(catalogue_id=1, title="Lola", year=1961)[0]


def test_a_group_that_is_merged_already_says_by_whom_and_offers_to_undo_it(
    admin_client: Client,
) -> None:
    (group,) = queued(*[Person(name="Ann") for _ in range(2)])
    decide(admin_client, group, "merge")
    told = messages_of(admin_client.get(url_of(group), follow=True))
    assert "“Ann” has been merged already, by admin." in told
    assert f"mergerun/{MergeRun.objects.get().pk}/undo/" in told
    other = client_of(steward("change_person", "delete_person", "dismiss_duplicates"))
    told = messages_of(other.get(url_of(group), follow=True))
    assert "“Ann” has been merged already, by admin." in told
    assert "<a " not in told
    assert "undo" not in told
