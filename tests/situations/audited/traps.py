"""Calls that look safer than they are, and some that look worse. Read, never run.

The comment on a line has the verdict of what begins there.
"""

from __future__ import annotations

import datetime
import functools
import uuid
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.views.generic import DetailView

from .models import (
    Coded,
    Daily,
    Derived,
    Filed,
    Kind,
    Loose,
    Moving,
    Numbered,
    Pair,
    Parent,
    Settled,
    Slugged,
    Soft,
    Stray,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

CODES = ("a", "b")
MIXED = ("a", None)
current_code = None


def switch(code: str) -> None:
    global current_code
    current_code = code


def none_in_one_branch(key: str, flag: bool) -> None:
    code = None
    if flag:
        code = "x"
    Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null


def none_at_the_end_of_a_loop(keys: list[Any]) -> None:
    code = "first"
    for key in keys:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null
        code = key.get("code")


def bound_anew_in_each_round(keys: list[Any]) -> None:
    for key in keys:
        code = f"code-{key}"
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: safe exact


def another_value_by_then(parent: Any, find: Any, key: str) -> None:
    parent.save()
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: safe exact
    parent = find(key)
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: fragile unless-null


def asked_and_replaced(parent: Any, find: Any, key: str) -> None:
    if parent:
        parent = find(key)
        Stray.objects.get_or_create(  # Stray: parent key: fragile unless-null
            parent=parent, key=key
        )


def used_if_it_is_there(parent: Any, key: str) -> None:
    name = parent.name if parent else ""
    Stray.objects.get_or_create(  # Stray: parent key: fragile unless-null
        parent=parent, key=name
    )
    label = parent and parent.name
    Stray.objects.get_or_create(  # Stray: parent key: fragile unless-null
        parent=parent, key=label
    )


def replaced_if_it_is_not(parent: Any, key: str) -> None:
    if parent is None:
        parent = Parent.objects.create(name=key)
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: safe exact


def lost_in_the_try(key: str) -> None:
    try:
        parent = Parent.objects.get(name=key)
    except Parent.DoesNotExist:
        parent = None
    Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: fragile unless-null


def declared(code: str, key: str) -> None:
    Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: fragile unless-null


def declared_and_defaulted(key: str, code: str = None) -> None:  # type: ignore[assignment]  # noqa: RUF013  # what is read
    Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null


def from_constants(key: str) -> None:
    for code in CODES:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: safe exact
    for code in ("a", "b"):
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: safe exact
    for code in MIXED:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null
    for number, code in enumerate(CODES):
        Stray.objects.get_or_create(code=code, key=number)  # Stray: code key: safe exact
    for code, name in (("a", None), ("b", "c")):
        Stray.objects.get_or_create(code=code, key=name)  # Stray: code key: safe exact
        Stray.objects.get_or_create(code=name, key=code)  # Stray: code key: unsafe null


def made(key: Any, row: dict[str, Any]) -> None:
    Stray.objects.get_or_create(code=str(key), key=key)  # Stray: code key: safe exact
    Stray.objects.get_or_create(code=f"{key}", key=key)  # Stray: code key: safe exact
    Stray.objects.get_or_create(code=key.strip()[:20], key=key)  # Stray: code key: safe exact
    Stray.objects.get_or_create(code=row.get("code"), key=key)  # Stray: code key: unsafe null
    Stray.objects.get_or_create(code=row.get("code") or "x", key=key)  # Stray: code key: safe exact
    Stray.objects.get_or_create(code=code_of(key), key=key)  # Stray: code key: unsafe null
    Stray.objects.get_or_create(code=plain_code_of(key), key=key)  # Stray: code key: safe exact
    Stray.objects.get_or_create(code=current_code, key=key)  # Stray: code key: unsafe null


def code_of(key):  # type: ignore[no-untyped-def]  # noqa: RET503  # it ends without a return
    if key:
        return str(key)


def plain_code_of(key):  # type: ignore[no-untyped-def]  # its return statements alone say it
    if key:
        return str(key)
    return ""


class WithoutSelf:
    @staticmethod
    def run(code: Any, key: str) -> None:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null


class Referrer:
    kind = None

    def __init__(self, code: Any) -> None:
        self.code = code
        self.plain = str(code)

    def start(self) -> None:
        self.kind = "a"

    def run(self, key: str) -> None:
        Stray.objects.get_or_create(code=self.code, key=key)  # Stray: code key: unsafe null
        Stray.objects.get_or_create(code=self.kind, key=key)  # Stray: code key: unsafe null
        Stray.objects.get_or_create(code=self.plain, key=key)  # Stray: code key: safe exact


def closures(key: str) -> Any:
    code = "x"

    def inner() -> None:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: unsafe null

    code = key or None  # type: ignore[assignment]  # the inner function sees this one
    return inner


def primary_keys(pk: Any, row: dict[str, Any]) -> None:
    Loose.objects.get_or_create(id=row.get("id"))  # Loose: id: fragile unless-null
    Loose.objects.get_or_create(pk=pk)  # Loose: id: fragile unless-null
    Loose.objects.get_or_create(pk=7)  # Loose: id: safe exact


def defaults_have_the_last_word(name: str) -> None:
    Coded.objects.get_or_create(key=name, defaults={"key": name})  # Coded: key: safe exact
    Coded.objects.get_or_create(  # Coded: key: unknown opaque-defaults
        key=name, defaults={"key": name.title()}
    )
    Coded.objects.get_or_create(key="a", defaults={"key": "b"})  # Coded: key: fragile lost


def filters_and_look_ups_of_one_field(name: str, other: str) -> None:
    Coded.objects.filter(key=other).get_or_create(key=name)  # Coded: key: fragile hidden-rows
    kind = "a"
    rows = Kind.objects.filter(kind=kind)
    kind = other
    rows.get_or_create(key=name, defaults={"kind": kind})  # Kind: key: unknown opaque-defaults


def times(key: str) -> None:
    Loose.objects.filter(seen=timezone.now()).get_or_create(  # Loose: key: unsafe no-rule
        key=key, defaults={"seen": timezone.now()}
    )
    Loose.objects.get_or_create(key=key, seen=Now())  # Loose: key seen: unsafe not-stored-as-given
    Coded.objects.get_or_create(key=F("note"))  # Coded: key: fragile not-stored-as-given
    Daily.objects.get_or_create(day=timezone.now())  # Daily: day: safe exact
    Daily.objects.get_or_create(day=datetime.date.today())  # Daily: day: safe exact
    Slugged.objects.get_or_create(name=uuid.uuid4().hex[:8])  # Slugged: name: unsafe volatile
    Slugged.objects.get_or_create(name=new_key())  # Slugged: name: unsafe volatile


def new_key() -> str:
    return str(uuid.uuid4())


def fields_that_change_their_value(key: str) -> None:
    Slugged.objects.get_or_create(slug=key)  # Slugged: slug: unknown opaque-defaults
    Numbered.objects.get_or_create(number=key)  # Numbered: number: unknown opaque-defaults
    Settled.objects.get_or_create(slug=key)  # Settled: slug: safe exact
    Settled.objects.get_or_create(name=key)  # Settled: name: fragile not-stored-as-given
    Moving.objects.get_or_create(is_public=True)  # Moving: is_public: unsafe no-rule


def methods_of_the_projects_own(key: str) -> None:
    Filed.opened.get_or_create(key=key)  # Filed: status key: safe exact
    Filed.plain.get_or_create(key=key)  # Filed: key: unsafe superset
    Filed.plain.get_or_create(key=key, status="new")  # Filed: key status: safe exact
    Filed.looking.get_or_create(key=key)  # Filed: key: unsafe superset
    Filed.looking.get_or_create(key=key, status="new")  # Filed: key status: fragile by-hand
    Filed.changing.get_or_create(key=key)  # Filed: key: unknown own-method
    Filed.sorting.get_or_create(key=key)  # Filed: key: unsafe superset
    Filed.sorting.get_or_create(key=key, status="new")  # Filed: key status: safe exact
    Filed.hasty.get_or_create(key=key, status="new")  # Filed: key status: unknown own-method
    Filed.naming.get_or_create(key=key, status="new")  # Filed: key status: unknown own-method
    Filed.sparing.get_or_create(key=key, status="new")  # Filed: key status: unknown own-method
    Filed.logging.get_or_create(key=key, status="new")  # Filed: key status: unknown own-method


def given_a_queryset(rows: QuerySet[Coded], loose: QuerySet[Loose], key: str) -> None:
    rows.get_or_create(key=key)  # Coded: key: unknown opaque-arguments
    loose.get_or_create(key=key)  # Loose: key: unsafe no-rule


def noted() -> QuerySet[Coded]:
    return Coded.objects.filter(note="x")


def conditions_in_between(key: str) -> None:
    noted().get_or_create(key=key)  # Coded: key: fragile lost
    rows: QuerySet[Coded] = Coded.objects.filter(note="x")
    rows.get_or_create(key=key)  # Coded: key: fragile lost
    Coded.objects.filter(Q(note="x")).get_or_create(key=key)  # Coded: key: fragile hidden-rows
    Coded.objects.extra(where=["1"]).get_or_create(key=key)  # Coded: key: fragile hidden-rows
    Soft.of_a().get_or_create(key=key)  # Soft: key: fragile lost


class CodedView(DetailView[Coded]):
    model = Coded

    def get_queryset(self) -> QuerySet[Coded]:
        return Coded.objects.exclude(note="x")

    def put(self, key: str) -> None:
        self.get_queryset().get_or_create(key=key)  # Coded: key: fragile hidden-rows


class OpenView(DetailView[Coded]):
    model = Coded

    def put(self, key: str) -> None:
        self.get_queryset().get_or_create(key=key)  # Coded: key: unknown opaque-arguments


def another_model_in_the_next_round(keys: list[str]) -> None:
    model: Any = Coded
    for key in keys:
        model.objects.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule
        model = Loose


def by_either(flag: bool, key: str) -> None:
    rows = Coded.objects if flag else Loose.objects
    rows.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule


async def handed_over(key: str) -> None:
    await sync_to_async(Loose.objects.get_or_create)(key=key)  # Loose: key: unsafe no-rule
    functools.partial(Coded.objects.get_or_create, key=key)()  # Coded: key: safe exact
    create = Pair.objects.get_or_create  # Pair: : unknown opaque-arguments
    create(a=key)


def parents_rows(key: str) -> None:
    Derived.objects.get_or_create(code=key)  # Derived: code: safe exact


def generated(keys: list[str]) -> Iterator[Any]:
    yield from (Loose.objects.get_or_create(key=key) for key in keys)  # Loose: key: unsafe no-rule


class BaseFactory:
    class Meta:
        model = Coded


class InheritingFactory(BaseFactory):
    class Meta(BaseFactory.Meta):
        django_get_or_create = ("key",)  # Coded: key: safe exact


class BoardFactory:
    class Meta:
        model = Slugged


class OtherFactory(BoardFactory):
    class Meta:
        django_get_or_create = ("name",)  # Slugged: name: unsafe no-rule


def a_stand_in(stand_in: Any) -> None:
    stand_in.objects.get_or_create.return_value = (None, True)
    stand_in.objects.get_or_create.assert_not_called()
