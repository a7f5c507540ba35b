"""What a person chose to merge, and in which database: checked, before anything is planned."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import router
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from ..collisions.resolutions import HOLD, RESOLUTIONS, kept_ties, names_for_all, resolution
from ..references.meta import lineage_of
from ..registry import declared, declared_policy
from ..verbose import reference_words
from .telling import NotSeen, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, QueryDict

    from ..values import MergePolicy
    from .permissions import AnyAdmin

_DIGITS = 6
"""More than the number of a page has."""

_FIELD = "field_"
"""How the name begins under which a form holds what was chosen for a field."""

_COLLISION = "collision_"
"""The same for what becomes of the rows of one reference that collide."""

MOST_ROWS = 100
"""How many rows a person can be shown side by side."""


WAIT = 5.0
"""For how many seconds a merge waits until another one of the model has ended."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person chose: the rows, which of them survives, and what to do with collisions.

    ``left_out`` are rows of the group that shall not be merged; ``page`` is the one that is looked
    at, where there are too many rows for one. ``values`` maps fields to what was chosen for them:
    ``row:`` and a row's key, or ``rule:`` and a field rule. ``collisions`` says it of single
    references. What was not chosen is as declared for the model.
    """

    pks: tuple[Any, ...]
    into: Any = None
    on_collision: str | None = None
    collisions: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    page: int = 1

    def policy(self, model: type[Model]) -> MergePolicy:
        policy = declared_policy(model)
        if self.on_collision is not None:
            policy = replace(policy, on_collision=self.on_collision, collisions=kept_ties(model))
        return replace(policy, collisions={**policy.collisions, **self.collisions})

    def without_collisions(self) -> Choice:
        """The same without what was chosen for single references."""
        return replace(self, collisions={})


def alias_of(queryset: QuerySet[Any]) -> str:
    """The database in which the admin's rows are written: never a replica they are read from."""
    chosen: str | None = queryset._db  # type: ignore[attr-defined]  # `db` may name a replica
    return chosen or router.db_for_write(queryset.model)


def require_number(model: type[Model], pks: Collection[Any], most: int | None = None) -> None:
    """Raises `Refused` unless there are rows to merge, and few enough to be looked at.

    At most ``most``, without it `MOST_ROWS`.
    """
    most = MOST_ROWS if most is None else most
    options = model._meta
    if len(pks) < 2:
        raise Refused(
            _("Select at least two %(rows)s to merge.") % {"rows": options.verbose_name_plural}
        )
    if len(pks) > most:
        raise Refused(
            _(
                "At most %(most)s %(rows)s can be compared on one page: select fewer,"
                " or have their duplicates found."
            )
            % {"most": number_format(most), "rows": options.verbose_name_plural}
        )


def chosen_in(data: QueryDict) -> dict[str, list[str]]:
    """What of a form says what was chosen, as `choice_from` reads it, and the reason typed."""
    names = {"rows", "left_out", "leave_out", "into", "on_collision", "page", "note"}
    return {
        name: [str(value) for value in values]
        for name, values in data.lists()
        if name in names or name.startswith((_FIELD, _COLLISION))
    }


def choice_from(data: QueryDict) -> Choice:
    """The choice that a form, or an address, holds.

    Raises `Refused` for a value that is none of those offered.
    """
    left_out = dict.fromkeys([*data.getlist("left_out"), *data.getlist("leave_out")])
    rows = dict.fromkeys(row for row in data.getlist("rows") if row not in left_out)
    into = data.get("into") or None
    if into in left_out:
        into = None
    page = data.get("page", "")
    values = {name: str(data[name]) for name in data if name.startswith(_FIELD) and data.get(name)}
    for typed in (*rows, into or "", *values.values()):
        if "\x00" in typed:  # as in any form of Django: not all databases take it in a text
            raise Refused(_("There is no such row: %(value)r") % {"value": typed})
    on_collision = _resolution(data.get("on_collision", ""))
    resolutions = {
        name.removeprefix(_COLLISION): _resolution(str(data[name]))
        for name in data
        if name.startswith(_COLLISION)
    }
    return Choice(
        pks=tuple(rows),
        into=into,
        on_collision=on_collision,
        collisions={name: chosen for name, chosen in resolutions.items() if chosen},
        values={name.removeprefix(_FIELD): text for name, text in values.items()},
        left_out=tuple(left_out),
        page=int(page) if page.isdecimal() and len(page) < _DIGITS else 1,
    )


def _resolution(typed: str) -> str | None:
    """What is chosen for rows that collide; None for nothing."""
    if typed not in {"", *names_for_all()}:
        raise Refused(_("There is no such choice: %(value)s") % {"value": typed})
    return typed or None


def require_visible(
    model_admin: AnyAdmin, request: HttpRequest, pks: Collection[Any], using: str
) -> None:
    """Raises `NotSeen` naming the rows that are gone, or that this user never sees."""
    rows = model_admin.get_queryset(request).using(using).filter(pk__in=pks)
    missing = set(pks) - set(rows.values_list("pk", flat=True))
    if missing:
        raise NotSeen(
            _("No longer there, nothing was merged: %(model)s %(keys)s. Select the rows again.")
            % {
                "model": model_admin.opts.verbose_name,
                "keys": ", ".join(sorted(map(str, missing))),
            }
        )


def collision_choices(model: type[Model], chosen: str | None) -> list[tuple[str, str, bool]]:
    """What can happen to rows that collide: the value, its description, whether it is chosen."""
    choices = {n: str(one.rivals.choice) for n, one in RESOLUTIONS.items() if one.rivals}
    default = HOLD.name
    if any(map(declared, lineage_of(model))):
        default = ""
        choices = {default: _declared(declared_policy(model)), **choices}
    value = default if chosen is None else chosen
    return [(choice, text, choice == value) for choice, text in choices.items()]


def _declared(policy: MergePolicy) -> str:
    single = [f"{reference_words(name)}: {_rule(rule)}" for name, rule in policy.collisions.items()]
    return _("As declared for this model: %(rules)s") % {
        "rules": ", ".join([_rule(policy.on_collision), *single])
    }


def _rule(rule: str) -> str:
    return str(resolution(rule).words)
