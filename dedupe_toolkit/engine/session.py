"""What one plan or merge works with: its connection, its policy and its work tables' names."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..graph.discover import embedded_references, references_to
from ..registry import declared
from ..values import MergePolicy, OnCollision
from .held import Held
from .holders import Holder, holders_of
from .rivals import Fate
from .strangers import find_strangers

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import DatabaseKey
    from ..graph.references import EmbeddedReference


class Session:
    """One connection at work on one mapping.

    ``prefix`` keeps the work tables of a plan apart from those of the batches that carry it out.
    """

    def __init__(self, database: Database, policy: MergePolicy, prefix: str) -> None:
        self.database = database
        self.policy = policy
        self.prefix = prefix
        self._holders: dict[type[Model], list[Holder]] = {}
        self._strangers: dict[type[Model], list[DatabaseKey]] = {}
        self._embedded: dict[type[Model], tuple[EmbeddedReference, ...]] = {}

    def for_batch(self) -> Session:
        """A session of its own work tables that knows the same model graph."""
        session = Session(self.database, self.policy, "batch")
        session._holders, session._strangers = self._holders, self._strangers
        session._embedded = self._embedded
        return session

    @cached_property
    def held(self) -> Held:
        return Held(self.database, self.work_table("held"))

    def work_table(self, *parts: object) -> str:
        """A name for a work table: at most 63 characters, as PostgreSQL allows."""
        return "_".join(["dedupe", self.prefix, *map(str, parts)])[:63]

    def holders(self, model: type[Model]) -> list[Holder]:
        """The tables that point at a model's rows; found once."""
        if model not in self._holders:
            self._holders[model] = holders_of(model, self.database)
        return self._holders[model]

    def embedded(self, model: type[Model]) -> tuple[EmbeddedReference, ...]:
        """The declared references to a model that stand inside larger values; found once."""
        if model not in self._embedded:
            found = references_to(model, self.database.using) if declared(model) else ()
            self._embedded[model] = embedded_references(found)
        return self._embedded[model]

    def strangers(self, model: type[Model]) -> list[DatabaseKey]:
        """The foreign keys to a model's table that no model declares; found once."""
        if model not in self._strangers:
            self._strangers[model] = find_strangers(self.database, model)
        return self._strangers[model]

    def fate(self, holder: Holder) -> Fate:
        """What happens to rivals of a table that differ from each other."""
        if holder.is_inherited:
            return Fate.MERGE
        chosen = [
            self.policy.collisions[reference.label]
            for reference in holder.references
            if reference.label in self.policy.collisions
        ]
        return _FATES[OnCollision((chosen or [self.policy.on_collision])[0])]


_FATES = {
    OnCollision.HOLD: Fate.HOLD,
    OnCollision.MERGE: Fate.MERGE,
    OnCollision.DISCARD: Fate.DISCARD,
}
