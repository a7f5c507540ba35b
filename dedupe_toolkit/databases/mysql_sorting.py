"""MariaDB and MySQL sort texts by their beginning, and group and number what they have sorted so.

Of two texts that differ later they say that they are one, or do not see that two are equal that
a third lies between. A unique index compares to the end.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .settings import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .base import Database

SORTED = 2**18
"""So many bytes of a text are sorted by in any case: more than any index takes."""

LONGEST = 2**23
"""So many, and no more, can be sorted by."""

# what a server sorts by of its own accord, and what a character of nearly any text weighs at most
_USUAL, _HEAVY = 1_024, 8
_TEXTS = re.compile(r"(?:var)?char\((\d+)\)|(?:tiny|medium|long)?(?:text|blob)")
# they sort nothing in a buffer that has no room for 15 rows
_ROWS = 16
_SETTINGS = "SELECT @@max_sort_length, @@sort_buffer_size"
_SET = "SET SESSION max_sort_length = {}, sort_buffer_size = {}"


def may_be_cut(definition: str) -> bool:
    """Whether values of such a column may be longer than what is sorted by without being told."""
    found = _TEXTS.match(definition)
    return found is not None and (not found[1] or int(found[1]) * _HEAVY > _USUAL)


def for_statement(texts: int) -> tuple[str, str]:
    """The settings by which one statement sorts what an index may hold, ``texts`` to a row."""
    return f"max_sort_length = {SORTED}", f"sort_buffer_size = {_ROWS * SORTED * texts}"


@contextmanager
def sorting_whole(database: Database, length: int, texts: int) -> Iterator[None]:
    """Inside, texts of ``length`` bytes are sorted whole, in rows of at most so many ``texts``."""
    ((before, buffer),) = database.fetch(_SETTINGS)
    length = max(length, SORTED, before)
    database.run(_SET.format(length, max(_ROWS * length * texts, buffer)))
    with set_back(database.connection, _SET.format(before, buffer)):
        yield
