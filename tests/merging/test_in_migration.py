"""Inside a migration: its own models know what points at them, and an operation merges by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge
from dedupe_toolkit.errors import MergeRefused
from dedupe_toolkit.models import MergeRun
from dedupe_toolkit.operations import MergeDuplicates
from tests.kit import assert_undo_restores, snapshot
from tests.situations.blanks.models import Key, Setting, Use
from tests.situations.generic.models import NumberNote, Page, TextNote
from tests.situations.links.models import Author

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def state_of(*without: str) -> ProjectState:
    """The project's models as a migration has them, without some."""
    state = ProjectState.from_apps(apps)
    for label in without:
        state.remove_model(*label.lower().split("."))
    return state


def merged_in(state: ProjectState, label: str, *fields: str, **options: Any) -> MergeRun:
    model = state.apps.get_model(label)
    return merge(plan_merge(match_key(model, fields), policy=MergePolicy(**options)))


def applied(operation: MergeDuplicates, state: ProjectState, *, backwards: bool = False) -> None:
    step = operation.database_backwards if backwards else operation.database_forwards
    with connection.schema_editor() as editor:
        step("blanks", editor, state, state)


def keys() -> list[Key]:
    """Two of one name, used in five rows, with a setting each."""
    found = [Key.everything.create(name="a", used=number) for number in (1, 2)]
    for number, key in enumerate(found):
        for _ in range(2 + number):
            Use.objects.create(key=key)
        Setting._base_manager.create(key=key, value="xy"[number])
    return found


def test_the_migrations_own_models_know_their_references() -> None:
    first, _ = keys()
    before = snapshot()
    run = merged_in(state_of(), "blanks.Key", "name", on_collision="merge")
    assert Use.objects.filter(key=first).count() == 5
    assert Setting._base_manager.get().value == "x"
    assert_undo_restores(run, before)


def test_links_of_the_migrations_models_follow() -> None:
    one, other, friend = (Author.objects.create(name=name) for name in ("a", "a", "b"))
    other.friends.add(friend)
    other.follows.add(one, friend)
    before = snapshot()
    run = merged_in(state_of(), "links.Author", "name")
    assert set(Author.objects.get(pk=one.pk).friends.all()) == {friend}
    assert set(Author.objects.get(pk=one.pk).follows.all()) == {friend}
    assert_undo_restores(run, before)


def pages() -> list[Page]:
    found = [Page.objects.create(slug="home") for _ in range(2)]
    for page in found:
        kind = ContentType.objects.get_for_model(Page)
        for note in (NumberNote, TextNote):
            note.objects.create(content_type=kind, object_id=page.pk, text="n")
    return found


def test_generic_keys_follow_where_the_migration_knows_their_models() -> None:
    first, _ = pages()
    merged_in(state_of(), "generic.Page", "slug")
    assert set(NumberNote.objects.values_list("object_id", flat=True)) == {first.pk}
    assert set(TextNote.objects.values_list("object_id", flat=True)) == {str(first.pk)}


@pytest.mark.parametrize("missing", ["generic.NumberNote", "generic.TextNote"])
def test_generic_keys_that_the_migration_cannot_see_refuse_it(missing: str) -> None:
    pages()
    before = snapshot()
    with pytest.raises(MergeRefused, match=f"in this migration: {missing}.* points at it"):
        merged_in(state_of(missing), "generic.Page", "slug")
    assert snapshot() == before


def test_declared_columns_refuse_it(declare: Callable[..., None]) -> None:
    keys()
    declare(Key, references=["blanks.Licence.seats"])
    with pytest.raises(MergeRefused, match=r"in this migration: blanks\.Licence\.seats points"):
        merged_in(state_of(), "blanks.Key", "name")


@pytest.mark.django_db(transaction=True)
def test_the_operation_merges_and_goes_back() -> None:
    keys()
    before, state = snapshot(), state_of()
    operation = MergeDuplicates(
        "key", ["name"], on_collision="merge", field_rules={"used": "sum"}, survivor="newest"
    )
    applied(operation, state)
    assert (Key.objects.get().used, Use.objects.filter(key__name="a").count()) == (3, 5)
    applied(operation, state)  # nothing is left to do
    assert MergeRun.objects.count() == 1
    # a run of somebody else stays
    other = [Author.objects.create(name="z") for _ in range(2)]
    merged_in(state, "links.Author", "name")
    applied(operation, state, backwards=True)
    assert [each.status for each in MergeRun.objects.order_by("pk")] == ["undone", "done"]
    Author.objects.filter(pk__in=[row.pk for row in other]).delete()
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_groups_held_back_stop_the_migration_before_any_change() -> None:
    keys()
    before, state = snapshot(), state_of()
    with pytest.raises(CommandError, match=r"1 group of name cannot be merged by this migration"):
        applied(MergeDuplicates("key", ["name"]), state)
    assert (snapshot(), MergeRun.objects.count()) == (before, 0)
    applied(MergeDuplicates("key", ["name"], leave_held_back=True), state)
    assert snapshot() == before


def test_the_operation_is_written_as_it_was_given() -> None:
    operation = MergeDuplicates(
        "key", ["name"], app_label="blanks", nulls="equal", field_rules={"used": "sum"}
    )
    written = "".join(OperationWriter(operation, indentation=0).serialize()[0].split())
    assert written == (
        "dedupe_toolkit.operations.MergeDuplicates(model_name='key',fields=['name'],"
        "app_label='blanks',nulls='equal',field_rules={'used':'sum'},),"
    )
