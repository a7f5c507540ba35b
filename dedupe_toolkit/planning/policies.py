"""What holds for the rows of each model that a merge reaches: its options, and what is declared.

For the model that is merged, options win over what is declared of it. For any other model whose
rows merge because of that, what is declared of it wins, as the options speak of another model;
where nothing is declared, they hold there as well. Reads no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..arguments import MOST_ROWS, require_kind, require_kinds
from ..collisions.resolutions import of_all, of_rivals, resolution
from ..collisions.ties import Tie, ties_of
from ..errors import InvalidOption
from ..field_rules.family import FieldRules, equal_columns
from ..field_rules.rules import refuse_unsorted, resolve_rules
from ..field_rules.together import completed
from ..finding.survivor_rules import survivor_ordering
from ..keys import key_field
from ..references.discover import kin_of
from ..references.hidden import live_first
from ..references.meta import column_of, concrete, lineage_of
from ..registry import declared_options
from ..values import OnConflict, RowSet

if TYPE_CHECKING:
    from django.db.models import Model

    from ..collisions.resolutions import OfRivals, Resolution
    from ..databases import Database
    from ..field_rules.rules import NamedRule
    from ..mapping.mapping import MergeMap
    from ..references.referrers import Referrer
    from ..values import MatchKey, MergePolicy

_RECORDS = {"admin.LogEntry.object_id": "keep"}
"""Of who did what: whoever changed their own duplicate has changed themselves."""


@dataclass(frozen=True, kw_only=True)
class LevelPolicy:
    """What holds for the rows of one level, and for those that point at them and collide.

    ``model`` is the one whose rows merge, and ``rules`` are those of its whole family. In
    ``key_columns`` rows may differ without a conflict. ``ordering`` is that of the survivor rule
    which is declared for rows one level down, if any is.
    """

    model: type[Model]
    rules: FieldRules
    on_conflict: OnConflict
    on_collision: Resolution
    collisions: Mapping[str, Resolution]
    key_columns: frozenset[str] = frozenset()
    ordering: tuple[Any, ...] = ()

    def of_rivals(self, referrer: Referrer) -> OfRivals:
        """What is done to rivals of a table that differ from each other, and are objects apart."""
        labels = [reference.label for reference in referrer.references]
        said = [self.collisions[label] for label in labels if label in self.collisions]
        return of_rivals([*said, self.on_collision])

    def ties(self, mapping: MergeMap, referrer: Referrer) -> tuple[Tie, ...]:
        """Every two references of a table, with what happens to rows that they tie together."""
        return ties_of(mapping, referrer, self.on_collision, self.collisions)


class Policies:
    """The policy of every level of one merge, each resolved once."""

    def __init__(self, database: Database, source: MatchKey | RowSet, policy: MergePolicy) -> None:
        self.database = database
        self.source = source
        self.policy = policy
        self._below: dict[type[Model], LevelPolicy] = {}

    @property
    def is_reviewed(self) -> bool:
        """Whether a person has named the rows, and looks at what becomes of them."""
        return isinstance(self.source, RowSet)

    @cached_property
    def top(self) -> LevelPolicy:
        """For the duplicates themselves. Raises `InvalidOption` for a rule that cannot be."""
        model, policy = self.source.model, self.policy
        named = resolve_rules(model, policy.field_rules)
        return LevelPolicy(
            model=model,
            rules=self._rules(model, named, equal_columns(self.source)),
            on_conflict=OnConflict(policy.on_conflict),
            on_collision=resolution(policy.on_collision),
            collisions={
                name: resolution(rule) for name, rule in {**_RECORDS, **policy.collisions}.items()
            },
            key_columns=_key_columns(self.source),
        )

    def below(self, above: LevelPolicy, referrer: Referrer) -> LevelPolicy:
        """For rows of a table that become one because the rows they point at do.

        Raises `InvalidOption` for what is declared of their model and cannot be.
        """
        model = concrete(referrer.table.model)
        if referrer.is_inherited:
            apart = lineage_of(above.model)
            return _declared(above, model, declared_options(model, apart_from=apart))
        if model not in self._below:
            self._below[model] = self._of_rivals(model)
        return self._below[model]

    def _of_rivals(self, model: type[Model]) -> LevelPolicy:
        options = declared_options(model)
        rules = self._rules(model, resolve_rules(model, options.get("field_rules", {})))
        level = replace(
            self.top,
            model=model,
            rules=rules,
            key_columns=frozenset(),
            ordering=self._ordering(model, options.get("survivor")),
        )
        return _declared(level, model, options)

    def _ordering(self, model: type[Model], survivor: Any) -> tuple[Any, ...]:
        if survivor is None:
            return tuple(live_first(model, self.database.using))
        return tuple(survivor_ordering(model, survivor, self.database.using))

    def _rules(
        self,
        model: type[Model],
        named: Mapping[tuple[str, str], NamedRule],
        equal: frozenset[tuple[str, str]] = frozenset(),
    ) -> FieldRules:
        """The rules for every table of the model's family, those named for the model first."""
        lineage = lineage_of(model)
        for part in lineage:
            named = completed(part, named)
        others: dict[tuple[str, str], NamedRule] = {}
        for part in kin_of(model).difference(lineage):
            rules = declared_options(part, apart_from=lineage).get("field_rules", {})
            table = part._meta.db_table
            resolved = completed(part, resolve_rules(part, rules))
            others |= {place: rule for place, rule in resolved.items() if place[0] == table}
        refuse_unsorted(self.database, [*others.values(), *named.values()])
        return FieldRules(self.database, {**others, **named}, equal)


def checked(policy: MergePolicy) -> MergePolicy:
    """The policy, its choices turned from plain text into what they stand for.

    Raises `InvalidOption` for a choice that is none.
    """
    require_kinds("merge policy", vars(policy))
    for rules in (policy.field_rules, policy.collisions):
        require_kind("a merge policy", rules, Mapping, "rules by name")
    try:
        return replace(
            policy,
            limit=None if policy.limit is None else min(policy.limit, MOST_ROWS),
            on_collision=of_all(policy.on_collision).name,
            collisions={name: resolution(rule).name for name, rule in policy.collisions.items()},
            on_conflict=OnConflict(policy.on_conflict),
        )
    except ValueError as error:
        raise InvalidOption(f"merge policy: {error}") from None


def _key_columns(source: MatchKey | RowSet) -> frozenset[str]:
    if isinstance(source, RowSet):
        return frozenset()
    return frozenset(column_of(key_field(source.model, lookup)) for lookup in source.fields)


def _declared(level: LevelPolicy, model: type[Model], options: Mapping[str, Any]) -> LevelPolicy:
    """A level's policy with what is declared of a model put over it."""
    try:
        collisions = {name: resolution(r) for name, r in options.get("collisions", {}).items()}
        given = options.get("on_collision")
        return replace(
            level,
            on_conflict=OnConflict(options.get("on_conflict", level.on_conflict)),
            on_collision=level.on_collision if given is None else of_all(given),
            collisions={**level.collisions, **collisions},
        )
    except ValueError as error:
        raise InvalidOption(f"declared of {model._meta.label}: {error}") from None
