"""Times every statement of a block of code, and adds those up that have the same shape."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = re.compile(r"\b\d+\b")


class Statements:
    """Calls and seconds of each shape of statement, in order of first appearance."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            shape = _NUMBERS.sub("N", sql)
            self.calls[shape] += 1
            self.seconds[shape] += perf_counter() - start

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    def slowest(self, least: float = 0.0) -> list[tuple[float, int, str]]:
        """Seconds, calls and shape of the statements that took at least so long."""
        found = [(self.seconds[shape], self.calls[shape], shape) for shape in self.calls]
        return sorted((row for row in found if row[0] >= least), reverse=True)


@contextmanager
def recorded() -> Iterator[Statements]:
    statements = Statements()
    with connection.execute_wrapper(statements):
        yield statements
