"""What the review page asks: a dozen statements, the full plan where rows are merged below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Q, UniqueConstraint
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, row_set
from dedupe_toolkit.databases.caching import caching
from dedupe_toolkit.databases.places import place_of
from dedupe_toolkit.errors import InvalidOption, PlanExpired
from dedupe_toolkit.reviewing.preview import preview_merge
from testproject.films.models import Award, Credit, Film, Genre, Note, Person, PersonProfile, Role
from tests.situations.rivals.models import Address, Membership, Nickname, Profile, Seat, Team, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.test import Client

    from dedupe_toolkit import MergePlan

# MariaDB and MySQL are asked for other databases' keys as well
QUERIES = 17 if connection.vendor == "mysql" else 15
OPENED = 8
"""Queries that opening the rows of one table which collide takes beside these."""

pytestmark = pytest.mark.django_db

REVIEW = "/admin/dedupe_toolkit/mergerun/merge/films/person/"


@pytest.fixture
def people() -> list[Person]:
    """Two rows of a person; the second has something of everything that can point at it."""
    people = [Person.objects.create(name="Agnès Varda") for _ in range(2)]
    people[0].discovered_by = Person.objects.create(name="Alain Resnais")
    people[0].save()
    film = Film.objects.create(catalogue_id=1, title="Cléo", year=1962)
    Credit.objects.create(person=people[1], film=film, role=Role.DIRECTOR)
    Award.objects.create(person=people[1], film=film, text="Golden Lion")
    Note.objects.create(subject=people[1], text="Look again")
    Person.objects.create(name="Sandrine Bonnaire", discovered_by=people[1])
    for person in people:
        person.genres.set([Genre.objects.get_or_create(name="Drama")[0]])
    return people


@pytest.fixture
def profiles(people: list[Person]) -> list[PersonProfile]:
    """A profile for each of the two, and they differ."""
    film = Film.objects.get()
    return [
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
        for person, role in zip(people, (Role.DIRECTOR, Role.CAST), strict=True)
    ]


@pytest.fixture
def users() -> list[User]:
    return [User.objects.create(name="Ann") for _ in range(2)]


def preview(people: Iterable[Person | User], **options: Any) -> MergePlan:
    model = type(next(iter(people)))
    source = row_set(model, [person.pk for person in people], into=options.pop("into", None))
    return preview_merge(source, policy=MergePolicy(**options))


def previewed(people: Iterable[Person | User], **options: Any) -> tuple[MergePlan, bool]:
    """The preview, which says what the plan says, and whether it made no work table."""
    with CaptureQueriesContext(connection) as queries:
        found = preview(people, **options)
    plan = plan_merge(found.source, policy=found.policy)
    assert found == plan
    return found, not any("TEMPORARY" in query["sql"] for query in queries)


def touched(plan: MergePlan) -> dict[str, tuple[int, int, int]]:
    """What the plan repoints, discards and merges, by reference, where it does."""
    counts = {c.reference: (c.repointed, c.discarded, c.merged) for c in plan.references}
    return {reference: count for reference, count in counts.items() if any(count)}


def test_the_review_page_of_a_group_takes_fifteen_queries_at_most(
    admin_client: Client, people: list[Person], django_assert_max_num_queries: Any
) -> None:
    ContentType.objects.clear_cache()
    with django_assert_max_num_queries(QUERIES):
        page = admin_client.get(REVIEW, {"rows": [person.pk for person in people]})
    assert "Credits (person)" in page.content.decode()


@pytest.mark.parametrize("policy", ["hold", "discard"])
def test_the_page_takes_few_more_to_open_rows_that_collide(
    admin_client: Client,
    people: list[Person],
    profiles: list[PersonProfile],
    policy: str,
    django_assert_max_num_queries: Any,
) -> None:
    ContentType.objects.clear_cache()
    choice = {"rows": [person.pk for person in people], "on_collision": policy}
    with django_assert_max_num_queries(QUERIES + OPENED):
        page = admin_client.get(REVIEW, choice)
    names = f"#{profiles[0].pk} and #{profiles[1].pk} cannot both belong to the row that stays"
    assert (names in page.content.decode()) is (policy == "hold")


def test_everything_is_counted_without_a_work_table(people: list[Person]) -> None:
    plan, is_told = previewed(people)
    assert is_told
    assert touched(plan) == {
        "films.Award.person": (1, 0, 0),
        "films.Credit.person": (1, 0, 0),
        "films.Note.subject": (1, 0, 0),
        "films.Person.discovered_by": (1, 0, 0),
        "films.Person.genres": (0, 1, 0),
    }
    assert len(plan.references) > len(touched(plan))


@pytest.mark.usefixtures("profiles")
def test_rivals_that_differ_hold_the_group_back_and_nothing_is_counted(
    people: list[Person],
) -> None:
    plan, is_told = previewed(people, into=people[1].pk)
    (held,) = plan.held_back
    assert is_told
    assert held.rows == (people[1].pk, people[0].pk)
    assert (plan.rows_to_merge, touched(plan)) == (0, {})
    assert any("--on-collision" in warning for warning in plan.warnings)


def test_of_many_rivals_those_are_named_whose_keys_come_first_as_text() -> None:
    users = [User.objects.create(name="Ann") for _ in range(4)]
    for key, user in enumerate(users, 8):
        Profile.objects.create(pk=key, user=user, bio=str(key))
    plan, is_told = previewed(users)
    assert is_told
    assert "rows 8 and 10 would break" in plan.held_back[0].reason


def test_of_several_tables_that_collide_the_first_is_named(users: list[User]) -> None:
    team = Team.objects.create(name="Red")
    for user in users:
        Membership.objects.create(user=user, team=team, role="goal")
        Profile.objects.create(user=user, bio=f"of {user.pk}")
    plan, is_told = previewed(users)
    assert is_told
    assert "rivals.Profile" in plan.held_back[0].reason
    Membership.objects.filter(user=users[1]).update(role="wing")
    plan, is_told = previewed(users)
    assert is_told
    assert "rivals.Membership" in plan.held_back[0].reason


def replace_rule(model: Any, old: UniqueConstraint, new: UniqueConstraint) -> None:
    """Where the database can have such rules; the end of the test takes it back."""
    if connection.features.supports_partial_indexes:
        editor: Any = connection.SchemaEditorClass(connection)
        with connection.cursor() as cursor:
            for sql in (old.remove_sql(model, editor), new.create_sql(model, editor)):
                cursor.execute(str(sql))


def test_rules_with_conditions_are_told_like_others(
    users: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    for model, condition in ((Address, Q(kind="home")), (Nickname, Q(text__gt="A"))):
        name = f"one_{model._meta.model_name}"
        rule = UniqueConstraint(fields=["user"], condition=condition, name=name)
        replace_rule(model, model._meta.constraints[0], rule)
        monkeypatch.setattr(model._meta, "constraints", [rule])
    for user, text in zip(users, ("Ann", "Annie"), strict=True):
        Address.objects.create(user=user, kind="home")
        Nickname.objects.create(user=user, text=text)
    plan, is_told = previewed(users)
    assert is_told
    assert bool(plan.held_back) is connection.features.supports_partial_indexes


@pytest.mark.parametrize("policy", ["hold", "merge", "discard"])
def test_rows_equal_to_their_rivals_vanish(people: list[Person], policy: str) -> None:
    Credit.objects.create(person=people[0], film=Film.objects.get(), role=Role.DIRECTOR)
    plan, is_told = previewed(people, on_collision=policy)
    assert is_told
    assert touched(plan)["films.Credit.person"] == (0, 1, 0)


def test_what_could_point_at_rows_that_vanish_is_listed(users: list[User]) -> None:
    team = Team.objects.create(name="Red")
    for user in users:
        Membership.objects.create(user=user, team=team)
    plan, is_told = previewed(users)
    assert is_told
    assert "rivals.Badge.membership" in {count.reference for count in plan.references}


@pytest.mark.usefixtures("profiles")
def test_rivals_that_differ_are_discarded_without_a_work_table(people: list[Person]) -> None:
    plan, is_told = previewed(people, on_collision="discard")
    assert is_told
    assert touched(plan)["films.PersonProfile.person"] == (0, 1, 0)


def test_a_rival_that_others_point_at_is_planned_in_full(
    people: list[Person], profiles: list[PersonProfile]
) -> None:
    note = Note.objects.create(subject=profiles[1], text="Look again")
    plan, is_told = previewed(people, on_collision="discard")
    assert not is_told
    assert "films.Note.subject points at it" in plan.held_back[0].reason
    PersonProfile.objects.update(known_as=Role.CAST, created=note.subject.created)
    plan, is_told = previewed(people)
    assert not is_told
    assert touched(plan)["films.Note.subject"] == (2, 0, 0)


def test_rows_that_lose_by_two_rules_are_planned_in_full(users: list[User]) -> None:
    for user in users:
        Seat.objects.create(user=user, row=1, number=1)
    plan, is_told = previewed(users)
    assert not is_told
    assert touched(plan) == {"rivals.Seat.user": (0, 1, 0)}


@pytest.mark.usefixtures("profiles")
def test_rivals_that_are_to_be_merged_are_planned_in_full(people: list[Person]) -> None:
    plan, is_told = previewed(people, on_collision="merge")
    assert (plan.held_back, is_told) == ((), False)
    assert touched(plan)["films.PersonProfile.person"] == (0, 0, 1)


def test_a_survivor_that_points_at_its_duplicate_is_planned_in_full(people: list[Person]) -> None:
    Person.objects.filter(pk=people[0].pk).update(discovered_by=people[1])
    _, is_told = previewed(people)
    assert not is_told


def test_differences_that_hold_a_group_back_are_planned_in_full(people: list[Person]) -> None:
    for person, year in zip(people, (1954, 1958), strict=True):
        Person.objects.filter(pk=person.pk).update(acting_since=year)
    (held,) = preview(people, on_conflict="hold").held_back
    assert "differ in acting_since" in held.reason


def test_a_preview_cannot_be_merged(people: list[Person]) -> None:
    with pytest.raises(PlanExpired, match="plan the merge again"):
        merge(preview(people))


@pytest.mark.usefixtures("profiles")
def test_nor_can_one_that_is_planned_in_full(people: list[Person]) -> None:
    rows = row_set(Person, [person.pk for person in people])
    told = preview_merge(rows, policy=MergePolicy(on_collision="merge"))
    with pytest.raises(PlanExpired, match="plan the merge again"):
        merge(told)
    assert merge(plan_merge(rows, policy=MergePolicy(on_collision="merge"))).merged == 1


def test_what_a_plan_refuses_a_preview_refuses_too(people: list[Person]) -> None:
    with pytest.raises(InvalidOption, match="is no field rule"):
        preview(people, field_rules={"biography": "longst"})
    gone = row_set(Person, [people[0].pk, 0])
    with pytest.raises(InvalidOption, match="has no row 0"):
        preview_merge(gone)


def test_a_plan_asks_for_the_tables_and_content_types_once(people: list[Person]) -> None:
    with CaptureQueriesContext(connection) as queries:
        plan_merge(match_key(Person, ["name"]))
    asked = [query["sql"] for query in queries]
    assert len([sql for sql in asked if 'FROM "django_content_type"' in sql.replace("`", '"')]) == 1
    with CaptureQueriesContext(connection) as listing:
        place_of(Person, "default")
    (statement,) = [query["sql"] for query in listing]
    assert asked.count(statement) == 1


def test_what_was_answered_is_forgotten_with_the_plan() -> None:
    with CaptureQueriesContext(connection) as queries:
        with caching():
            assert place_of(Person, "default") == place_of(Person, "default")
        place_of(Person, "default")
        place_of(Person, "default")
    assert len(queries) == 3
