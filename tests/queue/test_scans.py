"""Scans: the groups of a match key, stored for review, and what a later scan makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import dismiss, match_key, merge, offer_again, plan_merge, row_set
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan
from dedupe_toolkit.queue.examining import next_unexamined
from dedupe_toolkit.queue.queued import first_rows, rows_of, scanned_key
from dedupe_toolkit.queue.safe_merging import left_of
from dedupe_toolkit.queue.scanning import find_groups
from dedupe_toolkit.queue.selecting import select_rows
from testproject.films.models import Award, Credit, Film, Person, PersonProfile, Role
from tests.queue.scanning import scan_of, scanned
from tests.situations.keyed.models import Measurement
from tests.situations.rivals.models import Profile, User

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db

State = QueuedGroup.State
NAME = ("name",)


def people_called(*names: str, **values: Any) -> list[Person]:
    return [Person.objects.create(name=name, **values) for name in names]


def analyze(model: type[Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {'TABLE ' if connection.vendor == 'mysql' else ''}{table}")


def states(scan: Scan) -> dict[str, str]:
    return dict(scan.queued.values_list("text", "state"))


def group_called(text: str) -> QueuedGroup:
    return QueuedGroup.objects.get(text=text)


def test_a_scan_stores_each_group_with_what_a_person_needs_to_choose_among_them() -> None:
    first, second = people_called("Agnès Varda", "Agnès Varda")
    Person.objects.filter(pk=second.pk).update(acting_since=1954)
    people_called("Chris Marker")
    scan = scanned(match_key(Person, NAME))
    (group,) = scan.queued.all()
    assert (group.text, group.values) == ("Agnès Varda", {"name": "Agnès Varda"})
    assert (group.row, group.size, group.differing) == (str(first.pk), 2, 0)
    assert group.is_safe, "a blank that is filled is no difference"
    assert group.state == State.PENDING
    assert scan.groups == 1


def test_rows_that_differ_are_not_safe_and_come_after_those_that_are() -> None:
    people_called("Agnès Varda", acting_since=1954)
    people_called("Agnès Varda", acting_since=1955, biography="Photographer first.")
    people_called("Agnès Varda", biography="Film maker.")
    people_called("Chris Marker", "Chris Marker")
    scan = scanned(match_key(Person, NAME))
    told = list(scan.queued.values_list("text", "differing", "is_safe"))
    assert told == [("Chris Marker", 0, True), ("Agnès Varda", 2, False)]


def test_a_spelling_that_the_key_overlooks_is_a_difference_all_the_same() -> None:
    people_called("Chris Marker", "CHRIS MARKER")
    scan = scanned(match_key(Person, ["name__lower"]))
    assert list(scan.queued.values_list("differing", "is_safe")) == [(1, False)]


def profile(person: Person, film: Film, known_as: Role) -> None:
    PersonProfile.objects.create(person=person, known_for=film, known_as=known_as)


def test_rows_that_collide_make_a_group_unsafe_even_where_it_is_declared_what_to_do() -> None:
    film = Film.objects.create(catalogue_id=1, title="Vagabond")
    first, second = people_called("Agnès Varda", "Agnès Varda")
    profile(first, film, Role.DIRECTOR)
    profile(second, film, Role.WRITER)
    scan = scanned(match_key(Person, NAME))  # dedupe.py says: merge the profiles
    (group,) = scan.queued.all()
    assert (group.state, group.differing, group.is_safe) == (State.PENDING, 0, False)


def test_a_link_that_says_nothing_new_leaves_a_group_safe() -> None:
    film = Film.objects.create(catalogue_id=1, title="Vagabond")
    for person in people_called("Agnès Varda", "Agnès Varda"):
        Credit.objects.create(person=person, film=film, role=Role.DIRECTOR)
    scan = scanned(match_key(Person, NAME))
    assert scan.queued.get().is_safe


def test_a_group_that_no_merge_would_take_is_held_back_with_a_reason_in_parts() -> None:
    first, second = (User.objects.create(name="Ann") for _ in range(2))
    Profile.objects.create(user=first, bio="Painter")
    Profile.objects.create(user=second, bio="Plumber")
    scan = scanned(match_key(User, NAME))
    (group,) = scan.queued.all()
    assert (group.state, group.is_safe) == (State.HELD, False)
    told = group.reason
    (held,) = plan_merge(match_key(User, NAME)).held_back
    assert told == held.reason


def test_keys_of_several_columns_name_their_rows_as_well() -> None:
    for station, number in [(1, 1), (1, 2), (2, 1)]:
        Measurement.objects.create(station=station, number=number, name="wind")
    key = match_key(Measurement, NAME)
    scan = scanned(key)
    (group,) = scan.queued.all()
    rows = rows_of(key, first_rows(Measurement, [group], "default"), "default")
    assert set(rows.values_list("pk", flat=True)) == {(1, 1), (1, 2), (2, 1)}
    scanned(key, select_rows(Measurement.objects.filter(station=1), key=key, using="default"))
    assert sorted(QueuedGroup.objects.values_list("size", flat=True)) == [2, 3]


def test_a_related_row_is_read_by_its_name_and_a_missing_value_as_a_dash() -> None:
    (person,) = people_called("Agnès Varda")
    film = Film.objects.create(catalogue_id=1, title="Vagabond", year=1985)
    for _ in range(2):
        Award.objects.create(person=person, film=film, text=" ")
        Person.objects.create(name="", acting_since=None)
    scan = scanned(match_key(Award, ["person", "text"]))
    assert list(scan.queued.values_list("text", flat=True)) == ["Agnès Varda, “ ”"]
    scan = scanned(match_key(Person, ["acting_since", "name"], nulls="equal"))
    assert list(scan.queued.values_list("text", flat=True)) == ["—, “”"]


# -- scanning again ----------------------------------------------------------------------------


def test_a_later_scan_tells_new_groups_from_those_that_are_no_more() -> None:
    key = match_key(Person, NAME)
    first, _ = people_called("Agnès Varda", "Agnès Varda")
    people_called("Chris Marker", "Chris Marker")
    scan = scanned(key)
    first.delete()
    people_called("Jacques Demy", "Jacques Demy")
    scanned(key, scan)
    assert states(scan) == {
        "Agnès Varda": State.OUTDATED,
        "Chris Marker": State.PENDING,
        "Jacques Demy": State.PENDING,
    }
    assert (scan.groups_before, scan.groups) == (2, 2)


def test_a_later_scan_keeps_what_a_person_decided() -> None:
    key = match_key(Person, NAME)
    people_called("Agnès Varda", "Agnès Varda", "Chris Marker", "Chris Marker")
    scan = scanned(key)
    for name, state in (("Agnès Varda", State.SKIPPED), ("Chris Marker", State.OTHERS)):
        QueuedGroup.objects.filter(text=name).update(state=state)
    before = states(scan)
    people_called("Agnès Varda")
    scanned(key, scan)
    assert states(scan) == before
    assert group_called("Agnès Varda").size == 3


def test_a_group_that_was_merged_is_offered_again_when_new_duplicates_arrive() -> None:
    key = match_key(Person, NAME)
    people_called("Agnès Varda", "Agnès Varda")
    scan = scanned(key)
    merge(plan_merge(key))
    scan.queued.update(state=State.MERGED)
    scanned(key, scan)
    assert states(scan) == {"Agnès Varda": State.MERGED}
    people_called("Agnès Varda")
    scanned(key, scan)
    assert states(scan) == {"Agnès Varda": State.PENDING}


def test_a_dismissed_group_is_known_as_one_until_the_verdict_is_taken_back() -> None:
    key = match_key(Person, NAME)
    people = people_called("Agnès Varda", "Agnès Varda")
    scan = scanned(key)
    verdict = dismiss(row_set(Person, [person.pk for person in people]))
    scanned(key, scan)
    assert states(scan) == {"Agnès Varda": State.DISMISSED}
    assert scan.groups == 0
    offer_again(verdict)
    scanned(key, scan)
    assert states(scan) == {"Agnès Varda": State.PENDING}


def test_a_row_whose_values_change_moves_to_another_group_and_its_values_with_it() -> None:
    key = match_key(Person, NAME)
    first, _, *others = people_called("Agnès Varda", "Agnès Varda", "Chris Marker", "Chris Marker")
    scan = scanned(key)
    Person.objects.filter(pk=first.pk).update(name="Chris Marker")
    scanned(key, scan)
    known = {group.row: group.state for group in scan.queued.all()}
    assert known == {str(first.pk): State.PENDING, str(others[0].pk): State.OUTDATED}
    assert scan.queued.get(row=str(first.pk)).values == {"name": "Chris Marker"}


def test_two_searches_begun_at_once_are_one() -> None:
    key = match_key(Person, NAME)
    people_called("Agnès Varda", "Agnès Varda")
    scan = scan_of(key)
    late = Scan.objects.get(pk=scan.pk)
    find_groups(scan, key)
    find_groups(late, key)
    assert Scan.objects.get().number == late.number == 1


# -- from groups to rows -----------------------------------------------------------------------


@pytest.mark.parametrize("nulls", ["distinct", "equal"])
def test_the_rows_of_a_group_are_found_by_the_key(nulls: str) -> None:
    key = match_key(Person, ["name", "acting_since"], nulls=nulls)
    known = people_called("Agnès Varda", "Agnès Varda", acting_since=1954)
    unknown = people_called("Agnès Varda", "Agnès Varda")
    scan = scanned(key)
    groups = list(scan.queued.order_by("pk"))
    found = rows_of(key, first_rows(Person, groups, "default"), "default")
    expected = known if nulls == "distinct" else [*known, *unknown]
    assert set(found.values_list("pk", flat=True)) == {person.pk for person in expected}
    assert len(groups) == len(expected) // 2


def test_a_selection_holds_the_selected_rows_of_a_group_alone() -> None:
    key = match_key(Person, NAME)
    varda = people_called("Agnès Varda", "Agnès Varda", "Agnès Varda")
    people_called("Chris Marker", "Chris Marker")
    selected = Person.objects.exclude(pk=varda[2].pk).exclude(name="Chris Marker")
    scan = scanned(key, select_rows(selected, key=key, using="default", by="Ann"))
    (group,) = scan.queued.all()
    rows = rows_of(scanned_key(scan, key, "default"), [int(group.row)], "default")
    assert set(rows.values_list("pk", flat=True)) == {person.pk for person in varda[:2]}
    assert (group.size, scan.by) == (2, "Ann")


# -- how much work -----------------------------------------------------------------------------


def statements_to_scan(groups: int) -> int:
    Person.objects.all().delete()
    people_called(*[f"Person {number}" for number in range(groups)] * 2)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        scanned(match_key(Person, NAME))
    return len(captured)


def test_a_scan_takes_as_many_statements_for_many_groups_as_for_one() -> None:
    few = statements_to_scan(2)
    assert statements_to_scan(40) == few


@pytest.mark.django_db(transaction=True)  # MariaDB and MySQL commit before they analyze
def test_the_next_groups_of_long_work_are_found_without_a_look_at_the_others() -> None:
    """What is left is not sorted, and what is done not passed, for each part of the work anew."""
    people_called(*[f"Person {number}" for number in range(1_500)] * 2)
    scan = scan_of(match_key(Person, NAME))
    find_groups(scan, scanned_key(scan, match_key(Person, NAME), "default"))
    run = MergeRun.objects.create(model="films.Person")
    scan.queued.update(run=run)
    analyze(QueuedGroup)
    for groups in (next_unexamined(scan, 10), left_of(run)[:10]):
        told = groups.explain()
        assert not re.search("sort|TEMP B-TREE", told, re.IGNORECASE), told


@pytest.mark.django_db(transaction=True)  # as above
def test_the_rows_of_a_few_groups_are_found_without_a_look_at_the_table() -> None:
    people = people_called(*[f"Person {number}" for number in range(1_500)] * 2)
    analyze(Person)
    told = rows_of(match_key(Person, NAME), [people[0].pk, people[1].pk], "default").explain()
    assert re.search("U0|films_person", told)
    whole = (
        r"(Seq Scan|Table scan|index scan) on (films|U0)|SCAN (films|U0)|(person|U0) (ALL|index) "
    )
    assert not re.search(whole, told), told
