"""Make a match key unique: the model's source and the migration, computed without writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import QuerySet

from ..arguments import checking_arguments, require_kind
from ..databases.constraints import builds_concurrently
from ..databases.places import is_view, place_of
from ..errors import ConstraintRefused, InvalidOption
from ..keys import check_alias
from ..suggest import nearest
from ..values import MatchKey
from .constraints import (
    Style,
    constraint_for,
    needs_constraint,
    refuse_unsupported,
    refuse_untenable,
    refuse_wrong,
    simplified,
)
from .edits import ConstraintEdit, FileEdit
from .generated import new_fields, refuse_uncarried
from .known import refuse_duplicates, what_is_known
from .migrations import Choices, foreign_migration, own_migration
from .models import edited_source
from .owner import on_owner
from .project import app_named, outside_reason, source_file

if TYPE_CHECKING:
    from django.db.models import UniqueConstraint

_MANY_ROWS = 100_000


@checking_arguments
def make_unique(
    key: MatchKey,
    *,
    style: Style | str | None = None,
    name: str | None = None,
    using: str = "default",
    concurrently: bool = False,
    into_app: str | None = None,
    show_values: bool = False,
) -> ConstraintEdit:
    """What it takes to let the database keep ``key`` unique; call ``write()`` on it to do it.

    Reads the database ``using``, the model's source and its migrations; writes nothing. Plain
    fields become ``unique_together``; transforms, conditions, NULLs that are equal, a ``name``
    or ``concurrently`` need a ``UniqueConstraint``. The style ``generated`` keeps what these make
    of a field in a `GeneratedField`, for databases that cannot keep such constraints.
    ``into_app`` puts the constraint of an installed package's model into the migrations of one of
    the project's own apps. ``show_values``
    lets the migration's error name the largest groups' key values.

    Raises `DuplicatesLeft` when all but that is in order; `ConstraintRefused` when the database
    could not keep the constraint, or source and migrations cannot be changed safely;
    `InvalidOption` for options that contradict each other or a name that is taken;
    `InvalidMatchKey` for an unknown alias, or a key that the database cannot compare.
    """
    check_alias(using)
    require_kind("make_unique()", key, MatchKey, "a match key: match_key(Model, [fields])")
    owned = simplified(on_owner(key))
    _refuse_view(owned, using)
    chosen = _style(owned, style, name, concurrently or into_app is not None)
    notes = _notes(key, owned)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    constraint = constraint_for(owned, name)
    known = what_is_known(owned, constraint, using, loader)
    if known:
        return ConstraintEdit(
            key=owned,
            style=chosen,
            covered_by=known.covered_by,
            pending=known.pending,
            notes=notes,
        )
    _refuse_unmanageable(owned, constraint, using, chosen)
    _refuse_taken(owned, name, using)
    _refuse_foreign(owned, into_app)
    choices = Choices(concurrently=concurrently, show_values=show_values)
    fields = new_fields(owned, using) if chosen is Style.GENERATED else {}
    files = _files(owned, constraint, chosen, choices, into_app, loader, fields)
    if fields:
        refuse_uncarried(owned, using)
    refuse_duplicates(owned, using)
    return ConstraintEdit(
        key=owned,
        style=chosen,
        name=constraint.name if chosen is Style.CONSTRAINT else "",
        app_label=into_app or owned.model._meta.app_label,
        files=files,
        migration=files[-1].path,
        notes=(*notes, *_locks(owned, using, concurrently)),
    )


def _style(key: MatchKey, style: str | None, name: str | None, is_constraint: bool) -> Style:
    reason = needs_constraint(key)
    if not reason and name:
        reason = "it has no name, and --name gives one"
    if not reason and is_constraint:
        reason = "--concurrently and --into-app need a constraint with a name"
    if style is None:
        return Style.CONSTRAINT if reason else Style.UNIQUE_TOGETHER
    chosen = _known_style(style)
    if chosen is Style.GENERATED:
        if name or is_constraint:
            raise InvalidOption(
                f"{key.label}: the style cannot be generated with --name, --concurrently or"
                " --into-app"
            )
        return chosen
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


def _locks(key: MatchKey, using: str, concurrently: bool) -> tuple[str, ...]:
    """What a person should know of a large table before migrating it."""
    if concurrently or not builds_concurrently(connections[using]):
        return ()
    rows = QuerySet(key.model, using=using).order_by()[: _MANY_ROWS + 1].count()
    if rows <= _MANY_ROWS:
        return ()
    return (
        f"{key.label} has more than {_MANY_ROWS:,} rows: while the migration builds the index,"
        " nobody reads or writes the table, for some seconds per million rows; with"
        " --concurrently others go on",
    )


def _files(
    key: MatchKey,
    constraint: UniqueConstraint,
    style: Style,
    choices: Choices,
    into_app: str | None,
    loader: MigrationLoader,
    fields: dict[str, Any],
) -> tuple[FileEdit, ...]:
    """The model's module, if the project may edit it, and the migration."""
    if into_app:
        return foreign_migration(key, constraint, choices, into_app, loader)
    chosen = constraint if style is Style.CONSTRAINT else None
    migration = own_migration(key, chosen, choices, loader, fields)
    return edited_source(key, chosen, fields), *migration


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


def _refuse_view(key: MatchKey, using: str) -> None:
    if is_view(key.model, using):
        raise ConstraintRefused(
            f"{key.label} is a view, which has no constraints of its own: make the key unique in"
            " the table that it shows"
        )


def _refuse_unmanageable(
    key: MatchKey, constraint: UniqueConstraint, using: str, style: Style
) -> None:
    refuse_wrong(key.model, constraint, using)
    place = place_of(key.model, using)
    if place and place.is_foreign:
        raise ConstraintRefused(
            f"{key.label}: {key.model._meta.db_table} is a foreign table of the database {using!r},"
            " which keeps no rule for it; make the rule where its rows are stored"
        )
    if style is not Style.GENERATED:
        refuse_unsupported(key, constraint, using)
        refuse_untenable(key, constraint, using)
    meta: Any = key.model._meta
    if meta.auto_created:
        raise ConstraintRefused(f"{key.label} is made by a many-to-many field; it is unique")
    if not meta.managed:
        connection: Any = connections[using]
        sql = constraint.create_sql(key.model, connection.SchemaEditorClass(connection))
        columns = f"generated columns that hold {', '.join(key.fields)}"
        todo = (
            f"run this yourself: {sql}" if sql else f"make {columns} unique in its table yourself"
        )
        raise ConstraintRefused(f"{key.label} is unmanaged, so migrations would do nothing; {todo}")


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
