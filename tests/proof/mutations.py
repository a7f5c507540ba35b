"""Lines of the package to break on purpose, one at a time: the proof must notice every one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One line, what it becomes, and the promise that this breaks.

    ``only`` names a database where no other has anything to break.
    """

    promise: str
    file: str
    old: str
    new: str
    only: str = ""


MUTATIONS = (
    Mutation(
        "the row that pointed at the survivor wins",
        "collisions/losing_rows.py",
        "ORDER BY CASE WHEN {rows.moves} THEN 1 ELSE 0 END, {",
        "ORDER BY {",
    ),
    Mutation(
        "a link of a row with itself that was there before stays",
        "collisions/ties.py",
        'conditions = [together, "a.place <> b.place"]',
        "conditions = [together]",
    ),
    Mutation(
        "a row that ties survivor and duplicate together is not related to itself",
        "collisions/rivals.py",
        "if tie.outcome is not Outcome.KEPT:",
        "if tie.is_link:",
    ),
    Mutation(
        "a row that ties stays where that is declared",
        "collisions/ties.py",
        "    if Outcome.KEPT in outcomes:\n        return Outcome.KEPT",
        "    if Outcome.KEPT in outcomes:\n        return Outcome.HOLD",
    ),
    Mutation(
        "two rows are tied only if they become one",
        "collisions/ties.py",
        'conditions = [together, "a.place <> b.place"]',
        'conditions = ["a.group_number = b.group_number", "a.place <> b.place"]',
    ),
    Mutation(
        "only rows equal to their rival are redundant",
        "collisions/rivals.py",
        "{_by_link(rivals)}{alike}",
        "{_by_link(rivals)}1 = 1",
    ),
    Mutation(
        "NULLs do not collide",
        "collisions/compared_rows.py",
        'return [f"{value} IS NOT NULL" for value in values] if rule.nulls_distinct else []',
        "return []",
    ),
    Mutation(
        "a row that others reference is not discarded",
        "planning/reasons/held_rivals.py",
        "if any(outcomes.get(outcome) for outcome in GOING):",
        "if outcomes.get(Outcome.OWN_LINK):",
    ),
    Mutation(
        "what points at a redundant row moves to its rival",
        "planning/levels.py",
        "[Outcome.REDUNDANT] if has_more or outcomes.get(Outcome.MERGE) else []",
        "[Outcome.REDUNDANT] if outcomes.get(Outcome.MERGE) else []",
    ),
    Mutation(
        "blanks are filled in survivor order",
        "field_rules/rules.py",
        'FILL = Pick(order=lambda value, mapping, database: "m.place", fits=any_field)',
        'FILL = Pick(order=lambda value, mapping, database: "m.place DESC", fits=any_field)',
    ),
    Mutation(
        "no survivor is filled with a reference to itself",
        "field_rules/new_values.py",
        "return f\"NOT {self.rules.database.blank_in('d', column)}{never}\"",
        "return f\"NOT {self.rules.database.blank_in('d', column)}\"",
    ),
    Mutation(
        "a survivor takes its duplicate's own target",
        "repointing/self_references.py",
        "CASE WHEN o.group_number IS NULL AND {theirs} THEN {column} END",
        "CASE WHEN 1 = 0 THEN {column} END",
    ),
    Mutation(
        "a generic key counts only under its content type",
        "repointing/rows.py",
        'conditions = [MERGED, reference.condition("t", database)]',
        "conditions = [MERGED]",
    ),
    Mutation(
        "blanks are no conflict",
        "planning/reasons/differing_values.py",
        'column, r) for r in ("ra", "rb"))',
        'column, r) for r in ("ra",))',
    ),
    Mutation(
        "conflicts are held at every level",
        "planning/reasons/differing_values.py",
        "if policy.on_conflict is not OnConflict.HOLD:",
        "if policy.on_conflict is not OnConflict.HOLD or meeting:",
    ),
    Mutation(
        "rows one level down follow the field rules of their own model",
        "planning/policies.py",
        'rules = self._rules(model, resolve_rules(model, options.get("field_rules", {})))',
        "rules = self._rules(model, {})",
    ),
    Mutation(
        "parts of the merged objects follow the field rules of their own model",
        "planning/policies.py",
        "return FieldRules(self.database, {**others, **named}, equal)",
        "return FieldRules(self.database, {**named}, equal)",
    ),
    Mutation(
        "rivals win by the survivor rule of their own model",
        "collisions/rivals.py",
        "if found and rivals.ordering:",
        "if not found:",
    ),
    Mutation(
        "what a model declares on conflicts wins one level down",
        "planning/policies.py",
        'options.get("on_conflict", level.on_conflict)',
        "level.on_conflict",
    ),
    Mutation(
        "the journal holds the value before the change",
        "merging/changes.py",
        'before=self.database.qualified("t", list(assigned)),',
        'before=self.database.qualified("v", list(assigned.values())),',
    ),
    Mutation(
        "a rule over computed columns is asked of what the references will hold",
        "collisions/compared_rows.py",
        "mapped = _mapped(database, mapping, joined, raw)",
        "mapped = raw",
    ),
    Mutation(
        "a row that would fail a check holds its group back before anything is written",
        "planning/demands.py",
        "q WHERE NOT ({self.sql})",
        "q WHERE 1 = 0",
    ),
    Mutation(
        "parts of several parents merge with all of them",
        "planning/levels.py",
        "sides=tuple(_sides(session, mapping, policy, way)),",
        "sides=(),",
    ),
    Mutation(
        "rows that would end in two others at two levels are held back",
        "planning/reasons/two_ends.py",
        "for other in before:",
        "for other in ():",
    ),
    Mutation(
        "no part of an object that goes is counted as repointed before",
        "planning/settled.py",
        "lost += [are_merged(database, one, reference) for one in self.merged]",
        "pass",
    ),
    Mutation(
        "what the database guards waits for a survivor that takes it over, whatever its model says",
        "repointing/deferred_keys.py",
        "if not any(map(session.is_guarded, by_value)):",
        "if not any(one.is_enforced for one in by_value):",
    ),
    Mutation(
        "objects are equal if all their parts are",
        "collisions/losing_rows.py",
        "        same += parts_are_alike(database, referrer.table.model, rules)",
        "        pass",
    ),
    Mutation(
        "what points at a column that moves follows",
        "repointing/followers.py",
        "    if not referrer.moves_by(reference):\n        return\n    moved",
        "    if not reference.is_key:\n        return\n    moved",
    ),
    Mutation(
        "children that are duplicates become one before their parents",
        "mapping/waves.py",
        'conditions = ["m.place > 0", "m.group_number <> o.group_number"]',
        'conditions = ["1 = 0"]',
    ),
    Mutation(
        "columns are known by the names that models have for them",
        "databases/catalogue.py",
        "return lambda name: known.get(self.fold_column(name)) or spelled(quote, name)",
        "return lambda name: name",
    ),
    Mutation(
        "a generic key holds what the field of the key makes of it",
        "mapping/spellings.py",
        "spelling.of(column, database.connection) for column in columns",
        "column for column in columns",
    ),
    Mutation(
        "a UUID in a text column is a generic key",
        "references/spellings.py",
        "    return Written.SPELLED\n\n\ndef converts",
        "    return Written.NEVER\n\n\ndef converts",
    ),
    Mutation(
        "every id beside a content type follows",
        "references/generic.py",
        "for object_id in _ids_of(content_type, names, known):",
        "for object_id in [*_ids_of(content_type, names, known)][:1]:",
    ),
    Mutation(
        "no date is filled unasked",
        "references/telling.py",
        "return field.null and isinstance(field, (DateField, TimeField))",
        "return field.null and isinstance(field, TimeField)",
    ),
    Mutation(
        "no row is hidden by what it is filled with",
        "references/telling.py",
        "    return frozenset({*hiding, *_declared(model)})",
        "    return frozenset(_declared(model))",
    ),
    Mutation(
        "rows that the default manager shows survive",
        "finding/survivor_rules.py",
        "        return [*live_first(model, using), *RULES[rule](model, using), *lowest]",
        "        return [*RULES[rule](model, using), *lowest]",
    ),
    Mutation(
        "values that belong together are filled by a row that agrees",
        "field_rules/together.py",
        "return \" AND \".join([f\"({' OR '.join(gains) or '1 = 0'})\", *agrees, *never])",
        "return \" AND \".join([f\"({' OR '.join(gains) or '1 = 0'})\", *never])",
    ),
    Mutation(
        "only like is added to like",
        "field_rules/together.py",
        "        if leaders and partners:\n",
        "        if leaders and not partners:\n",
    ),
    Mutation(
        "a rule that picks a value picks those that belong to it",
        "field_rules/together.py",
        "        if c in own and (is_picked or c not in said)",
        "        if c in own and c in said and is_picked",
    ),
    Mutation(
        "rows whose keys move along a chain are met where they end",
        "repointing/followers.py",
        "movers = (mapping, *moving.get(reference.targets, ()))",
        "movers = (mapping,)",
    ),
    Mutation(
        "what points at a rival's winner counts as well",
        "collisions/nested.py",
        "    rows += _add_winners(database, nested, into)\n",
        "",
    ),
    Mutation(
        "a survivor without a value takes one that rows point at",
        "mapping/by_value.py",
        "ORDER BY CASE WHEN {held[0]} IS NULL THEN 1 ELSE 0 END,",
        "ORDER BY",
    ),
    Mutation(
        "an amount is filled together with its currency",
        "references/together.py",
        "*_money(own), *guessed):",
        "*_money(own)):",
    ),
    Mutation(
        "the currency of no amount says nothing",
        "field_rules/together.py",
        "if column.name in self.together.qualifiers:",
        "if column.name not in self.together.columns:",
    ),
    Mutation(
        "the plan names the triggers that it sets off",
        "planning/written.py",
        "for below in level.levels():",
        "for below in ():",
    ),
    Mutation(
        "parts that are reached twice merge once",
        "planning/levels.py",
        "if referrer.is_inherited and referrer.table.name in way.family.merged:",
        "if False:",
    ),
    Mutation(
        "what points at no row of a group stays as it is, or at nothing",
        "repointing/rows.py",
        "f\"COALESCE((SELECT {new} {source} {' AND '.join(filter(None, held))}), {column})\"",
        "f\"(SELECT {new} {source} {' AND '.join(filter(None, held))})\"",
    ),
    Mutation(
        "the plan knows which duplicates of a tree go later",
        "planning/rehearsal.py",
        "is_top = not level.mapping.is_nested",
        "is_top = False",
    ),
    Mutation(
        "a row of the merged model that nobody has named is never discarded",
        "planning/levels.py",
        "hold_circle(session, rivals, [*merged, Outcome.DISCARD])",
        "hold_circle(session, rivals, merged)",
    ),
    Mutation(
        "texts that differ by their case are two values",
        "databases/sqlite_expressions.py",
        "IS {right} COLLATE BINARY AND",
        "IS {right} AND",
        only="sqlite",
    ),
    Mutation(
        "a text comes back whole, not to its first NUL",
        "databases/sqlite_expressions.py",
        "AND instr({sql}, char(0)) > 0",
        "AND instr({sql}, char(0)) < 0",
        only="sqlite",
    ),
    Mutation(
        "binary values come back to the bit",
        "databases/sqlite_expressions.py",
        "THEN json_object('blob', hex({sql}))",
        "THEN json_object('text', hex({sql}))",
        only="sqlite",
    ),
    Mutation(
        "moments that the database writes by itself stay as they are",
        "databases/mysql.py",
        'sets += [f"t.{self.q(one)} = t.{self.q(one)}" for one in keep if one not in assigned]',
        "pass",
        only="mysql",
    ),
    Mutation(
        "long values are compared to their end",
        "finding/whole_texts.py",
        "with known.sorting_whole(longest, texts + 1):",
        "with known.sorting_whole(0, 0):",
        only="mysql",
    ),
)
