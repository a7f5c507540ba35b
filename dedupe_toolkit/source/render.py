"""A unique constraint as Python source, in the names that a module already has."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.db.models import Field, GeneratedField, Q, UniqueConstraint
from django.db.models.expressions import F

from .code import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPORTERS = {
    "django.contrib.gis.db.models",
    "django.db.models",
    "django.db.models.functions",
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a module's global names mean, as far as constraints are concerned."""

    known: Mapping[str, Any]

    def of(self, thing: Any) -> str | None:
        """How the module can write ``thing``: a name of its own, or of its ``models``."""
        name = str(thing.__name__)
        for alias, value in self.known.items():
            exports = isinstance(value, ModuleType) and value.__name__ in _EXPORTERS
            if exports and getattr(value, name, None) is thing:
                return f"{alias}.{name}"
        return next((alias for alias, value in self.known.items() if value is thing), None)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Source, and the imports ``(module, "name as alias")`` it needs beyond the module's own."""

    code: Code
    imports: tuple[tuple[str, str], ...] = ()


class Renderer:
    """Writes one constraint, and gathers the imports this takes."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.imports: dict[tuple[str, str], None] = {}

    def rendered(self, constraint: UniqueConstraint) -> Rendered:
        head = self.name(UniqueConstraint)
        args = [self.expression(expression) for expression in constraint.expressions]
        if constraint.fields:
            args.append(f"fields=[{', '.join(map(text, constraint.fields))}]")
        if constraint.condition is not None:
            args.append(f"condition={self.condition(constraint.condition)}")
        if constraint.nulls_distinct is not None:
            args.append(f"nulls_distinct={constraint.nulls_distinct!r}")
        args.append(f"name={text(constraint.name)}")
        return Rendered(code=Code(head=head, args=tuple(args)), imports=tuple(self.imports))

    def field(self, name: str, field: Any) -> Code:
        """``name = models.GeneratedField(…)``"""
        args = (
            f"expression={self.expression(field.expression)}",
            f"output_field={self.plain_field(field.output_field)}",
            f"db_persist={field.db_persist}",
        )
        return Code(head=f"{name} = {self.name(GeneratedField)}", args=args)

    def plain_field(self, field: Any) -> str:
        _, _, _, options = field.deconstruct()
        plain = ", ".join(f"{option}={literal(value)}" for option, value in options.items())
        return f"{self.name(type(field))}({plain})"

    def name(self, thing: Any) -> str:
        known = self.names.of(thing)
        if known is not None:
            return known
        name = str(thing.__name__)
        if name in self.names.known:  # the module means something else by it
            self.imports[_home(thing), f"{name} as Database{name}"] = None
            return f"Database{name}"
        self.imports[_home(thing), name] = None
        return name

    def expression(self, expression: Any) -> str:
        """As it was made: an expression made of another spelling would be another to Django."""
        if isinstance(expression, F):
            return text(_reference(expression))
        if isinstance(expression, Q):
            return self.condition(expression)
        if isinstance(expression, Field):
            return self.plain_field(expression)
        if not hasattr(expression, "deconstruct"):
            return literal(expression)
        _, args, options = expression.deconstruct()
        inner = [self.expression(one) for one in args]
        inner += [f"{option}={self.expression(one)}" for option, one in options.items()]
        return f"{self.name(type(expression))}({', '.join(inner)})"

    def condition(self, condition: Any) -> str:
        """``Q(a=1) & ~Q(b="")``: a Q of plain pairs, or several of them joined by AND."""
        if all(isinstance(child, tuple) for child in condition.children):
            pairs = ", ".join(f"{name}={literal(value)}" for name, value in condition.children)
            return f"{'~' if condition.negated else ''}{self.name(Q)}({pairs})"
        parts = [child if isinstance(child, Q) else Q(child) for child in condition.children]
        return " & ".join(self.condition(part) for part in parts)


def literal(value: Any) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
    return repr(value)


def text(value: str) -> str:
    """A string literal with double quotes, unless that takes more escapes."""
    plain = repr(value)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def _reference(expression: Any) -> str:
    return str(expression.name)


def _home(thing: Any) -> str:
    """The public module that a class is imported from."""
    module = str(thing.__module__)
    if module.startswith("django.db.models.functions"):
        return "django.db.models.functions"
    return "django.db.models" if module.startswith("django.db.models") else module
