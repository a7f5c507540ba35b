"""A run killed at any moment leaves whole batches with their journal, and nothing else.

``KILLS=200`` kills so many times; ``KILL_SEED=7`` chooses the moments.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import ForeignKey

from dedupe_toolkit import MergePolicy, match_key, merge, plan_merge, undo
from dedupe_toolkit.models import MergeRun, RowChange
from tests.commands.dying import BATCH, at_statements
from tests.kit import created, snapshot
from tests.merging.killing import killed_merge
from tests.situations.generic.models import NumberNote, TextNote
from tests.situations.links.models import Author, Book, Tag
from tests.situations.rivals.models import Badge, Membership, Profile, Team, User

if TYPE_CHECKING:
    from django.db.models import Model

    from tests.kit import Snapshot

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("KILL_SEED", "20"))
GROUPS, SIZE = 80, 10

Rows = dict[tuple[str, str], tuple[Any, ...]]


def authors() -> None:
    """Groups of two or three with books, colliding links, mentors in other groups, and notes."""
    names = [f"{number}" for number in range(GROUPS) for _ in range(2 + number % 2)]
    Random(1).shuffle(names)  # noqa: S311
    rows = created(Author, (Author(name=name) for name in names))
    for row, mentor in zip(rows[::3], reversed(rows), strict=False):
        row.mentor = mentor
    Author.objects.bulk_update(rows, ["mentor"])
    tags = created(Tag, (Tag(name=str(number)) for number in range(3)))
    Book._base_manager.bulk_create(Book(author=row, title=row.name) for row in rows)
    through = Author.tags.through
    through.objects.bulk_create(
        through(author=row, tag=tags[(row.pk + step) % 3]) for row in rows for step in range(2)
    )
    _notes(rows)


def users() -> None:
    """Groups whose profiles and memberships collide, the latter with badges that collide too."""
    names = [f"{number}" for number in range(GROUPS) for _ in range(2 + number % 2)]
    Random(2).shuffle(names)  # noqa: S311
    rows = created(User, (User(name=name, email=f"{name}@x") for name in names))
    teams = created(Team, (Team(name=str(number)) for number in range(3)))
    Profile.objects.bulk_create(Profile(user=row, bio=f"{row.pk}") for row in rows[::2])
    memberships = created(
        Membership,
        (Membership(user=row, team=teams[row.pk % 3], since=row.pk) for row in rows),
    )
    Badge.objects.bulk_create(
        Badge(membership=row, label=label) for row in memberships for label in ("gold", row.pk)
    )
    _notes(rows)


def _notes(rows: list[Any]) -> None:
    kind = ContentType.objects.get_for_model(rows[0])
    for model in (NumberNote, TextNote):
        model.objects.bulk_create(
            model(content_type=kind, object_id=row.pk, text=row.name) for row in rows
        )


@pytest.mark.parametrize(("model", "fill"), [(Author, authors), (User, users)])
def test_a_run_killed_at_any_moment_leaves_whole_batches_and_the_next_finishes(
    model: type[Model], fill: Any
) -> None:
    fill()
    before = snapshot()
    moments: list[tuple[int, str]] = []
    with at_statements(BATCH, lambda *moment: moments.append(moment)):
        whole = finish(model)
    merged = snapshot()
    undo(whole)
    assert snapshot() == before
    # the last statement says that the run is done: one killed there has nothing left to prove
    for moment in Random(SEED).sample(moments[:-2], KILLS // 2):  # noqa: S311
        killed_and_finished(model, moment, before, merged)


def killed_and_finished(
    model: type[Model], moment: tuple[int, str], before: Snapshot, merged: Snapshot
) -> None:
    rows = rows_by_key()
    killed = kill_one(model, moment)
    assert_whole(killed, model, rows)
    assert killed.status == "running"
    rest = finish(model)
    killed.refresh_from_db()
    assert killed.status == "interrupted"
    assert killed.rows_merged + rest.rows_merged == len(before[model._meta.db_table]) - GROUPS
    assert snapshot() == merged
    undo(rest)
    undo(killed)
    assert snapshot() == before


def finish(model: type[Model]) -> MergeRun:
    policy = MergePolicy(on_collision="merge", batch_size=SIZE)
    return merge(plan_merge(match_key(model, ["name"]), policy=policy))


def kill_one(model: type[Model], moment: tuple[int, str]) -> MergeRun:
    latest = MergeRun.objects.latest("pk").pk
    options = ["--fields", "name", "--on-collision", "merge", "--batch-size", str(SIZE)]
    killed_merge(moment, model, *options)
    return MergeRun.objects.get(pk__gt=latest)


def assert_whole(run: MergeRun, model: type[Model], before: Rows) -> None:
    after = rows_by_key()
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    changes = RowChange.objects.filter(step__run=run).select_related("step")
    journaled = {(apps.get_model(c.step.model)._meta.db_table, c.row) for c in changes}
    assert changed == journaled
    gone = [c for c in changes if c.step.reason == "duplicate"]
    assert len(gone) == run.rows_merged
    assert run.merged == run.batches * SIZE
    assert len({c.survivor for c in gone}) == run.merged
    sizes = Counter(model._base_manager.values_list("name", flat=True))
    assert sum(size == 1 for size in sizes.values()) == run.merged
    assert not {(model._meta.db_table, c.row) for c in gone} & after.keys()
    assert_nothing_dangles(model)


def rows_by_key() -> Rows:
    """Every row of the models at stake, by its table and primary key."""
    models = [m for app in ("links", "rivals", "generic") for m in _models(app)]
    with connection.cursor() as cursor:
        found: Rows = {}
        for model in models:
            table = model._meta.db_table
            columns = ", ".join(map(connection.ops.quote_name, _columns(model)))
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(table)}")
            found |= {(table, str(row[0])): row for row in cursor.fetchall()}
    return found


def _models(app: str) -> list[type[Model]]:
    models = apps.get_app_config(app).get_models(include_auto_created=True)
    return [model for model in models if not model._meta.proxy]


def _columns(model: type[Model]) -> list[str]:
    pk = model._meta.pk.column
    others = [field.column for field in model._meta.concrete_fields if field.column != pk]
    return [pk, *others]


def assert_nothing_dangles(model: type[Model]) -> None:
    for holder in [*_models("links"), *_models("rivals")]:
        for field in holder._meta.concrete_fields:
            if isinstance(field, ForeignKey):
                targets = field.related_model._base_manager.values("pk")
                held = holder._base_manager.filter(**{f"{field.name}__isnull": False})
                assert not held.exclude(**{f"{field.attname}__in": targets}).exists(), field
    keys = {str(pk) for pk in model._base_manager.values_list("pk", flat=True)}
    for note in (NumberNote, TextNote):
        assert {str(pk) for pk in note.objects.values_list("object_id", flat=True)} <= keys
