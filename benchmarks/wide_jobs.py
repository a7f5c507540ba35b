"""One pair of rows in a large schema: what a person waits for who merges just these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType

from dedupe_toolkit import merge, plan_merge, row_set, undo

from .clock import both, measured
from .loading import create_tables
from .statements import recorded
from .wide.models import REFERENCES, REFERRING, Owner

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = (0, 5, REFERENCES)


def pairs() -> dict[str, Any]:
    """A pair that nothing points at, one with rows in a few tables, one with a row in each."""
    create_tables()
    _pair(0)  # imports, and what the connection asks once
    return {str(tables): _pair(tables) for tables in TABLES}


def _pair(tables: int) -> dict[str, Any]:
    one, other = (Owner.objects.create(name="a") for _ in range(2))
    for model in REFERRING[:tables]:
        _point(model, other)
    source = row_set(Owner, [one.pk, other.pk])
    found = {}
    plan, found["dry run"] = _measured(lambda: plan_merge(source))
    run, found["merge"] = _measured(lambda: merge(plan))
    _, found["undo"] = _measured(lambda: undo(run))
    return found


def _measured(action: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    with recorded() as statements, measured() as reading:
        result = action()
    return result, {**both(reading), "statements": statements.total}


def _point(model: Any, owner: Owner) -> None:
    names = {field.name for field in model._meta.get_fields()}
    if "owners" in names:
        model.objects.create().owners.add(owner)
    elif "owner" in names:
        model.objects.create(owner=owner)
    else:
        kind = ContentType.objects.get_for_model(Owner)
        model.objects.create(content_type=kind, object_id=owner.pk)
