"""Mistakes that a type checker must see: where it does not, the comment is one that is unused."""

from __future__ import annotations

from dedupe_toolkit import match_key, merge, plan_merge, row_set

from .models import Customer

KEY = match_key(Customer, ["email"], ignore_cases=True)  # type: ignore[call-arg]  # ignore_case

merge(KEY)  # type: ignore[arg-type]  # a plan is merged, not a key
plan_merge(Customer)  # type: ignore[arg-type]  # a key or rows are planned, not a model
row_set("shop.Customer", [1, 2])  # type: ignore[arg-type]  # the model itself, not its name
merge(plan_merge(KEY)).rows_mergd  # type: ignore[attr-defined]  # noqa: B018 (the name is checked)


def misspelt() -> None:
    from dedupe_toolkit import mrege  # type: ignore[attr-defined]  # noqa: F401 (no such name)
