"""The review page as its template gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import DateTimeField
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..verbose import row_words, within
from .choice import collision_choices
from .collisions import shown_collisions
from .display import shown_lines, split_counts
from .permissions import may_dismiss, may_merge
from .reviewing import linked_name
from .session import decisions
from .staleness import remembered
from .words import decision_in_words, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.paginator import Page
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

    from .display import ShownLine
    from .permissions import AnyAdmin
    from .place import Place
    from .reviewing import Review

PER_PAGE = 50
"""How many rows stand one below the other on a page."""

SIDE_BY_SIDE = 8
"""How many rows stand side by side; more of them stand one below the other."""

_FEWEST = 2
"""How many rows a merge takes: of more, one can be left out."""


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """The head of a row: the row, since when it is there, and what points at it."""

    row: Model
    survives: bool
    created: str
    counts: str

    @property
    def name(self) -> str:
        """Asked where it is shown: it may take a statement for each row."""
        return row_words(self.row)


def shown_page(
    model_admin: AnyAdmin,
    request: HttpRequest,
    review: Review,
    place: Place,
    changed: Sequence[str] = (),
) -> HttpResponse:
    """The page for a review; ``changed`` says what is not as it was on the page before."""
    options, site = model_admin.opts, model_admin.admin_site
    places = _places(review)
    on_page = list(range(len(review.comparison.rows)) if places is None else places)
    lines = list(shown_lines(model_admin, review, on_page))
    rows = [_head(review, review.comparison.rows[place]) for place in on_page]
    context = {
        **site.each_context(request),
        "title": _("Merge %(rows)s") % {"rows": options.verbose_name_plural},
        "opts": options,
        "plan": review.plan,
        "notes": list(filter(None, [note.for_people for note in review.plan.warnings])),
        "review": review,
        "place": place,
        "changed": changed,
        "note": request.POST.get("note") or request.GET.get("note", ""),
        "comparison": review.comparison,
        "survivor": within(row_words(review.comparison.survivor)),
        "rows": rows,
        "may_leave_out": len(review.comparison.rows) > _FEWEST,
        "counts": split_counts(review.plan.references),
        "verdict": verdict(review, sum(line.lost for line in lines)),
        "lines": [line for line in lines if line.differs],
        "equal_lines": [line for line in lines if not line.differs],
        **({} if places is None else _paged(review, places, rows, lines)),
        "hidden": len(review.fields.hidden),
        "fingerprint": review.fingerprint,
        "memory": remembered(review),
        "collision_choices": collision_choices(model_admin.model, review.choice.on_collision),
        "has_collisions": review.may_collide,
        "collisions": shown_collisions(site, request, review),
        "may_merge": may_merge(model_admin, request),
        "may_dismiss": may_dismiss(model_admin, request),
        "decisions": decisions(request),
        "decided_before": list(map(decision_in_words, review.decided)),
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/review.html", context)


def _head(review: Review, row: Model) -> ShownRow:
    counts = [
        f"{number_format(rows)} {linked_name(count.model, count.field, rows)}"
        for count in review.counts
        if (rows := count.rows.get(row.pk))
    ]
    return ShownRow(
        row=row,
        survives=row is review.comparison.survivor,
        created=_created(review, row),
        counts=" · ".join(counts),
    )


def _created(review: Review, row: Model) -> str:
    """The day on which the row came to be, where a field that may be seen knows it."""
    for field in row._meta.concrete_fields:
        is_stamp = isinstance(field, DateTimeField) and field.auto_now_add
        if is_stamp and field.name not in review.fields.hidden:
            moment = getattr(row, field.attname)
            if not isinstance(moment, datetime):
                return ""  # nothing, or what cannot be read
            if timezone.is_aware(moment):
                moment = timezone.localtime(moment)
            # some languages write it with marks that turn the direction of all that follows
            return format_html("<bdi>{}</bdi>", date_format(moment, "SHORT_DATE_FORMAT"))
    return ""


def _places(review: Review) -> Page[int] | None:
    """The places of the rows on the page looked at; None where all stand side by side."""
    rows = range(len(review.comparison.rows))
    return (
        None
        if len(rows) <= SIDE_BY_SIDE
        else Paginator(rows, PER_PAGE).get_page(review.choice.page)
    )


def _paged(
    review: Review, page: Page[int], rows: Sequence[ShownRow], lines: Sequence[ShownLine]
) -> dict[str, Any]:
    """The records of the page looked at, and the choices whose rows are not on it."""
    on_page = {str(head.row.pk) for head in rows}
    values = {f"field_{name}": text for name, text in review.choice.values.items()}
    kept = {"into": f"row:{review.comparison.survivor.pk}", **values}
    elsewhere = {
        name: text.removeprefix("row:") if name == "into" else text
        for name, text in kept.items()
        if text.startswith("row:") and text.removeprefix("row:") not in on_page
    }
    return {"records": _records(rows, lines), "page": page, "elsewhere": elsewhere.items()}


def _records(rows: Sequence[ShownRow], lines: Sequence[ShownLine]) -> list[Any]:
    """A record for each row: its head, and its cells of the fields that differ."""
    differing = [line for line in lines if line.differs]
    return [
        (head, [(line, line.cells[number]) for line in differing])
        for number, head in enumerate(rows)
    ]
