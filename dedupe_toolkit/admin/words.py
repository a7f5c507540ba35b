"""The review page's sentences: what becomes of the rows, in the words of the project's models."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..reviewing.decided_before import Kind
from ..verbose import row_words, within
from .permissions import referrer_of
from .reviewing import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..plan_values import ReferenceCount
    from ..reviewing.decided_before import Decision
    from .reviewing import Review


def verdict(review: Review, lost: int) -> str:
    """What merging comes to, in a sentence or two; ``lost`` values give way."""
    rows = len(review.comparison.rows)
    become = _("%(count)s %(rows)s become one.") % {
        "count": number_format(rows),
        "rows": named(review.comparison.source.model, rows),
    }
    parts = [*_moves(review.comparison.source.model, review.plan.references), _given_way(lost)]
    return f"{become} {_listed(parts)}"


def _moves(model: type[Model], counts: tuple[ReferenceCount, ...]) -> Iterator[str]:
    moved: Counter[tuple[str, str]] = Counter()
    for what in ("repointed", "merged", "discarded"):
        for count in counts:
            moved[what, count.reference] += getattr(count, what)
    for (what, reference), number in moved.items():
        if number:
            rows = called(model, reference, number)
            yield _said(what, number) % {"number": number_format(number), "rows": rows}


def _said(what: str, number: int) -> str:
    if what == "repointed":
        return ngettext("%(number)s %(rows)s moves", "%(number)s %(rows)s move", number)
    if what == "merged":
        return ngettext("%(number)s %(rows)s is joined", "%(number)s %(rows)s are joined", number)
    return ngettext(
        "%(number)s %(rows)s goes, for another stays in its place",
        "%(number)s %(rows)s go, for others stay in their place",
        number,
    )


def merged_in_words(survivor: Model, rows: int) -> str:
    """What a merge has done, once it is done."""
    return ngettext(
        "Merged %(rows)s row into “%(survivor)s”.",
        "Merged %(rows)s rows into “%(survivor)s”.",
        rows,
    ) % {"rows": number_format(rows), "survivor": within(row_words(survivor))}


def decision_in_words(one: Decision) -> str:
    """Who decided what of the rows, and when."""
    when = one.when and date_format(localtime(one.when) if is_aware(one.when) else one.when)
    told = {
        "by": one.by or _("somebody"),
        "day": when or _("once"),
        "rows": _numbers(one.rows),
        "into": f"#{one.into}",
    }
    if one.kind is Kind.MERGE:
        return _("%(by)s, %(day)s: %(rows)s merged into %(into)s.") % told
    if one.kind is Kind.VERDICT:
        return (
            f"{_('%(by)s, %(day)s: %(rows)s said to be no duplicate.') % told} {one.note}".strip()
        )
    return _("%(by)s, %(day)s: %(rows)s merged into another, which was undone.") % told


_NUMBERED = 10
"""How many rows a decision names."""


def _numbers(rows: tuple[str, ...]) -> str:
    named = [f"#{row}" for row in sorted(rows, key=lambda row: (len(row), row))]
    return ", ".join([*named[:_NUMBERED], *(["…"] if len(named) > _NUMBERED else [])])


def called(merged: type[Model], reference: str, number: int) -> str:
    """The rows of a reference in words; its own name where it has no model in Django."""
    referrer = referrer_of(reference)
    if referrer is None:
        return reference
    if not referrer._meta.auto_created:
        return named(referrer, number)
    ends: list[Any] = [f.related_model for f in referrer._meta.concrete_fields if f.is_relation]
    others = [end for end in ends if not issubclass(merged, end)]
    return named(others[0] if others else merged, number)


def _given_way(lost: int) -> str:
    if not lost:
        return _("nothing is lost")
    return ngettext(
        "%(number)s value gives way to another, and is kept in the journal",
        "%(number)s values give way to others, and are kept in the journal",
        lost,
    ) % {"number": number_format(lost)}


def _listed(parts: list[str]) -> str:
    sentence = ", ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."
