"""What is told of a server and its replica: both have the same rows after each step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections

from dedupe_toolkit import MergeRun, undo
from tests.kit import changed_tables, created, snapshot
from tests.situations.generic.models import NumberNote
from tests.situations.links.models import Author, Book, Tag

from .servers import PATIENCE

if TYPE_CHECKING:
    from .servers import Servers

GROUPS = 600
MERGE = ["merge_duplicates", "links.Author", "--fields", "name", "--no-input"]


def tell(servers: Servers) -> None:
    fill()
    before = equal_on_both("the rows to merge")
    call_command(*MERGE, "--batch-size", "50", stdout=StringIO())
    equal_on_both("a merge in twelve batches")
    take_back(before)
    in_slices(before)
    if servers.can_be_asked:
        waits_for_its_replica(servers)
        take_back(before)


def fill() -> None:
    """Groups of two or three authors, half of them called a…, the others b…, and their children."""
    names = [f"{'ab'[n % 2]}{n}" for n in range(GROUPS) for _ in range(2 + n % 2)]
    authors = created(Author, (Author(name=name) for name in names))
    tags = created(Tag, (Tag(name=str(number)) for number in range(3)))
    Book._base_manager.bulk_create(Book(author=row, title=row.name) for row in authors)
    through: Any = Author.tags.through
    through.objects.bulk_create(
        through(author=row, tag=tags[(row.pk + step) % 3]) for row in authors for step in range(2)
    )
    kind = ContentType.objects.get_for_model(Author)
    NumberNote.objects.bulk_create(
        NumberNote(content_type=kind, object_id=row.pk, text=row.name) for row in authors
    )


def equal_on_both(step: str) -> dict[str, list[str]]:
    """The rows, once both servers have the same; the journal is compared by its counts."""
    deadline = monotonic() + PATIENCE
    while True:
        here, there = everything("default"), everything("replica")
        if here == there:
            print(f"  both sides equal after {step}")
            return snapshot()
        if monotonic() > deadline:
            raise SystemExit(f"after {step} these differ: {sorted(changed_tables(here, there))}")
        sleep(0.3)


def everything(using: str) -> dict[str, list[str]]:
    with connections[using].cursor() as cursor:
        there = connections[using].introspection.table_names(cursor)
        if "dedupe_toolkit_rowchange" not in there:
            return {}
        journal = {}
        for table in ("mergerun", "mergestep", "rowchange"):
            cursor.execute(f"SELECT * FROM dedupe_toolkit_{table}")
            journal[table] = sorted(map(repr, cursor.fetchall()))
    return snapshot(using) | journal


def take_back(before: dict[str, list[str]]) -> None:
    for run in MergeRun.objects.exclude(status="undone").filter(merged__gt=0).order_by("-pk"):
        undo(run)
    assert equal_on_both("its undo") == before, "undo has not brought back what was there"


def in_slices(before: dict[str, list[str]]) -> None:
    """Two processes merge disjoint slices of a model at once: nothing is lost, none hangs."""
    both = [
        started(*MERGE, "--batch-size", "20", "--where", f"name__startswith={letter}")
        for letter in "ab"
    ]
    ends = [process.communicate(timeout=PATIENCE)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    if codes == [0, 1]:
        (refused,) = (end for end in ends if "another merge of this model is running" in end)
        call_command(*MERGE, stdout=StringIO())
        print(f"  the second process was refused: {refused.strip()}")
    elif codes != [0, 0]:
        raise SystemExit(f"two slices ended with {codes}: {ends}")
    assert Author.objects.count() == GROUPS
    equal_on_both("two processes on disjoint slices")
    take_back(before)


def waits_for_its_replica(servers: Servers) -> None:
    """A merge that is asked to stops while its replica stands still, and says so."""
    servers.pause()
    lag = ["--batch-size", "50", "--max-lag", "1s", "--replicas", "replica"]
    merging = started(*MERGE, *lag)
    try:
        reason = until_it_waits(merging)
        print(f"  the merge waits: {reason}")
        done = MergeRun.objects.latest("pk").merged
        assert 0 < done < GROUPS, f"{done} groups merged while the replica stood still"
    finally:
        servers.go_on()
    _, errors = merging.communicate(timeout=PATIENCE)
    assert merging.returncode == 0, errors
    assert "Waiting: replica 'replica'" in errors
    equal_on_both("a merge that waited for its replica")


def until_it_waits(merging: subprocess.Popen[str]) -> str:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline and merging.poll() is None:
        out = StringIO()
        call_command("merge_runs", "--limit", "1", "--format", "json", stdout=out)
        (run,) = json.loads(out.getvalue())["runs"]
        if run["waits_for"]:
            assert run["status"] == "running"
            return str(run["waits_for"])
        sleep(0.1)
    raise SystemExit(f"the merge did not wait: {merging.communicate()}")


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=Path(__file__).resolve().parent.parent.parent,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
