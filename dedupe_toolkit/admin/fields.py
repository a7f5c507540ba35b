"""Which fields of a row a user may see and edit on its form: a merge is no way around that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.hashers import identify_hasher

from ..field_rules.fillers import raw_values
from ..keys import is_text
from .permissions import referrer_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import Field, Model
    from django.http import HttpRequest

    from ..plan_values import ReferenceCount
    from .permissions import AnyAdmin

    AnyField = Field[Any, Any]


@dataclass(frozen=True, kw_only=True)
class FormFields:
    """The fields of a model as its form has them for one user.

    ``unseen`` are those that it leaves out, and password hashes. ``hidden`` are shown to nobody who
    works on that form, and keep the survivor's value: those, and what it makes read-only.
    ``offered`` are those of which a person may choose a value; ``links`` the many-to-many fields
    that it leaves out.
    """

    unseen: frozenset[str]
    hidden: frozenset[str]
    offered: frozenset[str]
    links: frozenset[str]


def form_fields(
    model_admin: AnyAdmin,
    request: HttpRequest,
    rows: Iterable[Model],
    hashed: Collection[str] | None = None,
) -> FormFields:
    """What the user may see and edit of all these rows.

    ``hashed`` are the text fields with password hashes in them; looked for in the rows if not said.
    """
    rows, options = list(rows), model_admin.opts
    if hashed is None:
        hashed = [field.name for field in options.concrete_fields if is_password(field, rows)]
    hidden = {field.name for field in options.concrete_fields if is_password(field)}.union(hashed)
    unseen = set(hidden)
    links: set[str] = set()
    for row in rows if asks_about_rows(model_admin) else rows[:1]:
        shown = set(flatten_fieldsets(model_admin.get_fieldsets(request, row)))
        editable = shown.difference(model_admin.get_readonly_fields(request, row))
        unseen.update(model_admin.get_exclude(request, row) or ())
        is_whole = not (model_admin.fields or model_admin.fieldsets)
        every = (f for f in options.concrete_fields if f.editable or not is_whole)
        unseen |= {f.name for f in every if f.name not in shown}
        hidden |= unseen
        hidden |= {f.name for f in options.concrete_fields if f.editable} - editable
        links |= {f.name for f in options.many_to_many if f.editable and f.name not in editable}
    hidden -= {field.name for field in options.concrete_fields if field.primary_key}
    return FormFields(
        unseen=frozenset(unseen),
        hidden=frozenset(hidden),
        offered=frozenset(f.name for f in options.concrete_fields if f.editable) - hidden,
        links=frozenset(links),
    )


def empty_form(model_admin: AnyAdmin, request: HttpRequest) -> FormFields:
    """What the user may see and edit of a row that is not there; nothing where that is not said."""
    try:
        return form_fields(model_admin, request, [model_admin.model()])
    except Exception:  # a project's own code may count on a row that is there
        every = frozenset(field.name for field in model_admin.opts.concrete_fields)
        return FormFields(unseen=every, hidden=every, offered=frozenset(), links=frozenset())


def hidden_columns(
    model_admin: AnyAdmin, request: HttpRequest, row: Model | None = None
) -> frozenset[str]:
    """The columns of the model, or of one row of it, that no row change shows to this user."""
    found = form_fields(model_admin, request, [row]) if row else empty_form(model_admin, request)
    return frozenset(
        str(field.column)
        for field in model_admin.opts.concrete_fields
        if field.name in found.hidden
    )


def moved_links(
    model_admin: AnyAdmin, links: Collection[str], counts: Iterable[ReferenceCount]
) -> tuple[str, ...]:
    """Those of these many-to-many fields, which the form leaves out, whose links a merge moves."""
    names = {
        field.remote_field.through: str(field.verbose_name)
        for field in model_admin.opts.many_to_many
        if field.name in links
    }
    moved = {referrer_of(count.reference) for count in counts if count.repointed}
    return tuple(
        name
        for through, name in names.items()
        if through in moved and through is not None and through._meta.auto_created
    )


def is_password(field: AnyField, rows: Iterable[Model] = ()) -> bool:
    """Whether a field holds password hashes, by its name or by what stands in it."""
    if field.name == "password":
        return True
    return is_text(field) and any(map(is_hash, raw_values(field, rows)))


def is_hash(value: Any) -> bool:
    """Whether a value is a password as Django's hashers write it."""
    # every hasher writes its own name before a dollar sign
    if not isinstance(value, str) or "$" not in value:
        return False
    try:
        identify_hasher(value)
    except (ValueError, ImportError):
        return False
    return True


def asks_about_rows(model_admin: AnyAdmin) -> bool:
    """Whether the form of one row may have other fields than that of another."""
    own = type(model_admin)
    return any(getattr(own, name) is not getattr(ModelAdmin, name) for name in _PER_ROW)


_PER_ROW = ("get_fieldsets", "get_fields", "get_form", "get_readonly_fields", "get_exclude")
