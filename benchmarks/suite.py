"""What is measured, and what it is held against. Each function gives rows for the report."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING, Any

from .report import Row
from .runner import Job, Samples, middle, waited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .runner import Runner

PEERS = [
    "django-extensions",
    "django-extensions, its command",
    "django-super-deduper",
    "django-adminactions",
]
RAW, JOURNALED, ONE_BATCH, BATCHES = (
    "hand-written SQL",
    "hand-written SQL with journal",
    "engine, one batch",
    "engine, default batches",
)


BESIDE = ("with writers, one batch", "with writers, batches by time")
LONGEST_WAIT, MOST_WAITING = 1.0, 0.05
"""What is asked of a merge in batches by time: seconds, and a share of the writers' time."""


class TablesDiffer(Exception):
    """Two contestants did not leave the same rows."""


def verify(runner: Runner) -> None:
    """All contestants leave the same rows in every table, and undo brings the old ones back.

    Raises `TablesDiffer` if not.
    """
    found = {
        label: runner.once(Job(name=job.name, options={**job.options, "check": True}))
        for label, job in _contestants().items()
    }
    for label, result in found.items():
        if result["checksums"] != found[RAW]["checksums"]:
            raise TablesDiffer(f"{label}: {result['checksums']} != {found[RAW]['checksums']}")
    if not found[ONE_BATCH]["is_undone"]:
        raise TablesDiffer("undo left other rows than there were before the merge")


def _contestants() -> dict[str, Job]:
    return {
        RAW: Job(name="raw", options={"journaled": False}),
        JOURNALED: Job(name="raw", options={"journaled": True}),
        ONE_BATCH: Job(name="engine", options={"batch_size": 0, "undone": True}),
        BATCHES: Job(name="engine"),
    }


def merging(runner: Runner, repetitions: int) -> tuple[Samples, list[Row]]:
    """Merge, dry run and undo against the hand-written SQL."""
    samples = runner.interleaved(_contestants(), repetitions)
    # SQLite lets one session write at a time, however long: its batches are large on purpose
    longest = None if runner.server.name == "sqlite" else 5
    return samples, list(_merge_rows(samples, longest))


def _merge_rows(samples: Samples, longest_batch: float | None) -> Iterator[Row]:
    raw, journaled = middle(samples[RAW], "total"), middle(samples[JOURNALED], "total")
    engine, batched = samples[ONE_BATCH], samples[BATCHES]
    total = middle(engine, "total")
    yield Row("plan and merge, against hand-written SQL", total, raw, goal=1.5)
    yield Row("… with the same journal", total, journaled, goal=1.2)
    yield Row("merge alone, against SQL with journal", middle(engine, "merge"), journaled)
    yield Row("default batches, against one batch", middle(batched, "total"), total)
    yield Row("dry run, against plan and merge", middle(engine, "plan"), total, goal=0.5)
    yield Row("undo, against plan and merge", middle(engine, "undo"), total, goal=2)
    longest = median(sample["longest_batch"] for sample in batched)
    yield Row("longest batch (wall)", longest, limit=longest_batch)
    yield Row("median wall time of plan and merge", waited(engine, "total"))
    first = batched[0]
    yield Row("statements of the plan", first["plan_statements"], unit="")
    per_batch = first["statements"] / max(first["batches"], 1)
    yield Row("statements per batch", per_batch, unit="")


def finding(runner: Runner, repetitions: int, times: int) -> tuple[Samples, list[Row]]:
    """Find, on a plain and on a transformed key, against the bare GROUP BY."""
    jobs = {}
    for key in ("plain", "lower"):
        jobs[f"GROUP BY, {key}"] = Job(
            name="bare", options={"key": key, "times": times}, writes=False
        )
        for members in (False, True):
            options = {"key": key, "members": members, "times": times}
            label = f"find {'members' if members else 'counts'}, {key}"
            jobs[label] = Job(name="find", options=options, writes=False)
    samples = runner.interleaved(jobs, repetitions)
    rows = []
    for key in ("plain", "lower"):
        bare = middle(samples[f"GROUP BY, {key}"], "total")
        for what, goal in (("counts", 1.3), ("members", 2.0)):
            found = middle(samples[f"find {what}, {key}"], "total")
            label = f"find {what}, {key} key, against GROUP BY"
            rows.append(Row(label, found / times, bare / times, goal=goal))
    return samples, rows


def memory(runner: Runner) -> tuple[Samples, list[Row]]:
    """Peak memory of the whole process that plans and merges, on Django's settings."""
    samples = runner.interleaved({"memory": Job(name="engine", is_tuned=False)}, 1)
    peak = samples["memory"][0]["peak"] / 1e6
    return samples, [Row("peak memory of plan and merge", peak, unit="MB", limit=150)]


def reviewing(runner: Runner) -> tuple[Samples, list[Row]]:
    """The admin's page for single groups: what it asks, how long that takes, what it scans."""
    job = Job(name="review", is_tuned=False, settings="benchmarks.review_settings")
    samples = runner.interleaved({"review": job}, 1)
    (sample,) = samples["review"]
    rows = [Row("review pages: full scans of large tables", len(sample["scans"]), unit="", limit=0)]
    for kind in ("nothing collides", "rows collide"):
        pages = [page for page in sample["pages"] if page["kind"] == kind]
        if pages:
            most = max(page["queries"] for page in pages)
            rows.append(Row(f"review page, {kind}: queries", most, unit="", limit=15))
            times = [page["seconds"] for page in pages]
            rows.append(Row(f"review page, {kind} (wall, median)", median(times)))
    return samples, rows


def beside_writers(runner: Runner, repetitions: int) -> tuple[Samples, list[Row]]:
    """A merge beside three writers, by default, and in batches of a fixed size as a comparison."""
    jobs = {
        "alone, one batch": {"is_alone": True, "batch_size": 0},
        "alone, batches by time": {"is_alone": True},
        BESIDE[1]: {},
        BESIDE[0]: {"batch_size": 0},
    }
    found = {
        label: Job(name="beside_writers", options=options, is_tuned=False)
        for label, options in jobs.items()
    }
    samples = runner.interleaved(found, repetitions)
    alone = waited(samples["alone, one batch"], "total")
    rows = []
    for label in list(jobs)[1:]:
        taken = waited(samples[label], "total")
        rows.append(Row(f"merge {label}, against alone in one batch (wall)", taken, alone))
    for label in list(jobs)[2:]:
        for name, unit, limit in (("longest", "s", LONGEST_WAIT), ("share", "", MOST_WAITING)):
            value = median(sample[name] for sample in samples[label])
            asked = limit if label.endswith("by time") else None
            rows.append(Row(f"{label}: {name} of waits", value, limit=asked, unit=unit))
    return samples, rows


def constraint(runner: Runner, repetitions: int) -> tuple[Samples, list[Row]]:
    """What writers wait for while the constraint is added, after everything has been merged."""
    jobs = {"constraint added": {}, "constraint added concurrently": {"concurrently": True}}
    if runner.server.name != "postgresql":
        del jobs["constraint added concurrently"]
    found = {
        label: Job(name="constraint_beside_writers", options=options, is_tuned=False)
        for label, options in jobs.items()
    }
    samples = runner.interleaved(found, repetitions)
    rows = []
    for label in jobs:
        rows.append(Row(f"{label}, beside writers (wall)", waited(samples[label], "total")))
        longest = median(sample["longest"] for sample in samples[label])
        rows.append(Row(f"{label}, beside writers: longest of waits", longest))
    return samples, rows


def pairs(runner: Runner) -> tuple[Samples, list[Row]]:
    """One pair of rows in a schema of 130 references, by how many tables have rows of theirs."""
    runner.server.create(runner.template)
    job = Job(name="pairs", writes=False, is_tuned=False, settings="benchmarks.wide_settings")
    samples = runner.interleaved({"pairs": job}, 1)
    runner.drop()
    rows = []
    for tables, sample in samples["pairs"][0].items():
        limits = {"dry run": 30, "merge": 40 + 2 * int(tables)}
        for what, found in sample.items():
            label = f"one pair, rows in {tables} of 130 tables: {what}"
            limit = limits.get(what)
            rows.append(Row(f"{label}, statements", found["statements"], unit="", limit=limit))
            rows.append(Row(f"{label} (wall)", found["wall"]))
    return samples, rows


def peers(runner: Runner, repetitions: int) -> tuple[Samples, list[Row]]:
    """The released packages against the engine, on tables that all of them can merge.

    In wall seconds and on Django's own settings, because that is what their users wait for.
    Hand-written SQL shows how far below the engine anybody could get.

    Raises `TablesDiffer` if one of them leaves other rows or links than the engine does.
    """
    jobs = {
        RAW: Job(name="raw_writers", is_tuned=False),
        ONE_BATCH: Job(name="engine", options={"for_peers": True}, is_tuned=False),
    }
    jobs |= {name: Job(name="peer", options={"name": name}, is_tuned=False) for name in PEERS}
    samples = runner.interleaved(jobs, repetitions)
    goal = 200 if runner.server.name == "sqlite" else 50
    rows = [_peer_row(name, samples, goal) for name in PEERS]
    return samples, [_peer_row(RAW, samples), *rows]


def _peer_row(name: str, samples: Samples, goal: float | None = None) -> Row:
    expected = samples[ONE_BATCH][0]["outcome"]
    for sample in samples[name]:
        if "error" in sample:
            return Row(f"{name}: {sample['error']}", 0)
        if sample["outcome"] != expected:
            raise TablesDiffer(f"{name}: {sample['outcome']} != {expected}")
    taken, against = (waited(samples[one], "total") for one in (name, ONE_BATCH))
    return Row(f"{name}, against the engine (wall)", taken, against, least=goal)


def starting(repetitions: int) -> tuple[Samples, list[Row]]:
    """What importing the package and the help of its commands cost on top of Django's own.

    The least of the repetitions: nothing cancels out in milliseconds, and a busy machine only adds.
    """
    commands = ("check", "merge_duplicates", "find_duplicates")
    taken: dict[str, list[float]] = {command: [] for command in commands}
    for _ in range(repetitions):
        for command in commands:
            taken[command].append(_help(command))
    base = min(taken["check"]) * 1000
    rows = []
    for name in commands[1:]:
        over = min(taken[name]) * 1000 - base
        rows.append(Row(f"help of {name} over Django's own", over, unit="ms", limit=50))
    samples: Any = {name: [{"total": {"cpu": cpu}} for cpu in taken[name]] for name in commands}
    return samples, rows


def _help(command: str) -> float:
    """The CPU seconds of a process that shows the help of a command, imports and all."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    line = [sys.executable, "-m", "django", "help", command]
    before = _children()
    subprocess.run(line, env=environment, check=True, capture_output=True)  # noqa: S603  # a command of Django
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
