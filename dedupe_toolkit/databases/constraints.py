"""Unique constraints: which of them a database really has, and how it builds their indexes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.transaction import atomic

from ..errors import ConstraintRefused

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from django.db.models import Model, UniqueConstraint

    from .base import Database
    from .rules import LiveRule

_PLAIN = "CREATE UNIQUE INDEX"
_CONCURRENT = "CREATE UNIQUE INDEX CONCURRENTLY"
_ATTACHED = "SELECT 1 FROM pg_constraint WHERE conindid = to_regclass(%s) AND contype = 'u'"
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def enforces(connection: Any, constraint: Any) -> bool:
    """Whether the database really has this unique constraint, or Django only warned."""
    needs = {
        "supports_partial_indexes": constraint.condition is not None,
        "supports_expression_indexes": bool(constraint.expressions),
        "supports_nulls_distinct_unique_constraints": constraint.nulls_distinct is not None,
        "supports_deferrable_unique_constraints": constraint.deferrable is not None,
    }
    return all(getattr(connection.features, name) for name, needed in needs.items() if needed)


def builds_concurrently(connection: Any) -> bool:
    """Whether the database can build an index without keeping writers out."""
    return hasattr(connection.SchemaEditorClass, "sql_create_index_concurrently")


def whole_or_not_at_all(connection: Any) -> AbstractContextManager[Any]:
    """A transaction around schema changes, where the database can take such changes back.

    Without it a table rebuild that fails half way, as SQLite needs one, leaves its copy behind
    and every later try stumbles over that.
    """
    return atomic(connection.alias) if connection.features.can_rollback_ddl else nullcontext()


def add_unique_concurrently(
    editor: Any, model: type[Model], constraint: UniqueConstraint, database: Database
) -> None:
    """Build the unique index without blocking writes, then make it the constraint's.

    Goes on where an earlier try was stopped: an index that is built is not built again, and an
    invalid one, left by a build that failed, is dropped first: it looks like a unique index and
    warrants nothing.

    Raises `ConstraintRefused` if the name is that of another index.
    """
    if editor.collect_sql or not _is_built(editor, model, constraint, database):
        _build(editor, model, constraint)
    if _is_table_constraint(constraint) and not _is_attached(editor, constraint.name):
        table, name = map(editor.quote_name, (model._meta.db_table, constraint.name))
        editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def _build(editor: Any, model: type[Model], constraint: UniqueConstraint) -> None:
    statement: Any = constraint.create_sql(model, editor)
    statement.template = editor.sql_create_unique_index.replace(_PLAIN, _CONCURRENT, 1)
    try:
        editor.execute(statement)
    except IntegrityError:
        drop_invalid(editor, constraint.name)
        raise
    if not editor.collect_sql and not _is_valid(editor, constraint.name):
        raise IntegrityError(f"index {constraint.name} was built but is not valid")


def _is_built(
    editor: Any, model: type[Model], constraint: UniqueConstraint, database: Database
) -> bool:
    """Whether an earlier try has built the index; what it left half done is dropped."""
    drop_invalid(editor, constraint.name)
    if _is_valid(editor, constraint.name) is None:
        return False
    wanted = database.try_rule(model, constraint)
    there = [rule for rule in database.rules(model) if rule.name == constraint.name]
    if [_meaning(rule) for rule in there] != [wanted and _meaning(wanted)]:
        raise ConstraintRefused(
            f"{model._meta.label}: there is another index of the name {constraint.name}; drop it,"
            " or give the constraint another name"
        )
    return True


def _meaning(rule: LiveRule) -> tuple[Any, ...]:
    return rule.columns, rule.expressions, rule.condition, rule.nulls_distinct


def _is_attached(editor: Any, name: str) -> bool:
    if editor.collect_sql:
        return False
    with editor.connection.cursor() as cursor:
        cursor.execute(_ATTACHED, [editor.quote_name(name)])
        return bool(cursor.fetchone())


def drop_invalid(editor: Any, name: str) -> None:
    """Drop the index of that name if a failed concurrent build left it there."""
    if _is_valid(editor, name) is False:
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.quote_name(name)}")


def _is_valid(editor: Any, name: str) -> bool | None:
    """Whether the index enforces its rule; None if there is no such index."""
    with editor.connection.cursor() as cursor:
        cursor.execute(_VALID, [editor.quote_name(name)])
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def _is_table_constraint(constraint: Any) -> bool:
    """Whether Django keeps it as a constraint of the table, and not as a mere index."""
    return not (
        constraint.condition or constraint.expressions or constraint.include or constraint.opclasses
    )
