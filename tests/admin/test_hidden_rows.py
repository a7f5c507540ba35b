"""Rows and fields that a `ModelAdmin` hides: no page of the desk shows them, no merge ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps.registry import Apps
from django.contrib.admin import ModelAdmin, site
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dedupe_toolkit import match_key, merge, plan_merge, register, registry, row_set
from dedupe_toolkit.admin import vanishing
from dedupe_toolkit.models import DismissedGroup, DismissedRow, MergeRun, QueuedGroup, Scan
from testproject.films.admin import PersonAdmin, PersonProfileAdmin
from testproject.films.models import Film, Genre, Person, PersonProfile, Role
from tests.admin.kit import OVERVIEW, QUEUE, REVIEW, fields_of, people_called, scan, text_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

CHANGES = "/admin/dedupe_toolkit/rowchange/"
RUNS = "/admin/dedupe_toolkit/mergerun/"
VERDICTS = "/admin/dedupe_toolkit/dismissedgroup/"


@pytest.fixture
def people() -> list[Person]:
    """Two with a profile each, of which only one can stay; the second says DIRECTOR."""
    people = people_called("Agnès Varda", "Agnès Varda")
    film = Film.objects.create(catalogue_id=1, title="Cléo de 5 à 7", year=1962)
    for person, role in zip(people, (Role.CAST, Role.DIRECTOR), strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    return people


def hide(monkeypatch: pytest.MonkeyPatch, own: Any, model: Any, **hidden: Any) -> None:
    monkeypatch.setattr(own, "get_queryset", lambda *_: model.objects.exclude(**hidden))


def forms_made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models of which a form is made from now on."""
    made, usual = list[Any](), ModelAdmin.get_form

    def get_form(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(self.model)
        return usual(self, *args, **kwargs)

    monkeypatch.setattr(ModelAdmin, "get_form", get_form)
    return made


def page_of(client: Client, people: list[Person], **chosen: str) -> Any:
    return client.get(REVIEW, {"rows": [person.pk for person in people], **chosen})


# -- rows of other models ------------------------------------------------------------------------


def test_rows_that_collide_are_only_numbers_to_whoever_does_not_see_both(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Director" in text_of(page_of(admin_client, people))
    hide(monkeypatch, PersonProfileAdmin, PersonProfile, known_as=Role.DIRECTOR)
    told = text_of(page_of(admin_client, people))
    assert "Director" not in told
    assert "Cast" not in told
    assert f"#{PersonProfile.objects.get(known_as=Role.DIRECTOR).pk}" in told


@pytest.mark.parametrize("choice", ["discard", "merge"])
@pytest.mark.parametrize("hidden", [Role.DIRECTOR, Role.CAST])
def test_a_row_that_is_hidden_vanishes_for_nobody(
    admin_client: Client,
    people: list[Person],
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    hidden: Role,
) -> None:
    hide(monkeypatch, PersonProfileAdmin, PersonProfile, known_as=hidden)
    shown = page_of(admin_client, people, on_collision=choice)
    assert "Merging needs someone else" in text_of(shown)
    admin_client.post(REVIEW, fields_of(shown) | {"merge": "Merge"})
    assert not MergeRun.objects.exists()
    monkeypatch.undo()
    shown = page_of(admin_client, people, on_collision=choice)
    admin_client.post(REVIEW, fields_of(shown) | {"merge": "Merge"})
    assert MergeRun.objects.get().merged == 1


def test_rows_that_are_seen_may_vanish_however_many_others_point(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vanishing, "LOOKED_AT", 1)
    hide(monkeypatch, PersonProfileAdmin, PersonProfile, known_as=Role.WRITER)
    shown = text_of(page_of(admin_client, people, on_collision="discard"))
    assert "Merging needs someone else" not in shown
    monkeypatch.setattr(PersonProfileAdmin, "has_delete_permission", lambda *_: True)
    shown = text_of(page_of(admin_client, people, on_collision="discard"))
    assert "Merging needs someone else" in shown, "too many to be asked for one by one"


def test_each_row_that_would_vanish_is_asked_for(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = PersonProfile.objects.get(known_as=Role.DIRECTOR)
    monkeypatch.setattr(
        PersonProfileAdmin, "has_delete_permission", lambda self, request, obj=None: obj != kept
    )
    shown = text_of(page_of(admin_client, people, on_collision="discard"))
    assert "Merging needs someone else" in shown
    kept.delete()
    again = PersonProfile.objects.create(
        person=people[1], known_for=Film.objects.get(), known_as=Role.DIRECTOR
    )
    assert again != kept
    shown = text_of(page_of(admin_client, people, on_collision="discard"))
    assert "Merging needs someone else" not in shown


def test_links_of_an_automatic_table_are_nobodys_also_where_they_have_an_admin(
    admin_client: Client, people: list[Person]
) -> None:
    class LinkAdmin(ModelAdmin):
        def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
            return obj is None

    genre = Genre.objects.create(name="Essay")
    for person in people:
        person.genres.add(genre)
    site.register(Person.genres.through, LinkAdmin)
    try:
        shown = page_of(admin_client, people, on_collision="discard")
    finally:
        site.unregister(Person.genres.through)
    assert "1 genre goes" in text_of(shown)
    assert "Merging needs someone else" not in text_of(shown)


def test_row_changes_of_hidden_rows_have_no_values(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = page_of(admin_client, people, on_collision="discard")
    admin_client.post(REVIEW, fields_of(shown) | {"merge": "Merge"})
    address = f"{CHANGES}?run={MergeRun.objects.get().pk}"
    assert "Director" in text_of(admin_client.get(address))
    hide(monkeypatch, PersonProfileAdmin, PersonProfile, known_as=Role.DIRECTOR)
    told = text_of(admin_client.get(address))
    assert "Director" not in told
    assert "of a row that you do not get to see" in told
    assert "Agnès Varda" in told


def test_row_changes_are_not_found_by_values_that_they_do_not_show(admin_client: Client) -> None:
    users = [User.objects.create_user(name, password="secret") for name in ("ann", "anna")]
    merge(plan_merge(row_set(User, [user.pk for user in users])))
    for question in ("before__contains", "after__contains", "step__rows"):
        assert admin_client.get(CHANGES, {question: users[1].password[:9]}).status_code == 400


def test_one_form_tells_for_all_row_changes_of_a_page_what_is_hidden(
    admin_client: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    third = people_called("Agnès Varda")[0]
    PersonProfile.objects.create(person=third, known_for=Film.objects.get(), known_as=Role.CAST)
    shown = page_of(admin_client, [*people, third], on_collision="merge")
    admin_client.post(REVIEW, fields_of(shown) | {"merge": "Merge"})
    hide(monkeypatch, PersonProfileAdmin, PersonProfile, known_as=Role.WRITER)
    made = forms_made(monkeypatch)
    assert "Director" in text_of(admin_client.get(CHANGES))
    assert made.count(PersonProfile) == 1


def test_row_changes_hide_what_the_form_of_that_very_row_hides(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = people_called("Agnès Varda", "Agnès Varda", biography="Has a secret.")
    merge(plan_merge(row_set(Person, [person.pk for person in people])))
    assert "Has a secret" in text_of(admin_client.get(CHANGES))

    def exclude(self: Any, request: Any, obj: Any = None) -> list[str]:
        return ["biography"] if obj.name.startswith("Agnès") and obj.pk else []

    monkeypatch.setattr(PersonAdmin, "get_exclude", exclude)
    told = text_of(admin_client.get(CHANGES))
    assert "Agnès Varda" in told
    assert "Has a secret" not in told


def test_a_form_that_counts_on_a_row_shows_nothing_of_one_that_is_gone(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = people_called("Agnès Varda", "Agnès Varda", discovered_by=people_called("X")[0])
    merge(plan_merge(row_set(Person, [person.pk for person in people])))
    monkeypatch.setattr(
        PersonAdmin,
        "get_fieldsets",
        lambda self, request, obj=None: [(None, {"fields": [obj.discovered_by.name and "name"]})],
    )
    assert "Agnès Varda" in text_of(admin_client.get(CHANGES))
    Person.objects.filter(name="Agnès Varda").delete()
    told = admin_client.get(CHANGES)
    assert told.status_code == 200
    assert "Agnès Varda" not in text_of(told)


def test_the_journal_asks_as_much_of_many_runs_as_of_few_where_rows_are_hidden(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, PersonAdmin, Person, name="Jacques Demy")
    asked = []
    for runs in (2, 10):
        for name in ["Agnès Varda", "Jacques Demy"] * runs:
            people = people_called(name, name)
            merge(plan_merge(row_set(Person, [person.pk for person in people])))
        for page in (RUNS, CHANGES):
            admin_client.get(page)
            with CaptureQueriesContext(connection) as queries:
                told = text_of(admin_client.get(page))
            assert "Jacques Demy" not in told
            asked.append(len(queries))
    assert asked[:2] == asked[2:]
    assert "12 merge runs" in text_of(admin_client.get(RUNS))


def test_the_pages_of_a_large_run_ask_as_much_as_those_of_a_small_one(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, PersonAdmin, Person, name="Jacques Demy")
    asked = []
    for groups in (1, 1_100):
        Person.objects.bulk_create(Person(name=f"Person {n}") for n in [*range(groups)] * 2)
        merge(plan_merge(match_key(Person, ["name"])))
        run = MergeRun.objects.latest("pk").pk
        for page in (f"{RUNS}{run}/change/", f"{CHANGES}?run={run}"):
            admin_client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert admin_client.get(page).status_code == 200
            asked.append(len(queries))
    assert asked[:2] == asked[2:]


def test_the_list_of_verdicts_asks_as_much_about_many_as_about_one(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, PersonAdmin, Person, name="Jacques Demy")
    asked = []
    for name, groups in (("Jacques Demy", 1), ("Agnès Varda", 1), ("Chris Marker", 600)):
        (person,) = people_called(name)
        verdicts = [DismissedGroup.objects.create(model="films.Person") for _ in range(groups)]
        DismissedRow.objects.bulk_create(
            DismissedRow(group=verdict, row=str(person.pk)) for verdict in verdicts
        )
        with CaptureQueriesContext(connection) as queries:
            told = text_of(admin_client.get(VERDICTS, {"q": "person"}))
        asked.append(len(queries))
    assert asked[1] == asked[2]
    assert "601 dismissed groups" in told


def test_names_that_are_no_keys_of_the_model_are_names_of_hidden_rows(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    known = scan(admin_client)
    hide(monkeypatch, PersonAdmin, Person, name="Jacques Demy")
    first = str(Person.objects.earliest("pk").pk)
    odd = ("nm0889513", '["1","2"]', "", f"0{first}", f"{first}x", f"{first}.0", "9" * 26)
    for number, row in enumerate(odd):
        known.queued.create(row=row, text=f"Formerly {number}", size=2, found=timezone.now())
        verdict = DismissedGroup.objects.create(model="films.Person", note=f"Formerly {number}")
        verdict.rows.create(row=row)
    for page in (OVERVIEW, QUEUE, VERDICTS):
        told = admin_client.get(page)
        assert told.status_code == 200
        assert "Formerly" not in text_of(told)


# -- groups --------------------------------------------------------------------------------------


def test_groups_of_hidden_rows_are_neither_listed_nor_counted_nor_decided(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called(*["Agnès Varda", "Jacques Demy"] * 2)
    known = scan(admin_client)
    group = known.queued.get(text="Jacques Demy")
    hide(monkeypatch, PersonAdmin, Person, name="Jacques Demy")
    for page in (OVERVIEW, QUEUE, f"{QUEUE}?scan={known.pk}", f"{QUEUE}merge-safe/{known.pk}/"):
        told = text_of(admin_client.get(page))
        assert "Jacques Demy" not in told
        assert "2 groups" not in told
    assert admin_client.get(f"{QUEUE}{group.pk}/").status_code == 404
    for action in ("skip_selected", "dismiss_selected", "leave_to_others"):
        admin_client.post(QUEUE, {"action": action, "_selected_action": [group.pk], "index": 0})
    assert admin_client.post(f"{QUEUE}merge-safe/{known.pk}/", {"groups": 1}).status_code == 302
    assert MergeRun.objects.get().groups == 1
    group.refresh_from_db()
    assert (group.state, group.run) == (QueuedGroup.State.PENDING, None)


def newest_of_each_name(*_: Any) -> Any:
    newest = Window(RowNumber(), partition_by="name", order_by="-pk")
    return Person.objects.annotate(place=newest).filter(place=1)


def first_of_each_name(*_: Any) -> Any:
    return Person.objects.order_by("name", "-pk").distinct("name")


@pytest.mark.parametrize("rows", [newest_of_each_name, first_of_each_name])
def test_a_row_that_is_hidden_beside_others_is_hidden_by_itself(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    if rows is first_of_each_name and not connection.features.can_distinct_on_fields:
        pytest.skip("DISTINCT ON is of PostgreSQL")
    people = people_called("Agnès Varda", "Agnès Varda")
    scan(admin_client)
    for person in people:
        verdict = DismissedGroup.objects.create(model="films.Person", note=f"On {person.pk}")
        verdict.rows.create(row=str(person.pk))
    monkeypatch.setattr(PersonAdmin, "get_queryset", rows)
    for page in (OVERVIEW, QUEUE):
        told = admin_client.get(page)
        assert told.status_code == 200
        assert "Agnès Varda" not in text_of(told)
    told = text_of(admin_client.get(VERDICTS))
    assert f"On {people[1].pk}" in told
    assert f"On {people[0].pk}" not in told


def test_the_rows_of_a_proxy_are_those_of_the_model(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Someone(Person):
        class Meta:
            app_label, proxy, apps = "films", True, Apps()

    people_called(*["Agnès Varda", "Jacques Demy"] * 2)
    scan(admin_client)
    seen = QuerySet(Someone).exclude(name="Jacques Demy")
    monkeypatch.setattr(PersonAdmin, "get_queryset", lambda *_: seen.all())
    told = text_of(admin_client.get(QUEUE))
    assert "Agnès Varda" in told
    assert "Jacques Demy" not in told


def refusing(*_: Any) -> Any:
    raise PermissionDenied


def failing(*_: Any) -> Any:
    raise AttributeError("no tenant")


def cut(*_: Any) -> Any:
    return Person.objects.all()[:10]


def united(*_: Any) -> Any:
    return Person.objects.filter(pk=1).union(Person.objects.filter(pk__gt=1))


def written(*_: Any) -> Any:
    return Person.objects.extra(where=["films_person.id > 0"])


@pytest.mark.parametrize("rows", [refusing, failing, cut, united, written])
def test_a_model_admin_that_does_not_say_its_rows_keeps_nobody_from_the_other_pages(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    people = people_called(*["Agnès Varda", "Jacques Demy"] * 2)
    scan(admin_client)
    merge(plan_merge(row_set(Person, [people[0].pk, people[2].pk])))

    monkeypatch.setattr(PersonAdmin, "get_queryset", rows)
    for page in (OVERVIEW, QUEUE, RUNS, CHANGES, VERDICTS):
        told = admin_client.get(page)
        assert told.status_code == 200
        assert "Agnès Varda" not in text_of(told)
        assert "Jacques Demy" not in text_of(told)


# -- fields --------------------------------------------------------------------------------------


@pytest.fixture
def hidden_key(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> QueuedGroup:
    """A group by a declared key of which the form leaves a field out."""
    monkeypatch.setattr(registry, "_declarations", {})
    register(Person, keys=["biography"])
    for name in ("Agnès Varda", "A. Varda"):
        Person.objects.create(name=name, biography="Has a secret.")
    found = scan(admin_client).queued.get()
    monkeypatch.setattr(PersonAdmin, "exclude", ["biography"])
    return found


def test_groups_by_a_field_that_is_hidden_are_named_by_number(
    admin_client: Client, hidden_key: QueuedGroup
) -> None:
    pages = [
        QUEUE, f"{QUEUE}{hidden_key.pk}/", f"{QUEUE}merge-safe/{hidden_key.scan_id}/",
    ]  # fmt: skip
    QueuedGroup.objects.update(is_safe=True)
    for page in pages:
        told = text_of(admin_client.get(page))
        assert "secret" not in told
        assert f"#{hidden_key.row}" in told
    admin_client.post(f"{QUEUE}{hidden_key.pk}/", {"skip": "Skip"})
    hidden_key.refresh_from_db()
    assert hidden_key.state == QueuedGroup.State.SKIPPED
    assert "secret" in hidden_key.text


def test_nobody_finds_out_a_hidden_value_by_searching_for_it(
    admin_client: Client, hidden_key: QueuedGroup
) -> None:
    assert "1 duplicate group" in text_of(admin_client.get(QUEUE))
    assert "0 duplicate groups" in text_of(admin_client.get(QUEUE, {"q": "secret"}))
    for question in ("text__contains", "values__biography__startswith", "text"):
        assert admin_client.get(QUEUE, {question: "Has"}).status_code == 400


def test_a_search_makes_one_form_of_a_model_however_many_selections_there_are(
    admin_client: Client, hidden_key: QueuedGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        scan_ = hidden_key.scan
        Scan.objects.create(model=scan_.model, key=scan_.key, number=number, is_selection=True)
    made = forms_made(monkeypatch)
    admin_client.get(QUEUE, {"q": "secret"})
    assert made.count(Person) == 1


def test_fields_that_are_hidden_make_no_key_of_a_selection(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_declarations", {})
    monkeypatch.setattr(PersonAdmin, "fields", ["name"])
    rows = [one.pk for one in people_called("Agnès Varda", "Jacques Demy")]
    data = {"action": "find_among_selected", "_selected_action": rows}
    page = admin_client.post("/admin/films/person/", data).url
    offered = admin_client.get(page).content.decode()
    assert 'value="name"' in offered
    assert 'value="biography"' not in offered
    assert admin_client.post(page, {"fields": ["biography"]}).status_code == 200


# -- a person's own rights -----------------------------------------------------------------------


def test_nobody_gets_groups_by_merging_who_has_them_into_themselves(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.admin import UserAdmin

    monkeypatch.setattr(UserAdmin, "readonly_fields", ["user_permissions", "is_superuser"])
    chief, clerk = (User.objects.create_user(name) for name in ("chief", "clerk"))
    chief.user_permissions.add(Permission.objects.earliest("pk"))
    page = f"{RUNS}merge/auth/user/"
    shown = admin_client.get(page, {"rows": [chief.pk, clerk.pk], "into": clerk.pk})
    assert "Merging needs someone else" in text_of(shown)
    admin_client.post(page, fields_of(shown) | {"merge": "Merge"})
    assert not User.objects.get(pk=clerk.pk).user_permissions.exists()
