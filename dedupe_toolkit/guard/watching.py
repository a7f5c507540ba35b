"""Puts itself between the project and Django's ``get_or_create``, and takes itself away again."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import SyncToAsync, markcoroutinefunction
from django.apps import apps
from django.contrib.contenttypes import fields as generic
from django.db.models import QuerySet
from django.db.models.fields import related_descriptors as related

from ..audit.lookups import field_name
from ..audit.values import Reason, Verdict
from ..errors import RaceWarning
from .callers import Caller, caller, site_of
from .judging import forget_rules, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..audit.values import Decision

logger = logging.getLogger(__name__)

_METHODS = ("get_or_create", "update_or_create")
_FACTORIES = (
    (related, "create_reverse_many_to_one_manager"),
    (related, "create_forward_many_to_many_manager"),
    (generic, "create_generic_related_manager"),
)


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


class _Handed:
    """What a call knows that those it is made of do not see: its caller, and its manager."""

    __slots__ = ("caller", "is_inner", "manager")

    def __init__(
        self, caller: Caller | None = None, manager: Any = None, *, is_inner: bool = False
    ) -> None:
        self.caller, self.manager, self.is_inner = caller, manager, is_inner


_INNER = _Handed(is_inner=True)
_handed: ContextVar[_Handed | None] = ContextVar("dedupe_guard", default=None)
_seen: dict[Any, Seen | None] = {}
_NEW: Any = object()
_undo: list[Callable[[], None]] = []


def install() -> None:
    """Watch from now on. Does nothing if it watches already."""
    if _undo:
        return
    forget_rules()
    _replace(QuerySet, "get_or_create", _watched)
    _replace(QuerySet, "update_or_create", _watched)
    _replace(QuerySet, "aget_or_create", _awaited)
    _replace(QuerySet, "aupdate_or_create", _awaited)
    _replace(SyncToAsync, "__call__", _handed_to_thread)
    for module, name in _FACTORIES:
        _replace(module, name, _making_watched_managers)
    _forget_managers()
    _undo.append(_forget_managers)


def uninstall() -> None:
    """Leave Django as it was. What has been seen is kept until `forget`."""
    while _undo:
        _undo.pop(0)()


def seen() -> list[Seen]:
    """Every call site so far, and each way it was called in."""
    return [one for one in list(_seen.values()) if one is not None]


def forget() -> None:
    """Begin anew with what has been seen."""
    _seen.clear()


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    setattr(owner, name, wrap(original))
    _undo.append(lambda: setattr(owner, name, original))


def _forget_managers() -> None:
    """Let Django make its related managers' classes anew."""
    kinds = (related.ReverseManyToOneDescriptor, generic.ReverseGenericManyToOneDescriptor)
    for model in apps.get_models(include_auto_created=True):
        for value in vars(model).values():
            if isinstance(value, kinds):
                vars(value).pop("related_manager_cls", None)


def _watched(original: Any) -> Any:
    method = original.__name__
    hides_inner = method == "update_or_create"

    @wraps(original)
    def watch(self: QuerySet[Any], defaults: Any = None, *args: Any, **kwargs: Any) -> Any:
        handed = _handed.get()
        if handed is not None:
            # it was for this call: what happens within has callers of its own
            _handed.set(None)
        if handed is None or not handed.is_inner:
            one = _look(self, method, handed, defaults, args, kwargs)
            if one is not None and one.decision.verdict is Verdict.UNSAFE:
                one.warn()
        if not hides_inner:
            return original(self, defaults, *args, **kwargs)
        token = _handed.set(_INNER)
        try:
            return original(self, defaults, *args, **kwargs)
        finally:
            _handed.reset(token)

    return watch


def _look(
    queryset: QuerySet[Any],
    method: str,
    handed: _Handed | None,
    defaults: Any,
    more: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Seen | None:
    """What is known of the call; None if that cannot be told. Never raises."""
    try:
        where = (handed.caller if handed else None) or caller()
        given = tuple([(name, value is None) for name, value in kwargs.items()])
        site = where and (site_of(where.code), where.at)
        key = (site, queryset.model, vars(queryset)["_db"], method, given)
        one: Seen | None = _seen.get(key, _NEW)
        if one is _NEW:
            # so that what fails is not tried again and again
            _seen[key] = None
            manager = handed.manager if handed else None
            one = _first_seen(queryset, method, where, manager, defaults, more, kwargs)
            _seen[key] = one
        elif one is not None and one.decision.reason is Reason.DEFAULTS:
            manager = handed.manager if handed else None
            _judge_again(one, queryset, manager, defaults, more, kwargs)
        if one is not None:
            one.calls += 1
        return one
    except Exception:
        logger.debug("A call of %s could not be judged", method, exc_info=True)
        return None


def _first_seen(
    queryset: QuerySet[Any],
    method: str,
    where: Caller | None,
    manager: Any,
    defaults: Any,
    more: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Seen:
    lookups, given = _arguments(method, defaults, more, kwargs)
    fields = [field_name(queryset.model, name) or name for name in lookups]
    return Seen(
        path=where.path if where else "<unknown>",
        line=where.line if where else 0,
        names=where.names if where else {},
        method=method,
        model=queryset.model,
        fields=tuple(dict.fromkeys(fields)),
        defaults=dict(given) if isinstance(given, Mapping) else {},
        decision=judged(queryset, method, lookups, given, manager),
    )


def _judge_again(
    one: Seen,
    queryset: QuerySet[Any],
    manager: Any,
    defaults: Any,
    more: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Defaults complete a rule only while they are the same in every call, or what is looked up."""
    lookups, given = _arguments(one.method, defaults, more, kwargs)
    looked_up = list(lookups.values())
    differing = [
        name
        for name, value in (given or {}).items()
        if one.defaults.get(name, _NEW) != value and value not in looked_up
    ]
    if differing:
        one.decision = judged(queryset, one.method, lookups, given, manager, differing)


def _arguments(
    method: str, defaults: Any, more: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """What is looked up, and what the row is created with beside it."""
    lookups = dict(kwargs)
    instead = lookups.pop("create_defaults", None) or (more[0] if more else None)
    if method == "get_or_create":
        # a field may have that name
        lookups, instead = kwargs, None
    return lookups, defaults if instead is None else instead


def _awaited(original: Any) -> Any:
    """Takes the caller when it is called: when it runs, an event loop stands between."""

    async def run(handed: _Handed, *args: Any, **kwargs: Any) -> Any:
        token = _handed.set(handed)
        try:
            return await original(*args, **kwargs)
        finally:
            _handed.reset(token)

    @wraps(original)
    def watch(*args: Any, **kwargs: Any) -> Any:
        outer = _handed.get()
        return run(outer or _Handed(_quietly(caller)), *args, **kwargs)

    return markcoroutinefunction(watch)


def _handed_to_thread(original: Any) -> Any:
    """``sync_to_async(X.objects.get_or_create)(…)``: the thread knows nothing of who called."""

    @wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_ours = getattr(self.func, "__name__", "") in _METHODS
        if not is_ours or _handed.get() is not None:
            return original(self, *args, **kwargs)
        return watch(self, *args, **kwargs)

    watch = _awaited(original)
    return call


def _making_watched_managers(original: Any) -> Any:
    """Django makes a class for each relation; its methods tell which manager was called."""

    @wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        for name in _METHODS:
            setattr(made, name, _on_manager(vars(made)[name]))
            setattr(made, f"a{name}", _awaited(vars(made)[f"a{name}"]))
        return made

    return make


def _on_manager(original: Any) -> Any:
    @wraps(original)
    def call(self: Any, **kwargs: Any) -> Any:
        outer = _handed.get()
        known = outer.caller if outer else None
        token = _handed.set(_Handed(known or _quietly(caller), self))
        try:
            return original(self, **kwargs)
        finally:
            _handed.reset(token)

    return call


def _quietly(ask: Callable[[], Caller | None]) -> Caller | None:
    try:
        return ask()
    except Exception:
        return None
