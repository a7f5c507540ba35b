"""What a plan holds for the merge: its session, and the work tables that it has left there.

The work tables bear the plan's token, which is no other plan's. Writes work tables only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import getpid
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connections, transaction

from ..errors import PlanExpired
from ..sentences import Sentence

if TYPE_CHECKING:
    from ..mapping.mapping import MergeMap
    from ..plan_values import MergePlan
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A plan's session, its mapping, and the token that its work tables bear.

    ``in_order`` says that some groups must be merged before others, and ``lacking`` what the
    database user may not do of it.
    """

    session: Session
    mapping: MergeMap
    in_order: bool = False
    lacking: tuple[Sentence, ...] = ()
    token: str = field(default_factory=lambda: token_hex(16))
    process: int = field(default_factory=getpid)

    def leave(self) -> None:
        """Let the work tables, which are complete now, bear the token."""
        database, name = self.session.database, self._tokens
        database.create_work_table(name, {"token": "char(32)"}, primary_key=["token"])
        database.run(f"INSERT INTO {database.q(name)} (token) VALUES (%s)", [self.token])
        LATEST[database.connection] = self.token

    def require(self) -> None:
        """Raises `PlanExpired` unless the work tables of this session are the plan's.

        Call it in each transaction that reads them: a pooler may give the next one another session.
        """
        if self.process != getpid() or not self._is_here():
            database = self.session.database
            label, advice = self.session.source.label, database.session_advice()
            raise PlanExpired(Sentence("other session", model=label, advice=advice))

    @property
    def _tokens(self) -> str:
        return self.session.work_table("token")

    def _is_here(self) -> bool:
        database = self.session.database
        try:
            with transaction.atomic(using=database.using):  # or PostgreSQL would not go on
                found = database.fetch(f"SELECT token FROM {database.q(self._tokens)}")
        except DatabaseError as error:
            if not database.is_table_missing(error):
                raise
            return False
        return found == [(self.token,)]


LATEST: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""The token of each connection's latest plan, as long as nobody has carried it out.

All that is known beside the plans themselves: work tables have the same names in all of them.
"""


def forget(using: str) -> None:
    """No earlier plan of the connection can be carried out: its work tables are about to change."""
    LATEST.pop(connections[using], None)


def take(plan: MergePlan) -> Prepared:
    """What the plan holds, to be used once.

    Raises `PlanExpired` when its connection has made another plan since, or has carried this one
    out.
    """
    found, connection = plan.prepared, connections[plan.using]
    if found is None or LATEST.get(connection) != found.token:
        raise PlanExpired(Sentence("plan gone", model=plan.source.label))
    del LATEST[connection]
    return found
