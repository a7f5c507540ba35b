"""What a plan says of rows that the model's default manager hides. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..databases.common_tables import compiled
from ..databases.tables import pk_names
from ..finding.survivor_rules import prefers_live
from ..references.hidden import hiding_columns, shown_rows
from ..sentences import Sentence

if TYPE_CHECKING:
    from django.db.models import Model

    from ..mapping.mapping import MergeMap
    from .session import Session


def hidden_rows(session: Session, model: type[Model], mapping: MergeMap) -> tuple[Sentence, ...]:
    """A sentence where rows to be merged are hidden, and which rows survive them.

    One statement, and none for a model whose default manager shows all rows.
    """
    shown = shown_rows(model, session.database.using)
    if shown is None:
        return ()
    hidden, vanishing = _counted(session, mapping, shown.values_list(*pk_names(model)))
    found = []
    if hidden:
        code = "hidden last" if prefers_live(model, session.policy.survivor) else "hidden"
        told = {
            "model": model._meta.label,
            "count": f"{hidden:,}",
            "are": "is" if hidden == 1 else "are",
            "fields": sorted({column for _, column in hiding_columns(model)}),
        }
        found.append(Sentence(code, **told))
    if vanishing:
        groups = "1 group" if vanishing == 1 else f"{vanishing:,} groups"
        found.append(Sentence("into hidden", model=model._meta.label, groups=groups))
    return tuple(found)


def _counted(session: Session, mapping: MergeMap, shown: Any) -> tuple[int, int]:
    """How many members are hidden; in how many groups the survivor is, and not all others are."""
    database = session.database
    sql, params = compiled(shown)
    # a query calls its columns as their fields are called
    keys = database.qualified("h", pk_names(shown.model))
    same = database.equal(keys, database.qualified("m", mapping.members))
    is_shown = f"CASE WHEN {keys[0]} IS NULL THEN 0 ELSE 1 END"
    members = (
        f"SELECT m.group_number AS g, m.place AS p, {is_shown} AS s"
        f" FROM {database.q(mapping.name)} m LEFT JOIN ({sql}) h ON {same}"
    )
    groups = (
        "SELECT SUM(1 - x.s) AS hidden, MAX(x.s) AS live,"
        " MAX(CASE WHEN x.p = 0 THEN x.s END) AS survives"
        f" FROM ({members}) x GROUP BY x.g"
    )
    ((hidden, vanishing),) = database.fetch(
        "SELECT SUM(y.hidden), SUM(CASE WHEN y.live = 1 AND y.survives = 0 THEN 1 ELSE 0 END)"
        f" FROM ({groups}) y",
        params,
    )
    return int(hidden or 0), int(vanishing or 0)
