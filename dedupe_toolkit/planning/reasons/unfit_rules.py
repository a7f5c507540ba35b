"""Declared rules that cannot be followed for rows merged only because others are.

At the top such a rule refuses the merge. Below, only the groups that lead there are held back.
Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...values import rule_name
from .incomplete_values import ruled_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...field_rules.family import FieldRules
    from ...mapping.mapping import MergeMap
    from ..session import Session


def hold_unfit_rules(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups in which rows merge one level down, by a rule that is not for them."""
    if not mapping.is_nested:
        return
    for code, told in _unfit(session, mapping, rules):
        session.held.add(
            code,
            f"FROM {session.database.q(mapping.name)} x WHERE x.place > 0",
            first=session.held.key("x", mapping.table.pk, mapping.survivors),
            second=session.held.key("x", mapping.table.pk, mapping.members),
            told={"model": mapping.table.model._meta.label, **told},
        )


def _unfit(
    session: Session, mapping: MergeMap, rules: FieldRules
) -> Iterator[tuple[str, dict[str, str]]]:
    """The code of a reason for each such rule, and what it speaks of."""
    if not session.policies.is_reviewed:
        for named, function in rules.functions(mapping.table):
            told = {"field": named.field.name, "rule": rule_name(function)}
            yield "function below", told
    for reference, named in ruled_targets(session, mapping, rules):
        yield "ruled target", {"reference": reference.label, "field": named.field.name}
