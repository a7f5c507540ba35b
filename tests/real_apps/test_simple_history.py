"""django-simple-history: what its tables say of a merged row, under its own id and others'."""

from __future__ import annotations

import pytest

from dedupe_toolkit import register, survivor_of
from dedupe_toolkit.registry import unregister
from tests.kit import assert_undo_restores, counts
from tests.real_apps.integrity import soundly_merged
from tests.real_apps.models import Choice, Poll

pytestmark = pytest.mark.django_db


def polls() -> tuple[Poll, Poll]:
    survivor, duplicate = (Poll.objects.create(question="why?") for _ in range(2))
    duplicate.note = "asked twice"
    duplicate.save()
    return survivor, duplicate


def test_the_history_of_a_merged_row_stays_under_its_old_id() -> None:
    survivor, duplicate = polls()
    run, before = soundly_merged(Poll, "question")
    assert survivor.history.count() == 1
    old = Poll.history.filter(id=duplicate.pk)
    assert [entry.note for entry in old.order_by("history_id")] == ["", "asked twice"]
    assert survivor_of(Poll, duplicate.pk) == survivor.pk
    assert old.first().diff_against(old.last()).changed_fields == ["note"]
    assert_undo_restores(run, before)


def test_the_history_follows_where_a_project_declares_it() -> None:
    survivor, _ = polls()
    register(Poll, references=["real_apps.HistoricalPoll.id"])
    try:
        run, before = soundly_merged(Poll, "question")
    finally:
        unregister(Poll)
    assert survivor.history.count() == 3
    assert [entry.instance.pk for entry in survivor.history.all()] == [survivor.pk] * 3
    assert counts(run, "real_apps.HistoricalPoll.id") == (2, 0, 0)
    assert_undo_restores(run, before)


def test_histories_of_other_rows_name_the_survivor_so_that_nothing_dangles() -> None:
    survivor, duplicate = polls()
    choice = Choice.objects.create(poll=duplicate, text="because")
    run, before = soundly_merged(Poll, "question")
    assert {entry.poll for entry in choice.log.all()} == {survivor}
    assert choice.log.latest().instance.poll == survivor
    assert_undo_restores(run, before)


def test_a_history_with_a_relation_of_its_own_follows_by_that_relation() -> None:
    poll = Poll.objects.create(question="why?")
    survivor, duplicate = (Choice.objects.create(poll=poll, text="because") for _ in range(2))
    run, before = soundly_merged(Choice, "text")
    assert survivor.log.count() == 2
    assert set(survivor.log.values_list("id", flat=True)) == {survivor.pk, duplicate.pk}
    assert_undo_restores(run, before)
