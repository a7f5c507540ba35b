"""One batch: its transaction, and what it writes there, wave after wave, with its journal.

Signals are sent before and after it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..collisions.looking import looked_at_again
from ..databases.retry import RowsChanged, telling_locks
from ..journal.reading import merged_pairs
from ..journal.write import Journal
from ..mapping.waves import waves
from ..mapping.whole_groups import count_groups
from ..planning.levels import analyse
from ..signals import post_merge, pre_merge
from .changes import Changes
from .recheck import are_rivals_locked
from .write import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..models import MergeRun
    from ..planning.levels import Level
    from ..planning.session import Session
    from ..planning.tally import Tally
    from ..values import MergePolicy


@contextmanager
def batch_transaction(database: Database) -> Iterator[ExitStack]:
    """A batch is whole or not there; what is entered on the stack ends before its commit.

    Raises `RowsLocked` where others hold rows for too long. In a transaction of the caller's it is
    the database's own error, as only the caller can begin again.
    """
    with ExitStack() as outer:
        if not database.connection.in_atomic_block:
            outer.enter_context(telling_locks(database))
        outer.enter_context(database.kept.batch())
        outer.enter_context(transaction.atomic(using=database.using))
        yield outer.enter_context(ExitStack())


def patience_of(database: Database, policy: MergePolicy) -> float:
    """For how many seconds a batch waits for rows; in a transaction of the caller's as that does.

    Ask before the batch's own transaction begins.
    """
    if policy.lock_timeout is not None:
        return policy.lock_timeout
    return 0 if database.connection.in_atomic_block else database.lock_timeout


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of a run, and the session that it works in; ``planned`` is that of the whole run."""

    session: Session
    run: MergeRun
    number: int
    tally: Tally
    planned: MergeMap

    def write(self, level: Level) -> tuple[int, int]:
        """Write what a level says; returns how many groups and rows were merged.

        Raises `RowsChanged` where it no longer says what will collide.
        """
        session, mapping = self.session, level.mapping
        database, model = session.database, session.source.model
        groups = count_groups(database, mapping)
        if not groups:
            return 0, 0
        context = {"sender": model, "run": self.run, "using": database.using}
        pre_merge.send(**context, pairs=partial(_planned_pairs, session, mapping))
        if pre_merge.has_listeners(model):
            level = looked_at_again(session, level)
        if self._can_differ() and not are_rivals_locked(session, level):
            raise RowsChanged("rows that collide have been changed meanwhile")
        journal = Journal(database=database, run=self.run, batch=self.number)
        groups, rows = self._apply(level, Changes(database=database, journal=journal), groups)
        journal.complete()
        database.check_constraints_now()
        pairs = partial(merged_pairs, self.run, database.using, self.number)
        transaction.on_commit(
            partial(post_merge.send_robust, **context, pairs=pairs), using=database.using
        )
        return groups, rows

    def _apply(self, level: Level, changes: Changes, groups: int) -> tuple[int, int]:
        """Write a level, wave after wave; returns how many groups and rows were merged."""
        session = self.session
        parts = list(waves(session, level.mapping))
        writer = Writer(
            session=session,
            changes=changes,
            tally=self.tally,
            planned=self.planned,
            top=level,
            in_waves=bool(parts),
            can_differ=self._can_differ(),
        )
        if not parts:
            return groups, writer.apply(level)
        rows = groups = 0
        for part in parts:
            again = analyse(session, part)  # as the waves before have left the rows
            groups += count_groups(session.database, part)
            rows += writer.apply(again)
        return groups, rows

    def _can_differ(self) -> bool:
        """Whether others or a receiver may have changed rows that collide since the comparison."""
        is_alone = self.session.database.is_alone_in_batch
        return not is_alone or pre_merge.has_listeners(self.session.source.model)


def _planned_pairs(session: Session, mapping: MergeMap) -> Iterator[tuple[str, str]]:
    """The pairs of a batch about to be merged, keys as text."""
    database = session.database
    keys = [
        database.key_text(mapping.table.pk, database.qualified("m", side))
        for side in (mapping.members, mapping.survivors)
    ]
    rows: list[Any] = database.fetch(
        f"SELECT {', '.join(keys)} FROM {database.q(mapping.name)} m WHERE m.place > 0"
    )
    yield from rows
