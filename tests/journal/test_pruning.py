"""Old runs are let go: what stays known of their rows, what does not, and what is left alone."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dedupe_toolkit import (
    DedupeError,
    MergeRun,
    find_duplicates,
    get_object_or_survivor,
    match_key,
    prune_merge_runs,
    survivor_of,
    survivors_of,
    undo,
)
from dedupe_toolkit.journal import pruning
from dedupe_toolkit.models import MergeStep, RowChange
from dedupe_toolkit.reviewing.held_back import held_back
from tests.kit import assert_undo_restores, merged, merged_rows, snapshot
from tests.situations.keyed.models import Account, Device, Enrolment, Settings
from tests.situations.links.models import Author, Book
from tests.situations.rivals.models import Membership, Team, User

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.django_db


def authors(*names: str) -> list[Author]:
    return [Author.objects.create(name=name) for name in names]


def merged_long_ago(*names: str) -> tuple[MergeRun, list[Author]]:
    rows = authors(*names)
    Book.objects.create(author=rows[-1], title="War")
    run = merged(Author, "name")
    aged(run)
    return run, rows


def aged(run: MergeRun, **changes: datetime | None) -> None:
    then = timezone.now() - timedelta(days=100)
    MergeRun.objects.filter(pk=run.pk).update(**{"started": then, "finished": then} | changes)


def ninety_days_ago() -> datetime:
    return timezone.now() - timedelta(days=90)


def pruned(*args: str, **options: object) -> str:
    out = StringIO()
    call_command("prune_merge_runs", *args, interactive=False, stdout=out, **options)
    return out.getvalue()


def test_the_journal_of_an_old_run_goes_and_with_it_its_undo() -> None:
    run, (_, gone) = merged_long_ago("Ann", "Ann")
    rows = snapshot()
    assert "1 merge run pruned: 2 row changes deleted." in pruned("--older-than", "90d")
    assert not MergeRun.objects.exists()
    assert not MergeStep.objects.exists()
    assert not RowChange.objects.exists()
    assert snapshot() == rows
    assert survivor_of(Author, gone.pk) == gone.pk
    with pytest.raises(DedupeError, match=f"no merge run {run.pk}"):
        undo(run)


def test_old_keys_go_on_resolving_where_the_pairs_are_kept() -> None:
    run, (kept, *gone) = merged_long_ago("Ann", "Ann", "Ann")
    text = pruned("--older-than", "90d", "--keep-pairs")
    assert "1 merge run pruned: 1 row change deleted, 2 pairs kept." in text
    assert [survivor_of(Author, row.pk) for row in gone] == [kept.pk, kept.pk]
    assert set(RowChange.objects.values_list("before", "after")) == {(None, None)}
    with pytest.raises(DedupeError, match=f"merge run {run.pk} has been pruned"):
        undo(run)
    assert "No merge run is older than 90d." in pruned("--older-than", "90d", "--keep-pairs")


def test_pairs_that_were_kept_can_be_let_go_later() -> None:
    merged_long_ago("Ann", "Ann")
    pruned("--older-than", "90d", "--keep-pairs")
    pruned("--older-than", "90d")
    assert not MergeRun.objects.exists()
    assert not RowChange.objects.exists()


def test_rows_merged_as_rivals_keep_their_pairs_too() -> None:
    users = [User.objects.create(name="Ann") for _ in range(2)]
    team = Team.objects.create(name="Red")
    # other keys than those of the users, of which the group is made
    keys = [user.pk + 1000 for user in users]
    for pk, user in zip(keys, users, strict=True):
        Membership.objects.create(pk=pk, user=user, team=team, since=1)
    aged(merged(User, "name", on_collision="merge"))
    prune_merge_runs(ninety_days_ago(), keep_pairs=True)
    assert [survivor_of(Membership, pk) for pk in keys] == [keys[0], keys[0]]


def test_rows_whose_keys_move_are_found_by_their_old_ones() -> None:
    accounts = [Account.objects.create(name="Ann") for _ in range(3)]
    Settings.objects.create(account=accounts[1], theme="dark")
    Settings.objects.create(account=accounts[2], theme="dark")
    Enrolment.objects.create(account=accounts[2], course=7)
    aged(merged(Account, "name", on_collision="merge"))
    prune_merge_runs(ninety_days_ago(), keep_pairs=True)
    kept, *gone = (account.pk for account in accounts)
    assert survivors_of(Settings, gone) == dict.fromkeys(gone, kept)
    assert survivor_of(Enrolment, (gone[1], 7)) == (kept, 7)


def test_a_run_that_was_undone_leaves_nothing() -> None:
    run, _ = merged_long_ago("Ann", "Ann")
    undo(run)
    prune_merge_runs(ninety_days_ago(), keep_pairs=True)
    assert not MergeRun.objects.exists()
    assert not RowChange.objects.exists()


def test_groups_held_back_long_ago_are_forgotten() -> None:
    users = [User.objects.create(name="Ann") for _ in range(2)]
    team = Team.objects.create(name="Red")
    for since, user in enumerate(users):
        Membership.objects.create(user=user, team=team, since=since)
    aged(merged(User, "name"))
    assert len(list(held_back(User))) == 1
    prune_merge_runs(ninety_days_ago(), keep_pairs=True)
    assert list(held_back(User)) == []
    assert find_duplicates(match_key(User, ["name"])).groups == 1


def test_a_run_of_yesterday_can_still_be_undone() -> None:
    before_it = authors("Bob", "Bob")
    before = snapshot()
    young = merged(Author, "name")
    merged_long_ago("Ann", "Ann")
    # what the older merge left belongs to the picture
    Book.objects.all().delete()
    Author.objects.exclude(pk=before_it[0].pk).delete()
    prune_merge_runs(ninety_days_ago())
    assert_undo_restores(young, before)


def test_a_run_without_an_end_is_as_old_as_its_start() -> None:
    run, _ = merged_long_ago("Ann", "Ann")
    aged(run, finished=None)
    assert prune_merge_runs(ninety_days_ago()).runs == 1


def test_slices_together_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SLICE", 2)
    merged_long_ago(*["Ann"] * 8)
    seen: list[tuple[int, int]] = []
    done = prune_merge_runs(ninety_days_ago(), progress=lambda *at: seen.append(at))
    assert (done.runs, done.row_changes, seen[-1]) == (1, 8, (8, 8))
    assert len(seen) > 3
    assert not RowChange.objects.exists()


def test_what_was_stopped_is_finished_by_the_same_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SLICE", 2)
    run, (kept, *gone) = merged_long_ago(*["Ann"] * 8)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune_merge_runs(ninety_days_ago(), keep_pairs=True, progress=stop)
    # nothing of it may be undone: a part of what its rows were is gone
    with pytest.raises(DedupeError, match="has been pruned"):
        undo(run)
    prune_merge_runs(ninety_days_ago(), keep_pairs=True)
    assert not RowChange.objects.exclude(before=None, merged__isnull=False).exists()
    assert {survivor_of(Author, row.pk) for row in gone} == {kept.pk}


@pytest.mark.parametrize(("number", "unit"), [("2400", "h"), ("100", "d"), ("15", "w")])
def test_an_age_is_a_number_and_a_unit(number: str, unit: str) -> None:
    assert f"No merge run is older than {number}{unit}." in pruned("--older-than", number + unit)


@pytest.mark.parametrize("text", ["90", "d", "-3d", "9 d", "1y"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match=r"--older-than takes an age such as 90d, 12h or 8w, no"):
        pruned(f"--older-than={text}")


def test_without_an_age_nothing_is_pruned() -> None:
    with pytest.raises(CommandError, match="--older-than takes an age"):
        pruned()


def test_a_dry_run_keeps_all_of_it() -> None:
    merged_long_ago("Ann", "Ann")
    rows = RowChange.objects.count()
    assert "1 merge run would be pruned." in pruned("--older-than", "90d", dry_run=True)
    assert RowChange.objects.count() == rows


def test_many_old_keys_take_as_many_look_ups_as_their_longest_chain() -> None:
    rows = authors(*[str(number) for number in range(40) for _ in range(2)], "Zoe")
    merged(Author, "name")
    with CaptureQueriesContext(connection) as queries:
        found = survivors_of(Author, [row.pk for row in rows])
    assert len(queries) == 2
    assert found == {
        **{row.pk: rows[n - n % 2].pk for n, row in enumerate(rows[:-1])},
        rows[-1].pk: rows[-1].pk,
    }


def test_keys_that_are_given_again_lead_to_what_became_of_their_last_row() -> None:
    a, b, c = authors("A", "B", "C")
    merged_rows(Author, a.pk, b.pk, into=b.pk)
    merged_rows(Author, b.pk, c.pk, into=c.pk)
    again = Author.objects.create(pk=a.pk, name="A again")
    merged_rows(Author, c.pk, again.pk, into=again.pk)
    # c went into the second row of this key; what became of the first is not its story
    assert survivor_of(Author, c.pk) == again.pk
    assert survivors_of(Author, [b.pk, c.pk]) == {b.pk: again.pk, c.pk: again.pk}


def test_a_view_gets_the_row_or_its_survivor_or_answers_404() -> None:
    kept, gone = authors("Ann", "Ann")
    merged(Author, "name")
    with CaptureQueriesContext(connection) as queries:
        assert get_object_or_survivor(Author, str(kept.pk)) == kept
    assert len(queries) == 1
    assert get_object_or_survivor(Author, gone.pk) == kept
    assert get_object_or_survivor(Author.objects, gone.pk) == kept
    assert get_object_or_survivor(Author.objects.filter(name="Ann"), gone.pk) == kept
    for rows, pk in (
        (Author, kept.pk + 1000),
        (Author, "x"),
        (Author, 10**30),
        (Author.objects.exclude(name="Ann"), gone.pk),
    ):
        with pytest.raises(Http404):
            get_object_or_survivor(rows, pk)


def test_a_key_that_is_in_use_again_leads_to_its_own_row() -> None:
    kept, gone = (Device.objects.create(serial="1") for _ in range(2))
    merged_rows(Device, kept.pk, gone.pk, into=kept.pk)
    back = Device.objects.create(pk=gone.pk, serial="2")
    assert get_object_or_survivor(Device, str(gone.pk)) == back
