"""What a call should become, as source: made from its own, never written to a file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


def moved_to_defaults(source: str, names: Collection[str]) -> str:
    """The call with some of its look-ups among the defaults; empty if it cannot be written so."""
    call = _parsed(source)
    if call is None or any(keyword.arg is None for keyword in call.keywords):
        return ""
    defaults = next((one for one in call.keywords if one.arg == "defaults"), None)
    moved = [one for one in call.keywords if _bare(one.arg) in names]
    if (
        not moved
        or (defaults is not None and not isinstance(defaults.value, ast.Dict))
        or call.args
    ):
        return ""
    inside: Any = defaults.value if defaults is not None else ast.Dict(keys=[], values=[])
    for keyword in moved:
        inside.keys.append(ast.Constant(value=keyword.arg))
        inside.values.append(keyword.value)
    kept = [one for one in call.keywords if one not in moved and one is not defaults]
    call.keywords = [*kept, ast.keyword(arg="defaults", value=inside)]
    return ast.unparse(call)


def split_from_relation(source: str, model: str, name: str) -> str:
    """A call through a many-to-many relation, as a plain call and ``add()``."""
    call = _parsed(source)
    if call is None or not isinstance(call.func, ast.Attribute):
        return ""
    relation = ast.unparse(call.func.value)
    arguments = ", ".join(ast.unparse(one) for one in [*call.args, *call.keywords])
    variable = name.lower()
    return (
        f"{variable}, created = {model}.objects.{call.func.attr}({arguments});"
        f" {relation}.add({variable})"
    )


def without_case(source: str, field: str) -> str:
    """A look-up by ``key`` as one by ``key__iexact`` that creates the row with the key."""
    call = _parsed(source)
    if call is None:
        return ""
    found = next((one for one in call.keywords if one.arg == field), None)
    moved = moved_to_defaults(source, [field])
    if found is None or not moved:
        return ""
    changed = _parsed(moved)
    if changed is None:
        return ""
    look_up = ast.keyword(arg=f"{field}__iexact", value=found.value)
    changed.keywords = [look_up, *changed.keywords]
    return ast.unparse(changed)


def with_plain_names(source: str) -> str:
    """``key__exact=…`` and ``parent__id=…`` as what reaches ``create()`` as well."""
    call = _parsed(source)
    if call is None:
        return ""
    for keyword in call.keywords:
        if keyword.arg:
            name = keyword.arg.removesuffix("__exact")
            for ending in ("__id", "__pk"):
                name = f"{name.removesuffix(ending)}_id" if name.endswith(ending) else name
            keyword.arg = name
    text = ast.unparse(call)
    return "" if "__" in text or text == ast.unparse(ast.parse(source, mode="eval").body) else text


def _parsed(source: str) -> ast.Call | None:
    try:
        node = ast.parse(source, mode="eval").body
    except SyntaxError:
        return None
    return node if isinstance(node, ast.Call) else None


def _bare(name: str | None) -> str:
    return (name or "").removesuffix("_id")
