"""Link tables without a unique rule, which a merge leaves with the same link twice. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plan_values import RepeatedLinks
from ..references.links import ends_of
from ..references.rule_sql import TableRule
from .compared_rows import rule_rows
from .losing_rows import losing_rows, not_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from ..references.referrers import Referrer
    from .rivals import Rivals


def repeated_links(database: Database, level: Level) -> Iterator[RepeatedLinks]:
    """The link tables that will hold a link more than once, of this level and all below it."""
    asked = [
        (below, work, rules)
        for below in level.levels()
        for work in below.works
        if not below.pointing.isdisjoint(work.referrer.references)
        and (rules := link_rules(work.referrer))
    ]
    answers = iter(
        database.answers(
            [
                counting(database, below.mapping, work.referrer, rule, work.rivals)
                for below, work, rules in asked
                for rule in rules
            ]
        )
    )
    for _, work, rules in asked:
        yield from told(work.referrer, sum(int(next(answers)) for _ in rules))


def link_rules(referrer: Referrer) -> list[TableRule]:
    """What would be unique in a link table, where none of its rules speaks of both ends."""
    if referrer.is_link:
        return []
    return [
        rule
        for ends in ends_of(referrer.table.model)
        if not any(_speaks_of(one, ends) for one in referrer.rules)
        and referrer.touching(rule := _rule(ends))
    ]


def counting(
    database: Database,
    mapping: MergeMap,
    referrer: Referrer,
    rule: TableRule,
    gone: Rivals | None = None,
) -> str:
    """SQL for the number of rows that repeat a link once they are repointed, unless they go."""
    rows = rule_rows(database, mapping, referrer, rule)
    stay = [not_in(database, gone.name, gone.losers, rows.keys)] if gone else []
    return f"SELECT COUNT(*) {losing_rows(database, mapping, referrer, rows, *stay)}"


def told(referrer: Referrer, rows: int) -> Iterator[RepeatedLinks]:
    """What a plan says of a table with so many repeated links."""
    if rows:
        yield RepeatedLinks(model=referrer.table.model._meta.label, rows=rows)


def _rule(ends: tuple[str, str]) -> TableRule:
    return TableRule(
        text="",
        columns=ends,
        expressions=(),
        condition="",
        nulls_distinct=True,
        reads=frozenset(),
        generated={},
    )


def _speaks_of(rule: TableRule, ends: tuple[str, str]) -> bool:
    """Whether a rule says how often the two may be linked: with what else they may be, too."""
    return rule.decisive.issuperset(ends) or rule.decisive.issubset(ends)
