"""``python -m benchmarks.guard``: what the guard adds to a call that it knows, in microseconds.

The queryset asks no database, so that nothing but the guard differs. With it and without it take
turns, and the least of many short turns counts: whatever else the machine does only adds to it.
"""

from __future__ import annotations

import os
import warnings
from time import perf_counter
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from django.db.models import QuerySet

GOAL = 10
TURNS, CALLS = 500, 200
GIVEN: dict[str, dict[str, Any]] = {
    "safe, one look-up": {"pk": 1},
    "two look-ups and defaults": {"pk": 1, "last_name": "b", "defaults": {"mentor": None}},
    "unsafe, one look-up": {"last_name": "a"},
}


def main() -> None:
    """Print a line for each kind of call. Raises `SystemExit` where one misses the goal."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    warnings.simplefilter("default")
    rows = _still_rows()
    added = {name: _added(rows, given) for name, given in GIVEN.items()}
    for name, microseconds in added.items():
        print(f"{name}: {microseconds:.1f} microseconds more")
    if max(added.values()) > GOAL:
        raise SystemExit(f"more than {GOAL} microseconds")


def _still_rows() -> QuerySet[Any]:
    from django.core.management import call_command
    from django.db.models import QuerySet

    from .library.models import Author

    class Still(QuerySet[Author]):
        def get(self, *_: Any, **__: Any) -> Any:
            return None

    # the first call is judged by the rules of its table
    call_command("migrate", run_syncdb=True, verbosity=0)
    return Still(Author)


def _added(rows: QuerySet[Any], given: dict[str, Any]) -> float:
    from dedupe_toolkit.guard import watching

    seconds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * TURNS):
        is_guarded = bool(turn % 2)
        if is_guarded:
            watching.install()
            rows.get_or_create(**given)
        seconds[is_guarded].append(_timed(rows, given))
        watching.uninstall()
    return 1e6 * (min(seconds[True]) - min(seconds[False]))


def _timed(rows: QuerySet[Any], given: dict[str, Any]) -> float:
    started = perf_counter()
    for _ in range(CALLS):
        rows.get_or_create(**given)
    return (perf_counter() - started) / CALLS


if __name__ == "__main__":
    main()
