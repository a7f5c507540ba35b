"""What the catalogue says of a rule, as an expression that Django can put into a query."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Expression, Field


class AsWritten(Expression):
    """SQL in the database's own words, in which columns are named without their table.

    Unlike `RawSQL` it is not searched for the names of parents' columns.
    """

    def __init__(self, sql: str, *, is_condition: bool = False) -> None:
        super().__init__(output_field=BooleanField() if is_condition else Field())
        self.sql = sql

    def __repr__(self) -> str:
        return self.sql

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[()]]:
        return f"({self.sql.replace('%', '%%')})", ()
