"""What the review page shows of some rows, computed once for showing and for merging."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from ..collisions.resolutions import resolution
from ..databases.caching import caching
from ..errors import InvalidOption
from ..journal.key_texts import key_texts
from ..keys import row_set
from ..reviewing.colliding import CollidingRows, colliding_rows
from ..reviewing.decided_before import Kind, decided_before
from ..reviewing.row_counts import RowCount, row_counts
from ..reviewing.side_by_side import SideBySide, compared, rows_in_order
from ..values import MergePolicy, rule_name
from .choice import MOST_ROWS, require_number, require_visible
from .fields import FormFields, form_fields, moved_links
from .permissions import find_model_admin, may_change_and_delete, own_key
from .ruling import ruled
from .seen import may_hide
from .vanishing import undeletable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import Model
    from django.http import HttpRequest

    from ..plan_values import MergePlan
    from ..reviewing.decided_before import Decision
    from ..values import RowSet
    from .choice import Choice
    from .permissions import AnyAdmin


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the page shows: the rows compared, the plan of merging them, and what is in the way.

    ``undeletable`` are other models of which rows would vanish that this user may not delete,
    ``links`` the many-to-many fields of which links would move that this user may not edit.
    ``loses_account`` says that the user's own account would be merged into another.
    ``decided`` is what was decided of the first rows before, the latest first.
    """

    choice: Choice
    comparison: SideBySide
    policy: MergePolicy
    plan: MergePlan
    fields: FormFields
    counts: tuple[RowCount, ...]
    undeletable: tuple[str, ...]
    links: tuple[str, ...]
    loses_account: bool
    colliding: tuple[CollidingRows, ...] = ()
    decided: tuple[Decision, ...] = ()
    using: str = "default"

    @property
    def verdicts(self) -> dict[int, Decision]:
        """Who said that some of the rows are no duplicates, by the number of what was said."""
        return {one.number: one for one in self.decided if one.kind is Kind.VERDICT}

    @property
    def may_collide(self) -> bool:
        """Whether the plan tells of rows that collide, or may have been stopped by some."""
        return bool(self.plan.held_back or colliding_models(self.plan))

    @property
    def is_mergeable(self) -> bool:
        return bool(self.plan.mergeable) and not (self.needs_others or self.loses_account)

    @property
    def needs_others(self) -> bool:
        """Whether somebody with more rights has to merge these rows."""
        return bool(self.undeletable or self.links)

    @property
    def fingerprint(self) -> str:
        """Another one as soon as a row, a choice, a count, a verdict or the plan is another one.

        The same for a preview and for a plan of the same rows.
        """
        comparison, policy = self.comparison, self.plan.policy
        # by their names: a function is not the same object in every process of a server
        field_rules = sorted((name, rule_name(rule)) for name, rule in policy.field_rules.items())
        chosen = sorted(self.choice.values.items())
        rules = [policy.on_collision, policy.collisions, field_rules, chosen]
        # what is told of the plan beside what was asked, and under whichever number it is kept
        told = [
            getattr(self.plan, each.name)
            for each in dataclasses.fields(self.plan)
            if each.compare and each.name != "policy"
        ]
        counts = [
            (c.model._meta.label, c.field, sorted(c.rows.items(), key=str)) for c in self.counts
        ]
        rivals = [(one.reference, one.outcome, one.fingerprint) for one in self.colliding]
        said = sorted(self.verdicts)
        shown = [comparison.fingerprint, comparison.survivor.pk, *rules, counts, told, rivals, said]
        return sha256(repr(shown).encode()).hexdigest()


@caching()
def reviewed(
    model_admin: AnyAdmin,
    request: HttpRequest,
    choice: Choice,
    using: str,
    planned: Callable[..., MergePlan],
    most: int | None = None,
) -> Review:
    """The rows of a choice, compared and planned by ``planned``, as this user may see them.

    Raises `DedupeError` for rows that are not there or cannot be merged at all, and
    `PermissionDenied` for rows that the user may not change and delete.
    """
    model, site = model_admin.model, model_admin.admin_site
    require_number(model, choice.pks, most)
    source = row_set(model, choice.pks, into=choice.into)
    policy = choice.policy(model)
    rows = _rows(model_admin, request, source, policy, using)
    if not all(may_change_and_delete(model_admin, request, row) for row in rows):
        raise PermissionDenied
    fields = form_fields(model_admin, request, rows)
    into = rows[0].pk if source.into is None else source.into
    policy = ruled(choice, policy, sorted(rows, key=lambda row: row.pk != into), fields)
    comparison = compared(source, rows, policy)
    plan = planned(comparison.source, using=using, policy=policy)
    merged: QuerySet[Any] = QuerySet(model, using=using).filter(pk__in=comparison.source.pks)
    return Review(
        choice=choice,
        comparison=comparison,
        policy=policy,
        plan=plan,
        fields=fields,
        counts=_visible(model_admin, request, row_counts(model, source.pks, using)),
        undeletable=undeletable(site, request, merged, plan.references),
        links=moved_links(model_admin, fields.links, plan.references),
        loses_account=own_key(request, model, using) in set(comparison.source.pks) - {into},
        using=using,
        decided=_decided(comparison, using),
        colliding=colliding_rows(
            comparison.source,
            using=using,
            policy=policy,
            models=colliding_models(plan),
            members=rows,
        ),
    )


def _decided(comparison: SideBySide, using: str) -> tuple[Decision, ...]:
    model = comparison.source.model
    keys = key_texts(model, [row.pk for row in comparison.rows[:MOST_ROWS]], using)
    return decided_before(model, keys, using)


def colliding_models(plan: MergePlan) -> set[str]:
    """The models of which rows collide, as far as a plan tells."""
    policy = plan.policy
    # rows are discarded as redundant as well, and nobody has to look at those
    chosen = map(resolution, (policy.on_collision, *policy.collisions.values()))
    discards = any(one.rivals and one.rivals.outcome.is_deleted for one in chosen)
    resolved = {
        count.reference.rpartition(".")[0]
        for count in plan.references
        if count.merged or (count.discarded and discards)
    }
    return resolved.union(found.model for found in plan.collisions)


def _rows(
    model_admin: AnyAdmin, request: HttpRequest, source: RowSet, policy: MergePolicy, using: str
) -> tuple[Model, ...]:
    """The rows in survivor order. Raises `Refused` for those that this user never sees."""
    if may_hide(model_admin.get_queryset(request)):
        require_visible(model_admin, request, source.pks, using)
    try:
        return rows_in_order(source, policy, using)
    except InvalidOption:
        require_visible(model_admin, request, source.pks, using)  # says it for people
        raise


def _visible(
    model_admin: AnyAdmin, request: HttpRequest, counts: Sequence[RowCount]
) -> tuple[RowCount, ...]:
    """The counts, without those of models that this user may not see on this site."""
    site = model_admin.admin_site
    admins = [find_model_admin(site, count.model) for count in counts]
    return tuple(
        count
        for count, found in zip(counts, admins, strict=True)
        if found is None or found.has_view_permission(request)
    )


def named(model: type[Model], number: int) -> str:
    """Rows of a model in words: of an automatic link table, what it links to."""
    options = model._meta
    return str(options.verbose_name if number == 1 else options.verbose_name_plural)


def linked_name(count_model: type[Model], field: str, number: int) -> str:
    """What rows of a table are called beside the row that ``field`` points at."""
    if count_model._meta.auto_created:
        ends: list[Any] = [f for f in count_model._meta.concrete_fields if f.is_relation]
        other = next((f.related_model for f in ends if f.name != field), None)
        if other is not None:
            return named(other, number)
    return named(count_model, number)
