"""Values as the admin shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import display_for_field
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..reports import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Field
    from django.http import HttpRequest

    from ..engine.side_by_side import Cell, Line, SideBySide
    from ..values import ReferenceCount
    from .permissions import AnyAdmin

MOST_CHARACTERS = 150
"""How much of a long text is shown before a person asks for all of it."""

_HIDDEN = "••••••"


@dataclass(frozen=True, kw_only=True)
class ShownCell:
    html: str
    cell: Cell
    survives: bool


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    label: str
    rule: str
    differs: bool
    cells: tuple[ShownCell, ...]


@dataclass(frozen=True, kw_only=True)
class ShownCounts:
    touched: tuple[ReferenceCount, ...]
    untouched: tuple[str, ...]


def shown_lines(
    model_admin: AnyAdmin, request: HttpRequest, comparison: SideBySide
) -> Iterator[ShownLine]:
    """The lines of a comparison, without the fields that the admin of the model excludes."""
    excluded = set(model_admin.get_exclude(request, comparison.survivor) or ())
    for line in comparison.lines:
        if line.field.name not in excluded:
            yield ShownLine(
                label=str(line.field.verbose_name),
                rule=line.rule,
                differs=line.differs,
                cells=tuple(_cells(model_admin, comparison, line)),
            )


def split_counts(counts: Iterable[ReferenceCount]) -> ShownCounts:
    """The references some of whose rows change, and the names of the others."""
    touched, untouched = [], []
    for count in counts:
        if count.repointed or count.discarded or count.merged:
            touched.append(count)
        else:
            untouched.append(count.reference)
    return ShownCounts(touched=tuple(touched), untouched=tuple(untouched))


def _cells(model_admin: AnyAdmin, comparison: SideBySide, line: Line) -> Iterator[ShownCell]:
    empty = model_admin.get_empty_value_display()
    shown = [_shown(line.field, cell, empty) for cell in line.cells]
    if _looks_equal(line, shown):
        shown = [empty if cell.is_blank else _folded(str(cell.value)) for cell in line.cells]
    for row, cell, html in zip(comparison.rows, line.cells, shown, strict=True):
        yield ShownCell(html=html, cell=cell, survives=row is comparison.survivor)


def _looks_equal(line: Line, shown: list[str]) -> bool:
    """Whether values differ that would look the same: times in the same minute, for instance."""
    if _is_secret(line.field) or line.field.is_relation:
        return False
    kept = {text for text, cell in zip(shown, line.cells, strict=True) if not cell.differs}
    return any(cell.differs and text in kept for text, cell in zip(shown, line.cells, strict=True))


def _shown(field: Field[Any, Any], cell: Cell, empty: str) -> str:
    if _is_secret(field) and not cell.is_blank:
        return _HIDDEN
    if field.is_relation or cell.is_blank:
        return empty if cell.is_blank else str(cell.value)
    if isinstance(cell.value, bytes):
        return _("%(size)s bytes") % {"size": len(cell.value)}
    return _folded(display_for_field(cell.value, field, empty))


def _is_secret(field: Field[Any, Any]) -> bool:
    return field.name == "password"


def _folded(text: str) -> str:
    """Long texts fold away; spaces at the ends, which nobody sees, are shown by quotes."""
    if hasattr(text, "__html__"):
        return text
    text = shown_value(text)
    if len(text) <= MOST_CHARACTERS:
        return text
    start = text[:MOST_CHARACTERS].rsplit(maxsplit=1)[0]
    return format_html("<details><summary>{} …</summary>{}</details>", start, text)
