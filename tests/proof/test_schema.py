"""The tables as the proof describes them are those of the models."""

from __future__ import annotations

import pytest
from django.apps import apps

from .schema import BY_NAME, TABLES

MODELS = {
    model._meta.db_table.removeprefix("proof_"): model
    for model in apps.get_app_config("proof").get_models(include_auto_created=True)
}


def test_every_table_is_described() -> None:
    assert set(BY_NAME) == set(MODELS)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_and_unique_rule_is_described(table) -> None:  # type: ignore[no-untyped-def]
    fields = {field.attname: field for field in MODELS[table.name]._meta.local_concrete_fields}
    described = {column.replace("content_type", "content_type_id") for column in table.columns}
    assert described == set(fields)
    nullable = {column for column, to in table.references.items() if to.is_nullable}
    nullable |= {column for column, values in table.values.items() if None in values}
    assert nullable == {column for column, field in fields.items() if field.null}
    meta = MODELS[table.name]._meta
    rules = {frozenset([name]) for name, field in fields.items() if field.unique}
    rules |= {_columns(fields, rule) for rule in meta.unique_together}
    rules |= {_columns(fields, rule.fields) for rule in meta.constraints}
    own = {frozenset(rule) for rule in table.unique}
    own = {frozenset(c.replace("content_type", "content_type_id") for c in r) for r in own}
    assert own | {frozenset([table.key])} == rules


def _columns(fields, names) -> frozenset[str]:  # type: ignore[no-untyped-def]
    by_name = {field.name: attname for attname, field in fields.items()}
    return frozenset(by_name[name] for name in names)
