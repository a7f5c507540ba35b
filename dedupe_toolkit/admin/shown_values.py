"""A value as the admin shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import display_for_field
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.utils.html import format_html
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from ..field_rules.fillers import is_blank, raw
from ..printing import shown_value
from ..reviewing.related_rows import row_or_held
from ..reviewing.side_by_side import Cell
from ..reviewing.unreadable import CANNOT_BE_SHOWN, Unreadable
from ..verbose import row_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Field

MOST_CHARACTERS = 150
"""How much of a long text is shown before a person asks for all of it."""


def shown_cell(field: Field[Any, Any], cell: Cell, empty: str, *, has_links: bool = True) -> str:
    """A value as a page shows it; addresses are links unless the rows they were in are gone.

    One that a project's own code cannot write is named so: the others are shown all the same.
    """
    if isinstance(cell.value, Unreadable):
        return str(cell.value)
    try:
        return _shown(field, cell, empty, has_links=has_links)
    except Exception:  # it raises what it likes
        return str(CANNOT_BE_SHOWN)


def _shown(field: Field[Any, Any], cell: Cell, empty: str, *, has_links: bool) -> str:
    if cell.is_blank:
        # two kinds of nothing are told apart where a field can hold both
        return "“”" if cell.value == "" and field.null else str(empty)
    if field.is_relation:
        return row_words(cell.value) if isinstance(cell.value, Model) else str(cell.value)
    if not _is_known(field, cell.value):
        return _("%(value)s (no known choice)") % {"value": shown_value(cell.value)}
    if isinstance(cell.value, bytes):
        return _("%(size)s bytes") % {"size": len(cell.value)}
    has_links = has_links and _has_address(cell.value)
    return folded(display_for_field(cell.value, field, empty, avoid_link=not has_links))


def _has_address(value: Any) -> bool:
    """Whether a link can lead to a value; a storage may have no addresses for its files."""
    if not isinstance(value, FieldFile):
        return True
    try:
        return bool(value.url)
    except Exception:  # a storage raises what it likes
        return False


def _is_known(field: Field[Any, Any], value: Any) -> bool:
    """Whether a value is one that its field has a word, or a picture, for."""
    if field.choices:
        return any(value == known for known, _label in field.flatchoices)
    # columns without a type for these hold other numbers as well
    return field.get_internal_type() != "BooleanField" or value in (True, False)


def shown_value_of(field: Field[Any, Any], row: Model, empty: str) -> str:
    """The value of a row as a page shows it, by itself."""
    held = raw(field, row)
    value = row_or_held(field, row, held)
    cell = Cell(value=value, is_blank=is_blank(field, held), differs=False, fills=False)
    return shown_cell(field, cell, empty)


def folded(text: str) -> str:
    """Long texts fold away; spaces at the ends, which nobody sees, are shown by quotes."""
    if hasattr(text, "__html__"):
        return text
    text = shown_value(text)
    if len(text) <= MOST_CHARACTERS:
        return text
    start = text[:MOST_CHARACTERS].rsplit(maxsplit=1)[0]
    return format_html("<details><summary>{} …</summary>{}</details>", start, text)


def exactly(values: Iterable[Any], *, is_stamp: bool) -> Callable[[Any], str]:
    """How values are written that look the same otherwise: moments to the second, if that will do.

    Of when a row was written, a stamp, nobody needs to know more.
    """
    moments = {value for value in values if isinstance(value, datetime)}
    if moments and (is_stamp or len(set(map(whole, moments))) == len(moments)):
        return _to_the_second
    return _exact


def _to_the_second(value: Any) -> str:
    return _exact(whole(value))


def whole(value: Any) -> Any:
    """A moment without what its second has beside it; what is no moment as it is."""
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _exact(value: Any) -> str:
    """All of a value: of a moment its last digit, in the reader's time."""
    if isinstance(value, datetime) and is_aware(value):
        value = localtime(value).replace(tzinfo=None)
    return str(value)
