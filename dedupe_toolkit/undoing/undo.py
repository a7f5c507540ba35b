"""Undo a merge run, or some of its groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..arguments import checking_arguments, require_kind
from ..databases import database
from ..databases.caching import caching
from ..databases.retry import require_autocommit, retried
from ..databases.tables import require_table
from ..errors import InvalidOption, MergeRefused
from ..journal.key_texts import key_texts
from ..journal.reading import merged_rows
from ..keys import check_alias
from ..models import MergeRun, MergeStep
from ..reviewing.dismissals import dismiss_groups
from ..sentences import Sentence
from .taking_back import Undoing, model_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Action = MergeStep.Action


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo restored: how many rows came back, and how many got values back."""

    run: int
    restored: int
    changed: int


@checking_arguments
def undo(
    run: MergeRun | int,
    *,
    using: str = "default",
    survivors: Sequence[Any] | None = None,
    dry_run: bool = False,
    dismiss: bool = False,
    by: str = "",
    note: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Undone:
    """Restore every row and column that a run changed, to the exact values before.

    ``survivors`` are primary keys: only the groups merged into these rows are undone. With
    ``dry_run`` everything is tried and nothing kept. With ``dismiss`` each group undone is
    dismissed for the key of the run, so that the next merge leaves it alone; ``by`` and ``note``
    say who gave that verdict and why. All in one transaction.

    Raises `MergeRefused` while a merge of the model is running, or with autocommit off;
    `UndoRefused`, listing what is in the way and having written nothing, when a row has been
    changed since or cannot come back; `InvalidOption` for a run or group that is not there;
    `InvalidMatchKey` for what cannot be a primary key of the model, and where rows are hidden.
    """
    check_alias(using)
    require_kind("undo()", run, (MergeRun, int), "a merge run or its number")
    require_kind("undo(by=…)", by, str, "a name")
    require_table(MergeRun, using)
    found = _find(run, using)
    dialect = database(using)
    require_autocommit(dialect, found.model)
    with dialect.run_lock(found.model) as is_ours:
        if not is_ours:
            raise MergeRefused(Sentence("merged meanwhile", model=found.model))
        # again: until the lock was ours, another undo may have come first
        found = _find(run, using)
        undoing = Undoing(
            database=dialect,
            run=found,
            survivors=_texts(found, survivors, using),
            verdict=partial(dismiss_groups, by=by, note=note) if dismiss else None,
            progress=progress,
        )
        return retried(dialect, partial(_at_once, undoing, dry_run))


def _at_once(undoing: Undoing, dry_run: bool) -> Undone:
    using, run = undoing.database.using, undoing.run
    with caching(), transaction.atomic(using=using):
        # the first statement writes, so that SQLite takes its write lock before it reads
        MergeRun.objects.using(using).filter(pk=run.pk).update(undone=run.undone)
        with undoing.database.restoring():
            rows = undoing.carry_out()
        if dry_run:
            transaction.set_rollback(True, using=using)
    return Undone(run=run.pk, restored=rows[Action.DELETE], changed=rows[Action.UPDATE])


def _find(run: MergeRun | int, using: str) -> MergeRun:
    number = run.pk if isinstance(run, MergeRun) else run
    found = MergeRun.objects.using(using).filter(pk=number).first()
    if found is None:
        raise InvalidOption(Sentence("no run", run=number, using=repr(using)))
    if found.status == MergeRun.Status.UNDONE:
        raise InvalidOption(Sentence("undone", run=number))
    if found.status == MergeRun.Status.PRUNED:
        raise InvalidOption(Sentence("pruned", run=number))
    return found


def _texts(run: MergeRun, survivors: Sequence[Any] | None, using: str) -> list[str] | None:
    """The keys as the journal names them; checked to be survivors of the run."""
    if survivors is None:
        return None
    texts = key_texts(model_of(run.model), survivors, using)
    merged = merged_rows(run, using).filter(survivor__in=texts)
    known = set(merged.values_list("survivor", flat=True))
    for pk, text in zip(survivors, texts, strict=True):
        if text not in known or text in run.undone:
            code = "group undone" if text in known else "no survivor"
            raise InvalidOption(Sentence(code, run=run.pk, model=run.model, row=pk))
    return texts
