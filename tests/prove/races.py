"""Tasks for processes that race, and the constraint that decides who wins."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import UniqueConstraint

from dedupe_toolkit.prove.processes import run_in_step
from dedupe_toolkit.prove.race import waiting_after_the_look
from testproject.library.models import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from dedupe_toolkit.prove.processes import Turn

AUTHORS = 30


def get_or_create_authors(turn: Turn) -> Counter[str]:
    """Get or create one author after the other, each at the same moment as everybody else.

    The first of them all look for before anyone creates: there the race shows for certain.
    """
    happened: Counter[str] = Counter()
    for number in range(AUTHORS):
        turn.wait()
        staged = nullcontext() if number else waiting_after_the_look(turn, connection)
        try:
            with staged:
                _, created = Author.objects.get_or_create(
                    first_name="Leo", last_name=f"No. {number}"
                )
        except Exception as error:
            happened[type(error).__name__] += 1
        else:
            happened["created" if created else "got"] += 1
    return happened


def race_for_authors(*, processes: int = 4) -> Counter[str]:
    """Let processes race for the same authors; return what happened, over all of them."""
    task = f"{__name__}.{get_or_create_authors.__name__}"
    return sum(run_in_step(task, processes=processes), Counter())


@contextmanager
def unique(model: type[Model], *fields: str) -> Iterator[None]:
    """Give the table of a model a unique constraint for a while."""
    constraint = UniqueConstraint(fields=fields, name="unique_for_a_test")
    before = model._meta.constraints
    # On SQLite the table is rebuilt from the model's options, so they have to know it as well.
    model._meta.constraints = [*before, constraint]
    with connection.schema_editor() as editor:
        editor.add_constraint(model, constraint)
    try:
        yield
    finally:
        model._meta.constraints = before
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, constraint)
