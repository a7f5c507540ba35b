"""The whole loop in one guided command: audit, find, plan, merge, make_unique, migrate, prove."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.management import call_command

from ...prove.proof import refuse_primary_key
from ...reports.formats import described
from ...source.known import DuplicatesLeft
from ...source.owner import on_owner
from ..again import run_anew
from ..base import DedupeCommand
from ..constraining import add_constraint_arguments, edit_from_options, one_key
from ..loop.reading import audit, find, plan
from ..loop.walk import Left, Step, Walk
from ..loop.writing import make_unique, merge, migrate, prove
from ..options import add_key_arguments, add_model, add_no_input
from ..policy import add_policy_arguments
from .prove_get_or_create import add_race_arguments, race_from_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.management.base import CommandParser

    from ...values import MatchKey

STEPS = (
    Step(verb="audit", about="which calls look it up", take=audit),
    Step(verb="find", about="which rows are equal", take=find),
    Step(verb="plan", about="what a merge would do", take=plan),
    Step(verb="merge", about="one row of each group", take=merge),
    Step(verb="make_unique", about="the model and its migration", take=make_unique),
    Step(verb="migrate", about="the constraint in the database", take=migrate),
    Step(verb="prove", about="the race without the constraint and with it", take=prove),
)
"""Each finds by itself whether it is done already, so a walk that was left goes on."""


class Command(DedupeCommand):
    # as make_unique, which is one of the steps
    requires_system_checks = "__all__"
    help = (
        "Walk from an unsafe get_or_create to a proven constraint, step by step: audit, find, plan,"
        " merge, make_unique, migrate, prove. Asks before it writes; goes on where it was left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_model(parser)
        add_key_arguments(parser)
        add_policy_arguments(parser)
        add_constraint_arguments(parser)
        add_race_arguments(parser)
        add_no_input(parser)

    def handle(self, **options: Any) -> None:
        key = one_key("dedupe", options)
        _refuse_early(key, options)
        walk = Walk(
            key=key,
            options=options,
            console=self.console,
            messages=self.stderr,
            run=self._runner(options),
        )
        walk.say(f"{described(walk.key)}, from its calls to a constraint that is proven.")
        for number, step in enumerate(STEPS, 1):
            self.console.print(
                f"\n{number} of {len(STEPS)}. {step.verb}: {step.about}",
                style="bold",
                highlight=False,
                soft_wrap=True,
            )
            try:
                _take(step, walk)
            except Left:
                self.stderr.write(f"Left at {step.verb}: {walk.so_far}")
                return
        walk.say(f"\nDone: {described(walk.key)} stays without duplicates.")

    def _runner(self, options: dict[str, Any]) -> Callable[..., int]:
        if getattr(self, "_called_from_command_line", False):
            # the models of this process are those from before they were edited
            return partial(run_anew, options=options)
        return partial(self._call, options["verbosity"])

    def _call(self, verbosity: int, *words: str) -> int:
        """Within a program that has its own command line, and perhaps a database for tests."""
        call_command(*words, stdout=self.stdout, stderr=self.stderr, verbosity=verbosity)
        return 0


def _refuse_early(key: MatchKey, options: dict[str, Any]) -> None:
    """Raise now what the last steps would raise, of options and source, once rows are merged."""
    race_from_options(options)
    refuse_primary_key(on_owner(key))
    with suppress(DuplicatesLeft):
        edit_from_options(key, options)


def _take(step: Step, walk: Walk) -> None:
    try:
        step.take(walk)
    except KeyboardInterrupt as stop:
        said = str(stop) or f"Stopped at {step.verb}: {walk.so_far}"
        raise KeyboardInterrupt(said) from None
