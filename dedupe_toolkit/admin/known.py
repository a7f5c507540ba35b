"""The match keys that the review queue is about, in words, and the scans of them."""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ..errors import DedupeError
from ..keys import key_field, match_key
from ..models import Scan
from ..plain import plain_match_key
from ..queue.queued import scanned_key
from ..registry import declarations
from ..verbose import find_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..values import MatchKey

_IN_WORDS = {
    "lower": gettext_noop("%(field)s, ignoring case"),
    "upper": gettext_noop("%(field)s, ignoring case"),
    "trim": gettext_noop("%(field)s, ignoring spaces at the ends"),
    "collapse": gettext_noop("%(field)s, ignoring spaces"),
    "date": gettext_noop("day of %(field)s"),
}


def key_of_scan(scan: Scan) -> MatchKey | None:
    """The match key of a scan, of its selected rows only where it has some; None if it is gone."""
    key = plain_keys([scan]).get(scan.pk)
    return None if key is None else scanned_key(scan, key, scan.using)


def scan_with_key(number: int, using: str) -> tuple[Scan, MatchKey]:
    """The scan of this number and its match key. Raises `Http404` where either is gone."""
    scan = Scan.objects.using(using).filter(pk=number).first()
    key = key_of_scan(scan) if scan else None
    if scan is None or key is None:
        raise Http404
    return scan, key


def plain_keys(scans: Iterable[Scan]) -> dict[int, MatchKey]:
    """The match keys of scans, of all rows of their models, by the scans' keys.

    Without those that are gone. No statement: what is stored of a key tells it, unless it is one
    that only a declaration can tell.
    """
    try:
        known = {digest(key): key for one in declarations() for key in one.match_keys()}
    except DedupeError:  # the system check says which key is declared wrongly
        known = {}
    found = {scan.pk: known.get(digest_of_scan(scan)) or _stored(scan) for scan in scans}
    return {number: key for number, key in found.items() if key is not None}


def _stored(scan: Scan) -> MatchKey | None:
    """The key of a scan that is not declared, where it can be told from what is stored."""
    model = find_model(scan.model)
    options = {name: value for name, value in scan.key.items() if name != "where"}
    if model is None or scan.key.get("where"):
        return None
    try:
        return match_key(model, **options)
    except (DedupeError, TypeError):
        return None


def digest(key: MatchKey) -> str:
    """A name for a key that stands in forms; the same as long as the key is."""
    return _digest(key.label, plain_match_key(key))


def _digest(label: str, plain: Mapping[str, Any]) -> str:
    # as JSON has it: a key that comes from the database knows no tuples
    named = dumps([label, plain], sort_keys=True, cls=DjangoJSONEncoder)
    return sha256(named.encode()).hexdigest()[:32]


def digest_of_scan(scan: Scan) -> str:
    """The same of a scan's key."""
    return _digest(scan.model, scan.key)


def scan_of(key: MatchKey, using: str) -> Scan | None:
    """The scan of a known key, if there has been one."""
    named = digest(key)
    scans = Scan.objects.using(using).filter(model=key.label, is_selection=False).order_by("pk")
    return next((scan for scan in scans if digest_of_scan(scan) == named), None)


def new_scan(key: MatchKey, using: str) -> Scan:
    return Scan.objects.using(using).create(model=key.label, key=plain_match_key(key))


def in_words(key: MatchKey) -> str:
    """The key as people say it: "same name and email, ignoring case"."""
    fields = get_text_list([_field(key.model, lookup) for lookup in key.fields], _("and"))
    words = _("same %(fields)s") % {"fields": fields}
    if any(not hasattr(value, "query") for _lookup, value in key.where):
        words = _("%(key)s, of some rows") % {"key": words}
    return words


def scan_in_words(scan: Scan, key: MatchKey | None) -> str:
    """What a scan is about: "People: same name, of 5,000 selected rows"."""
    words = f"{rows_in_words(key)}: {in_words(key)}" if key else str(scan)
    if scan.is_selection:
        words = _("%(key)s, of selected rows (%(number)s)") % {"key": words, "number": scan.pk}
    return words


def rows_in_words(key: MatchKey) -> str:
    return str(capfirst(key.model._meta.verbose_name_plural))


def fields_in_words(label: str, lookups: Iterable[str]) -> str:
    """The fields of a key, of a model that may be gone or have other fields by now."""
    model = find_model(label)
    try:
        return ", ".join(_field(model, lookup) for lookup in lookups)
    except (AttributeError, DedupeError):
        return ", ".join(lookups)


def _field(model: Any, lookup: str) -> str:
    _name, *transforms = lookup.split("__")
    words = str(key_field(model, lookup).verbose_name)
    for transform in transforms:
        pattern = _(_IN_WORDS[transform]) if transform in _IN_WORDS else f"%(field)s ({transform})"
        words = pattern % {"field": words}
    return words
