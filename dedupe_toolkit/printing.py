"""How lines and tables reach their reader: drawn at a terminal, parted by tabs in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table


def say(console: Console, text: str) -> None:
    """One line as it stands: never wrapped, never coloured by accident."""
    console.out(text, highlight=False)


def counted(number: int, noun: str) -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown_value(value: Any) -> str:
    """A value as it stands in a table: visible where it is empty, exact where it has spaces."""
    if isinstance(value, str) and (not value or value != value.strip()):
        return repr(value)
    return "NULL" if value is None else str(value)


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[str] = (),
) -> None:
    """Rows under their columns: drawn at a terminal, in a pipe a line each, parted by tabs.

    What reads a pipe wants the values as they are: neither cut, nor wrapped, nor padded. Where a
    terminal is too narrow even for the words, each row is a paragraph of its own.
    ``numbers`` are the columns to be set flush right.
    """
    # not what rich holds for one: FORCE_COLOR, common where builds run, makes no terminal of a pipe
    if not console.file.isatty():
        for row in (columns, *rows):
            # rich would make blanks of the tabs
            console.file.write("\t".join(map(on_one_line, row)) + "\n")
        return
    console.print(drawn_table(console, columns, list(rows), numbers))


def drawn_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Collection[str] = (),
) -> RenderableType:
    """The rows as `print_table` draws them at a terminal."""
    texts = [[column, *(row[at] for row in rows)] for at, column in enumerate(columns)]
    widths = _widths(texts, console.width - _BETWEEN * (len(columns) - 1))
    return _drawn(columns, rows, numbers, widths) if widths else _paragraphs(columns, rows)


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """As wide as their texts, or the widest narrower, so that all have room and words stay whole.

    Empty where there is none: rich would break the words.
    """
    from rich.cells import cell_len  # for people only: a pipe needs none of it

    widths = [max(cell_len(line) for text in texts for line in _lines(text)) for texts in columns]
    words = [max(cell_len(word) for text in texts for word in _words(text)) for texts in columns]
    if sum(words) > room:
        return []
    while sum(widths) > room:
        broken = [at for at, width in enumerate(widths) if width > words[at]]
        widths[max(broken, key=widths.__getitem__)] -= 1
    return widths


def _lines(text: str) -> list[str]:
    return text.splitlines() or [""]


def _words(text: str) -> list[str]:
    return text.split() or [""]


_BETWEEN = 2
"""Blanks between two columns."""


def _drawn(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[str],
    widths: Sequence[int],
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _BETWEEN, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        justify: Any = "right" if column in numbers else "left"
        table.add_column(column, overflow="fold", justify=justify, width=width)
    for row in rows:
        # as they are: rich would read [red] in a value
        table.add_row(*map(Text, row))
    return table


def _paragraphs(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """Each row as its first value, and below it the others with the names of their columns."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = []
    for first, *others in rows:
        named = "; ".join(
            f"{name}: {value}" for name, value in zip(columns[1:], others, strict=True)
        )
        parts += [Text(first, overflow="fold"), Padding(Text(named, overflow="fold"), (0, 0, 0, 2))]
    return Group(*parts)


def on_one_line(text: str) -> str:
    """The text without line breaks and tabs, as a pipe reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
