"""The verdict on a call that is being made, by the audit's procedure. Reads the catalogue only."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import connections, router, transaction

from ..audit.decision import decide
from ..audit.filters import filters_of
from ..audit.judging import Judge
from ..audit.values import Call, Given
from ..databases import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from ..audit.values import Decision

_judge = Judge("default")


def forget_rules() -> None:
    """Ask for the unique rules anew: migrations may have changed them."""
    _judge.forget()


def judged(
    queryset: QuerySet[Any],
    method: str,
    lookups: Mapping[str, Any],
    defaults: Mapping[str, Any] | None,
    manager: Any,
    differing: Collection[str] = (),
) -> Decision:
    """What a race does to the call. ``manager`` is the related manager it was made on, if any.

    ``differing`` are the defaults that have been others in another call.
    """
    through = many_to_many(manager)
    known = {name.partition("__")[0] for name in getattr(manager, "core_filters", ())}
    filters, excludes = filters_of(queryset, known=known)
    using = queryset._db or router.db_for_write(queryset.model, **queryset._hints)  # type: ignore[attr-defined]  # as Django chooses it
    updates = "update" in method
    locks = updates or queryset.query.select_for_update
    call = Call(
        model=queryset.model,
        method=method,
        lookups={name: Given.of(value) for name, value in lookups.items()},
        filters=filters,
        # the relation's own condition is the first, and looks through a join
        excludes=excludes[1:] if through else excludes,
        defaults=_givens(defaults, differing),
        many_to_many=through,
        deadlocks=database(using).locks_gaps and locks,
    )
    is_inside = updates or connections[using].in_atomic_block
    with _unheard(using):
        call = replace(call, snapshot=_judge.snapshot(using, is_inside))
        return decide(call, _judge.rules(queryset.model, using))


def many_to_many(manager: Any) -> str:
    """The relation that a manager looks through, as ``Board.items``; "" if it is no such one."""
    if manager is None or not hasattr(manager, "through"):
        return ""
    return f"{type(manager.instance)._meta.object_name}.{manager.prefetch_cache_name}"


def _givens(defaults: Any, differing: Collection[str]) -> dict[str, Given]:
    if not isinstance(defaults, Mapping):
        # a Q, for one, that somebody takes for a condition
        return {}
    # what can be called Django calls, each time anew
    return {
        name: Given() if callable(value) or name in differing else Given.of(value)
        for name, value in defaults.items()
    }


@contextmanager
def _unheard(using: str) -> Iterator[None]:
    """What is asked within is neither counted nor watched, and breaks no transaction."""
    connection: Any = connections[using]
    kept = connection.execute_wrappers, connection.queries_log, connection.force_debug_cursor
    connection.execute_wrappers = []
    connection.queries_log = deque(maxlen=0)
    connection.force_debug_cursor = False
    try:
        if connection.in_atomic_block:
            with transaction.atomic(using=using):
                yield
        else:
            yield
    finally:
        connection.execute_wrappers, connection.queries_log, connection.force_debug_cursor = kept
