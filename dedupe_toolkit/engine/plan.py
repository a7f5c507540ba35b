"""Plan a merge: what it will do, table by table. Never writes to users' tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.db import connections

from ..databases import database
from ..databases.asking import asking_once
from ..databases.tables import python_key, require_table
from ..errors import InvalidOption, PlanExpired
from ..graph.discover import views_of
from ..graph.meta import column_of
from ..graph.refusals import refuse_unmergeable
from ..keys import check_alias, key_field
from ..models import RowChange
from ..registry import declared_policy
from ..values import HeldGroup, MatchKey, MergePlan, MergePolicy, OnCollision, OnConflict, RowSet
from .by_value import refuse_ruled_targets
from .conflicts import hold_conflicts
from .counting import count_level
from .dismissed import split
from .field_rules import refuse_functions
from .find import is_table_empty
from .groups import map_groups
from .key_rows import considered, key_columns, repeated
from .levels import Level, analyse
from .mapping import Mapping, count_duplicates, count_groups
from .missing_indexes import missing_indexes
from .new_values import FieldRules
from .session import Session
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Dict

    from django.db.models import Model, QuerySet

    from .levels import Level


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a plan leaves in its connection for the merge: the session and its mapping."""

    token: str
    session: Session
    mapping: Mapping
    rules: FieldRules
    level: Level | None
    seen: tuple[Any, Any]
    """Own writes, and others' commits, when the plan was made: see `Database.own_writes`."""


_prepared: WeakKeyDictionary[Any, Prepared] = WeakKeyDictionary()
_tokens = count(1)


@asking_once()
def plan_merge(
    source: MatchKey | RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> MergePlan:
    """What merging the duplicates of ``source`` would do, in the database ``using``.

    Finds the groups, chooses survivors, counts what each reference will repoint, discard and
    merge, and takes out the groups that must be held back, each with its reason. A bounded
    number of statements, whatever the number of groups; writes to temporary tables only.

    Without a ``policy`` the declared one of the model is used.

    Raises `InvalidMatchKey` or `InvalidOption` for what does not exist, and `MergeRefused` for a
    model whose rows cannot be merged without breaking what its package keeps in them.
    """
    session = open_session(source, using, policy)
    with session.database.planning():
        return _plan(session, source)


def _plan(session: Session, source: MatchKey | RowSet) -> MergePlan:
    using, commits = session.database.using, session.database.others_commits()
    rules = FieldRules(session.database, source, session.policy.field_rules)
    if isinstance(source, MatchKey):
        refuse_functions(source.model, session.policy.field_rules)
    mapping = map_groups(session, source)
    groups = count_groups(session.database, mapping)
    tally, level = Tally(), None
    warnings = _dismissed(source, using)
    if groups:
        level = _analyse(session, source, mapping, rules)
        count_level(session, level, tally)
        slow = missing_indexes(session.database, level)
        warnings = (*views(source.model, using), *slow, *warnings)
    held = tuple(held_groups(session, source))
    token = f"{using}-{next(_tokens)}"
    _prepared[connections[using]] = Prepared(
        token=token,
        session=session,
        mapping=mapping,
        rules=rules,
        level=level,
        seen=(session.database.own_writes(), commits),
    )
    return MergePlan(
        source=source,
        using=using,
        policy=session.policy,
        groups=groups,
        rows_to_merge=count_duplicates(session.database, mapping),
        references=tally.references,
        held_back=held,
        warnings=(*collision_advice(session.policy, held), *warnings),
        is_empty=not groups and is_table_empty(source.model, using),
        token=token,
    )


def open_session(source: MatchKey | RowSet, using: str, policy: MergePolicy | None) -> Session:
    """A session to plan with, once all that a plan refuses at first sight is looked at."""
    policy = checked(policy or declared_policy(source.model))
    check_alias(using)
    refuse_unmergeable(source.model)
    require_table(source.model, using)
    require_table(RowChange, using)
    return Session(database(using), policy, "plan")


def views(model: type[Model], using: str) -> tuple[str, ...]:
    """A sentence for each relation to the model from a view."""
    return tuple(
        f"{name} belongs to a view, which is left alone" for name in views_of(model, using)
    )


def _dismissed(source: MatchKey | RowSet, using: str) -> tuple[str, ...]:
    """A sentence where a person's verdict leaves groups out."""
    if isinstance(source, RowSet):
        return ()
    groups = repeated(source, split(source, using)[1]).count()
    what = "1 dismissed group is" if groups == 1 else f"{groups:,} dismissed groups are"
    return (f"{what} left alone",) if groups else ()


def collision_advice(policy: MergePolicy, held: tuple[HeldGroup, ...]) -> tuple[str, ...]:
    """A sentence on what else can be done, where colliding rows hold groups back."""
    if policy.on_collision == OnCollision.HOLD and any("would break" in g.reason for g in held):
        return (
            "rows collide: --on-collision merge merges them too, with all that points at them;"
            " --on-collision discard keeps the survivor's",
        )
    return ()


def checked(policy: MergePolicy) -> MergePolicy:
    """The policy, its choices turned from plain text into what they stand for.

    Raises `InvalidOption` for a choice that is none.
    """
    try:
        return replace(
            policy,
            on_collision=OnCollision(policy.on_collision),
            collisions={name: OnCollision(rule) for name, rule in policy.collisions.items()},
            on_conflict=OnConflict(policy.on_conflict),
        )
    except ValueError as error:
        raise InvalidOption(f"merge policy: {error}") from None


def take_prepared(plan: MergePlan) -> Prepared:
    """What the plan left in its connection, to be used once.

    Raises `PlanExpired` when that connection is closed, has made another plan since, or has
    carried this one out.
    """
    connection = connections[plan.using]
    found = _prepared.get(connection)
    if found is None or found.token != plan.token:
        raise PlanExpired(
            f"{plan.source.label}: this merge plan has been carried out, or is no longer the"
            " latest of its database connection; plan the merge again"
        )
    del _prepared[connection]
    return found


def _analyse(
    session: Session, source: MatchKey | RowSet, mapping: Mapping, rules: FieldRules
) -> Level:
    for part in _family(session, mapping):
        refuse_ruled_targets(session, part, rules)
        rules.try_functions(part)
    if session.policy.on_conflict == OnConflict.HOLD:
        for part in _family(session, mapping):
            hold_conflicts(session, part, rules, _key_columns(source))
        session.held.take_out(mapping)
    return analyse(session, mapping)


def _family(session: Session, mapping: Mapping) -> Iterator[Mapping]:
    """The mapping for each table that holds a part of the merged objects, under the same keys."""
    yield mapping
    for holder in session.holders(mapping.table.model):
        if holder.is_inherited:
            yield from _family(session, replace(mapping, table=holder.table))


def _key_columns(source: MatchKey | RowSet) -> set[str]:
    if isinstance(source, RowSet):
        return set()
    return {column_of(key_field(source.model, lookup)) for lookup in source.fields}


def held_groups(session: Session, source: MatchKey | RowSet) -> Iterator[HeldGroup]:
    """The groups held back, with their key values as they are now, in order of survivor."""
    groups = {
        number: [python_key(source.model, key) for key in keys]
        for number, keys in session.held.rows()
    }
    if not groups:
        return
    reasons = session.held.reasons()
    survivors = [keys[0] for keys in groups.values()]
    values = _key_values(source, session.database.using, survivors)
    for number, keys in groups.items():
        yield HeldGroup(values=values.get(keys[0], {}), rows=tuple(keys), reason=reasons[number])


_CHUNK = 500


def _key_values(
    source: MatchKey | RowSet, using: str, survivors: list[Any]
) -> dict[Any, Dict[str, Any]]:
    if isinstance(source, RowSet):
        return {}
    found: dict[Any, Dict[str, Any]] = {}
    for start in range(0, len(survivors), _CHUNK):
        rows: QuerySet[Any] = considered(source, using).filter(
            pk__in=survivors[start : start + _CHUNK]
        )
        for pk, *values in rows.values_list("pk", *key_columns(source)):
            found[pk] = dict(zip(source.fields, values, strict=True))
    return found
