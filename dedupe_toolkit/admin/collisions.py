"""Rows that collide, as the review page opens them: side by side, with what each choice loses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _

from ..collisions.resolutions import Outcome, of_rivals, resolution
from ..field_rules.fillers import differ, is_blank, raw
from ..verbose import reference_words, row_words
from .fields import form_fields
from .permissions import find_model_admin
from .seen import seen_among
from .shown_values import shown_value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import Field, Model
    from django.http import HttpRequest

    from ..collisions.resolutions import OfRivals
    from ..reviewing.colliding import CollidingRows, Pair
    from .permissions import AnyAdmin
    from .reviewing import Review

    AnyField = Field[object, object]


@dataclass(frozen=True, kw_only=True)
class ShownPair:
    """Two rows that collide, by their keys and names, and each field in which they differ."""

    stays: str
    rival: str
    lines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ShownResolution:
    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class ShownCollision:
    """The pairs of one table, and what can be done with them; ``name`` is that of the form's field.

    ``is_referenced`` says why a row cannot just go.
    """

    name: str
    title: str
    pairs: tuple[ShownPair, ...]
    resolutions: tuple[ShownResolution, ...]
    is_referenced: bool


def shown_collisions(
    site: AdminSite, request: HttpRequest, review: Review
) -> tuple[ShownCollision, ...]:
    """What collides; of rows that this user may not see, only that they do."""
    return tuple(_shown(site, request, review, one) for one in review.colliding)


def _shown(
    site: AdminSite, request: HttpRequest, review: Review, one: CollidingRows
) -> ShownCollision:
    model_admin = find_model_admin(site, one.model)
    seen = model_admin if model_admin and model_admin.has_view_permission(request) else None
    rows = seen_among(seen, request, _rows(one.pairs), review.using) if seen else []
    pairs = [pair for pair in one.pairs if pair.stays in rows and pair.rival in rows]
    told = replace(one, pairs=tuple(pairs))
    fields = list(_fields(seen, request, told, _rows(pairs))) if seen and pairs else []
    return ShownCollision(
        name=f"collision_{one.reference}",
        title=reference_words(one.reference),
        pairs=tuple(_pair(seen if pair in pairs else None, pair, fields) for pair in one.pairs),
        resolutions=tuple(_resolutions(review, told, fields)),
        is_referenced=any(pair.is_referenced for pair in one.pairs),
    )


def _rows(pairs: Iterable[Pair]) -> list[Model]:
    return [row for pair in pairs for row in (pair.stays, pair.rival)]


def _fields(
    model_admin: AnyAdmin, request: HttpRequest, one: CollidingRows, rows: list[Model]
) -> Iterator[AnyField]:
    """The fields in which any of the pairs differ, and that the form of the model shows."""
    hidden = form_fields(model_admin, request, rows).hidden
    for field in one.model._meta.concrete_fields:
        is_open = field.editable and not field.primary_key and field.name not in hidden
        if (
            is_open
            and field.column not in one.columns
            and any(_differ(field, pair) for pair in one.pairs)
        ):
            yield field


def _differ(field: AnyField, pair: Pair) -> bool:
    return differ(raw(field, pair.stays), raw(field, pair.rival))


def _pair(model_admin: AnyAdmin | None, pair: Pair, fields: list[AnyField]) -> ShownPair:
    stays, rival = (
        f"{row_words(row)} (#{row.pk})" if model_admin else f"#{row.pk}"
        for row in (pair.stays, pair.rival)
    )
    empty = model_admin.get_empty_value_display() if model_admin else ""
    lines = (
        (
            str(capfirst(field.verbose_name)),
            shown_value_of(field, pair.stays, empty),
            shown_value_of(field, pair.rival, empty),
        )
        for field in fields
        if _differ(field, pair)
    )
    return ShownPair(stays=stays, rival=rival, lines=tuple(lines))


def _resolutions(
    review: Review, one: CollidingRows, fields: list[AnyField]
) -> Iterator[ShownResolution]:
    chosen = review.choice.collisions.get(one.reference)
    usual = _("As for all rows that collide: %(rule)s.") % {"rule": _usual(review, one).of_pair}
    yield ShownResolution(value="", text=usual, is_chosen=chosen is None)
    for allowed in one.allowed:
        done = of_rivals([allowed])
        text = f"{capfirst(str(done.of_pair))}: {_loss(done, one, fields)}"
        yield ShownResolution(value=allowed.name, text=text, is_chosen=chosen == allowed.name)


def _usual(review: Review, one: CollidingRows) -> OfRivals:
    """What becomes of these rows where nothing is chosen for them alone."""
    policy = review.choice.without_collisions().policy(review.comparison.source.model)
    said = [policy.collisions.get(one.reference, policy.on_collision), policy.on_collision]
    return of_rivals(map(resolution, said))


def _loss(done: OfRivals, one: CollidingRows, fields: list[AnyField]) -> str:
    """What a resolution would lose, in words."""
    if not done.loses:
        return _("nothing is merged, and nothing is lost.")
    lost = [str(field.verbose_name) for field in fields if _is_lost(done, one, field)]
    named = get_text_list(lost, _("and"))
    if not named:
        return _("no value that is shown here is lost.")
    return str(done.loses) % {"fields": named}


def _is_lost(done: OfRivals, one: CollidingRows, field: AnyField) -> bool:
    """Whether a value of a second row gives way, in any of the pairs."""
    is_merged = done.outcome is Outcome.MERGE
    return any(
        _differ(field, pair)
        and not is_blank(field, raw(field, pair.rival))
        and not (is_merged and is_blank(field, raw(field, pair.stays)))
        for pair in one.pairs
    )
