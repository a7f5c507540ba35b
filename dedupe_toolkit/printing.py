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
    # for people only: a pipe needs none of it
    from rich.measure import Measurement

    table = _drawn(columns, rows, numbers)
    unbounded = console.options.update(max_width=10_000)
    if Measurement.get(console, unbounded, table).minimum <= console.width:
        return table
    return _paragraphs(columns, rows)


def _drawn(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify: Any = "right" if column in numbers else "left"
        table.add_column(column, overflow="fold", justify=justify)
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
