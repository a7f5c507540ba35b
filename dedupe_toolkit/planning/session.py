"""What one plan or merge works with: its connection, its policy and its work tables' names."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..databases.names import derived
from ..databases.places import place_of
from ..databases.tables import OnDelete, OnMove, require_all_rows, require_rows_of
from ..mapping.hold_list import HoldList
from ..references.column_types import refuse_unlike_columns
from ..references.discover import embedded_references, present, references_to, refuse_hidden
from ..references.referrers import Referrer, referrers_of
from ..references.type_columns import refuse_ambiguous
from ..registry import declared
from .policies import Policies
from .reasons.undeclared_keys import find_keys, undeclared
from .unseen import refuse_unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import DatabaseKey
    from ..references.embedded import EmbeddedReference
    from ..references.kinds import Reference
    from ..values import MatchKey, MergePolicy, RowSet


class Session:
    """One connection at work on one mapping.

    ``prefix`` keeps the work tables of a plan apart from those of the batches that carry it out.
    """

    def __init__(
        self, database: Database, source: MatchKey | RowSet, policy: MergePolicy, prefix: str
    ) -> None:
        self.database = database
        self.source = source
        self.policy = policy
        self.prefix = prefix
        self.policies = Policies(database, source, policy)
        self.collided: dict[str, set[str]] = {}
        """The tables whose rows collided last, by the name of the mapping: they will again."""
        self._tables = 0
        self._referrers: dict[type[Model], list[Referrer]] = {}
        self._keys: dict[type[Model], list[DatabaseKey]] = {}
        self._undeclared_keys: dict[type[Model], list[DatabaseKey]] = {}
        self._embedded: dict[type[Model], tuple[EmbeddedReference, ...]] = {}

    def for_batch(self) -> Session:
        """A session of its own work tables that knows the same model graph and policies."""
        session = Session(self.database, self.source, self.policy, "batch")
        session.policies = self.policies
        session._referrers, session._undeclared_keys = self._referrers, self._undeclared_keys
        session._keys, session._embedded = self._keys, self._embedded
        session.collided = self.collided
        return session

    @cached_property
    def held(self) -> HoldList:
        return HoldList(self.database, self.work_table("held"))

    def work_table(self, *parts: object) -> str:
        """A name for a work table, which no other parts have."""
        return derived("dedupe", self.prefix, *parts)

    def fresh_table(self, kind: str) -> str:
        """A name for a work table that nothing else of this session has."""
        self._tables += 1
        # one part with its number: apart, the number could be that of a referrer, of which each
        # level makes a part of its own
        return self.work_table(f"{kind}{self._tables}")

    def referrers(self, model: type[Model]) -> list[Referrer]:
        """The tables that point at a model's rows; found once."""
        if model not in self._referrers:
            refuse_unseen(model, self.database)
            found = referrers_of(model, self.database)
            refuse_hidden(model, self.database)
            references = [one for referrer in found for one in referrer.references]
            require_all_rows([one.referrer for one in references], self.database.using)
            refuse_ambiguous(references)
            refuse_unlike_columns(references, self.database)
            self._referrers[model] = found
        return self._referrers[model]

    def embedded(self, model: type[Model]) -> tuple[EmbeddedReference, ...]:
        """The declared references to a model that stand inside larger values; found once."""
        if model not in self._embedded:
            found = references_to(model, self.database.using) if declared(model) else ()
            self._embedded[model] = present(embedded_references(found), self.database)
            holders = [one.referrer for one in self._embedded[model]]
            require_all_rows(holders, self.database.using)
            refuse_ambiguous(self._embedded[model])
        return self._embedded[model]

    def undeclared_keys(self, model: type[Model]) -> list[DatabaseKey]:
        """The foreign keys to a model's table that no model declares; found once."""
        if model not in self._undeclared_keys:
            keys = self._keys_to(model)
            found = undeclared(self.database, model, keys)
            require_rows_of([key.table for key in found], model, self.database.using)
            self._undeclared_keys[model] = found
        return self._undeclared_keys[model]

    def acting_keys(self, model: type[Model]) -> list[DatabaseKey]:
        """The foreign keys of other tables that delete or change what points at a deleted row."""
        place = place_of(model, self.database.using)
        own = place and place.identity
        found = self._keys_to(model)
        return [key for key in found if key.is_acting and own not in key.referrers]

    def on_move(self, reference: Reference) -> OnMove:
        """What the database does to a reference's rows when what they point at gets a new key."""
        found = {key.on_move for key in self._keys_of(reference)}
        return max(found, key=list(OnMove).index, default=OnMove.WAITS)

    def is_guarded(self, reference: Reference) -> bool:
        """Whether the database lets none of a reference's rows point at nothing."""
        return reference.is_enforced or any(True for _ in self._keys_of(reference))

    def on_delete(self, reference: Reference) -> OnDelete:
        """What the database does when a row is deleted at which a reference's rows point, whatever
        the model says."""
        found = {key.on_delete for key in self._keys_of(reference)}
        return max(found, key=list(OnDelete).index, default=OnDelete.WAITS)

    def _keys_of(self, reference: Reference) -> Iterator[DatabaseKey]:
        """The foreign keys of the database that keep a reference."""
        as_compared = self.database.as_compared
        columns = set(map(as_compared, reference.columns))
        place = place_of(reference.referrer, self.database.using)
        for key in self._keys_to(reference.target):
            # several columns may be kept by a key of only some of them
            is_of = columns.issuperset(map(as_compared, key.columns))
            if is_of and place and place.identity in key.referrers:
                yield key

    def _keys_to(self, model: type[Model]) -> list[DatabaseKey]:
        """The foreign keys to a model's table; found once.

        Together with those to the tables that point at it, as these are nearly always asked for.
        """
        if model not in self._keys:
            models = [model, *(referrer.table.model for referrer in self.referrers(model))]
            unknown = [one for one in dict.fromkeys(models) if one not in self._keys]
            self._keys |= find_keys(self.database, unknown)
        return self._keys[model]
