"""``python -m benchmarks``: time the engine against hand-written SQL and released packages.

Everything is measured in the same run, contestants in turn, and only ratios are held to a goal:
seconds are the machine's. Databases are named ``bench_…`` and dropped afterwards.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from . import suite
from .growth import growth
from .report import Results, save, show
from .runner import Runner
from .servers import Server, server

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = [10_000, 100_000, 1_000_000]
QUICK = 2_000
PEERS_SIZE = 10_000
ON_AUTHORS = ["merge", "find", "memory", "review", "writers", "constraint"]
PARTS = [*ON_AUTHORS, "peers", "pairs", "start"]


def main() -> None:
    """Measure what the command line asks for, print one table, write the JSON beside it."""
    options = _options()
    console = Console(stderr=True)
    results: Results = defaultdict(list)
    samples: dict[str, Any] = {}
    for url in options.database:
        found = server(url)
        try:
            _measure(found, options, console, results, samples)
        finally:
            found.close()
    growth(results, samples)
    if "start" in options.only:
        samples["start"], results["any", 0] = suite.starting(1 if options.quick else 10)
    show(Console(width=max(120, console.width)), results, is_judged=not options.quick)
    save(options.output, results, samples)
    console.print(f"written: {options.output}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    url = os.environ.get("DATABASE_URL") or "sqlite"
    parser.add_argument("--database", action="append", metavar="URL", help=f"default: {url}")
    parser.add_argument("--size", action="append", type=int, metavar="AUTHORS")
    parser.add_argument("--peers-size", action="append", type=int, metavar="WRITERS")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--quick", action="store_true", help="once, small, and judge nothing")
    parser.add_argument("--output", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args()
    options.database = options.database or [url]
    options.size = [QUICK] if options.quick else options.size or SIZES
    options.peers_size = [QUICK // 4] if options.quick else options.peers_size or [PEERS_SIZE]
    options.repetitions = 1 if options.quick else options.repetitions
    options.only = options.only or PARTS
    return options


def _measure(
    found: Server,
    options: argparse.Namespace,
    console: Console,
    results: Results,
    samples: dict[str, Any],
) -> None:
    for size in options.size if set(options.only) & set(ON_AUTHORS) else []:
        with _loaded(found, size, console) as runner:
            if "merge" in options.only:
                suite.verify(runner)
            for part, measure in _parts(runner, options, size).items():
                key = f"{found.name} {size} {part}"
                samples[key], rows = measure()
                results[found.name, size] += rows
    for size in options.peers_size if "peers" in options.only else []:
        with _loaded(found, size, console, for_peers=True) as runner:
            samples[f"{found.name} {size} peers"], rows = suite.peers(runner, options.repetitions)
            results[found.name, size] += rows

    if "pairs" in options.only:
        runner = Runner(server=found, template="pairs", say=console.print)
        samples[f"{found.name} pairs"], results[found.name, 0] = suite.pairs(runner)


@contextmanager
def _loaded(
    found: Server, size: int, console: Console, *, for_peers: bool = False
) -> Iterator[Runner]:
    name = f"peers_{size}" if for_peers else str(size)
    runner = Runner(server=found, template=name, say=console.print)
    runner.load(size, for_peers=for_peers)
    try:
        yield runner
    finally:
        runner.drop()


def _parts(runner: Runner, options: argparse.Namespace, size: int) -> dict[str, Any]:
    parts = {
        "merge": lambda: suite.merging(runner, options.repetitions),
        "find": lambda: suite.finding(runner, options.repetitions, max(1, 300_000 // size)),
        "memory": lambda: suite.memory(runner),
        "review": lambda: suite.reviewing(runner),
        "writers": lambda: suite.beside_writers(runner, options.repetitions),
        "constraint": lambda: suite.constraint(runner, options.repetitions),
    }
    return {name: parts[name] for name in options.only if name in parts}


if __name__ == "__main__":
    main()
