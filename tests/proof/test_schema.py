"""The tables as the proof describes them are those of the models."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import UniqueConstraint

from .schema import SCHEMA

PAIRS = {("low", "high"): ("left", "right")}
"""Computed columns, and the references that these are computed of."""

MODELS = {
    model._meta.db_table.removeprefix("proof_"): model
    for model in apps.get_app_config("proof").get_models(include_auto_created=True)
}


def test_every_table_is_described() -> None:
    assert set(SCHEMA.by_name) == set(MODELS)


@pytest.mark.parametrize("table", SCHEMA.tables, ids=lambda table: table.name)
def test_every_column_and_unique_rule_is_described(table) -> None:  # type: ignore[no-untyped-def]
    meta = MODELS[table.name]._meta
    fields = {f.attname: f for f in meta.local_concrete_fields if not f.generated}
    described = {column.replace("content_type", "content_type_id") for column in table.columns}
    assert described == set(fields)
    nullable = {column for column, to in table.references.items() if to.is_nullable}
    nullable |= {column for column, values in table.values.items() if None in values}
    assert nullable == {column for column, field in fields.items() if field.null}
    rules = {frozenset([name]) for name, field in fields.items() if field.unique}
    rules |= {_columns(fields, PAIRS.get(rule, rule)) for rule in meta.unique_together}
    unique = [rule for rule in meta.constraints if isinstance(rule, UniqueConstraint)]
    rules |= {_columns(fields, rule.fields) for rule in unique}
    assert len(table.checks) == len(meta.constraints) - len(unique)
    own = {frozenset(rule) for rule in table.unique}
    own = {frozenset(c.replace("content_type", "content_type_id") for c in r) for r in own}
    assert own | {frozenset([table.key])} == rules


def _columns(fields, names) -> frozenset[str]:  # type: ignore[no-untyped-def]
    by_name = {field.name: attname for attname, field in fields.items()}
    return frozenset(by_name[name] for name in names)
