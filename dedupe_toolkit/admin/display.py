"""The lines and cells of a review, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ..field_rules.fillers import PLAIN, differ, exact_text, is_blank
from ..reviewing.side_by_side import Cell
from ..reviewing.unreadable import CANNOT_BE_SHOWN, Unreadable
from ..verbose import reference_words
from .results import result_of
from .ruling import choosable, other_rules
from .shown_values import exactly, folded, shown_cell, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..plan_values import ReferenceCount
    from ..reviewing.side_by_side import Line, SideBySide
    from .permissions import AnyAdmin
    from .results import Result
    from .reviewing import Review


@dataclass(frozen=True, kw_only=True)
class ShownCell:
    """A value in its cell; ``choice`` is what a form sends to have it, empty where nobody can."""

    html: str
    cell: Cell
    survives: bool
    choice: str = ""
    is_chosen: bool = False
    is_result: bool = False


@dataclass(frozen=True, kw_only=True)
class ShownRule:
    choice: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """A field across all rows, and what it will hold: ``result``.

    ``is_usual`` says that nobody has chosen anything for it; ``lost`` values give way.
    """

    name: str
    label: str
    rule: str
    differs: bool
    result: str
    is_usual: bool
    is_offered: bool
    rules: tuple[ShownRule, ...]
    cells: tuple[ShownCell, ...]
    lost: int


@dataclass(frozen=True, kw_only=True)
class ShownCounts:
    """The references whose rows change, each after its name, and the names of the others."""

    touched: tuple[tuple[str, ReferenceCount], ...]
    untouched: tuple[str, ...]


def shown_lines(
    model_admin: AnyAdmin, review: Review, places: Sequence[int]
) -> Iterator[ShownLine]:
    """The lines of a comparison, without the fields that the form of the model hides.

    Of each the cells of the rows in ``places``: the others are on another page.
    """
    offered = {field.name for field in choosable(model_admin.model, review.fields)}
    for line in review.comparison.lines:
        if line.field.name not in review.fields.hidden:
            yield _shown_line(model_admin, review, line, line.field.name in offered, places)


def _shown_line(
    model_admin: AnyAdmin, review: Review, line: Line, is_offered: bool, places: Sequence[int]
) -> ShownLine:
    comparison, field = review.comparison, line.field
    chosen = review.choice.values.get(field.name, "")
    result = result_of(comparison, line, review.policy)
    # shown elsewhere on the page, they are written as all others are
    asked = dict.fromkeys([*places, comparison.order[0], *_place(result)])
    empty = model_admin.get_empty_value_display()
    texts = _texts(line, asked, empty)
    choice = chosen if is_offered and line.differs else None
    rules = other_rules(field) if is_offered and line.differs else ()
    return ShownLine(
        name=field.name,
        label=str(field.verbose_name),
        rule="" if chosen else line.rule,
        differs=line.differs and not _is_one_moment(line),
        result=_result(line, result, texts, empty),
        is_usual=not chosen,
        is_offered=is_offered,
        rules=tuple(
            ShownRule(choice=f"rule:{name}", text=text, is_chosen=chosen == f"rule:{name}")
            for name, text in rules
        ),
        cells=tuple(_cell(comparison, line, each, texts[each], choice, result) for each in places),
        lost=_lost(line, result),
    )


def _place(result: Result) -> list[int]:
    return [] if result.place is None else [result.place]


def _result(line: Line, result: Result, texts: Mapping[int, str], empty: str) -> str:
    if not result.is_known:
        can_be_shown = not any(isinstance(value, Unreadable) for value in line.values)
        return _("as the database sorts them") if can_be_shown else str(CANNOT_BE_SHOWN)
    if result.place is not None:
        return texts[result.place]
    cell = Cell(
        value=result.value,
        is_blank=is_blank(line.field, result.value),
        differs=False,
        fills=False,
    )
    return shown_cell(line.field, cell, empty)


def _lost(line: Line, result: Result) -> int:
    """How many different values of the line are not in the result."""
    if _is_stamp(line):
        return 0  # when a row was written says nothing of what it is about
    values = line.values if line.differs else line.values[:1]
    told = {_named(one): one for one in values}
    return sum(not is_blank(line.field, one) and differ(one, result.value) for one in told.values())


def _named(value: Any) -> Any:
    """The value itself, or how it is written where a set might not take it, or raise."""
    return value if type(value) in PLAIN else exact_text(value)


def split_counts(counts: Iterable[ReferenceCount]) -> ShownCounts:
    """The references some of whose rows change, and the names of the others."""
    touched, untouched = [], []
    for count in counts:
        if count.repointed or count.discarded or count.merged:
            touched.append((reference_words(count.reference), count))
        else:
            untouched.append(reference_words(count.reference))
    return ShownCounts(touched=tuple(touched), untouched=tuple(untouched))


def _texts(line: Line, places: Iterable[int], empty: str) -> dict[int, str]:
    """What is shown of the values in these places; the survivor's is among them."""
    cells = {place: line.cell(place) for place in places}
    shown = {place: shown_cell(line.field, cell, empty) for place, cell in cells.items()}
    if not _looks_equal(line, cells, shown):
        return shown
    write = exactly(line.values, is_stamp=_is_stamp(line))
    try:
        return {
            place: empty if cell.is_blank else folded(write(cell.value))
            for place, cell in cells.items()
        }
    except Exception:  # a project's own values raise what they like
        return shown


def _cell(
    comparison: SideBySide, line: Line, place: int, html: str, chosen: str | None, result: Result
) -> ShownCell:
    """One cell; ``chosen`` is what was chosen for its line, None where nothing can be."""
    row, cell = line.rows[place], line.cell(place)
    survives = row is comparison.survivor
    can_take = survives or not (cell.is_blank and line.field.is_relation)
    choice = f"row:{row.pk}" if chosen is not None and can_take else ""
    return ShownCell(
        html=html,
        cell=cell,
        survives=survives,
        choice=choice,
        is_chosen=bool(choice) and choice == chosen,
        is_result=place == result.place,
    )


def _looks_equal(line: Line, cells: Mapping[int, Cell], shown: Mapping[int, str]) -> bool:
    """Whether values differ that would look the same: times in the same minute, for instance."""
    if line.field.is_relation:
        return False
    kept = {shown[place] for place, cell in cells.items() if not cell.differs}
    return any(cell.differs and shown[place] in kept for place, cell in cells.items())


def _is_one_moment(line: Line) -> bool:
    """Whether all were written in the same second: that is one to whoever reads it."""
    if not _is_stamp(line):
        return False
    return len({whole(value) if value else value for value in line.values}) == 1


def _is_stamp(line: Line) -> bool:
    """Whether the field says when a row was written."""
    field: Any = line.field
    return bool(getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False))
