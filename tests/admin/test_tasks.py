"""Scans and merges as tasks of the project's workers: the pages only look on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from dedupe_toolkit import undo
from dedupe_toolkit.admin import safe_merging, slices, tasks
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.retry import only_run
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan
from dedupe_toolkit.queue import scanning
from dedupe_toolkit.queue.lease import PATIENCE, take
from testproject.films.models import Person
from tests.admin.kit import (
    ALL_RIGHTS,
    OVERVIEW,
    QUEUE,
    client_of,
    digest_on,
    people_called,
    scan,
    steward,
)
from tests.admin.task_backends import NAME, enqueued, forget_tasks, library, work
from tests.concurrency_kit import session
from tests.kit import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)

IN_BACKGROUND = 'id="dedupe-tended">This is under way, in the background'
LEFT_ALONE = 'id="dedupe-left" hidden'
KEPT = "tests.admin.task_backends.Kept"
BEFORE_ITS_MERGE = "mergeable_unreviewed"
"""What a slice calls when it has the run in hand and has merged nothing yet."""


@pytest.fixture
def workers(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": KEPT}}


def begin_scan(client: Client) -> str:
    """Begin the scan of the first key, as the script of the page does; its address."""
    url = client.post(OVERVIEW, {"key": digest_on(client.get(OVERVIEW))}).url.removesuffix("#start")
    told(client, url)
    return str(url)


def begin_merge(client: Client, of: Scan) -> str:
    asking = f"{QUEUE}merge-safe/{of.pk}/"
    seen = client.get(asking).context["groups"]
    url = client.post(asking, {"groups": seen}).url.removesuffix("#start")
    told(client, url)
    return str(url)


def told(client: Client, url: str, what: str = "slice") -> dict[str, Any]:
    """What a POST of the page's script is told."""
    answer: dict[str, Any] = client.post(
        url, {what: "1"}, headers={"accept": "application/json"}
    ).json()
    return answer


def once_after(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], Any]
) -> None:
    """Let something happen right after the first call of a function."""
    function, acts = getattr(owner, name), [act]

    def called(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        if acts:
            acts.pop()()
        return answer

    monkeypatch.setattr(owner, name, called)


def test_a_scan_is_done_by_a_worker_and_its_page_looks_on(
    admin_client: Client, workers: None
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    found = Scan.objects.get()
    admin = User.objects.get(username="admin")
    asked = found.tended.isoformat() if found.tended else ""
    assert enqueued() == [("Scan", found.pk, "default", asked, str(admin.pk), "admin", "en-us")]
    assert not QueuedGroup.objects.exists()
    shown = admin_client.get(page).content.decode()
    assert IN_BACKGROUND in shown
    assert LEFT_ALONE in shown
    assert told(admin_client, page)["pause"] == 1_000
    assert len(enqueued()) == 1
    work()
    assert told(admin_client, page) | {"url": ""} == {
        "words": "1 of 1 group looked at",
        "done": 1,
        "total": 1,
        "finished": True,
        "pause": 0,
        "url": "",
    }
    assert QueuedGroup.objects.get().is_safe
    assert enqueued() == []


@pytest.mark.parametrize(
    "backend",
    [
        f"{NAME}.backends.immediate.ImmediateBackend",
        f"{NAME}.backends.dummy.DummyBackend",
        "tests.admin.task_backends.AtOnce",
    ],
)
def test_without_workers_the_page_does_it(
    admin_client: Client, settings: Any, backend: str
) -> None:
    settings.TASKS = {"default": {"BACKEND": backend}}
    people_called("Agnès Varda", "Agnès Varda")
    shown = admin_client.get(begin_scan(admin_client)).content.decode()
    assert IN_BACKGROUND not in shown
    assert LEFT_ALONE not in shown
    assert Scan.objects.get().status == Scan.Status.DONE


def test_a_library_of_tasks_from_before_its_names_of_today_is_none(
    admin_client: Client, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    with monkeypatch.context() as before:
        before.delattr(library, "task_backends")
        assert IN_BACKGROUND not in admin_client.get(begin_scan(admin_client)).content.decode()
    assert Scan.objects.get().status == Scan.Status.DONE


def test_safe_groups_are_merged_by_a_worker_for_the_user_who_asked(
    admin_client: Client, settings: Any
) -> None:
    people_called(*["Agnès Varda", "Chris Marker", "Jacques Demy"] * 2)
    before = snapshot()
    known = scan(admin_client)
    settings.TASKS = {"default": {"BACKEND": KEPT}}
    page = begin_merge(admin_client, known)
    assert Person.objects.count() == 6
    work()
    assert told(admin_client, page)["finished"]
    run = MergeRun.objects.get()
    assert (run.status, run.merged, run.by) == (MergeRun.Status.DONE, 3, "admin")
    assert LogEntry.objects.filter(content_type__model="person").count() == 3
    undo(run)
    people = Person._meta.db_table
    assert snapshot()[people] == before[people]


def test_a_merge_by_a_worker_is_cancelled_between_two_slices(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called(*[f"Person {number}" for number in range(6)] * 2)
    known = scan(admin_client)
    settings.TASKS = {"default": {"BACKEND": KEPT}}
    monkeypatch.setattr(slices, "SECONDS", 0)
    monkeypatch.setattr(slices, "FIRST_BATCH", 2)
    page = begin_merge(admin_client, known)
    monkeypatch.setattr(tasks, "sleep", lambda seconds: told(admin_client, page, "cancel"))
    work()
    run = MergeRun.objects.get()
    assert (run.status, run.merged) == (MergeRun.Status.INTERRUPTED, 2)
    assert Person.objects.count() == 10
    assert QueuedGroup.objects.filter(state="pending", run=None).count() == 4
    assert run.tended is None


def test_a_scan_that_no_worker_comes_for_is_done_by_its_page(
    admin_client: Client, workers: None
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    assert not told(admin_client, page)["finished"]
    Scan.objects.update(tended=timezone.now() - timedelta(seconds=1))
    assert told(admin_client, page)["finished"]
    assert QueuedGroup.objects.count() == 1


def test_a_worker_does_nothing_for_whoever_may_no_longer(
    admin_client: Client, workers: None
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    client = client_of(steward(*ALL_RIGHTS))
    page = begin_scan(client)
    User.objects.get(username="steward").user_permissions.clear()
    work()
    assert not QueuedGroup.objects.exists()
    # it is nobody's any more: whoever opens its page does it there
    assert told(admin_client, page)["finished"]


def test_a_queue_of_tasks_that_does_not_answer_leaves_the_work_to_the_page(
    admin_client: Client, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "tests.admin.task_backends.Broken"}}
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    assert told(admin_client, page)["finished"]


def two_to_merge(client: Client, settings: Any) -> str:
    """The address of a merge of two groups, for which a worker was asked."""
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    known = scan(client)
    settings.TASKS = {"default": {"BACKEND": KEPT}}
    return begin_merge(client, known)


def test_what_a_batch_has_merged_when_it_is_cancelled_is_counted_and_can_be_undone(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "FIRST_BATCH", 1)
    page = two_to_merge(admin_client, settings)
    before = snapshot()[Person._meta.db_table]
    once_after(
        monkeypatch, safe_merging, BEFORE_ITS_MERGE, lambda: told(admin_client, page, "cancel")
    )
    work()
    run = MergeRun.objects.get()
    assert (run.groups, run.merged, run.status) == (1, 1, MergeRun.Status.INTERRUPTED)
    groups = QueuedGroup.objects.order_by("pk").values_list("state", "run")
    assert list(groups) == [("merged", run.pk), ("pending", None)]
    assert told(admin_client, page)["finished"]
    admin_client.post(f"/admin/dedupe_toolkit/mergerun/{run.pk}/undo/")
    assert snapshot()[Person._meta.db_table] == before
    assert QueuedGroup.objects.filter(state="pending", run=None).count() == 2


def test_the_page_does_nothing_while_a_worker_is_in_its_slice(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = two_to_merge(admin_client, settings)
    seen: list[tuple[Any, int]] = []

    def look() -> None:
        MergeRun.objects.filter(tended=None).update(tended=timezone.now())
        seen.append((told(admin_client, page)["finished"], Person.objects.count()))

    once_after(monkeypatch, safe_merging, BEFORE_ITS_MERGE, look)
    work()
    assert seen == [(False, 4)]
    assert MergeRun.objects.get().merged == 2


def test_a_worker_that_comes_while_the_page_is_in_its_slice_leaves_it_to_the_page(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = two_to_merge(admin_client, settings)
    MergeRun.objects.update(tended=timezone.now() - timedelta(seconds=1))
    seen: list[int] = []

    def come() -> None:
        work()
        seen.append(Person.objects.count())

    once_after(monkeypatch, safe_merging, BEFORE_ITS_MERGE, come)
    assert told(admin_client, page)["finished"]
    assert seen == [4]
    run = MergeRun.objects.get()
    assert (run.merged, run.groups_held_back) == (2, 0)
    assert set(QueuedGroup.objects.values_list("state", "run")) == {("merged", run.pk)}


def test_groups_that_another_has_merged_meanwhile_stay_merged(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = two_to_merge(admin_client, settings)
    MergeRun.objects.update(tended=timezone.now() - timedelta(seconds=1))

    def another_in_time() -> None:
        MergeRun.objects.update(tended=timezone.now() - timedelta(seconds=1))
        assert told(admin_client, page)["finished"]

    once_after(monkeypatch, safe_merging, BEFORE_ITS_MERGE, another_in_time)
    told(admin_client, page)
    run = MergeRun.objects.get()
    assert (run.merged, run.groups_held_back) == (2, 0)
    assert set(QueuedGroup.objects.values_list("state", "run")) == {("merged", run.pk)}


def test_a_merge_goes_on_when_another_merge_of_the_model_has_ended(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = two_to_merge(admin_client, settings)
    monkeypatch.setattr(safe_merging, "WAIT", 0)
    MergeRun.objects.update(tended=timezone.now() - timedelta(seconds=1))
    with session() as other:
        running = other.do(lambda: only_run(database("default"), "films.Person", 0, lambda: False))
        other.do(running.__enter__)
        assert not told(admin_client, page)["finished"]
        assert QueuedGroup.objects.exclude(run=None).count() == 2
        ends = [lambda: other.do(running.__exit__, None, None, None)]
        monkeypatch.setattr(tasks, "sleep", lambda seconds: ends.pop()() if ends else None)
        work()
    assert not ends, "the worker came while the other merge was running"
    assert told(admin_client, page)["finished"]
    assert MergeRun.objects.get().merged == 2


def test_of_two_pages_that_come_at_once_one_asks_a_worker(
    admin_client: Client, workers: None
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    admin_client.post(OVERVIEW, {"key": digest_on(admin_client.get(OVERVIEW))})
    request = HttpRequest()
    request.user = User.objects.get(username="admin")
    for seen in [Scan.objects.get(), Scan.objects.get()]:
        assert tasks.own_lease(site, request, seen) is None
    assert len(enqueued()) == 1


def test_a_scan_begun_again_within_a_slice_is_gone_on_with_by_the_same_worker(
    admin_client: Client, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    key = digest_on(admin_client.get(OVERVIEW))
    page = begin_scan(admin_client)

    def begin_again() -> None:
        told(admin_client, page, "cancel")
        admin_client.post(OVERVIEW, {"key": key})
        assert not told(admin_client, page)["finished"]
        assert len(enqueued()) == 1

    once_after(monkeypatch, scanning, "split_by_verdict", begin_again)
    work()
    assert Scan.objects.get().status == Scan.Status.DONE
    assert QueuedGroup.objects.get().is_safe


@pytest.mark.parametrize("by_worker", [True, False])
def test_a_scan_that_is_cancelled_while_it_searches_stays_cancelled(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, *, by_worker: bool
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    url = admin_client.post(OVERVIEW, {"key": digest_on(admin_client.get(OVERVIEW))}).url
    page = url.removesuffix("#start")
    once_after(
        monkeypatch, scanning, "split_by_verdict", lambda: told(admin_client, page, "cancel")
    )
    if by_worker:
        settings.TASKS = {"default": {"BACKEND": KEPT}}
        told(admin_client, page)
        work()
    else:
        assert told(admin_client, page)["finished"]
    found = Scan.objects.get()
    assert (found.status, found.tended) == (Scan.Status.CANCELLED, None)
    assert QueuedGroup.objects.get().examined == 0


def test_a_search_is_not_begun_a_second_time_while_it_takes_long(
    admin_client: Client, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    later: list[dict[str, Any]] = []

    def look_later() -> None:
        Scan.objects.update(tended=timezone.now() - timedelta(hours=1))
        later.append(told(admin_client, page))

    once_after(monkeypatch, scanning, "split_by_verdict", look_later)
    work()
    assert [(one["finished"], one["pause"]) for one in later] == [(False, 1_000)]
    assert Scan.objects.get().number == 1


class KilledError(BaseException):
    """What ends a worker without another word."""


def test_a_scan_whose_worker_was_killed_while_it_searched_is_gone_on_with_a_minute_later(
    admin_client: Client, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> None:
        raise KilledError

    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    once_after(monkeypatch, scanning, "split_by_verdict", killed)
    with pytest.raises(KilledError):
        work()
    left = Scan.objects.get()
    assert left.tended is not None
    assert left.tended - timezone.now() <= PATIENCE
    assert not told(admin_client, page)["finished"]
    Scan.objects.update(tended=timezone.now() - timedelta(seconds=1))
    assert told(admin_client, page)["finished"]
    assert QueuedGroup.objects.get().is_safe


def test_a_worker_is_asked_again_where_one_ended_in_the_middle(
    admin_client: Client, settings: Any
) -> None:
    page = two_to_merge(admin_client, settings)
    enqueued_before = enqueued()
    forget_tasks()  # the worker took it, and was killed
    MergeRun.objects.update(tended=timezone.now() - PATIENCE)
    assert told(admin_client, page)["pause"] == 1_000
    assert Person.objects.count() == 4
    assert [one[1] for one in enqueued()] == [one[1] for one in enqueued_before]
    work()
    assert told(admin_client, page)["finished"]
    assert MergeRun.objects.get().merged == 2


def test_the_page_waits_a_few_seconds_for_a_worker_that_it_asks_again(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SECONDS", 0)
    monkeypatch.setattr(slices, "FIRST_BATCH", 1)
    page = two_to_merge(admin_client, settings)
    MergeRun.objects.update(tended=timezone.now() - PATIENCE)
    told(admin_client, page)
    asked = MergeRun.objects.get()
    assert asked.tended is not None
    assert asked.tended - timezone.now() < PATIENCE / 2
    MergeRun.objects.update(tended=timezone.now() - timedelta(seconds=1))
    told(admin_client, page)
    told(admin_client, page)
    assert len(enqueued()) == 2
    assert MergeRun.objects.get().merged == 2


def test_whoever_is_no_longer_on_the_staff_has_nothing_done_for_them(
    admin_client: Client, workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    monkeypatch.setattr(slices, "SECONDS", 0)
    monkeypatch.setattr(slices, "FIRST_BATCH", 1)
    begin_scan(client_of(steward(*ALL_RIGHTS)))
    stewards = User.objects.filter(username="steward")
    monkeypatch.setattr(tasks, "sleep", lambda seconds: stewards.update(is_staff=False))
    work()
    assert Scan.objects.get().status == Scan.Status.RUNNING
    assert QueuedGroup.objects.filter(examined=1).count() == 1


def test_a_lease_is_one_holders_until_its_time_is_over() -> None:
    found = Scan.objects.create(model="films.Person")
    first = take(found)
    assert first is not None
    assert take(found) is None
    assert first.renew()
    Scan.objects.update(tended=timezone.now() - timedelta(seconds=1))
    second = take(found)
    assert second is not None
    assert not first.renew()
    first.leave(None)
    assert second.renew(), "who has lost it cannot give it away"
