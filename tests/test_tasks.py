"""Scans and merges as tasks of the project's workers: the pages only look on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from dedupe_toolkit import undo
from dedupe_toolkit.admin import slices, tasks
from dedupe_toolkit.models import MergeRun, QueuedGroup, Scan
from testproject.films.models import Person
from tests.kit import snapshot
from tests.task_backends import NAME, enqueued, work
from tests.test_admin import client_of
from tests.test_admin_queue import (
    ALL_RIGHTS,
    OVERVIEW,
    QUEUE,
    digest_on,
    people_called,
    scan,
    steward,
)

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)

IN_BACKGROUND = 'id="dedupe-tended">The site does this in the background'
LEFT_ALONE = 'id="dedupe-left" hidden'
KEPT = "tests.task_backends.Kept"


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


def test_a_scan_is_done_by_a_worker_and_its_page_looks_on(
    admin_client: Client, workers: None
) -> None:
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    found = Scan.objects.get()
    admin = User.objects.get(username="admin")
    assert enqueued() == [("Scan", found.pk, "default", str(admin.pk), "admin")]
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


@pytest.mark.parametrize("backend", ["immediate.ImmediateBackend", "dummy.DummyBackend"])
def test_without_workers_the_page_does_it(
    admin_client: Client, settings: Any, backend: str
) -> None:
    settings.TASKS = {"default": {"BACKEND": f"{NAME}.backends.{backend}"}}
    people_called("Agnès Varda", "Agnès Varda")
    shown = admin_client.get(begin_scan(admin_client)).content.decode()
    assert IN_BACKGROUND not in shown
    assert LEFT_ALONE not in shown
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
    Scan.objects.update(tended=timezone.now() - timedelta(minutes=2))
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
    settings.TASKS = {"default": {"BACKEND": "tests.task_backends.Broken"}}
    people_called("Agnès Varda", "Agnès Varda")
    page = begin_scan(admin_client)
    assert told(admin_client, page)["finished"]
