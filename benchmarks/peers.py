"""Released packages that merge model instances, each called as its documentation says.

They merge one group at a time, into the row with the lowest key, as the engine does. Only the
command of django-extensions finds the groups by itself; the others are given the members.
"""

from __future__ import annotations

import io
import sys
from collections import defaultdict
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management import call_command

from .checksums import outcome
from .clock import both, measured
from .library.models import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Groups = Sequence[Sequence[Writer]]


def _django_extensions() -> Callable[[Groups], Any]:
    from django_extensions.management.commands.merge_model_instances import Command

    return _each(Command().merge_model_instances)


def _django_extensions_command() -> Callable[[Groups], Any]:
    """What its users type: the model, the fields, and which row to keep."""
    names = [field.name for field in Writer._meta.get_fields()]
    first, second = (names.index(name) + 1 for name in ("first_name", "last_name"))
    model = apps.get_models().index(Writer) + 1
    # the fields left are numbered anew once one has been chosen
    answers = [model, first, second - (second > first), "C", "first"]

    def merge_all(groups: Groups) -> None:
        with _typing("\n".join(map(str, answers))), redirect_stdout(io.StringIO()):
            call_command("merge_model_instances")

    return merge_all


@contextmanager
def _typing(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


def _super_deduper() -> Callable[[Groups], Any]:
    from django_super_deduper.merge import MergedModelInstance

    def merge(survivor: Writer, others: Sequence[Writer]) -> None:
        MergedModelInstance.create(survivor, list(others), keep_old=False)

    return _each(merge)


def _adminactions() -> Callable[[Groups], Any]:
    from adminactions.api import ALL_FIELDS, merge

    def merge_all(survivor: Writer, others: Sequence[Writer]) -> None:
        for other in others:
            merge(survivor, other, commit=True, m2m=ALL_FIELDS, related=ALL_FIELDS)

    return _each(merge_all)


def _each(merge: Callable[[Writer, Sequence[Writer]], Any]) -> Callable[[Groups], Any]:
    def merge_all(groups: Groups) -> None:
        for survivor, *others in groups:
            merge(survivor, others)

    return merge_all


PEERS = {
    "django-extensions": _django_extensions,
    "django-extensions, its command": _django_extensions_command,
    "django-super-deduper": _super_deduper,
    "django-adminactions": _adminactions,
}


def peer(*, name: str) -> dict[str, Any]:
    """Merge every group of equal names; no search of ours is timed."""
    try:
        merge_all = PEERS[name]()
    except ImportError as error:
        return {"error": f"not installed: {error}"}
    groups = _groups()
    with measured() as reading:
        merge_all(groups)
    return {"total": both(reading), "groups": len(groups), "outcome": outcome()}


def _groups() -> list[list[Writer]]:
    by_name = defaultdict(list)
    for writer in Writer.objects.order_by("pk"):
        by_name[writer.first_name, writer.last_name].append(writer)
    return [writers for writers in by_name.values() if len(writers) > 1]
