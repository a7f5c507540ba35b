"""Fields written into a model's class, below those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConstraintRefused
from .code import Code, Source
from .nodes import classes, targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .classes import Model


def own_names(model: Any) -> set[str]:
    """The names of the fields that the model has columns of its own for."""
    return {field.name for field in model._meta.local_fields}


def with_fields(text: str, model: Model, known: set[str], fields: Sequence[Code]) -> str:
    """The module's text with the fields below the last of those ``known`` in the model's class.

    Raises `ConstraintRefused`, with the lines to paste, where the class itself has none.
    """
    source = Source(text)
    (node,) = (one for one in classes(source.module) if one.name.value == model.name)
    written = [one for one in node.body.body if targets(one) & known]
    if not written:
        raise ConstraintRefused(
            f"{model.name} cannot be edited: all its fields are inherited; add"
            f" {'; '.join(map(str, fields))} to it yourself, then run manage.py makemigrations"
        )
    indent = source.indent_at(source.start(written[-1]))
    lines = [line for code in fields for line in _statement(code, indent)]
    return source.with_lines_after(written[-1], lines)


def _statement(code: Code, indent: str) -> list[str]:
    *first, last = code.lines(indent)
    # an element of a list, but for the comma at its end
    return [*first, last.removesuffix(",")]
