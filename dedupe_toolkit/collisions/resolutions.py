"""Resolutions: what is done with rows that would break a unique rule of their table once repointed.

Each is one object, by its name in `RESOLUTIONS`: commands, declarations and pages know it from
there. Builds SQL, runs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ..registry import declared_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.db.models import Model
    from django_stubs_ext import StrOrPromise

    from ..databases import Database
    from ..references.referrers import Referrer


class Outcome(StrEnum):
    """What the engine can do with a losing row."""

    HOLD = "hold"
    """Its group is held back."""
    MERGE = "merge"
    """It is merged into its winner, one level down."""
    DISCARD = "discard"
    REDUNDANT = "redundant"
    """It goes, and its winner says all that it says."""
    OWN_LINK = "own link"
    """It goes, a link of a row with itself."""
    TIED = "tied"
    """It goes, and has tied two rows together that become one."""
    KEPT = "kept"
    """It stays; it has tied two rows together and has lost to none."""

    @property
    def is_deleted(self) -> bool:
        return self in DELETED


GOING = (Outcome.DISCARD, Outcome.OWN_LINK, Outcome.TIED)
"""Losers with these are deleted, and what only they say goes with them."""

DELETED = (Outcome.REDUNDANT, *GOING)


@dataclass(frozen=True, kw_only=True)
class OfRivals:
    """What a resolution does to the row that loses to a rival, and how pages put it.

    ``choice`` offers it for all rows that collide, ``of_pair`` for two of them, and ``loses`` says
    which ``%(fields)s`` of the loser only the journal keeps; "" where nothing is merged.

    Where there is ``only``, it is done to no others than those for which its SQL is true, which
    speaks of the loser (``a``) beside its winner (``b``); the others hold their groups back.
    """

    outcome: Outcome
    choice: StrOrPromise
    of_pair: StrOrPromise
    loses: StrOrPromise
    only: Callable[[Database, Referrer], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What can be chosen for rows that collide.

    ``tied`` is what becomes of rows that tie survivor and duplicate together: held, kept or `TIED`,
    as nobody can merge a row with itself. Without ``rivals`` it says nothing of others, and is
    chosen for single references only.
    """

    name: str
    words: StrOrPromise
    tied: Outcome
    rivals: OfRivals | None


HOLD = Resolution(
    name="hold",
    words=_("hold back"),
    tied=Outcome.HOLD,
    rivals=OfRivals(
        outcome=Outcome.HOLD,
        choice=_("Hold back: merge nothing, and say which rows collide."),
        of_pair=_("hold back"),
        loses="",
    ),
)
MERGE = Resolution(
    name="merge",
    words=_("merge"),
    tied=Outcome.HOLD,
    rivals=OfRivals(
        outcome=Outcome.MERGE,
        choice=_("Merge the colliding rows into one as well."),
        of_pair=_("make one row of both"),
        loses=_(
            "the first row's values stay, and the second fills its blanks. Of the second row the"
            " journal keeps: %(fields)s."
        ),
    ),
)
DISCARD = Resolution(
    name="discard",
    words=_("discard"),
    tied=Outcome.TIED,
    rivals=OfRivals(
        outcome=Outcome.DISCARD,
        choice=_("Discard the duplicate's row; the survivor's stays."),
        of_pair=_("let the second row go"),
        loses=_("the first row stays as it is. Of the second row the journal keeps: %(fields)s."),
    ),
)
KEEP = Resolution(name="keep", words=_("keep"), tied=Outcome.KEPT, rivals=None)

RESOLUTIONS: dict[str, Resolution] = {one.name: one for one in (HOLD, MERGE, DISCARD, KEEP)}


def resolution(name: str) -> Resolution:
    """The resolution of a name. Raises `ValueError` for one that there is not."""
    found = RESOLUTIONS.get(str(name))
    if found is None:
        raise ValueError(f"{str(name)!r} is not a valid OnCollision")
    return found


def of_all(name: str) -> Resolution:
    """The same of what is said of all references. Raises `ValueError` for what cannot be."""
    found = resolution(name)
    if found.rivals is None:
        raise ValueError(f"{str(name)!r} is said of single references, in collisions")
    return found


def names_for_all() -> list[str]:
    """The names of what can be said of all references at once."""
    return [name for name, one in RESOLUTIONS.items() if one.rivals]


def of_rivals(said: Iterable[Resolution]) -> OfRivals:
    """What becomes of rivals by the first of some resolutions that speaks of them."""
    return next(one.rivals for one in said if one.rivals)


def kept_ties(model: type[Model]) -> Mapping[str, str]:
    """The references declared to keep rows that tie survivor and duplicate together.

    An option for what collides says nothing of these.
    """
    collisions = declared_options(model).get("collisions", {})
    return {name: rule for name, rule in collisions.items() if rule == KEEP.name}
