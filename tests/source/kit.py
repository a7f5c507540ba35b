"""What tests of make_unique share: rows, models, and features that they ask for."""

from __future__ import annotations

EXPRESSIONS = "features.supports_expression_indexes"
CONDITIONS = "features.supports_partial_indexes"
NULLS = "features.supports_nulls_distinct_unique_constraints"
ITEM = "shop.Item"
