"""``get_or_create`` written by hand, and what only looks like it. Read, never run.

The comment on a line has the verdict of what begins there.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError

from tests.situations.typed.models import Everything

from .models import Coded, Loose, Pair, Parent


def tried(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        return Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        return Loose.objects.create(key=key, note="x")


def tried_and_saved(key: str) -> Any:
    try:  # Coded: key: fragile by-hand
        row = Coded.objects.get(key=key)
    except (ObjectDoesNotExist, ValueError):
        row = Coded(key=key)
        row.note = "x"
        row.save()
    return row


def tried_and_set(key: str) -> None:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        row = Loose()
        row.key = key
    row.save()


def first_of(key: str) -> Any:
    row = Loose.objects.filter(key=key).first()
    if row is None:  # Loose: key: unsafe no-rule
        row = Loose.objects.create(key=key)
    return row


def first_or_else(key: str) -> Any:
    row = Pair.objects.filter(a=key, b=key).first()
    if row:  # Pair: a b: fragile by-hand
        row.c = "x"
    else:
        row = Pair.objects.create(a=key, b=key)
    return row


def tried_by_more(key: str) -> Any:
    try:  # Pair: a b c: fragile subset
        return Pair.objects.get(a=key, b=key, c=f"hand-{key}")
    except Pair.DoesNotExist:
        return Pair.objects.create(a=key, b=key, c=f"hand-{key}")


def first_by_walrus(key: str) -> Any:
    if not (row := Loose.objects.filter(key=key).first()):  # Loose: key: unsafe no-rule
        row = Loose.objects.create(key=key)
    return row


def exists(key: str) -> None:
    if not Loose.objects.filter(key=key).exists():  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def exists_named(key: str) -> None:
    is_there = Loose.objects.filter(key=key).exists()
    if not is_there:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def guarded(keys: list[str]) -> None:
    for key in keys:
        if Loose.objects.filter(key=key).exists():  # Loose: key: unsafe no-rule
            continue
        Loose.objects.create(key=key)


def through_a_relation(parent: Parent, key: str) -> None:
    if not parent.children.filter(key=key).exists():  # Child: parent key: fragile by-hand
        parent.children.create(key=key)


async def asynchronously(key: str) -> None:
    row = await Loose.objects.filter(key=key).afirst()
    if row is None:  # Loose: key: unsafe no-rule
        await Loose.objects.acreate(key=key)


def sees_to_the_loser(key: str) -> Any:
    try:
        return Coded.objects.get(key=key)
    except Coded.DoesNotExist:
        try:
            return Coded.objects.create(key=key)
        except IntegrityError:
            return Coded.objects.get(key=key)


def latest(key: str) -> Any:
    try:
        return Loose.objects.filter(key=key).latest("pk")
    except Loose.DoesNotExist:
        return Loose.objects.create(key=key)


def replaced(key: str) -> None:
    try:
        Loose.objects.get(key=key).delete()
    except Loose.DoesNotExist:
        Loose.objects.create(key=key)


def another_model(key: str) -> None:
    if not Loose.objects.filter(key=key).exists():
        Coded.objects.create(key=key)


def another_key(key: str) -> None:
    if not Loose.objects.filter(note=key).exists():
        Loose.objects.create(key=key)


def refused(key: str) -> None:
    if Loose.objects.filter(key=key).exists():
        raise ValidationError("taken")
    Loose.objects.create(key=key)


def only_looked(key: str) -> Any:
    try:
        return Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        return None


def another_row(pk: int, key: str) -> Any:
    try:
        return Loose.objects.get(pk=pk, key=key)
    except Loose.DoesNotExist:
        return Loose.objects.create(key=key)


def by_more_than_columns(board: Any, key: str) -> Any:
    row = Loose.objects.filter(key=key, boards=board).first()
    if row is None:  # Loose: key boards: unsafe no-rule
        row = Loose.objects.create(key=key)
    return row


def counted_in_three(board: Any, key: str) -> Any:
    rows = Loose.objects.filter(key=key)
    count = rows.count()
    if count < 1:  # Loose: key: unsafe no-rule
        row = Loose(key=key)
    elif count == 1:
        row = rows[0]
    elif count > 1:
        row = Loose(key=key)
    row.save()
    return row


def several_are_one_more(key: str) -> Any:
    rows = Loose.objects.filter(key=key)
    count = rows.count()
    if count == 1:
        row = rows[0]
    elif count > 1:
        row = Loose.objects.create(key=key)
    return row


def set_from_a_dictionary(key: str, found: dict[str, Any]) -> Any:
    row = Loose.objects.filter(key=key).first()
    if row is None:  # Loose: key: unsafe no-rule
        row = Loose(note="new")
    for name, value in found.items():
        setattr(row, name, value)
    row.save()
    return row


def another_row_set_from_a_dictionary(pk: int, found: dict[str, Any]) -> Any:
    row = Loose.objects.filter(pk=pk).first() or Loose(note="new")
    for name, value in found.items():
        setattr(row, name, value)
    row.save()
    return row


def switched(key: str) -> None:
    row = Loose.objects.filter(key=key).first()
    if row:
        row.delete()
    else:
        Loose.objects.create(key=key)


def emptied_or_set(key: str, note: str) -> None:
    row = Loose.objects.filter(key=key).first()
    if row:  # Loose: key: unsafe no-rule
        if not note:
            row.delete()
        else:
            row.note = note
            row.save()
    else:
        Loose.objects.create(key=key, note=note)


def not_settled_before(key: str, is_tried: bool) -> None:
    row = Loose.objects.filter(key=key).first()
    if row is None and is_tried:
        is_tried = False
    elif row:  # Loose: key: unsafe no-rule
        row.save()
    else:
        Loose.objects.create(key=key)


def updated_by_name(key: str, note: str) -> None:
    rows = Loose.objects.filter(key=key)
    count = rows.update(note=note)
    if count == 0:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key, note=note)


def updated_in_a_dictionary(key: str, notes: dict[str, str]) -> None:
    if not notes.update(key=key):
        Loose.objects.create(key=key)


def the_first_by_name(key: str) -> Any:
    rows = Coded.objects.filter(key=key)
    try:  # Coded: key: fragile by-hand
        return rows[0]
    except IndexError:
        return Coded.objects.create(key=key)


def the_first_of_a_list(keys: list[str]) -> Any:
    try:
        return keys[0]
    except IndexError:
        return Coded.objects.create(key="none")


def saved_with_its_file(name: str, content: Any) -> Any:
    found = Everything.objects.filter(name=name)
    if len(found) > 0:  # Everything: name: unsafe no-rule
        return found[0]
    row = Everything(name=name)
    row.file.save(name, content)
    return row


def not_saved_with_its_file(name: str, content: Any) -> Any:
    row = Everything.objects.filter(name=name).first()
    if row is None:
        row = Everything(name=name)
        row.file.save(name, content, save=False)
    return row
