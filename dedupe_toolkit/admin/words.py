"""The review page's sentences: what becomes of the rows, in the words of the project's models."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .permissions import referrer_of
from .reviewing import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..values import ReferenceCount
    from .reviewing import Review


def verdict(review: Review, lost: int) -> str:
    """What merging comes to, in a sentence or two; ``lost`` values give way."""
    rows = len(review.comparison.rows)
    become = _("%(count)s %(rows)s become one.") % {
        "count": rows,
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
            yield _said(what, number) % {"number": number, "rows": called(model, reference, number)}


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
    ) % {"number": lost}


def _listed(parts: list[str]) -> str:
    sentence = ", ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."
