"""The module of a model with a unique rule added. Reads the file, never writes it."""

from __future__ import annotations

import sys
from functools import reduce
from typing import TYPE_CHECKING, Any

from .classes import Model, Rule, with_rule
from .code import Code
from .edits import FileEdit, read_source
from .imports import with_import
from .project import source_file
from .render import Names, Renderer, text

if TYPE_CHECKING:
    from django.db.models import UniqueConstraint

    from ..values import MatchKey


def edited_source(key: MatchKey, constraint: UniqueConstraint | None) -> FileEdit:
    """The edit that adds the constraint, or ``unique_together`` when there is none.

    Raises `ConstraintRefused`, with the line to paste, for source that cannot be edited safely.
    """
    path = source_file(key.model)
    before, encoding = read_source(path)
    names = Names(known=vars(sys.modules[key.model.__module__]))
    rule, imports = _rule(key, constraint, names)
    after = with_rule(before, _facts(key.model), rule)
    for module, name in imports:
        after = with_import(after, module, name)
    compile(after, str(path), "exec")  # a slip of ours must never reach the file
    return FileEdit(path=path, before=before, after=after, encoding=encoding)


def _rule(
    key: MatchKey, constraint: UniqueConstraint | None, names: Names
) -> tuple[Rule, tuple[tuple[str, str], ...]]:
    if constraint is None:
        return Rule(option="unique_together", code=Code(args=tuple(map(text, key.fields)))), ()
    rendered = Renderer(names).rendered(constraint)
    return Rule(option="constraints", code=rendered.code), rendered.imports


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
