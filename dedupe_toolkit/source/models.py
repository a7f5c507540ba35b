"""The module of a model with a unique rule added. Reads the file, never writes it."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from .classes import Model, Rule, with_rule
from .code import Code
from .edits import FileEdit, read_source
from .generated import with_columns
from .imports import with_import
from .new_fields import own_names, with_fields
from .project import source_file
from .render import Names, Renderer, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import GeneratedField, UniqueConstraint

    from ..values import MatchKey


def edited_source(
    key: MatchKey,
    constraint: UniqueConstraint | None,
    fields: Mapping[str, GeneratedField] | None = None,
) -> FileEdit:
    """The edit that adds the constraint, or ``unique_together`` when there is none.

    New generated ``fields`` are written below the last field of the model.

    Raises `ConstraintRefused`, with the line to paste, for source that cannot be edited safely.
    """
    path = source_file(key.model)
    before, encoding = read_source(path)
    names = Names(known=vars(sys.modules[key.model.__module__]))
    rule, imports = _rule(key, constraint, names)
    rule = replace(rule, code=rule.code.quoted_like(before))
    after = with_rule(before, _facts(key.model), rule)
    if fields:
        code, more = _fields(fields, names)
        lines = tuple(line.quoted_like(before) for line in code)
        after = with_fields(after, _facts(key.model), own_names(key.model), lines)
        imports = (*imports, *more)
    for module, name in imports:
        after = with_import(after, module, name)
    compile(after, str(path), "exec")  # a slip of ours must never reach the file
    return FileEdit(path=path, before=before, after=after, encoding=encoding)


def _rule(
    key: MatchKey, constraint: UniqueConstraint | None, names: Names
) -> tuple[Rule, tuple[tuple[str, str], ...]]:
    if constraint is None:
        names_of_columns = tuple(map(text, with_columns(key)))
        return Rule(option="unique_together", code=Code(args=names_of_columns)), ()
    rendered = Renderer(names).rendered(constraint)
    return Rule(option="constraints", code=rendered.code), rendered.imports


def _fields(
    fields: Mapping[str, GeneratedField], names: Names
) -> tuple[tuple[Code, ...], tuple[tuple[str, str], ...]]:
    renderer = Renderer(names)
    code = tuple(renderer.field(name, field) for name, field in fields.items())
    return code, tuple(renderer.imports)


def _facts(model: Any) -> Model:
    known = vars(sys.modules[model.__module__])

    def resolve(dotted: str) -> Any:
        first, *rest = dotted.split(".")
        return reduce(lambda value, name: getattr(value, name, None), rest, known.get(first))

    return Model(
        name=model.__name__,
        resolve=resolve,
        inherited_meta=getattr(model, "Meta", None),  # its own Meta, Django takes off the class
        options=model._meta.original_attrs,
    )
