"""Models and tables of a schema that was drawn: made, and taken away again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, models
from django.db.models.functions import Lower
from hypothesis import assume

from .drawn_by_hand import make_by_hand
from .drawn_triggers import Stamps, add_collation
from .store import UNKNOWN
from .tables import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Field, Model

    from .tables import Schema, Table, To


@contextmanager
def existing(schema: Schema) -> Iterator[None]:
    """Inside, the tables are there, empty, and so are their models."""
    made: list[type[Model]] = []
    created: list[type[Model]] = []
    having = [table for table in schema.tables if not table.is_link]
    stamps = Stamps(schema)
    ContentType.objects.clear_cache()
    add_collation()
    try:
        for table in having:
            made.append(_model(schema, table))
        assume(_have_whole_names(made))
        _create(having, made, created)
        stamps.add()
        for name in schema.subjects:
            ContentType.objects.get_for_model(apps.get_model(schema.app, name))
        yield
    finally:
        stamps.remove()
        with connection.schema_editor() as editor:
            for model in reversed(created):
                editor.delete_model(model)
        for registry in (apps, UNKNOWN):
            registry.all_models[schema.app].clear()
        apps.clear_cache()
        ContentType.objects.filter(app_label=schema.app).delete()
        ContentType.objects.clear_cache()


def _create(having: list[Table], made: list[type[Model]], created: list[type[Model]]) -> None:
    """Make the tables; ``created`` has those that are there, also where one of them fails."""
    try:
        with connection.schema_editor() as editor:
            for table, model in zip(having, made, strict=True):
                if any(to.acts for to in table.references.values()):
                    make_by_hand(editor, table, model)
                else:
                    editor.create_model(model)
                created.append(model)
    except DatabaseError:
        # a schema editor leaves its transaction open if a statement fails that it had put off
        connection.close()
        connection.connect()
        if connection.features.can_rollback_ddl:
            created.clear()
        raise


def _have_whole_names(made: list[type[Model]]) -> bool:
    """Whether Django cuts none of the names of their indexes within a quoting character."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in made:
            editor.create_model(model)
    return not any(sql.count(connection.ops.quote_name("")[0]) % 2 for sql in editor.collected_sql)


def _model(schema: Schema, table: Table) -> type[Model]:
    rules = [
        tuple(name for column in rule for name in _names(table, column))
        for rule in table.unique
        if len(rule) > 1 and rule != table.composite and not table.is_special(rule)
    ]
    meta = {"app_label": schema.app, "db_table": table.db_table, "unique_together": rules}
    meta["constraints"] = [
        _constraint(table, rule) for rule in filter(table.is_special, table.unique)
    ]
    if table.is_unknown:
        meta["apps"] = UNKNOWN
        UNKNOWN.all_models[schema.app].update(apps.all_models[schema.app])
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "Meta": type("Meta", (), meta),
        **_fields(schema, table),
    }
    if table.shown:
        attributes["objects"] = _showing(table.shown)
        attributes["everything"] = models.Manager()
    bases = tuple(apps.get_model(schema.app, name) for name in _parents(table)) or (models.Model,)
    return type(models.Model)(table.name.capitalize(), bases, attributes)


def _constraint(table: Table, rule: tuple[str, ...]) -> models.UniqueConstraint:
    """A unique rule that counts some rows only, or is over an expression or a computed column."""
    name, (first, text) = f"drawn_one_{table.name}", (_name(table, column) for column in rule)
    if rule in table.lowered:
        return models.UniqueConstraint(models.F(first), Lower(text), name=name)
    if rule in table.computed:
        return models.UniqueConstraint(fields=["computed", text], name=name)
    counted = models.Q(table.counting[rule])
    return models.UniqueConstraint(fields=[first, text], condition=counted, name=name)


def _name(table: Table, column: str) -> str:
    """The name of the field: an id beside a content type keeps its own."""
    to = table.references.get(column)
    return column.removesuffix("_id") if to and to.table != ANY else column


def _names(table: Table, column: str) -> tuple[str, ...]:
    to = table.references.get(column)
    return to.columns if to and to.columns else (_name(table, column),)


def _parents(table: Table) -> list[str]:
    own = [table.parent] if table.parent else []
    return [*own, *(table.references[link].table for link in table.links)]


def _showing(shown: dict[str, Any]) -> models.Manager[Any]:
    class Showing(models.Manager[Any]):
        def get_queryset(self) -> models.QuerySet[Any]:
            return super().get_queryset().filter(**shown)

    return Showing()


def _fields(schema: Schema, table: Table) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if table.composite:
        names = (_name(table, column) for column in table.composite)
        fields[table.key] = models.CompositePrimaryKey(*names)
    elif table.key not in table.references:
        fields[table.key] = table.key_kind.make(primary_key=True, **_called(table, table.key))
    for column, to in table.references.items():
        if to.table == ANY:
            fields |= _generic(table, column)
        elif to.columns:
            fields |= _composite(schema, column, to)
        else:
            fields[_name(table, column)] = _reference(table, column, to)
    for column, values in table.values.items():
        options = {"null": None in values, "unique": (column,) in table.unique}
        kind = table.kinds[column]
        fields[column] = kind.make(**options, **_called(table, column))
    for column, _ in table.computed:
        fields["computed"] = _repeating(schema, table, column)
    for link in schema.tables:
        if link.is_link and link.name.startswith(f"{table.name}_"):
            to = list(link.references.values())[-1].table.capitalize()
            fields[link.name.partition("_")[2]] = models.ManyToManyField(to, db_table=link.db_table)
    return fields


def _repeating(schema: Schema, table: Table, column: str) -> models.GeneratedField:
    kind = schema.by_name[table.references[column].table].key_kind
    return models.GeneratedField(
        expression=models.F(_name(table, column)),
        output_field=(kind.plain or kind.make)(),
        db_persist=True,
    )


def _called(table: Table, column: str) -> dict[str, str]:
    name = table.db_columns.get(column)
    return {"db_column": name} if name else {}


def _reference(table: Table, column: str, to: To) -> Field[Any, Any]:
    is_unique = (column,) in table.unique or column == table.key
    options: dict[str, Any] = {"null": to.is_nullable, "primary_key": column == table.key}
    if to.by:
        options["to_field"] = to.by
    target = "self" if to.table == table.name else to.table.capitalize()
    return (models.OneToOneField if is_unique else models.ForeignKey)(
        target,
        models.CASCADE,
        related_name="+",
        db_constraint=to.is_checked and not to.acts,
        **({"parent_link": True} if to.table in _parents(table) else {}),
        **options,
        **_called(table, column),
    )


def _composite(schema: Schema, column: str, to: To) -> dict[str, Any]:
    """The columns of a composite key, and the relation that they make up."""
    target = schema.by_name[to.table]
    fields: dict[str, Any] = {}
    for name, part in zip(to.columns, target.composite, strict=True):
        pointed = target.references.get(part)
        kind = schema.by_name[pointed.table].key_kind if pointed else target.kinds[part]
        fields[name] = (kind.plain or kind.make)(null=to.is_nullable)
    parts = [_name(target, part) for part in target.composite]
    fields[column] = models.ForeignObject(
        to.table.capitalize(),
        models.CASCADE,
        from_fields=list(to.columns),
        to_fields=parts,
        related_name="+",
    )
    return fields


def _generic(table: Table, column: str) -> dict[str, Any]:
    """An id beside the content type; the first that there is has a generic key over it."""
    to = table.references[column]
    own = table.kinds[column].make(null=to.is_nullable, **_called(table, column))
    if to.again:
        return {column: own}
    content_type = models.ForeignKey(
        ContentType, models.CASCADE, related_name="+", **_called(table, "content_type")
    )
    about = {"about": GenericForeignKey("content_type", column)} if column == "object_id" else {}
    return {"content_type": content_type, column: own, **about}
