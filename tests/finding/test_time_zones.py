"""Keys of local dates, where the database does not know the time zone they are meant in."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from dedupe_toolkit import find_duplicates, match_key, plan_merge
from dedupe_toolkit.errors import InvalidMatchKey
from tests.situations.typed.models import Everything

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "mysql", reason="the others bring their own zones"),
]


@pytest.fixture
def unknown_zone() -> ZoneInfo:
    """A zone that Python knows and no database does."""
    (path, *_) = (found for path in TZPATH if (found := Path(path, "Europe", "Berlin")).is_file())
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key="Mars/Phobos")


def test_a_key_of_local_dates_is_refused_and_what_to_load_is_named(unknown_zone: ZoneInfo) -> None:
    key = match_key(Everything, ["moment__date"])
    with timezone.override(unknown_zone):
        for verb in (find_duplicates, plan_merge):
            with pytest.raises(InvalidMatchKey, match="does not know the time zone 'Mars/Phobos'"):
                verb(key)


def test_a_moment_itself_needs_no_time_zone(unknown_zone: ZoneInfo) -> None:
    with timezone.override(unknown_zone):
        assert find_duplicates(match_key(Everything, ["moment"])).groups == 0
