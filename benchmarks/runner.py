"""Runs measurements: each in a process of its own, on a fresh copy of the same tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .servers import Server

Samples = dict[str, list[dict[str, Any]]]


class MeasurementFailed(Exception):
    """A worker ended with an error; the message holds what it wrote."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A worker's job, and the project it runs in.

    ``writes`` says that it needs a copy of the tables for itself.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    writes: bool = True
    is_tuned: bool = True
    settings: str = "benchmarks.settings"


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Measures on one server, from the tables of one template database."""

    server: Server
    template: str
    say: Callable[[str], None]

    def load(self, authors: int, *, for_peers: bool = False) -> None:
        what = "writers" if for_peers else "authors"
        self.say(f"{self.server.name}: loading {authors:,} {what}")
        self.server.create(self.template)
        self._work(Job(name=f"load_{what}", options={"authors": authors}), self.template)

    def interleaved(self, jobs: Mapping[str, Job], repetitions: int) -> Samples:
        """All jobs in turn, again and again, so that a busy minute hits every contestant."""
        samples: Samples = defaultdict(list)
        for repetition in range(1, repetitions + 1):
            for label, job in jobs.items():
                start = perf_counter()
                samples[label].append(self.once(job))
                took = perf_counter() - start
                self.say(
                    f"{self.server.name}: {label}, {repetition} of {repetitions}: {took:.1f} s"
                )
        return samples

    def once(self, job: Job) -> dict[str, Any]:
        if not job.writes:
            return self._work(job, self.template)
        work = f"{self.template}_work"
        self.server.copy(self.template, work)
        try:
            return self._work(job, work)
        finally:
            self.server.drop(work)

    def drop(self) -> None:
        self.server.drop(self.template)

    def _work(self, job: Job, database: str) -> dict[str, Any]:
        environment = os.environ | {"BENCH_URL": self.server.url(database)}
        environment["DJANGO_SETTINGS_MODULE"] = job.settings
        if not job.is_tuned:
            environment["BENCH_UNTUNED"] = "1"
        done = subprocess.run(  # noqa: S603  # our own worker
            [sys.executable, "-m", "benchmarks.worker", job.name, json.dumps(dict(job.options))],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MeasurementFailed(f"{self.server.name}, {job.name}:\n{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def middle(samples: list[dict[str, Any]], *path: str) -> float:
    """The median of the repetitions.

    CPU seconds of client and server together where these are known, else wall seconds.
    """
    return median(_seconds(_at(sample, path)) for sample in samples)


def waited(samples: list[dict[str, Any]], *path: str) -> float:
    """The median of the repetitions, in wall seconds."""
    return median(_at(sample, path)["wall"] for sample in samples)


def _at(sample: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        sample = sample[name]
    return sample


def _seconds(reading: dict[str, float]) -> float:
    return reading.get("cpu", reading["wall"])
