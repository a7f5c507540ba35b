"""Make a match key unique: the model's source and the migration, computed without writing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import QuerySet

from ..engine.find import find_duplicates
from ..errors import ConstraintRefused, InvalidOption
from ..keys import check_alias, key_field
from ..suggest import nearest
from .constraints import (
    Style,
    constraint_for,
    needs_constraint,
    refuse_unsupported,
    refuse_wrong,
    simplified,
)
from .covered import covering_rule
from .edits import ConstraintEdit, FileEdit
from .lines import merge_line, way_out
from .migrations import foreign_migration, foreign_rule, own_migration
from .models import edited_source
from .project import app_named, outside_reason, source_file

if TYPE_CHECKING:
    from django.db.models import UniqueConstraint

    from ..values import MatchKey


class DuplicatesLeft(ConstraintRefused):
    """Everything else is in place, but the database still has duplicates of ``key``."""

    def __init__(self, message: str, key: MatchKey) -> None:
        super().__init__(message)
        self.key = key


def make_unique(
    key: MatchKey,
    *,
    style: Style | str | None = None,
    name: str | None = None,
    using: str = "default",
    concurrently: bool = False,
    into_app: str | None = None,
) -> ConstraintEdit:
    """What it takes to let the database keep ``key`` unique; call ``write()`` on it to do it.

    Reads the database ``using``, the model's source and its migrations; writes nothing. Plain
    fields become ``unique_together``; transforms, conditions, NULLs that are equal, a ``name``
    or ``concurrently`` need a ``UniqueConstraint``. ``into_app`` puts the constraint of an
    installed package's model into the migrations of one of the project's own apps.

    Raises `DuplicatesLeft` when all but that is in order; `ConstraintRefused` when the database
    could not keep the constraint, or source and migrations cannot be changed safely;
    `InvalidOption` for options that contradict each other.
    """
    check_alias(using)
    owned = simplified(_on_owner(key))
    chosen = _style(owned, style, name, concurrently or into_app is not None)
    notes = _notes(key, owned)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    constraint = constraint_for(owned, name)
    covered = covering_rule(owned, using) or foreign_rule(owned, constraint, loader)
    if covered:
        return ConstraintEdit(key=owned, style=chosen, covered_by=covered, notes=notes)
    _refuse_unmanageable(owned, constraint, using)
    _refuse_taken(owned, name, using)
    _refuse_foreign(owned, into_app)
    files = _files(owned, constraint, chosen, concurrently, into_app, loader)
    _refuse_duplicates(owned, using)
    return ConstraintEdit(
        key=owned,
        style=chosen,
        name=constraint.name if chosen is Style.CONSTRAINT else "",
        app_label=into_app or owned.model._meta.app_label,
        files=files,
        migration=files[-1].path,
        notes=notes,
    )


def _on_owner(key: MatchKey) -> MatchKey:
    """The key on the model whose table holds its fields: a constraint cannot sit elsewhere."""
    meta: Any = key.model._meta
    if meta.swapped:
        raise ConstraintRefused(f"{key.label} is swapped out for {meta.swapped}; use that model")
    model = meta.concrete_model
    owners: set[Any] = {
        key_field(model, lookup).model._meta.concrete_model for lookup in key.fields
    }
    if len(owners) > 1:
        tables = " and ".join(sorted(owner._meta.label for owner in owners))
        raise ConstraintRefused(
            f"{key.label}: the key spans the tables of {tables}; no unique constraint can"
            " (models.E016)"
        )
    owned = replace(key, model=owners.pop())
    try:
        QuerySet(owned.model).filter(**dict(key.where))
    except FieldError:
        raise ConstraintRefused(
            f"{key.label}: the key belongs to the table of {owned.label}, whose constraint cannot"
            f" have a condition on {', '.join(lookup for lookup, _ in key.where)}"
        ) from None
    return owned


def _style(key: MatchKey, style: str | None, name: str | None, is_constraint: bool) -> Style:
    reason = needs_constraint(key)
    if not reason and name:
        reason = "it has no name, and --name gives one"
    if not reason and is_constraint:
        reason = "--concurrently and --into-app need a constraint with a name"
    if style is None:
        return Style.CONSTRAINT if reason else Style.UNIQUE_TOGETHER
    chosen = _known_style(style)
    if chosen is Style.UNIQUE_TOGETHER and reason:
        raise InvalidOption(f"{key.label}: unique_together cannot be the style: {reason}")
    return chosen


def _known_style(style: str) -> Style:
    try:
        return Style(style)
    except ValueError:
        raise InvalidOption(
            f"a style is {' or '.join(Style)}, not {style!r}{nearest(style, Style)}"
        ) from None


def _notes(key: MatchKey, owned: MatchKey) -> tuple[str, ...]:
    if owned.model is key.model:
        return ()
    return (f"{key.label} keeps these fields in the table of {owned.label}: the constraint is its",)


def _files(
    key: MatchKey,
    constraint: UniqueConstraint,
    style: Style,
    concurrently: bool,
    into_app: str | None,
    loader: MigrationLoader,
) -> tuple[FileEdit, ...]:
    """The model's module, if the project may edit it, and the migration."""
    if into_app:
        return (foreign_migration(key, constraint, concurrently, into_app, loader),)
    chosen = constraint if style is Style.CONSTRAINT else None
    migration = own_migration(key, chosen, concurrently, loader)
    return edited_source(key, chosen), migration


def _refuse_foreign(key: MatchKey, into_app: str | None) -> None:
    reason = outside_reason(source_file(key.model))
    if into_app:
        app_named(into_app)
        if not reason:
            raise InvalidOption(f"{key.label} is the project's own: leave out --into-app")
    elif reason:
        raise ConstraintRefused(
            f"{key.label} is not the project's to edit: {reason}; --into-app APP puts the"
            " constraint into the migrations of an app of yours"
        )


def _refuse_unmanageable(key: MatchKey, constraint: UniqueConstraint, using: str) -> None:
    refuse_wrong(key.model, constraint, using)
    refuse_unsupported(key, constraint, using)
    meta: Any = key.model._meta
    if meta.auto_created:
        raise ConstraintRefused(f"{key.label} is made by a many-to-many field; it is unique")
    if not meta.managed:
        connection: Any = connections[using]
        sql = constraint.create_sql(key.model, connection.SchemaEditorClass(connection))
        raise ConstraintRefused(
            f"{key.label} is unmanaged, so migrations would do nothing; run this yourself: {sql}"
        )


def _refuse_taken(key: MatchKey, name: str | None, using: str) -> None:
    """Names of constraints and indexes are shared by all tables of a database."""
    if name is None:
        return
    longest = connections[using].ops.max_name_length() or 63
    if not name.isidentifier() or len(name) > longest:
        raise InvalidOption(
            f"--name {name!r}: a name has letters, digits and underscores, {longest} at most"
        )
    for model in apps.get_models(include_auto_created=True):
        for one in (*model._meta.constraints, *model._meta.indexes):
            if one.name == name:
                raise InvalidOption(f"--name {name!r} is taken, by {model._meta.label}")


def _refuse_duplicates(key: MatchKey, using: str) -> None:
    found = find_duplicates(key, using=using, limit=0, include_dismissed=True)
    if found.groups:
        groups = "1 duplicate group" if found.groups == 1 else f"{found.groups} duplicate groups"
        steps = way_out(found, f"merge them first: {merge_line(key, using)}")
        raise DuplicatesLeft(
            f"{key.label} has {groups} ({found.rows} rows) on {', '.join(key.fields)};"
            f" nothing was written; {steps}",
            key,
        )
