"""The overview, the review queue and merging what is safe, as a steward uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import match_key, registry, undo
from dedupe_toolkit.admin import slices
from dedupe_toolkit.merging import throttle
from dedupe_toolkit.models import DismissedGroup, MergeRun, QueuedGroup, Scan
from dedupe_toolkit.queue.scanning import find_groups
from testproject.films.admin import PersonAdmin
from testproject.films.models import Credit, Film, Person, PersonProfile, Role
from tests.admin.kit import (
    ALL_RIGHTS,
    GARBAGE,
    LARGE,
    OVERVIEW,
    PEOPLE,
    QUEUE,
    act,
    client_of,
    digest_on,
    merge_safe,
    messages_of,
    people_called,
    scan,
    steward,
    text_of,
)
from tests.kit import snapshot

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db

State = QueuedGroup.State


# -- the overview --------------------------------------------------------------------------------


def test_without_a_known_key_the_overview_says_how_to_declare_one(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    page = text_of(admin_client.get(OVERVIEW))
    assert "No match key is known yet" in page
    assert "register(Author, keys=" in page


def test_whoever_may_decide_nothing_is_not_told_that_no_key_is_known() -> None:
    client = client_of(steward("change_person", "merge_duplicates"))
    page = text_of(client.get(OVERVIEW))
    assert "No match key is known yet" not in page
    assert "your account may not both change and delete" in page


def test_a_key_that_was_never_scanned_can_be(admin_client: Client) -> None:
    page = text_of(admin_client.get(OVERVIEW))
    assert "People · same name Never scanned" in page
    assert not Scan.objects.exists(), "looking writes nothing"


def test_a_clean_key_is_told_with_the_constraint_that_keeps_it_so(admin_client: Client) -> None:
    people_called("Agnès Varda")
    scan(admin_client)
    page = text_of(admin_client.get(OVERVIEW))
    assert "No duplicates wait for a decision." in page
    assert "manage.py make_unique films.Person --fields name" in page


def test_a_line_counts_what_waits_and_how_it_changed(admin_client: Client) -> None:
    people_called(*["Agnès Varda"] * 3, *["Chris Marker"] * 2)
    people_called("Jacques Demy", acting_since=1950)
    people_called("Jacques Demy", acting_since=1960)
    scan(admin_client)
    page = text_of(admin_client.get(OVERVIEW))
    assert "3 groups 4 surplus rows 2 safe scanned" in page
    Person.objects.filter(name="Chris Marker").delete()
    scan(admin_client)
    page = text_of(admin_client.get(OVERVIEW))
    assert "2 groups 3 surplus rows 1 safe scanned" in page
    assert "( −1 )" in page  # noqa: RUF001 (a minus sign)


def test_the_index_leads_to_the_overview_and_the_queue(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert f'href="{OVERVIEW}"' in page
    assert f'href="{QUEUE}"' in page


def test_a_steward_sees_only_what_they_may_edit() -> None:
    people_called("Agnès Varda", "Agnès Varda")
    client = client_of(steward("scan_duplicates", "view_person"))
    assert "same name" not in text_of(client.get(OVERVIEW))
    assert "0 duplicate groups" in text_of(client.get(QUEUE))


def test_scanning_takes_the_right_to_scan(admin_client: Client) -> None:
    key = digest_on(admin_client.get(OVERVIEW))
    client = client_of(steward("change_person", "delete_person", "merge_duplicates"))
    assert "Never scanned" in text_of(client.get(OVERVIEW))
    assert client.post(OVERVIEW, {"key": key}).status_code == 403
    assert (
        client_of(User.objects.create_user("guest", is_staff=True)).get(OVERVIEW).status_code == 403
    )


def slice_by_slice(monkeypatch: pytest.MonkeyPatch, batch: int = 1) -> None:
    """Every slice has one batch of so many groups."""
    monkeypatch.setattr(slices, "SECONDS", 0)
    monkeypatch.setattr(slices, "FIRST_BATCH", batch)


# -- scans in slices -----------------------------------------------------------------------------


def test_a_scan_goes_on_slice_by_slice_and_tells_how_far_it_is(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_by_slice(monkeypatch, 2)
    people_called(*["Agnès Varda", "Chris Marker", "Jacques Demy"] * 2)
    key = digest_on(admin_client.get(OVERVIEW))
    url = admin_client.post(OVERVIEW, {"key": key}).url.removesuffix("#start")
    asked = {"data": {"slice": "1"}, "headers": {"Accept": "application/json"}}
    first = admin_client.post(url, **asked).json()
    assert (first["done"], first["total"], first["finished"]) == (2, 3, False)
    assert first["words"] == "2 of 3 groups looked at"
    assert "Continue the scan" in text_of(admin_client.get(OVERVIEW)), "it can be left"
    last = admin_client.post(url, **asked).json()
    assert (last["done"], last["finished"]) == (3, True)


def test_a_cancelled_scan_keeps_what_it_knows_and_can_be_gone_on_with(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_by_slice(monkeypatch)
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    key = digest_on(admin_client.get(OVERVIEW))
    url = admin_client.post(OVERVIEW, {"key": key}).url.removesuffix("#start")
    admin_client.post(url, {"slice": "1"})
    assert admin_client.post(url, {"cancel": "1"}).url == OVERVIEW
    assert Scan.objects.get().status == Scan.Status.CANCELLED
    assert QueuedGroup.objects.filter(is_safe=True).count() == 1
    admin_client.post(url, {"slice": "1"})
    assert Scan.objects.get().status == Scan.Status.DONE
    assert QueuedGroup.objects.filter(is_safe=True).count() == 2


# -- the queue -----------------------------------------------------------------------------------


@pytest.fixture
def varda() -> list[Person]:
    """Three of her, with credits, of which two will collide, and values that differ."""
    people = people_called("Agnès Varda", "Agnès Varda", acting_since=1954)
    people += people_called("Agnès Varda", acting_since=1958)
    films = [Film.objects.create(catalogue_id=n, title=f"Film {n}") for n in range(3)]
    for person in people[:2]:
        Credit.objects.create(person=person, film=films[0], role=Role.DIRECTOR)
        PersonProfile.objects.create(person=person, known_for=films[0], known_as=Role.DIRECTOR)
    Credit.objects.create(person=people[2], film=films[1], role=Role.WRITER)
    return people


def test_the_queue_lists_what_a_person_decides_by(
    admin_client: Client, varda: list[Person]
) -> None:
    people_called("Chris Marker", "Chris Marker")
    scan(admin_client)
    page = text_of(admin_client.get(QUEUE))
    assert page.index("Chris Marker") < page.index("Agnès Varda"), "safe ones first"
    assert "Chris Marker People: same name 2 0 0 rows safe" in page
    assert "Agnès Varda People: same name 3 1 3 rows, 2 collide pending" in page


def test_the_queue_is_searched_by_values_and_filtered_by_state(admin_client: Client) -> None:
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    scan(admin_client)
    assert "Chris Marker" not in text_of(admin_client.get(QUEUE, {"q": "varda"}))
    QueuedGroup.objects.filter(text="Chris Marker").update(state=State.SKIPPED)
    assert "Chris Marker" not in text_of(admin_client.get(QUEUE))
    skipped = text_of(admin_client.get(QUEUE, {"state": "skipped"}))
    assert "Chris Marker" in skipped
    assert "Agnès Varda" not in skipped
    assert "Chris Marker" in text_of(admin_client.get(QUEUE, {"state": "all"}))


def test_what_cannot_be_a_scan_has_no_groups_and_what_cannot_be_a_run_no_page(
    admin_client: Client,
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    known = scan(admin_client)
    assert "1 duplicate group" in text_of(admin_client.get(f"{QUEUE}?scan={known.pk}"))
    for garbage in GARBAGE:
        assert "0 duplicate groups" in text_of(admin_client.get(QUEUE, {"scan": garbage})), garbage
    for address in (f"{QUEUE}merging/{LARGE}/", f"{QUEUE}{LARGE}/", f"{OVERVIEW}{LARGE}/key/"):
        assert admin_client.get(address).status_code == 404, address


def test_a_group_leads_to_the_page_that_compares_its_rows(
    admin_client: Client, varda: list[Person]
) -> None:
    scan(admin_client)
    group = QueuedGroup.objects.get()
    assert f'href="{QUEUE}{group.pk}/' in admin_client.get(QUEUE).content.decode()
    page = admin_client.get(f"{QUEUE}{group.pk}/", follow=True)
    assert "Merge people" in text_of(page)


def test_a_group_that_was_settled_elsewhere_says_so(
    admin_client: Client, varda: list[Person]
) -> None:
    scan(admin_client)
    group = QueuedGroup.objects.get()
    Credit.objects.all().delete()
    Person.objects.filter(pk__in=[person.pk for person in varda[1:]]).delete()
    page = admin_client.get(f"{QUEUE}{group.pk}/", follow=True)
    assert "“Agnès Varda” has no duplicates any more." in messages_of(page)
    group.refresh_from_db()
    assert group.state == State.OUTDATED


def test_many_groups_are_dismissed_with_one_note(admin_client: Client) -> None:
    people_called(*["Agnès Varda", "Chris Marker", "Jacques Demy"] * 2)
    first = scan(admin_client)
    chosen = QueuedGroup.objects.exclude(text="Jacques Demy")
    page = act(admin_client, "dismiss_selected", *chosen, note="Two people each")
    assert "2 groups dismissed." in messages_of(page)
    verdicts = DismissedGroup.objects.all()
    assert {(verdict.note, verdict.fields) for verdict in verdicts} == {("Two people each", "name")}
    assert first.queued.filter(state=State.DISMISSED).count() == 2
    scan(admin_client)
    assert first.queued.filter(state=State.PENDING).count() == 1


def test_groups_are_skipped_left_to_others_and_taken_up_again(admin_client: Client) -> None:
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    scan(admin_client)
    first, second = QueuedGroup.objects.all()
    act(admin_client, "skip_selected", first)
    act(admin_client, "leave_to_others", second)
    states = set(QueuedGroup.objects.values_list("state", flat=True))
    assert states == {State.SKIPPED, State.OTHERS}
    act_all = {"action": "ask_again", "_selected_action": [first.pk, second.pk], "index": 0}
    admin_client.post(f"{QUEUE}?state=all", act_all)
    assert set(QueuedGroup.objects.values_list("state", flat=True)) == {State.PENDING}


def test_dismissing_takes_the_right_to_dismiss(admin_client: Client) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    scan(admin_client)
    client = client_of(steward("change_person", "delete_person", "merge_duplicates"))
    assert act(client, "dismiss_selected", QueuedGroup.objects.get()).status_code == 403
    assert not DismissedGroup.objects.exists()


def test_whoever_may_only_scan_decides_nothing(admin_client: Client) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    scan(admin_client)
    client = client_of(steward("change_person", "delete_person", "scan_duplicates"))
    assert act(client, "skip_selected", QueuedGroup.objects.get()).status_code == 403
    assert QueuedGroup.objects.get().state == State.PENDING


# -- merging what is safe ------------------------------------------------------------------------


def test_the_safe_groups_are_merged_in_one_run_that_can_be_undone(
    admin_client: Client, varda: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_by_slice(monkeypatch)
    people_called(*["Chris Marker", "Jacques Demy", "Éric Rohmer"] * 2)
    before = snapshot()
    known = scan(admin_client)
    page = merge_safe(admin_client, known)
    assert "3 groups merged, 0 held back" in messages_of(page)
    run = MergeRun.objects.get()
    assert (run.status, run.groups, run.merged, run.rows_merged) == ("done", 3, 3, 3)
    assert (run.origin, run.by) == (MergeRun.Origin.ADMIN, "admin")
    assert known.queued.filter(state=State.MERGED, run=run).count() == 3
    assert Person.objects.filter(name="Agnès Varda").count() == 3, "they differ"
    undo(run)
    after = snapshot()
    assert after["films_person"] == before["films_person"]
    assert after["films_credit"] == before["films_credit"]


def test_the_page_that_asks_shows_numbers_and_a_sample(admin_client: Client) -> None:
    people_called(*["Chris Marker"] * 3, *["Jacques Demy"] * 2)
    known = scan(admin_client)
    page = text_of(admin_client.get(f"{QUEUE}merge-safe/{known.pk}/"))
    assert "2 groups become one row each; 3 people go" in page
    assert "Chris Marker (3 rows)" in page
    assert not MergeRun.objects.exists()


def test_what_was_confirmed_is_what_is_merged(admin_client: Client) -> None:
    people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    response = admin_client.post(f"{QUEUE}merge-safe/{known.pk}/", {"groups": "1"})
    assert "the number of safe groups has changed" in messages_of(response)
    assert not MergeRun.objects.exists()


def test_a_group_that_is_no_longer_safe_is_held_back_with_the_reason(admin_client: Client) -> None:
    first, *_ = people_called(*["Chris Marker", "Jacques Demy"] * 2, acting_since=1950)
    known = scan(admin_client)
    Person.objects.filter(pk=first.pk).update(acting_since=1960)
    Person.objects.filter(name="Jacques Demy").latest("pk").delete()
    merge_safe(admin_client, known)
    told = {group.text: group for group in known.queued.all()}
    assert told["Chris Marker"].state == State.HELD
    assert told["Jacques Demy"].state == State.OUTDATED
    assert "differ in: acting since" in text_of(admin_client.get(QUEUE))
    assert Person.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_between_its_batches_a_merge_waits_as_the_project_asks_and_says_so(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    slice_by_slice(monkeypatch)
    monkeypatch.setattr(throttle, "sleep", lambda _: None)
    settings.DEDUPE_THROTTLE = f"{__name__}.busy_once"
    BUSY[:] = [3]
    people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    answer = admin_client.post(f"{QUEUE}merge-safe/{known.pk}/", {"groups": "2"})
    asked = {"data": {"slice": "1"}, "headers": {"Accept": "application/json"}}
    url = answer.url.removesuffix("#start")
    told = [admin_client.post(url, **asked).json() for _ in range(3)]
    assert [one["done"] for one in told] == [1, 1, 2]
    assert told[1]["words"].endswith(f"Waits: {settings.DEDUPE_THROTTLE} asks for 3 s.")
    assert told[2]["finished"]
    assert "Waits" not in told[2]["words"]
    assert Person.objects.count() == 2


BUSY: list[float] = []


def busy_once(run: MergeRun) -> float:
    return BUSY.pop() if BUSY else 0


def test_a_merge_that_was_left_is_gone_on_with_from_the_overview(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_by_slice(monkeypatch)
    people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    asking = f"{QUEUE}merge-safe/{known.pk}/"
    url = admin_client.post(asking, {"groups": "2"}).url.removesuffix("#start")
    admin_client.post(url, {"slice": "1"})
    assert MergeRun.objects.get().status == MergeRun.Status.PAUSED
    page = admin_client.get(OVERVIEW)
    assert "Continue merging" in text_of(page)
    assert f'href="{url}"' in page.content.decode()
    admin_client.post(url, {"slice": "1"})
    assert MergeRun.objects.get().status == MergeRun.Status.DONE
    assert Person.objects.count() == 2


def test_a_cancelled_merge_leaves_the_rest_in_the_queue(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_by_slice(monkeypatch)
    people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    url = admin_client.post(f"{QUEUE}merge-safe/{known.pk}/", {"groups": "2"}).url
    url = url.removesuffix("#start")
    admin_client.post(url, {"slice": "1"})
    admin_client.post(url, {"cancel": "1"})
    assert known.queued.filter(state=State.PENDING, is_safe=True, run=None).count() == 1
    assert Person.objects.count() == 3


def test_merging_takes_the_right_to_merge_and_to_delete_what_would_vanish(
    admin_client: Client, varda: list[Person]
) -> None:
    PersonProfile.objects.all().delete()
    Person.objects.filter(name="Agnès Varda").update(acting_since=1954)
    people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    assert known.queued.filter(is_safe=True).count() == 3
    few = client_of(steward("change_person", "delete_person"))
    assert few.get(f"{QUEUE}merge-safe/{known.pk}/").status_code == 403
    User.objects.all().delete()
    rights = [right for right in ALL_RIGHTS if right != "delete_credit"]
    page = merge_safe(client_of(steward(*rights)), known)
    assert "2 groups merged" in messages_of(page)
    assert "1 group needs someone else" in messages_of(page)
    assert Person.objects.filter(name="Agnès Varda").count() == 3
    assert Person.objects.count() == 5
    User.objects.all().delete()
    known.queued.filter(state=State.OTHERS).update(state=State.PENDING, run=None)
    merge_safe(client_of(steward(*ALL_RIGHTS)), known)
    assert Person.objects.count() == 3


def test_groups_with_rows_that_are_hidden_from_a_steward_are_left_to_others(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, hidden, _ = people_called(*["Chris Marker", "Jacques Demy"] * 2)
    known = scan(admin_client)
    monkeypatch.setattr(
        PersonAdmin, "get_queryset", lambda self, request: Person.objects.exclude(pk=hidden.pk)
    )
    merge_safe(admin_client, known)
    told = dict(known.queued.values_list("text", "state"))
    assert told == {"Chris Marker": State.OTHERS, "Jacques Demy": State.MERGED}


# -- how much work -------------------------------------------------------------------------------


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_pages_take_as_many_queries_for_a_hundred_groups_as_for_three(
    admin_client: Client,
) -> None:
    people_called(*[f"Person {number}" for number in range(3)] * 2)
    known = scan(admin_client)
    pages = [OVERVIEW, QUEUE, f"{QUEUE}?scan={known.pk}", f"{QUEUE}merge-safe/{known.pk}/"]
    few = [queries_of(admin_client, page) for page in pages]
    people_called(*[f"Person {number}" for number in range(3, 100)] * 2)
    scan(admin_client)
    assert [queries_of(admin_client, page) for page in pages] == few
    assert max(few) <= 20


# -- rows selected across all pages --------------------------------------------------------------


def find_among(client: Client, address: str, *rows: Any, **more: Any) -> HttpResponse:
    chosen = {"action": "find_among_selected", "_selected_action": [row.pk for row in rows]}
    return client.post(address, chosen | {"index": 0, **more})


def to_the_end(client: Client, url: str) -> str:
    url = url.removesuffix("#start")
    while "/scan/" in url and url != OVERVIEW:
        url = client.post(url, {"slice": "Continue"}).url
    return url


def test_all_rows_across_pages_go_to_the_queue_as_groups(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersonAdmin, "list_per_page", 5)
    people = people_called(*[f"Person {number}" for number in range(60)] * 2)
    people_called("Chris Marker", "Chris Marker")
    response = find_among(admin_client, f"{PEOPLE}?q=Person", people[0], select_across=1)
    queue = to_the_end(admin_client, response.url)
    assert "60 duplicate groups" in text_of(admin_client.get(queue))
    assert "Chris Marker" not in text_of(admin_client.get(queue, {"q": "Chris"}))


def test_a_group_of_which_only_some_rows_were_selected_holds_those_only(
    admin_client: Client,
) -> None:
    first, second, third = people_called(*["Agnès Varda"] * 3)
    queue = to_the_end(admin_client, find_among(admin_client, PEOPLE, first, third).url)
    assert queue.startswith(QUEUE)
    group = QueuedGroup.objects.get()
    assert group.size == 2
    page = admin_client.get(f"{QUEUE}{group.pk}/")
    assert page.context["comparison"].source.pks == (first.pk, third.pk)
    merge_safe(admin_client, group.scan)
    assert set(Person.objects.all()) == {first, second}


def test_a_selection_keeps_its_rows_whatever_becomes_of_the_search(admin_client: Client) -> None:
    people = people_called("Agnès Varda", "Agnès Varda")
    find_among(admin_client, f"{PEOPLE}?q=Varda", people[0], select_across=1)
    people_called("Agnès Varda")
    assert Scan.objects.get().selected.count() == 2


def test_without_a_known_key_one_is_asked_for(admin_client: Client) -> None:
    films = [Film.objects.create(catalogue_id=n, title=t) for n, t in enumerate(["M", "m", "Ran"])]
    response = find_among(admin_client, "/admin/films/film/", *films)
    page = admin_client.get(response.url)
    assert "3 films are selected." in text_of(page)
    assert "Choose what makes rows duplicates." in text_of(admin_client.post(response.url))
    chosen = {"fields": ["title"], "ignore_case": "on"}
    to_the_end(admin_client, admin_client.post(response.url, chosen).url)
    assert QueuedGroup.objects.get().values == {"title__lower": "m"}
    assert "Films · same title, ignoring case" in text_of(admin_client.get(OVERVIEW))


def test_of_several_known_keys_one_is_chosen(admin_client: Client, declare: Any) -> None:
    declare(Film, keys=["title", ("title", "year")])
    films = [Film.objects.create(catalogue_id=n, title="Ran", year=1985 + n) for n in range(2)]
    address = find_among(admin_client, "/admin/films/film/", *films).url
    page = admin_client.get(address)
    assert "same title and year" in text_of(page)
    (by_title, _), _ = page.context["form"].fields["key"].choices
    to_the_end(admin_client, admin_client.post(address, {"key": by_title}).url)
    assert QueuedGroup.objects.get().values == {"title": "Ran"}


def test_nobody_chooses_the_key_of_another_persons_selection(admin_client: Client) -> None:
    films = [Film.objects.create(catalogue_id=n, title="Ran") for n in range(2)]
    address = find_among(admin_client, "/admin/films/film/", *films).url
    other = client_of(User.objects.create_superuser("other"))
    assert other.get(address).status_code == 404


# -- languages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "gleich in name 1 Gruppe 1 überzählige Zeile 1 sicher durchsucht vor"),
        ("fr", "même name 1 groupe 1 ligne en trop 1 sûr analysé il y a"),
    ],
)
def test_the_overview_speaks_the_language_of_the_site(
    admin_client: Client, settings: Any, language: str, told: str
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    scan(admin_client)
    settings.LANGUAGE_CODE = language
    assert told in text_of(admin_client.get(OVERVIEW))


def test_the_page_of_a_group_takes_as_many_queries_for_a_hundred_groups_as_for_three(
    admin_client: Client,
) -> None:
    people_called(*[f"Person {number}" for number in range(3)] * 2)
    scan(admin_client)
    page = f"{QUEUE}{QueuedGroup.objects.earliest('pk').pk}/"
    queries_of(admin_client, page)
    few = queries_of(admin_client, page)
    people_called(*[f"Person {number}" for number in range(3, 100)] * 2)
    scan(admin_client)
    assert queries_of(admin_client, page) == few


def test_the_pages_take_no_more_queries_for_a_hundred_thousand_rows(admin_client: Client) -> None:
    people_called(*[f"Person {number}" for number in range(30)] * 2)
    known = scan(admin_client)
    pages = [OVERVIEW, f"{QUEUE}?scan={known.pk}", f"{QUEUE}?q=Person 7"]
    few = [queries_of(admin_client, page) for page in pages]
    Person.objects.bulk_create(
        (Person(name=f"Person {number % 50_000}") for number in range(100_000)), batch_size=5_000
    )
    with CaptureQueriesContext(connection) as captured:
        find_groups(known, match_key(Person, ["name"]))
    assert known.groups == 50_000
    assert len(captured) < 50
    assert [queries_of(admin_client, page) for page in pages] == few
