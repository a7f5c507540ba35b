"""Calls of every shape, each with the verdict that an audit gives it. Read, never run.

A comment ``# model: fields: verdict reason`` stands on the line that a call begins on; several
are separated by ``|``.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from . import models
from . import models as m
from .models import Board, Child, Coded, Kind, Loose, Pair, Parent, Soft, Stray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

User = get_user_model()
PairAlias = apps.get_model("audited", "Pair")


def plain(key: str) -> None:
    Loose.objects.get_or_create(key=key)  # Loose: key: unsafe no-rule
    Coded.objects.get_or_create(key=key)  # Coded: key: safe exact
    Coded.objects.update_or_create(key=key)  # Coded: key: safe exact
    Coded._default_manager.get_or_create(key=key)  # Coded: key: safe exact
    m.Coded.objects.get_or_create(key=key)  # Coded: key: safe exact
    models.Coded.objects.get_or_create(key=key)  # Coded: key: safe exact
    Pair.objects.get_or_create(a=key, b=key)  # Pair: a b: safe exact
    Pair.objects.get_or_create(a=key)  # Pair: a: unsafe superset
    Pair.objects.get_or_create(a=key, defaults={"b": ""})  # Pair: a: fragile defaults
    Pair.objects.get_or_create(a=key, b=key, c=key)  # Pair: a b c: fragile subset


async def asynchronous(key: str) -> None:
    await Coded.objects.aget_or_create(key=key)  # Coded: key: safe exact
    await Loose.objects.aupdate_or_create(key=key)  # Loose: key: unsafe no-rule


def chained(key: str) -> None:
    Coded.objects.all().get_or_create(key=key)  # Coded: key: safe exact
    Coded.objects.select_related("other").get_or_create(key=key)  # Coded: key: safe exact
    Coded.objects.filter(note="x").get_or_create(key=key)  # Coded: key: fragile lost
    Kind.objects.filter(kind="a").get_or_create(key=key)  # Kind: key: safe exact
    Coded.objects.exclude(note="x").get_or_create(key=key)  # Coded: key: fragile hidden-rows
    Coded.objects.select_for_update().get_or_create(key=key)  # Coded: key: safe exact
    Coded.objects.using("other").get_or_create(key=key)  # Coded: key: safe exact
    Loose.objects.get_or_create(Q(key=key))  # Loose: : unsafe no-lookup


def managers(key: str) -> None:
    Soft.alive.get_or_create(key=key)  # Soft: key: fragile hidden-rows
    Kind.of_b.get_or_create(key=key)  # Kind: key: fragile lost
    Kind.of_b.get_or_create(key=key, defaults={"kind": "b"})  # Kind: key: safe exact


def related(parent: Parent, board: Board, key: str) -> None:
    parent.children.get_or_create(key=key)  # Child: parent key: safe exact
    parent.children.all().get_or_create(key=key)  # Child: key: fragile lost
    parent.strays.get_or_create(key=key)  # Stray: parent key: safe exact
    parent.marks.get_or_create(text=key)  # Mark: content_type object_id text: safe exact
    board.coded.get_or_create(key=key)  # Coded: key: fragile many-to-many
    board.loose.get_or_create(key=key)  # Loose: key: unsafe many-to-many
    link = Board.coded.through
    link.objects.get_or_create(board=board, coded=key)  # Board_coded: board coded: safe exact


def followed(parents: list[Parent], rows: QuerySet[Parent], key: str) -> None:
    for parent in parents:
        parent.children.get_or_create(key=key)  # Child: parent key: safe exact
    for parent in rows.filter(name="x"):
        parent.children.get_or_create(key=key)  # Child: parent key: safe exact
    [one.children.get_or_create(key=key) for one in rows]  # Child: parent key: safe exact
    first, _ = Parent.objects.get_or_create(pk=1)  # Parent: id: safe exact
    first.children.get_or_create(key=key)  # Child: parent key: safe exact
    child = Child.objects.get(pk=1)
    child.parent.children.get_or_create(key=key)  # Child: parent key: safe exact


def several(key: str) -> None:
    for model in (Coded, Loose):
        model.objects.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule
    for label, model in {"a": Coded}.items():
        model.objects.get_or_create(key=label)  # Coded: key: safe exact


def looked_up_by_name(key: str) -> None:
    apps.get_model("audited.Coded").objects.get_or_create(key=key)  # Coded: key: safe exact
    PairAlias.objects.get_or_create(a=key, b=key)  # Pair: a b: safe exact
    pair = apps.get_model("audited", "Pair")
    pair.objects.get_or_create(a=key, b=key)  # Pair: a b: safe exact
    User.objects.get_or_create(username=key)  # User: username: safe exact
    get_user_model().objects.get_or_create(email=key)  # User: email: unsafe no-rule


def values(parent: Parent | None, key: str, kwargs: dict[str, Any]) -> None:
    Stray.objects.get_or_create(parent=None, key=key)  # Stray: parent key: unsafe null
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: fragile unless-null
    if parent:
        Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: safe exact
    if parent is None:
        return
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: safe exact
    Loose.objects.get_or_create(key=key, seen=timezone.now())  # Loose: key seen: unsafe volatile
    now = timezone.now()
    Loose.objects.get_or_create(key=key, seen=now)  # Loose: key seen: unsafe volatile
    day = timezone.now().date()
    Loose.objects.get_or_create(key=key, seen=day)  # Loose: key seen: unsafe no-rule
    m.Token.objects.get_or_create(id=uuid.uuid4())  # Token: id: unsafe volatile
    Coded.objects.get_or_create(**kwargs)  # Coded: : unknown opaque-arguments
    lookup = {"a": key, "b": key}
    Pair.objects.get_or_create(**lookup)  # Pair: a b: safe exact
    more = dict(a=key)
    more["b"] = key
    Pair.objects.get_or_create(**more)  # Pair: a b: safe exact
    Pair.objects.get_or_create(**{**lookup, "c": key})  # Pair: a b c: fragile subset


def everything() -> QuerySet[Coded]:
    return Coded.objects.all()


def untyped():  # type: ignore[no-untyped-def]  # its return statement alone says what it is
    return Coded.objects.filter(note="x")


def through_functions(key: str) -> None:
    everything().get_or_create(key=key)  # Coded: key: safe exact
    untyped().get_or_create(key=key)  # Coded: key: fragile lost


def helper(model, key):  # type: ignore[no-untyped-def]  # as most wrappers are
    model.objects.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule


def uses_of_the_helper(key: str) -> None:
    helper(Coded, key)
    helper(key=key, model=Loose)


def nobody_calls_this(thing: Any, things: Iterable[Any]) -> None:
    thing.objects.get_or_create(key=1)  # : : unknown unresolved
    thing.get_or_create(key=1)  # : : unknown unresolved


class Importer:
    model = Coded
    board: Board

    def __init__(self, parent: Parent) -> None:
        self.parent = parent
        self.rows = Coded.objects.all()

    def run(self, key: str) -> None:
        self.model.objects.get_or_create(key=key)  # Coded: key: safe exact
        self.parent.children.get_or_create(key=key)  # Child: parent key: safe exact
        self.rows.get_or_create(key=key)  # Coded: key: safe exact
        self.parents().get_or_create(pk=1)  # Parent: id: safe exact
        self.board.loose.get_or_create(key=key)  # Loose: key: unsafe many-to-many

    def parents(self):  # type: ignore[no-untyped-def]  # its return statement alone says what it is
        return Parent.objects.all()


class Inheriting(Importer):
    model = Loose

    def again(self, key: str) -> None:
        self.model.objects.get_or_create(key=key)  # Loose: key: unsafe no-rule
        self.parent.children.get_or_create(key=key)  # Child: parent key: safe exact


class CodedFactory:
    class Meta:
        model = Coded
        django_get_or_create = ("key",)  # Coded: key: safe exact


class LooseFactory:
    class Meta:
        model = "audited.Loose"
        django_get_or_create = ["key"]  # Loose: key: unsafe no-rule


class NotDjango:
    def get_or_create(self, key: str) -> str:
        return key


def something_else(key: str) -> None:
    NotDjango().get_or_create(key)
