"""What has changed between a page that a person saw and the rows as they are now."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..field_rules.fillers import exact_text
from ..models import DismissedGroup
from ..verbose import reference_words
from .reviewing import linked_name
from .words import decision_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model

    from ..reviewing.side_by_side import Line
    from .reviewing import Review

_SALT = "dedupe_toolkit.review"

_MOST_VALUES = 50_000
"""Of how many values a page knows each by itself: a server takes no form of any length."""

_WHOLE = ""
"""Stands for all fields of a row."""


def remembered(review: Review) -> str:
    """What the page shows, for its form to bring back: signed, and told by hashes alone."""
    return signing.dumps(_shown(review), salt=_SALT, compress=True)


def changes(review: Review, memory: str) -> list[str]:
    """What is not as it was on the page that ``memory`` is of, one line each."""
    try:
        then = signing.loads(memory, salt=_SALT)
    except signing.BadSignature:
        return []
    now = _shown(review)
    return [
        *_verdicts(review, then),
        *_members(then, now),
        *_values(review, then, now),
        *_counts(review, then, now),
        *_others(then, now),
        *_colliding(then, now),
    ]


def _shown(review: Review) -> dict[str, Any]:
    hidden = review.fields.hidden
    lines = [line for line in review.comparison.lines if line.field.name not in hidden]
    return {
        "rows": _hashes(review.comparison.rows, lines),
        "counts": {
            count.reference: {str(pk): n for pk, n in count.rows.items()} for count in review.counts
        },
        "into": str(review.comparison.survivor.pk),
        "others": _uncounted(review),
        "colliding": {one.reference: one.fingerprint for one in review.colliding},
        "verdicts": sorted(review.verdicts),
    }


def _hashes(rows: Sequence[Model], lines: Sequence[Line]) -> dict[str, dict[str, str]]:
    """Of each row the hashes of its values by their fields, or one of all where they are many."""
    keys = [str(row.pk) for row in rows]
    if len(rows) * len(lines) > _MOST_VALUES:
        values = zip(*(line.values for line in lines), strict=True)
        return {key: {_WHOLE: _hash(held)} for key, held in zip(keys, values, strict=True)}
    return {
        key: {line.field.name: _hash(line.values[place]) for line in lines}
        for place, key in enumerate(keys)
    }


def _uncounted(review: Review) -> dict[str, int]:
    """How many rows would be touched by each reference that no row's head has a count of."""
    counted = {count.reference for count in review.counts}
    return {
        one.reference: one.repointed + one.discarded + one.merged
        for one in review.plan.references
        if one.reference not in counted
    }


def _hash(value: Any) -> str:
    return sha256(exact_text(value).encode()).hexdigest()[:8]


def _verdicts(review: Review, then: Any) -> Iterator[str]:
    for number, one in review.verdicts.items():
        if number not in then.get("verdicts", [number]):
            yield decision_in_words(one)
    gone = set(then.get("verdicts", ())).difference(review.verdicts)
    # one whose rows have left them still stands
    if gone and gone.difference(
        DismissedGroup.objects.using(review.using).filter(pk__in=gone).values_list("pk", flat=True)
    ):
        yield _("a verdict that they are no duplicates was taken back")


def _members(then: Any, now: Any) -> Iterator[str]:
    for key in now["rows"]:
        if key not in then["rows"]:
            yield _("#%(key)s has joined them") % {"key": key}
    for key in then["rows"]:
        if key not in now["rows"]:
            yield _("#%(key)s is no longer one of them") % {"key": key}


def _values(review: Review, then: Any, now: Any) -> Iterator[str]:
    labels = {line.field.name: str(line.field.verbose_name) for line in review.comparison.lines}
    for key, values in now["rows"].items():
        for name, value in values.items():
            if then["rows"].get(key, {}).get(name, value) != value:
                yield _another(labels.get(name), key)


def _another(label: str | None, key: str) -> str:
    if label is None:
        return _("#%(key)s has another value in one of its fields") % {"key": key}
    told = {"field": capfirst(label), "key": key}
    return _("%(field)s of #%(key)s has another value") % told


def _colliding(then: Any, now: Any) -> Iterator[str]:
    before = then.get("colliding", {})
    for label in dict.fromkeys([*before, *now["colliding"]]):
        if before.get(label) != now["colliding"].get(label):
            told = {"rows": reference_words(label)}
            yield _("%(rows)s: other rows collide, or one of them has another value") % told


def _others(then: Any, now: Any) -> Iterator[str]:
    """Told for the same survivor alone: into another row, other rows move."""
    if then.get("into") == now["into"]:
        before = then.get("others", {})
        for label, rows in now["others"].items():
            if rows != before.get(label, rows):
                told = {"rows": reference_words(label), "before": before[label], "now": rows}
                yield _("%(rows)s: %(now)s instead of %(before)s point at the duplicates") % told


def _counts(review: Review, then: Any, now: Any) -> Iterator[str]:
    """Of the rows that stayed: that another has come or gone is told with all that it has."""
    models = {count.reference: count for count in review.counts}
    stayed = then["rows"].keys() & now["rows"].keys()
    for label, rows in now["counts"].items():
        before = then["counts"].get(label, {})
        for key in (key for key in dict.fromkeys([*before, *rows]) if key in stayed):
            more = rows.get(key, 0) - before.get(key, 0)
            if more:
                name = linked_name(models[label].model, models[label].field, abs(more))
                told = {
                    "more": f"{more:+d}".replace("-", "\N{MINUS SIGN}"),
                    "rows": name,
                    "key": key,
                }
                yield _("%(more)s %(rows)s on #%(key)s") % told
    for label in then["counts"].keys() - now["counts"].keys():
        for key in (key for key in then["counts"][label] if key in stayed):
            yield _("fewer rows point at #%(key)s") % {"key": key}
