"""What the shop declares: keys, rules, and references that only it can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dedupe_toolkit import ColumnReference, CustomReference, register

from .models import Customer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Mentions(CustomReference):
    def keys(self, value: Any) -> Iterable[str]:
        return str(value).split(",")

    def replaced(self, value: Any, survivors: Mapping[Any, Any]) -> str:
        return ",".join(str(survivors.get(key, key)) for key in self.keys(value))


def highest(values: list[Any]) -> Any:
    return max(values)


register(
    Customer,
    keys=["email", ("email", "points"), {"fields": ["email"], "ignore_case": True}],
    survivor="most_referenced",
    field_rules={"points": "sum", "email": highest},
    on_collision="merge",
    references=[
        ColumnReference("shop.Order.owner_id", where={"owner_type": "customer"}),
        Mentions("shop.Order.mentions"),
    ],
)
