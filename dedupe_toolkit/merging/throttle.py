"""A merge gives way between two batches: to replicas that are behind, and as a project asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.utils import timezone
from django.utils.module_loading import import_string

from .. import conf
from ..databases import database
from ..databases.replicas import replicas_of
from ..errors import InvalidOption
from ..keys import check_alias
from ..models import MergeRun

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1.0
"""Seconds after which those who were in the way are asked again."""

# the first commit after a quiet hour looks an hour late, and is there a moment later
_AGAIN = 0.1


@dataclass(frozen=True, kw_only=True)
class Wait:
    """For how many seconds to wait before asking again, and what for."""

    seconds: float
    reason: str


Throttle = Callable[[MergeRun], Wait | None]


def throttles(
    using: str, max_lag: float | None = None, replicas: Sequence[str] = ()
) -> tuple[Throttle, ...]:
    """What a merge asks between batches: the setting, and replicas if ``max_lag`` is given.

    Raises `InvalidOption` for a setting that names no function, for a lag without replicas or
    replicas without a lag, and for an alias that is no replica; `InvalidMatchKey` for one that
    there is not.
    """
    asked: list[Throttle] = []
    if conf.throttle():
        asked.append(_from_settings(conf.throttle()))
    if max_lag is None:
        if replicas:
            raise InvalidOption(
                "replicas are named without a lag: say how many seconds are too many (--max-lag)"
            )
        return tuple(asked)
    for alias in replicas_of(using, replicas):
        check_alias(alias)
        if not database(alias).is_replica():
            raise InvalidOption(f"database {alias!r} is no replica: it repeats no other server")
        asked.append(partial(_behind, using, alias, max_lag))
    return tuple(asked)


def give_way(
    run: MergeRun,
    asked: Sequence[Throttle],
    tell: Callable[[], None],
    stop: Callable[[], bool],
) -> bool:
    """Wait until nobody asks for it any more, or until told to stop; whether that was.

    ``tell`` is called whenever there is news of it.
    """
    while waited(run, asked, tell):
        if stop():
            return True
    return False


def waited(
    run: MergeRun, asked: Sequence[Throttle], tell: Callable[[], None] = lambda: None
) -> bool:
    """Ask once, and wait for a moment if somebody wants it; whether anybody did.

    What for stands in the run's row until nobody asks for it any more. Inside a transaction of the
    caller's nobody is waited for: it would keep its locks, and nothing of it has reached anybody.
    """
    if not asked or database(run.using).connection.in_atomic_block:
        return False
    wait = next(filter(None, (throttle(run) for throttle in asked)), None)
    reason = wait.reason if wait else ""
    if reason or run.waits_for:
        _say(run, reason)
        tell()
    if wait:
        sleep(min(wait.seconds, LONGEST))
    return wait is not None


def _say(run: MergeRun, reason: str) -> None:
    longest = MergeRun._meta.get_field("waits_for").max_length
    run.waits_for, run.progressed = reason[:longest], timezone.now()
    run.save(using=run.using, update_fields=["waits_for", "progressed"])


def _behind(using: str, alias: str, max_lag: float, run: MergeRun) -> Wait | None:
    """To wait for while a replica is further behind than that, or cannot be asked."""
    position = database(using).log_position()
    try:
        lag = database(alias).replica_lag(position)
    except Error as error:
        # a connection that broke is of no use any more; the next question opens another
        database(alias).connection.close()
        said = " ".join(str(error).split())
        return Wait(seconds=LONGEST, reason=f"replica {alias!r} does not answer: {said}")
    if lag is None:
        return Wait(seconds=LONGEST, reason=f"replica {alias!r} does not replicate")
    if lag <= max_lag:
        return None
    return Wait(seconds=_AGAIN, reason=f"replica {alias!r} is {lag:,.1f} s behind")


def _from_settings(name: str) -> Throttle:
    try:
        function = import_string(name)
    except ImportError as error:
        raise InvalidOption(f"DEDUPE_THROTTLE: {error}") from None
    if not callable(function):
        raise InvalidOption(f"DEDUPE_THROTTLE: {name} is no function")
    return partial(_asked, name, function)


def _asked(name: str, function: Callable[[MergeRun], Any], run: MergeRun) -> Wait | None:
    seconds = function(run)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidOption(
            f"DEDUPE_THROTTLE: {name} returns {seconds!r}; it has to return for how many seconds to"
            " wait, 0 to go on"
        )
    return Wait(seconds=seconds, reason=f"{name} asks for {seconds:g} s") if seconds > 0 else None
