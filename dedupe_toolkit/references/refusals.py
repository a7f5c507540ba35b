"""Models whose rows must not be merged: something names them that no merge can follow.

Those of well-known packages are recognised by their base classes, so that none of the packages is
ever imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import MergeRefused
from .meta import column_of
from .unknown import unknown_relations

if TYPE_CHECKING:
    from django.db.models import Model


@dataclass(frozen=True, kw_only=True)
class Base:
    """A base class of a package, wherever in the package it stands."""

    package: str
    name: str

    def is_base_of(self, model: type[Model]) -> bool:
        return any(
            (known.__module__.partition(".")[0], known.__name__) == (self.package, self.name)
            for known in model.__mro__
        )


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why rows must not become one, and what to do instead."""

    reason: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class PackageRefusal(Refusal):
    """Why the rows of a package's models must not become one."""

    base: Base


REFUSALS = (
    PackageRefusal(
        base=Base(package="wagtail", name="Page"),
        reason="the paths of Wagtail's page tree and the content of its pages name them too",
        advice="move the children and links in Wagtail, then delete the page and add a redirect",
    ),
    PackageRefusal(
        base=Base(package="mptt", name="MPTTModel"),
        reason="django-mptt numbers the rows of its trees, which a merge would leave wrong",
        advice="give the children a new parent with move_to(), repoint the rest, then delete()",
    ),
    PackageRefusal(
        base=Base(package="treebeard", name="Node"),
        reason="django-treebeard keeps the rows' places in its trees where no key shows them",
        advice="move the children with move(), repoint the rest, then delete()",
    ),
    PackageRefusal(
        base=Base(package="treenode", name="TreeNodeModel"),
        reason="django-treenode writes into each row which rows stand above and below it",
        advice="give the children a new parent with set_parent(), repoint the rest, then delete()",
    ),
    PackageRefusal(
        base=Base(package="django_ltree", name="TreeModel"),
        reason="django-ltree keeps the rows' places in its trees where no key shows them",
        advice="move the children with change_parent(), repoint the rest, then delete()",
    ),
)
"""The first that fits a model counts."""

AGREEMENTS = {Base(package="polymorphic", name="PolymorphicModel"): "polymorphic_ctype"}
"""Fields that say what kind of object a row is: objects of different kinds never become one."""


def refusal_of(model: type[Model]) -> Refusal | None:
    """Why rows of this model must not be merged, if there is a reason."""
    return package_refusal_of(model) or _refusal_by_relations(model)


def package_refusal_of(model: type[Model]) -> PackageRefusal | None:
    """Why the package that a model belongs to does not allow it, if so."""
    return next((refusal for refusal in REFUSALS if refusal.base.is_base_of(model)), None)


def _refusal_by_relations(model: type[Model]) -> Refusal | None:
    names = unknown_relations(model)
    if not names:
        return None
    return Refusal(
        reason=f"no merge knows how to follow {', '.join(names)}",
        advice="if its column holds primary keys, register it among the references in dedupe.py",
    )


def refuse_unmergeable(model: type[Model]) -> None:
    """Raises `MergeRefused` for a model whose rows must not be merged."""
    refusal = refusal_of(model)
    if refusal is not None:
        raise MergeRefused(
            f"{model._meta.label} cannot be merged: {refusal.reason}; {refusal.advice}"
        )


def agreeing_columns(model: type[Model]) -> list[str]:
    """The columns of the model's own table in which rows have to agree to become one."""
    local = {field.name: field for field in model._meta.local_fields}
    return [
        column_of(local[name])
        for base, name in AGREEMENTS.items()
        if base.is_base_of(model) and name in local
    ]
