"""Factories of test data that get or create: ``class Meta: django_get_or_create = (…)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .things import Defined, ModelClass

if TYPE_CHECKING:
    from .calls import Place
    from .modules import Module

FACTORY = "django_get_or_create"
_DEEPEST = 5


def is_factory_option(node: ast.Assign) -> bool:
    return any(isinstance(one, ast.Name) and one.id == FACTORY for one in node.targets)


def model_of_factory(meta: ast.ClassDef, place: Place) -> Any:
    """The model that a factory makes, by its options or those of the factory it inherits from."""
    found = _model_in(meta, place.module, place)
    if found is None and (factory := place.module.enclosing_class(meta)):
        found = _inherited(factory, place.module, place, 0)
    return found


def _inherited(factory: ast.ClassDef, module: Module, place: Place, depth: int) -> Any:
    for base in factory.bases if depth < _DEEPEST else ():
        for thing in place.resolver.resolve(base, module):
            found = _source(thing, place)
            if found is None or not isinstance(found.node, ast.ClassDef):
                continue
            model = _of_factory(found.node, found.module, place)
            return model or _inherited(found.node, found.module, place, depth + 1)
    return None


def _source(thing: Any, place: Place) -> Defined | None:
    if isinstance(thing, Defined):
        return thing
    kind = getattr(thing, "value", None)
    module = place.resolver.library.module(kind.__module__) if isinstance(kind, type) else None
    node = module.definition(kind.__qualname__) if module and isinstance(kind, type) else None
    return Defined(module=module, node=node) if module and node is not None else None


def _of_factory(factory: ast.ClassDef, module: Module, place: Place) -> Any:
    for statement in factory.body:
        if isinstance(statement, ast.ClassDef) and statement.name == "Meta":
            return _model_in(statement, module, place)
    return None


def _model_in(meta: ast.ClassDef, module: Module, place: Place) -> Any:
    for statement in meta.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "model" for one in statement.targets
        ):
            found = place.resolver.model_named(statement.value, module)
            models = [one.model for one in found if isinstance(one, ModelClass)]
            return models[0] if len(models) == 1 else None
    return None
