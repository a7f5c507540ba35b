"""One walk through the loop: what its steps share, how they ask, and what they have done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import InvalidOption
from ...printing import say
from ..confirm import confirmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ...plan_values import MergePlan
    from ...source.edits import ConstraintEdit
    from ...values import MatchKey


class Left(Exception):
    """A person has said no to a step: the walk ends there."""


@dataclass(kw_only=True)
class Walk:
    """The key, the command's options and outputs, and what one step leaves for the next."""

    key: MatchKey
    options: dict[str, Any]
    console: Console
    messages: Any
    run: Callable[..., int]
    """Runs another command of ``manage.py``; returns its exit code."""
    plan: MergePlan | None = None
    edit: ConstraintEdit | None = None
    done: list[str] = field(default_factory=list)
    """What has been written so far, in words."""

    @property
    def using(self) -> str:
        return str(self.options["database"])

    def say(self, text: str) -> None:
        say(self.console, text)

    def ask(self, question: str) -> None:
        """Return on a yes, and without ``interactive`` at once; raise `Left` on a no."""
        if not self.options["interactive"]:
            return
        try:
            is_agreed = confirmed(self.messages, question)
        except KeyboardInterrupt:
            # what that says of writing is true of one step alone
            raise KeyboardInterrupt from None
        except InvalidOption as nobody:
            raise InvalidOption(f"{nobody}; {self.so_far}" if self.done else str(nobody)) from None
        if not is_agreed:
            raise Left

    @property
    def so_far(self) -> str:
        """What has been written, and that the same command goes on."""
        written = "; ".join(self.done) or "nothing was written"
        return f"{written}. The same command goes on from there."


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: the verb, what it tells, and the function that takes it."""

    verb: str
    about: str
    take: Callable[[Walk], None]
