"""What the guard has seen: each call site, what it looked up, and the verdict on it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..audit.lookups import field_name
from ..audit.values import Reason
from ..errors import RaceWarning
from .callers import Caller, caller, site_of
from .judging import judged

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ..audit.values import Decision

logger = logging.getLogger(__name__)


class Call(NamedTuple):
    """A call that is being made, on a related manager or none."""

    queryset: QuerySet[Any]
    method: str
    manager: Any
    defaults: Any
    more: tuple[Any, ...]
    kwargs: dict[str, Any]

    def arguments(self) -> tuple[dict[str, Any], Any]:
        """What is looked up, and what the row is created with beside it."""
        if self.method == "get_or_create":  # a field may be called create_defaults
            return self.kwargs, self.defaults
        lookups = dict(self.kwargs)
        instead = lookups.pop("create_defaults", None) or (self.more[0] if self.more else None)
        return lookups, self.defaults if instead is None else instead


@dataclass(kw_only=True, slots=True)
class Seen:
    """A call site with what it looked up, the verdict, and how often it was seen."""

    path: str
    line: int
    names: dict[str, Any]
    method: str
    model: Any
    fields: tuple[str, ...]
    defaults: dict[str, Any]
    decision: Decision
    calls: int = 0

    def warn(self) -> None:
        text = (
            f"{self.model._meta.label} by {', '.join(self.fields) or 'nothing'}:"
            f" {self.decision.sentence}"
        )
        registry = self.names.setdefault("__warningregistry__", {})
        module = self.names.get("__name__") or "<unknown>"
        warnings.warn_explicit(RaceWarning(text), None, self.path, self.line, module, registry)


_seen: dict[Any, Seen | None] = {}
_NEW: Any = object()


def seen() -> list[Seen]:
    """Every call site so far, and each way it was called in."""
    return [one for one in list(_seen.values()) if one is not None]


def forget() -> None:
    """Begin anew with what has been seen."""
    _seen.clear()


def look(
    queryset: QuerySet[Any], method: str, known: Caller | None, kwargs: dict[str, Any], *more: Any
) -> Seen | None:
    """What is known of the call; None if that cannot be told. Never raises.

    ``more`` is its manager, its defaults and what else it is given: a `Call` of all that is made
    only where it is looked at, as it would take a tenth of the time of one that is known.
    """
    try:
        where = known or caller()
        given = tuple([(name, value is None) for name, value in kwargs.items()])
        site = where and (site_of(where.code), where.at)
        key = (site, queryset.model, vars(queryset)["_db"], method, given)
        one: Seen | None = _seen.get(key, _NEW)
        if one is _NEW:
            # so that what fails is not tried again and again
            _seen[key] = None
            _seen[key] = one = _first_seen(Call._make((queryset, method, *more, kwargs)), where)
        elif one is not None and one.decision.reason is Reason.DEFAULTS:
            _judge_again(one, Call._make((queryset, method, *more, kwargs)))
        if one is not None:
            one.calls += 1
        return one
    except Exception:
        logger.debug("A call of %s could not be judged", method, exc_info=True)
        return None


def _first_seen(call: Call, where: Caller | None) -> Seen:
    lookups, given = call.arguments()
    model = call.queryset.model
    return Seen(
        path=where.path if where else "<unknown>",
        line=where.line if where else 0,
        names=where.names if where else {},
        method=call.method,
        model=model,
        fields=tuple(dict.fromkeys(field_name(model, name) or name for name in lookups)),
        defaults=dict(given) if isinstance(given, Mapping) else {},
        decision=judged(call.queryset, call.method, lookups, given, call.manager),
    )


def _judge_again(one: Seen, call: Call) -> None:
    """Defaults complete a rule only while they are the same in every call, or what is looked up."""
    lookups, given = call.arguments()
    looked_up = list(lookups.values())
    differing = [
        name
        for name, value in (given or {}).items()
        if one.defaults.get(name, _NEW) != value and value not in looked_up
    ]
    if differing:
        manager = call.manager
        one.decision = judged(call.queryset, call.method, lookups, given, manager, differing)
