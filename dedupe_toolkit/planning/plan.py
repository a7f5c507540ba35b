"""Plan a merge: what it will do, table by table. Never writes to users' tables."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from ..arguments import checking_arguments, require_kind
from ..collisions.repeated_links import repeated_links
from ..collisions.tie_counts import tie_counts
from ..databases import database
from ..databases.caching import caching
from ..databases.tables import python_key, require_table
from ..field_rules.differences import differences
from ..field_rules.rules import refuse_functions
from ..finding.comparing import comparing
from ..finding.dismissed_groups import split_by_verdict
from ..finding.find import is_table_empty
from ..finding.key_rows import candidates, key_columns, repeated
from ..finding.searched_texts import require_searchable
from ..finding.time_zones import require_time_zones
from ..finding.whole_texts import whole_texts
from ..keys import check_alias, key_field
from ..mapping.family import family_parts
from ..mapping.groups import map_groups
from ..mapping.waves import number_by_waves
from ..mapping.whole_groups import count_members
from ..models import RowChange
from ..plan_values import HeldCollisions, HeldGroup, MergePlan, TieCount
from ..references.discover import views_of
from ..references.meta import column_of
from ..references.refusals import refuse_unmergeable
from ..registry import declared_policy
from ..sentences import Sentence
from ..values import MatchKey, MergePolicy, RowSet
from .ahead import ahead
from .counting import count_level
from .hidden_rows import hidden_rows
from .large_groups import large_groups
from .largest import blank_keys, largest_groups
from .levels import Level, analyse
from .missing_indexes import missing_indexes
from .policies import checked
from .prepared import Prepared, forget
from .reasons.held_collisions import summed
from .reasons.incomplete_values import refuse_ruled_targets, refuse_shared_targets
from .rehearsal import hold_refused
from .rights import lacking_rights
from .session import Session
from .shared_keys import refuse_shared_keys
from .tally import Tally
from .triggers import triggers, versioned
from .unenforced import unenforced
from .unsearched import unsearched
from .written import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model, QuerySet

    from ..field_rules.family import FieldRules
    from ..mapping.mapping import MergeMap
    from .written import Written


@checking_arguments
@caching()
def plan_merge(
    source: MatchKey | RowSet, *, using: str = "default", policy: MergePolicy | None = None
) -> MergePlan:
    """What merging the duplicates of ``source`` would do, in the database ``using``.

    Finds the groups, chooses survivors, counts what each reference will repoint, discard and
    merge, and takes out the groups that must be held back, each with its reason. A bounded
    number of statements, whatever the number of groups; writes to temporary tables only.

    Without a ``policy`` the declared one of the model is used.

    Raises `InvalidMatchKey` for an unknown alias, tables or columns that the database has not, and
    keys that it cannot compare; `InvalidOption` for a policy or declaration that says what there
    is not, or rows that are not there; `MergeRefused` for a model whose rows cannot be merged
    without breaking what its package keeps in them, or a database of a kind that is not supported.
    """
    return _planned(source, using, policy, is_kept=True)


def plan_to_show(source: MatchKey | RowSet, *, using: str, policy: MergePolicy | None) -> MergePlan:
    """The same for whoever only looks at it: such a plan cannot be carried out."""
    return _planned(source, using, policy, is_kept=False)


def _planned(
    source: MatchKey | RowSet, using: str, policy: MergePolicy | None, *, is_kept: bool
) -> MergePlan:
    session = open_session(source, using, policy)
    refuse_shared_keys(source.model, session.database)
    forget(using)
    with whole_texts(source, using), session.database.planning():
        return _plan(session, source, is_kept=is_kept)


def _plan(session: Session, source: MatchKey | RowSet, *, is_kept: bool) -> MergePlan:
    using = session.database.using
    rules = session.policies.top.rules  # looked at first: they may refuse
    if isinstance(source, MatchKey):
        refuse_functions(source.model, session.policy.field_rules)
    with comparing(source, using):
        mapping = map_groups(session, source)
    groups, duplicates = count_members(session.database, mapping)
    in_order = number_by_waves(session, mapping)
    tally, facts, lacking = Tally(), dict[str, Any](), tuple[Sentence, ...]()
    warnings = _dismissed(source, using)
    if groups:
        level = analysed(session, mapping, rules)
        count_level(session, level, tally)
        pointing = [one.reference for one in tally.references if one.repointed]
        writing = tuple(written(session, level, pointing))
        facts = _facts(session, source, level)
        if is_kept:
            facts |= _asked_once(session, writing)
        closely = () if in_order else (written(session, level, pointing, closely=True),)
        lacking = lacking_rights(session.database, writing, *closely)
        warnings = (*_warnings(session, level, tally), *warnings)
    held = tuple(held_groups(session, source))
    if held:
        duplicates = count_members(session.database, mapping)[1]
    collisions = summed(session.held.collisions)
    prepared = Prepared(session=session, mapping=mapping, in_order=in_order, lacking=lacking)
    if is_kept:
        prepared.leave()
    advice = (*collision_advice(collisions), *tie_advice(facts.get("ties", ())))
    return MergePlan(
        source=source,
        using=using,
        policy=session.policy,
        groups=groups,
        rows_to_merge=duplicates,
        references=tally.references,
        held_back=held,
        collisions=collisions,
        warnings=(*lacking, *advice, *warnings),
        is_empty=not groups and is_table_empty(source.model, using),
        prepared=prepared,
        **facts,
    )


def _warnings(session: Session, level: Level, tally: Tally) -> Iterator[Sentence]:
    """What a person should know of before a merge, and may want to change first."""
    database, model = session.database, session.source.model
    yield from hidden_rows(session, model, level.mapping)
    yield from ahead(database, model)
    yield from unenforced(database, level)
    yield from views(model, database.using)
    yield from missing_indexes(database, level)
    yield from large_groups(session, level, tally)


def _facts(session: Session, source: MatchKey | RowSet, level: Level) -> dict[str, Any]:
    """What a person wants to know of a merge beside what becomes of each reference."""
    database, mapping = session.database, level.mapping
    known = level.policy.key_columns
    return {
        "ties": tie_counts(session, level),
        "differences": tuple(differences(database, level, known)),
        "repeated_links": tuple(repeated_links(database, level)),
        "largest": largest_groups(session, mapping, source),
        "blank_keys": blank_keys(session, mapping, source),
    }


def _asked_once(session: Session, writing: Sequence[Written]) -> dict[str, Any]:
    """The same of the project: what is no news to whoever looks at one group after the other."""
    database = session.database
    return {
        "triggers": triggers(database, writing),
        "versioned": versioned(database, writing),
        "unsearched": unsearched(database, session.source.model),
    }


def open_session(source: MatchKey | RowSet, using: str, policy: MergePolicy | None) -> Session:
    """A session to plan with, once all that a plan refuses at first sight is looked at."""
    meant = "a match key or a row set: match_key(Model, [fields]), row_set(Model, [keys])"
    require_kind("plan_merge()", source, (MatchKey, RowSet), meant)
    require_kind("policy", policy, (MergePolicy, NoneType), "a MergePolicy")
    policy = checked(policy or declared_policy(source.model))
    check_alias(using)
    refuse_unmergeable(source.model)
    require_table(source.model, using)
    require_table(RowChange, using)
    if isinstance(source, MatchKey):
        _require_columns(source, using)
        require_time_zones(source, using)
        require_searchable(source, using)
    return Session(database(using), source, policy, "plan")


def _require_columns(key: MatchKey, using: str) -> None:
    """Raises `InvalidMatchKey` for a key field whose migration is pending."""
    known = database(using)
    for field in (key_field(key.model, lookup) for lookup in key.fields):
        known.table(field.model).column(column_of(field))


def views(model: type[Model], using: str) -> tuple[Sentence, ...]:
    """A sentence for each relation to the model from a view."""
    return tuple(Sentence("view", reference=name) for name in views_of(model, using))


def _dismissed(source: MatchKey | RowSet, using: str) -> tuple[Sentence, ...]:
    """A sentence where a person's verdict leaves groups out."""
    if isinstance(source, RowSet):
        return ()
    groups = repeated(source, split_by_verdict(source, using)[1]).count()
    what = "1 dismissed group is" if groups == 1 else f"{groups:,} dismissed groups are"
    return (Sentence("dismissed", what=what),) if groups else ()


def collision_advice(found: tuple[HeldCollisions, ...]) -> tuple[Sentence, ...]:
    """For each table whose rows collide and hold groups back, what each choice would do to them."""
    return tuple(
        Sentence(
            "collide",
            model=one.model,
            told=f"{_colliding(one.rows)} in {_listed(one.fields)}",
            referenced=f"{one.referenced:,}",
            are="is" if one.referenced == 1 else "are",
        )
        for one in found
    )


def _colliding(rows: int) -> str:
    if rows == 1:
        return "1 row collides with another and differs"
    return f"{rows:,} rows collide with another and differ"


def _listed(fields: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} ({rows:,})" for name, rows in fields.items())
    return named or "what they reference"


def tie_advice(ties: tuple[TieCount, ...]) -> tuple[Sentence, ...]:
    """A sentence for each two references whose rows tie groups together that are held back."""
    return tuple(
        Sentence("ties", reference=count.references[0], reference_too=count.references[1])
        for count in ties
        if count.held_back
    )


def analysed(session: Session, mapping: MergeMap, rules: FieldRules) -> Level:
    """What merging the groups of a mapping does, those to be held back taken out of it."""
    for part in family_parts(session, mapping):
        refuse_shared_targets(session, part)
        refuse_ruled_targets(session, part, rules)
    level = analyse(session, mapping)
    while hold_refused(session, level):
        session.held.take_out(mapping)
        level = analyse(session, mapping)
    for below in level.levels():
        below.policy.rules.try_functions(below.mapping)
    return level


def held_groups(session: Session, source: MatchKey | RowSet) -> Iterator[HeldGroup]:
    """The groups held back, with their key values as they are now, in order of survivor."""
    using = session.database.using
    groups = {
        number: [python_key(source.model, key, using) for key in keys]
        for number, keys in session.held.rows()
    }
    if not groups:
        return
    reasons = session.held.reasons()
    survivors = [keys[0] for keys in groups.values()]
    values = _key_values(source, using, survivors)
    for number, keys in groups.items():
        yield HeldGroup(values=values.get(keys[0], {}), rows=tuple(keys), reason=reasons[number])


_CHUNK = 500


def _key_values(
    source: MatchKey | RowSet, using: str, survivors: list[Any]
) -> dict[Any, Mapping[str, Any]]:
    if isinstance(source, RowSet):
        return {}
    found: dict[Any, Mapping[str, Any]] = {}
    for start in range(0, len(survivors), _CHUNK):
        rows: QuerySet[Any] = candidates(source, using).filter(
            pk__in=survivors[start : start + _CHUNK]
        )
        for pk, *values in rows.values_list("pk", *key_columns(source)):
            found[pk] = dict(zip(source.fields, values, strict=True))
    return found
