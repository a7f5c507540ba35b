"""Lines of the engine to break on purpose, one at a time: the proof must notice every one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One line, what it becomes, and the promise that this breaks."""

    promise: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        "the row that pointed at the survivor wins",
        "losers.py",
        "ORDER BY CASE WHEN {rows.moves} THEN 1 ELSE 0 END, {",
        "ORDER BY {",
    ),
    Mutation(
        "a link of a row with itself that was there before stays",
        "rivals.py",
        " AND NOT ({database.equal(start, end)})",
        "",
    ),
    Mutation(
        "only rows equal to their rival are redundant",
        "rivals.py",
        " AND {are_alike(database, rivals.holder)}",
        "",
    ),
    Mutation(
        "NULLs do not collide",
        "rule_rows.py",
        'conditions=[f"{value} IS NOT NULL" for value in raw] if rule.nulls_distinct else [],',
        "conditions=[],",
    ),
    Mutation(
        "a row that others reference is not discarded",
        "levels.py",
        "if fates.get(Fate.DISCARD) or fates.get(Fate.OWN_LINK):",
        "if fates.get(Fate.OWN_LINK):",
    ),
    Mutation(
        "what points at a redundant row moves to its rival",
        "levels.py",
        "merged = [Fate.MERGE, *([Fate.REDUNDANT] if is_referenced else [])]",
        "merged = [Fate.MERGE]",
    ),
    Mutation(
        "blanks are filled in survivor order",
        "field_rules.py",
        'FILL = Pick(order=lambda value, mapping, database: "m.place")',
        'FILL = Pick(order=lambda value, mapping, database: "m.place DESC")',
    ),
    Mutation(
        "no survivor is filled with a reference to itself",
        "new_values.py",
        '(f" AND NOT ({own})" if own else "")',
        '""',
    ),
    Mutation(
        "a survivor takes its duplicate's own target",
        "own_targets.py",
        "CASE WHEN o.group_number IS NULL AND {theirs} THEN {column} END",
        "CASE WHEN 1 = 0 THEN {column} END",
    ),
    Mutation(
        "a generic key counts only under its content type",
        "repointing.py",
        'conditions = [MERGED, reference.condition("t", database)]',
        "conditions = [MERGED]",
    ),
    Mutation(
        "blanks are no conflict",
        "conflicts.py",
        "WHERE NOT {blank[0]} AND NOT {blank[1]} AND",
        "WHERE NOT {blank[0]} AND",
    ),
    Mutation(
        "the journal holds the value before the change",
        "changes.py",
        'before=self.database.qualified("t", list(assigned)),',
        'before=self.database.qualified("v", list(assigned.values())),',
    ),
)
