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

    from ...field_rules.new_values import FieldRules
    from ...mapping.mapping import MergeMap
    from ..session import Session


def hold_unfit_rules(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups in which rows merge one level down, by a rule that is not for them."""
    if not mapping.is_nested:
        return
    label = mapping.table.model._meta.label
    for sentence in _sentences(session, mapping, rules):
        session.held.add(
            f"{label}: rows {{first}} and {{second}} would become one, but {sentence}",
            f"FROM {session.database.q(mapping.name)} x WHERE x.place > 0",
            first=session.held.key("x", mapping.table.pk, mapping.survivors),
            second=session.held.key("x", mapping.table.pk, mapping.members),
        )


def _sentences(session: Session, mapping: MergeMap, rules: FieldRules) -> Iterator[str]:
    if not session.policies.is_reviewed:
        for named, function in rules.functions(mapping.table):
            yield (
                f"the field rule of {named.field.name}, {rule_name(function)}, is a Python"
                " function, which only merges of rows named one by one can use: merge these rows"
                " first (--pks, the admin), or declare another rule"
            )
    for reference, named in ruled_targets(session, mapping, rules):
        yield (
            f"rows of {reference.label} point at them by {named.field.name}, which has a field"
            " rule: declare survivor or fill for it"
        )
