"""What the review page asks: a dozen statements where nothing collides, the full plan elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, row_set
from dedupe_toolkit.databases.asking import asking_once
from dedupe_toolkit.databases.tables import table_kinds
from dedupe_toolkit.engine.preview import preview_merge
from dedupe_toolkit.errors import InvalidOption, PlanExpired
from testproject.films.models import Award, Credit, Film, Genre, Note, Person, PersonProfile, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.test import Client

    from dedupe_toolkit import MergePlan

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


def preview(people: Iterable[Person], **options: Any) -> MergePlan:
    source = row_set(Person, [person.pk for person in people], into=options.pop("into", None))
    return preview_merge(source, policy=MergePolicy(**options))


def test_the_review_page_of_a_group_takes_fifteen_queries_at_most(
    admin_client: Client, people: list[Person], django_assert_max_num_queries: Any
) -> None:
    ContentType.objects.clear_cache()
    with django_assert_max_num_queries(15):
        page = admin_client.get(REVIEW, {"rows": [person.pk for person in people]})
    assert "films.Credit.person" in page.content.decode()


def test_everything_is_counted_without_a_work_table(people: list[Person]) -> None:
    with CaptureQueriesContext(connection) as queries:
        plan = preview(people)
    counts = {c.reference: (c.repointed, c.discarded) for c in plan.references}
    touched = {reference: count for reference, count in counts.items() if any(count)}
    assert touched == {
        "films.Award.person": (1, 0),
        "films.Credit.person": (1, 0),
        "films.Note.subject": (1, 0),
        "films.Person.discovered_by": (1, 0),
        "films.Person.genres": (0, 1),
    }
    assert len(counts) > len(touched)
    assert not [query for query in queries if "TEMPORARY" in query["sql"]]


def test_rows_that_collide_are_planned_in_full(people: list[Person]) -> None:
    film = Film.objects.get()
    for person, role in zip(people, (Role.DIRECTOR, Role.CAST), strict=True):
        PersonProfile.objects.create(person=person, known_for=film, known_as=role)
    (held,) = preview(people).held_back
    assert "films.PersonProfile: rows" in held.reason
    merging = preview(people, on_collision="merge")
    assert merging.held_back == ()
    assert next(c.merged for c in merging.references if "PersonProfile" in c.reference) == 1


def test_a_survivor_that_points_at_its_duplicate_is_planned_in_full(people: list[Person]) -> None:
    Person.objects.filter(pk=people[0].pk).update(discovered_by=people[1])
    plan = preview(people)
    counts = {c.reference: c.repointed for c in plan.references}
    assert counts == {c.reference: c.repointed for c in plan_merge(plan.source).references}


def test_differences_that_hold_a_group_back_are_planned_in_full(people: list[Person]) -> None:
    for person, year in zip(people, (1954, 1958), strict=True):
        Person.objects.filter(pk=person.pk).update(acting_since=year)
    (held,) = preview(people, on_conflict="hold").held_back
    assert "differ in acting_since" in held.reason


def test_a_preview_cannot_be_merged(people: list[Person]) -> None:
    with pytest.raises(PlanExpired, match="plan the merge again"):
        merge(preview(people))


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
        table_kinds("default")
    (statement,) = [query["sql"] for query in listing]
    assert asked.count(statement) == 1


def test_what_was_answered_is_forgotten_with_the_plan() -> None:
    with CaptureQueriesContext(connection) as queries:
        with asking_once():
            assert table_kinds("default") == table_kinds("default")
        table_kinds("default")
        table_kinds("default")
    assert len(queries) == 3
