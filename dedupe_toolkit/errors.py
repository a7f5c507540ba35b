"""What can go wrong, as a caller sees it: one base class, one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sentences import Sentence


class DedupeError(Exception):
    """The base of every error this package raises on purpose.

    Its text is one line that names the model, field and value and says what to do next.
    Commands show it as it stands. A merge is several transactions: its groups merged before the
    error stay merged, in a run that says so and can be undone or gone on with. Everything else
    has written nothing when it is raised.
    """

    @property
    def for_people(self) -> str:
        """The same in the reader's language; "" for what only a project's programmers can mend."""
        return getattr(self.args[0], "for_people", "") if self.args else ""


class InvalidMatchKey(DedupeError):
    """A model, field, transform, condition or database alias that a match key cannot use."""


class InvalidOption(DedupeError):
    """An option or rule whose value is not one of those it can take."""


class MergeRefused(DedupeError):
    """A merge that cannot be carried out safely; refused before the first write."""


class MergeRunning(MergeRefused):
    """Another merge of the same model, which has not ended in the time given to wait for it."""


class PlanExpired(DedupeError):
    """A merge plan whose work tables are not in this database session: plan again."""


class UndoRefused(DedupeError):
    """An undo that would overwrite later changes; the text lists what is in the way.

    So do ``obstacles``, one by one, and what to do about them at the end.
    """

    def __init__(self, text: str, obstacles: tuple[Sentence, ...] = ()) -> None:
        super().__init__(text, obstacles)
        self.obstacles = obstacles

    def __str__(self) -> str:
        return str(self.args[0])


class ConstraintRefused(DedupeError):
    """A unique constraint that cannot be added to the model's source or migrations."""


class RaceWarning(UserWarning):
    """A call of ``get_or_create`` or its kin that a race lets create duplicates.

    The guard gives it at the line of the call; `DedupeError` it is none.
    """
