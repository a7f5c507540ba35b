"""The journal in the admin: read only, and a button that undoes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, row_set
from dedupe_toolkit.admin import run_words, undoing
from dedupe_toolkit.databases import Database, database
from dedupe_toolkit.journal.reading import step_kinds
from dedupe_toolkit.models import MergeRun, MergeStep, RowChange
from dedupe_toolkit.verbose import model_words, reference_words
from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role
from tests.admin.kit import GARBAGE, LARGE, messages_of, text_of
from tests.kit import merged, snapshot
from tests.situations.typed.models import Everything, Priced, Zone

pytestmark = pytest.mark.django_db

RUNS = "/admin/dedupe_toolkit/mergerun/"
CHANGES = "/admin/dedupe_toolkit/rowchange/"


@pytest.fixture
def people() -> list[Person]:
    people = [
        Person.objects.create(name="Agnès Varda"),
        Person.objects.create(name="Agnès Varda", biography="Photographer first."),
    ]
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    Award.objects.create(person=people[1], film=film, text="Golden Lion")
    for person in people:
        Credit.objects.create(person=person, film=film, role=Role.DIRECTOR)
    return people


@pytest.fixture
def run(people: list[Person]) -> MergeRun:
    return merge(plan_merge(row_set(Person, [person.pk for person in people])))


def page_of(run: MergeRun, name: str = "change") -> str:
    return f"{RUNS}{run.pk}/{name}/"


def client_who_may(*codenames: str) -> Client:
    user = User.objects.create_user("user", password="password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


# -- reading -----------------------------------------------------------------------------------


def test_a_run_shows_what_it_did_table_by_table(admin_client: Client, run: MergeRun) -> None:
    text = text_of(admin_client.get(page_of(run)))
    assert "People - deleted merged into its survivor 1" in text
    assert "Awards Awards (person) updated points at the survivor 1" in text
    assert "Credits (person) 0 1 0" in text


def test_steps_of_many_batches_are_added_up(people: list[Person]) -> None:
    for name in ("Chris Marker", "Chantal Akerman"):
        Person.objects.bulk_create(Person(name=name) for _ in range(3))
    run = merge(plan_merge(match_key(Person, ["name"]), policy=MergePolicy(batch_size=1)))
    deleted = [kind.rows for kind in step_kinds(run) if kind.model == "films.Person"]
    assert MergeStep.objects.filter(run=run, model="films.Person", action="delete").count() == 3
    assert 5 in deleted


def test_a_run_of_many_groups_says_how_many_it_does_not_list(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Chris Marker", "Chantal Akerman", "Jacques Demy"):
        Person.objects.bulk_create(Person(name=name) for _ in range(2))
    run = merge(plan_merge(match_key(Person, ["name"])))
    assert "The first" not in text_of(admin_client.get(page_of(run)))
    monkeypatch.setattr(run_words, "SHOWN", 2)
    assert "The first 2 of 3." in text_of(admin_client.get(page_of(run)))


def test_a_run_that_held_many_groups_back_says_how_many_it_does_not_list(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Chris Marker", "Chantal Akerman", "Jacques Demy"):
        Person.objects.bulk_create(Person(name=name, biography=text) for text in ("One.", "Two."))
    run = merge(plan_merge(match_key(Person, ["name"]), policy=MergePolicy(on_conflict="hold")))
    assert "The first" not in text_of(admin_client.get(page_of(run)))
    monkeypatch.setattr(run_words, "SHOWN", 2)
    assert "The first 2 of 3." in text_of(admin_client.get(page_of(run)))


def test_groups_held_back_stand_on_the_page_of_the_run(
    admin_client: Client, people: list[Person]
) -> None:
    for person, known_as in zip(people, (Role.DIRECTOR, Role.WRITER), strict=True):
        film = Film.objects.get()
        PersonProfile.objects.create(person=person, known_for=film, known_as=known_as)
    run = merge(plan_merge(match_key(Person, ["name"]), policy=MergePolicy()))
    text = text_of(admin_client.get(page_of(run)))
    keys = ", ".join(str(person.pk) for person in people)
    (held,) = run.held_back
    assert f"Rows Reason {keys} {held['reason'].for_people}" in text
    assert "Nothing was changed." in text
    assert "Undo this run" not in text


def test_row_changes_show_the_values_before_and_after(admin_client: Client, run: MergeRun) -> None:
    text = text_of(admin_client.get(CHANGES))
    survivor, duplicate = run.policy["pks"]
    assert f"Person #{duplicate} → #{survivor}" in text
    assert "Name Agnès Varda" in text
    assert "Biography - → Photographer first." in text
    assert "Role Director" in text
    assert "NULL" not in text


def test_row_changes_lead_to_the_rows_that_are_there(admin_client: Client, run: MergeRun) -> None:
    page = admin_client.get(CHANGES).content.decode()
    survivor, duplicate = run.policy["pks"]
    assert f'<a href="/admin/films/person/{survivor}/change/">{survivor}</a>' in page
    assert f"/admin/films/person/{duplicate}/change/" not in page
    award = Award.objects.get()
    assert f'<a href="/admin/films/award/{award.pk}/change/">{award.pk}</a>' in page


def test_what_no_field_can_read_is_written_as_it_stands(admin_client: Client) -> None:
    Priced.objects.create(price=1, name="x")
    Priced.objects.create(price=2, name="x", zone=Zone("nowhere"))
    merged(Priced, "name")
    assert "Zone nowhere" in text_of(admin_client.get(CHANGES))


def test_a_row_whose_key_is_an_empty_text_has_no_address(
    admin_client: Client, run: MergeRun
) -> None:
    RowChange.objects.filter(step__run=run).update(row="")
    page = admin_client.get(CHANGES)
    assert page.status_code == 200
    assert re.findall(r"/films/(\w+)/[^/]*/change/", page.content.decode()) == ["person"] * 4


def test_values_of_row_changes_are_written_as_people_know_them(
    admin_client: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    Everything.objects.create(name="x")
    Everything.objects.create(
        name="x",
        moment=datetime(2026, 7, 1, 10, 30, 5, 250_000, tzinfo=UTC),
        date=date(2026, 7, 14),
        duration=timedelta(days=1, hours=2),
        decimal=Decimal("1234.5"),
        boolean=True,
        json={"a": [1, None]},
        float=0.1,
        url="javascript:alert(1)",
    )
    merged(Everything, "name")
    page = admin_client.get(CHANGES)
    text = text_of(page)
    assert "July 1, 2026, 12:30 p.m." in text
    assert "Date July 14, 2026" in text
    assert "Duration 1 day, 2:00:00" in text
    assert "Decimal 1234.500000000000000" in text
    assert 'Json {"a": [1, null]}' in text.replace("&quot;", '"')
    assert "Float 0.1" in text
    assert 'alt="True"' in page.content.decode()
    assert 'href="javascript:' not in page.content.decode()


def test_a_moment_that_changed_within_its_minute_is_written_in_full(admin_client: Client) -> None:
    """The admin writes no seconds: it would tell of a change of which nothing is to be seen."""
    for second in (1, 2):
        Everything.objects.create(name="x", moment=datetime(2026, 7, 1, 10, 30, second, tzinfo=UTC))
    merged(Everything, "name", field_rules={"moment": "newest"})
    text = text_of(admin_client.get(CHANGES))
    assert "10:30:01" in text
    assert "10:30:02" in text


def test_row_changes_can_be_narrowed_to_a_run_and_a_step(
    admin_client: Client, run: MergeRun
) -> None:
    kinds = {kind.reference or kind.model: kind for kind in step_kinds(run)}
    link = f"{CHANGES}?run={run.pk}&step={kinds['films.Award.person'].first}"
    assert link.replace("&", "&amp;") in admin_client.get(page_of(run)).content.decode()
    text = text_of(admin_client.get(link))
    assert "1 row change" in text
    assert "Person #" in text
    assert "Show counts" not in text
    assert "0 row changes" in text_of(admin_client.get(f"{CHANGES}?run={run.pk + 1}"))
    assert "0 row changes" in text_of(admin_client.get(f"{CHANGES}?run=first&step=none"))


def test_a_step_is_one_kind_of_change_in_all_batches(admin_client: Client) -> None:
    for name in "aabb":
        Award.objects.create(
            person=Person.objects.create(name=name),
            film=Film.objects.get_or_create(catalogue_id=1, year=1985)[0],
            text="Golden Lion",
        )
    run = merge(plan_merge(match_key(Person, ["name"]), policy=MergePolicy(batch_size=1)))
    for kind in step_kinds(run):
        text = text_of(admin_client.get(f"{CHANGES}?run={run.pk}&step={kind.first}"))
        assert "2 row changes" in text
        assert (reference_words(kind.reference) or model_words(kind.model)) in text


def test_the_list_of_row_changes_takes_the_same_number_of_queries_for_any_number_of_them(
    admin_client: Client, run: MergeRun
) -> None:
    counts = []
    admin_client.get(f"{CHANGES}?run={run.pk}")  # asks what the database is made of
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(f"{CHANGES}?run={run.pk}")
        counts.append(len(queries))
        step = run.steps.latest("pk")
        RowChange.objects.bulk_create(
            RowChange(step=step, row=str(row), survivor="1", before="[]")
            for row in range(1000, 1060)
        )
        last = RowChange.objects.latest("pk")
        run.steps.filter(pk=step.pk).update(last_change=last.pk, rows=F("rows") + 60)
    assert counts[0] == counts[1]
    listed = text_of(admin_client.get(f"{CHANGES}?run={run.pk}"))
    assert f"{RowChange.objects.count()} row changes" in listed


@pytest.mark.parametrize("name", ["add", "delete", "change"])
@pytest.mark.parametrize("model", [MergeRun, RowChange])
def test_nobody_can_write_to_the_journal(
    name: str, model: Any, admin_client: Client, run: MergeRun
) -> None:
    row = model.objects.latest("pk")
    pages = {MergeRun: RUNS, RowChange: CHANGES}
    url = f"{pages[model]}add/" if name == "add" else f"{pages[model]}{row.pk}/{name}/"
    before = list(model.objects.values())
    assert admin_client.post(url, {"post": "yes", "status": "undone"}).status_code == 403
    assert list(model.objects.values()) == before


def test_the_journal_is_for_users_who_may_view_it(run: MergeRun) -> None:
    client = client_who_may("change_person", "delete_person")
    for url in (RUNS, CHANGES, page_of(run), page_of(run, "undo")):
        assert client.get(url).status_code == 403


# -- undo --------------------------------------------------------------------------------------


def test_undo_shows_what_would_come_back_and_writes_nothing(
    admin_client: Client, run: MergeRun
) -> None:
    before = snapshot()
    text = text_of(admin_client.get(page_of(run, "undo")))
    assert "Rows restored: 2. Rows set back to their old values: 2." in text
    assert snapshot() == before
    run.refresh_from_db()
    assert run.status == MergeRun.Status.DONE


def test_undo_brings_everything_back_and_is_offered_no_more(
    admin_client: Client, people: list[Person]
) -> None:
    before = snapshot()
    run = merge(plan_merge(row_set(Person, [person.pk for person in people])))
    assert page_of(run, "undo") in admin_client.get(page_of(run)).content.decode()
    response = admin_client.post(page_of(run, "undo"), follow=True)
    assert "Undone. Rows restored: 2." in messages_of(response)
    assert "This run has been undone:" in text_of(response)
    assert page_of(run, "undo") not in response.content.decode()
    assert {table: rows for table, rows in snapshot().items() if table in TOUCHED} == {
        table: rows for table, rows in before.items() if table in TOUCHED
    }
    again = admin_client.get(page_of(run, "undo"), follow=True)
    assert "There is nothing to undo: this run is undone." in messages_of(again)


TOUCHED = {model._meta.db_table for model in (Person, Credit, Award, Film, PersonProfile)}


def test_undo_lists_what_is_in_the_way_and_changes_nothing(
    admin_client: Client, run: MergeRun
) -> None:
    other = Person.objects.create(name="Chris Marker")
    Award.objects.update(person=other)
    before = snapshot()
    for response in (
        admin_client.get(page_of(run, "undo")),
        admin_client.post(page_of(run, "undo")),
    ):
        text = text_of(response)
        assert "This run cannot be undone now. Nothing was changed." in text
        assert f"Awards: #{Award.objects.get().pk} has been changed since (person)." in text
        assert 'type="submit" class="default"' not in response.content.decode()
    assert snapshot() == before


def test_a_large_run_is_not_tried_beforehand(
    admin_client: Client, run: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "TRIED_AT_MOST", 1)
    text = text_of(admin_client.get(page_of(run, "undo")))
    assert "This run is too large to be tried beforehand." in text
    admin_client.post(page_of(run, "undo"))
    assert Person.objects.count() == 2


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_undo_needs_the_right_to_change_and_delete_the_model(verb: str, run: MergeRun) -> None:
    client = client_who_may("view_mergerun", f"{verb}_person")
    assert "Undo this run" not in text_of(client.get(page_of(run)))
    assert client.get(page_of(run, "undo")).status_code == 403
    assert client.post(page_of(run, "undo")).status_code == 403
    assert Person.objects.count() == 1


def test_undo_without_the_token_of_the_form_is_refused(admin_user: User, run: MergeRun) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(page_of(run, "undo")).status_code == 403
    assert Person.objects.count() == 1


def test_a_run_of_a_model_that_is_gone_is_shown_without_the_button(
    admin_client: Client, run: MergeRun
) -> None:
    MergeRun.objects.update(model="films.Actor")
    assert "Undo this run" not in text_of(admin_client.get(page_of(run)))


def test_a_run_that_is_not_there_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(f"{RUNS}2000000000/undo/").status_code == 404


# -- addresses typed by hand -------------------------------------------------------------------


def test_what_cannot_be_a_run_is_not_found(admin_client: Client, run: MergeRun) -> None:
    for garbage in GARBAGE:
        for page in ("change", "undo"):
            address = f"{RUNS}{quote(garbage, safe='')}/{page}/"
            for method in (admin_client.get, admin_client.post):
                assert method(address).status_code in {302, 403, 404}, address
    assert Person.objects.count() == 1


@pytest.mark.parametrize("parameter", ["run", "step"])
def test_no_row_was_changed_by_what_cannot_be_a_run(
    parameter: str, admin_client: Client, run: MergeRun
) -> None:
    for garbage in GARBAGE:
        page = admin_client.get(CHANGES, {parameter: garbage})
        assert "0 row changes" in text_of(page), garbage


@pytest.mark.parametrize("page", [RUNS, CHANGES, "/admin/dedupe_toolkit/dismissedgroup/"])
def test_a_list_of_the_journal_opens_whatever_stands_in_its_address(
    page: str, admin_client: Client, run: MergeRun
) -> None:
    for parameter in ("database", "q", "p", "o", "e", "run__id", "status"):
        for garbage in (LARGE, "-1", "9" * 5000, "\x00"):
            address = {"run": run.pk, parameter: [garbage, "1"]}
            assert admin_client.get(page, address).status_code in {200, 302}, address


# -- groups of a run ---------------------------------------------------------------------------


def test_a_run_lists_its_survivors_and_tells_its_rules_in_words(
    admin_client: Client, people: list[Person]
) -> None:
    run = merge(plan_merge(match_key(Person, ["name"])))
    page = admin_client.get(page_of(run))
    assert f'<a href="/admin/films/person/{people[0].pk}/change/">Agnès Varda</a>' in str(
        page.content.decode()
    )
    assert f"Agnès Varda #{people[0].pk} {people[1].pk} Undo" in text_of(page)
    assert "The oldest row stays. Groups of which rows collide are held back." in text_of(page)


def test_one_group_of_a_run_is_undone_by_one_press(
    admin_client: Client, people: list[Person]
) -> None:
    for _ in range(2):
        Person.objects.create(name="Chris Marker")
    run = merge(plan_merge(match_key(Person, ["name"])))
    admin_client.post(page_of(run, "undo"), {"survivor": people[0].pk})
    assert Person.objects.filter(name="Agnès Varda").count() == 2
    assert Person.objects.filter(name="Chris Marker").count() == 1
    assert f"#{people[0].pk} {people[1].pk} undone" in text_of(admin_client.get(page_of(run)))


@pytest.mark.parametrize("survivor", GARBAGE)
def test_what_is_no_survivor_undoes_nothing(
    survivor: str, admin_client: Client, run: MergeRun
) -> None:
    assert admin_client.post(page_of(run, "undo"), {"survivor": survivor}).status_code == 200
    assert Person.objects.count() == 1


# -- progress ----------------------------------------------------------------------------------


def test_the_page_of_a_run_tells_how_far_it_came_and_how_fast(
    admin_client: Client, run: MergeRun
) -> None:
    text = text_of(admin_client.get(page_of(run)))
    assert "1 of 1 group." in text
    assert "rows a second." in text
    assert "Locks are held for" in text


def test_a_run_under_way_tells_what_it_waits_for(
    admin_client: Client, run: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_class(), "is_run_lock_held", lambda *_: True)
    MergeRun.objects.update(status="running", groups=3, waits_for="replica 'r' is 9 s behind")
    text = text_of(admin_client.get(page_of(run)))
    assert "1 of 3 groups." in text
    assert "Waits: replica 'r' is 9 s behind." in text
    assert "Undo this run" not in text


def test_a_run_whose_process_died_is_shown_as_interrupted_and_can_be_undone(
    admin_client: Client, run: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_class(), "is_run_lock_held", lambda *_: False)
    MergeRun.objects.update(status="running")
    text = text_of(admin_client.get(page_of(run)))
    assert "interrupted" in text
    assert "Undo this run" in text
    assert "interrupted" in text_of(admin_client.get(RUNS))
    admin_client.post(page_of(run, "undo"))
    assert Person.objects.count() == 2


def connection_class() -> type[Database]:
    return type(database("default"))
