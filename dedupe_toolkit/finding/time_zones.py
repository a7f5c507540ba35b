"""Keys of local dates and times, which a database without time zones cannot tell. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connections
from django.utils.timezone import get_current_timezone_name

from ..databases import Database, database, dialect_of
from ..errors import InvalidMatchKey
from ..keys import is_local_time

if TYPE_CHECKING:
    from ..values import MatchKey


def require_time_zones(key: MatchKey, using: str) -> None:
    """Raises `InvalidMatchKey` for a key of local time where the database knows no such zone.

    There every value of the key is NULL: no duplicate would be found, and a unique index over it
    would allow any.
    """
    local = [lookup for lookup in key.fields if is_local_time(key.model, lookup)]
    if not (local and settings.USE_TZ) or dialect_of(using) is Database:
        return
    zone = get_current_timezone_name()
    if zone != connections[using].timezone_name and not database(using).knows_time_zone(zone):
        raise InvalidMatchKey(
            f"{key.label}: the database {using!r} does not know the time zone {zone!r}, and"
            f" {local[0]} is NULL in every row there; load its time zone tables first"
            " (mysql_tzinfo_to_sql)"
        )
