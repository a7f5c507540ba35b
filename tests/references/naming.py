"""Tables made by hand, and models that are called after them for one test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


@contextmanager
def called(model: type[Model], table: str) -> Iterator[None]:
    """Inside, the model's table has this name, as ``Meta.db_table`` would say it."""
    before = model._meta.db_table
    _call(model, table)
    try:
        yield
    finally:
        _call(model, before)


def _call(model: type[Model], table: str) -> None:
    model._meta.db_table = table
    for field in model._meta.concrete_fields:
        # a field remembers the table that it was first asked for
        field.__dict__.pop("cached_col", None)


@contextmanager
def made(*tables: tuple[str, str]) -> Iterator[None]:
    """Inside, there are these tables: names as models have them, and what follows their names."""
    try:
        for name, definition in tables:
            run(f"CREATE TABLE {quoted(name)} {definition}")
        yield
    finally:
        for name, _ in reversed(tables):
            run(f"DROP TABLE IF EXISTS {quoted(name)}")


def rows_of(name: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {quoted(name)}")
        return sorted(map(repr, cursor.fetchall()))
