"""Puts itself between the project and Django's ``get_or_create``, and takes itself away again."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import SyncToAsync, markcoroutinefunction
from django.apps import apps
from django.contrib.contenttypes import fields as generic
from django.db.models import QuerySet
from django.db.models.fields import related_descriptors as related

from ..audit.values import Verdict
from .callers import Caller, caller
from .judging import forget_rules
from .memory import look

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = ("get_or_create", "update_or_create")
_FACTORIES = (
    (related, "create_reverse_many_to_one_manager"),
    (related, "create_forward_many_to_many_manager"),
    (generic, "create_generic_related_manager"),
)


class _Handed:
    """What a call knows that those it is made of do not see: its caller, and its manager."""

    __slots__ = ("caller", "is_inner", "manager")

    def __init__(
        self, caller: Caller | None = None, manager: Any = None, *, is_inner: bool = False
    ) -> None:
        self.caller, self.manager, self.is_inner = caller, manager, is_inner


_NOTHING, _INNER = _Handed(), _Handed(is_inner=True)
_handed: ContextVar[_Handed | None] = ContextVar("dedupe_guard", default=None)
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
    """Leave Django as it was. What has been seen is kept."""
    while _undo:
        _undo.pop(0)()


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
            outer = handed or _NOTHING
            one = look(self, method, outer.caller, kwargs, outer.manager, defaults, args)
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
