"""Idioms of Django projects, each with the verdict that an audit gives it. Read, never run."""

from __future__ import annotations

from typing import Any
import contextlib
import logging

from django import forms
from django.core.management.base import BaseCommand
from django.db import IntegrityError, transaction
from django.http import Http404
from django.shortcuts import aget_object_or_404, get_object_or_404, get_list_or_404
from django.views.generic import CreateView, UpdateView, View

from . import models
from .models import Child, Coded, Loose, Pair, Parent, Stray


def forward(app_registry: Any, schema_editor: Any) -> None:
    Loose = app_registry.get_model("audited", "Loose")
    db = schema_editor.connection.alias
    Loose.objects.using(db).get_or_create(key="x")  # Loose: key: unsafe no-rule
    manager = Loose.objects.db_manager(db)
    manager.get_or_create(key="x")  # Loose: key: unsafe no-rule
    get_model = app_registry.get_model
    Coded = get_model("audited", "Coded")
    Coded.objects.get_or_create(key="x")  # Coded: key: safe exact
    Model = get_model(app_label="audited", model_name="pair")
    Model.objects.get_or_create(a="x", b="y")  # Pair: a b: safe exact


class WithOwn:
    @classmethod
    def ensure(cls, key: Any) -> Any:
        return cls._default_manager.get_or_create(key=key)  # : : unknown unresolved


def count_zero(key: str) -> Any:
    if Loose.objects.filter(key=key).count() == 0:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def not_count(key: str) -> Any:
    if not Loose.objects.filter(key=key).count():  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def count_less(key: str) -> Any:
    if Loose.objects.filter(key=key).count() < 1:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def count_else(key: str) -> Any:
    if Loose.objects.filter(key=key).count() > 0:  # Loose: key: unsafe no-rule
        return
    Loose.objects.create(key=key)


def count_var(key: str) -> Any:
    n = Loose.objects.filter(key=key).count()
    if n == 0:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def len_zero(key: str) -> Any:
    rows = Loose.objects.filter(key=key)
    if len(rows) == 0:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def len_direct(key: str) -> Any:
    if not len(Loose.objects.filter(key=key)):  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def truthy_qs(key: str) -> Any:
    qs = Loose.objects.filter(key=key)
    if not qs:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def truthy_qs_else(key: str) -> Any:
    qs = Loose.objects.filter(key=key)
    if qs:  # Loose: key: unsafe no-rule
        row = qs[0]
    else:
        row = Loose.objects.create(key=key)
    return row


def truthy_direct(key: str) -> Any:
    if not Loose.objects.filter(key=key):  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def qs_exists_var(key: str) -> Any:
    qs = Loose.objects.filter(key=key)
    if not qs.exists():  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def qs_exists_else(key: str) -> Any:
    qs = Loose.objects.filter(key=key)
    if qs.exists():  # Loose: key: unsafe no-rule
        row = qs.first()
    else:
        row = Loose(key=key)
        row.save()


def first_or(key: str) -> Any:
    rows = Loose.objects
    return rows.filter(key=key).first() or rows.create(key=key)  # Loose: key: unsafe no-rule


def first_or_assigned(key: str) -> Any:
    row = Loose.objects.filter(key=key).first() or Loose(key=key)  # Loose: key: unsafe no-rule
    row.save()


def ternary(key: str) -> Any:
    qs = Loose.objects.filter(key=key)
    return qs.get() if qs.exists() else Loose.objects.create(key=key)  # Loose: key: unsafe no-rule


def is_equal_false(key: str) -> Any:
    if Loose.objects.filter(key=key).exists() is False:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def equal_none(key: str) -> Any:
    row = Loose.objects.filter(key=key).first()
    if row == None:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def try_index(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.filter(key=key)[0]
    except IndexError:
        row = Loose.objects.create(key=key)
    return row


def try_pass_then_create(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        return Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        pass
    return Loose.objects.create(key=key)


def try_none_then_create(key: str) -> Any:
    try:
        row = Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        row = None
    if row is None:  # Loose: key: unsafe no-rule
        row = Loose.objects.create(key=key)


def try_none_then_create2(key: str) -> Any:
    row = None
    try:
        row = Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        pass
    if not row:  # Loose: key: unsafe no-rule
        row = Loose.objects.create(key=key)


def suppressed(key: str) -> Any:
    with contextlib.suppress(Loose.DoesNotExist):  # Loose: key: unsafe no-rule
        return Loose.objects.get(key=key)
    return Loose.objects.create(key=key)


def try_else(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.get(key=key)
    except Loose.DoesNotExist:
        row = Loose(key=key)
    else:
        row.note = "x"
    finally:
        logging.info("x")
    row.save()


def try_bare(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.get(key=key)
    except Exception:
        row = Loose.objects.create(key=key)


def try_bare2(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.get(key=key)
    except:
        row = Loose.objects.create(key=key)


def try_404(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = get_object_or_404(Loose, key=key)
    except Http404:
        row = Loose.objects.create(key=key)


def try_filter_get(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = Loose.objects.filter(key=key).get()
    except (Loose.DoesNotExist, Loose.MultipleObjectsReturned):
        row = Loose.objects.create(key=key)


def try_select_for_update(key: str) -> Any:
    with transaction.atomic():
        try:  # Loose: key: unsafe no-rule
            row = Loose.objects.select_for_update().get(key=key)
        except Loose.DoesNotExist:
            row = Loose.objects.create(key=key)


def create_first(key: str) -> Any:
    try:
        return Coded.objects.create(key=key)
    except IntegrityError:
        return Coded.objects.get(key=key)


def integrity_in_vain(key: str) -> Any:
    try:
        if not Loose.objects.filter(key=key).exists():  # Loose: key: unsafe no-rule
            Loose.objects.create(key=key)
    except IntegrityError:
        pass


def integrity_around(key: str) -> Any:
    try:
        if not Coded.objects.filter(key=key).exists():
            Coded.objects.create(key=key)
    except IntegrityError:
        pass


def integrity_outer(key: str) -> Any:
    try:
        try:
            row = Coded.objects.get(key=key)
        except Coded.DoesNotExist:
            row = Coded.objects.create(key=key)
    except IntegrityError:
        row = Coded.objects.get(key=key)


def update_or(key: str) -> Any:
    n = Loose.objects.filter(key=key).update(note="x")
    if not n:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key, note="x")


def update_or2(key: str) -> Any:
    if not Loose.objects.filter(key=key).update(note="x"):  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key, note="x")


def update_or3(key: str) -> Any:
    updated = Loose.objects.filter(key=key).update(note="x")
    if updated == 0:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key, note="x")


def values_list(key: str) -> Any:
    pk = Loose.objects.filter(key=key).values_list("pk", flat=True).first()
    if pk is None:  # Loose: key: unsafe no-rule
        pk = Loose.objects.create(key=key).pk


class Form(forms.ModelForm):
    class Meta:
        model = Coded
        fields = ["key"]

    def save(self, commit=True):
        self._meta.model.objects.get_or_create(key="x")  # Coded: key: safe exact
        self.Meta.model.objects.get_or_create(key="x")  # Coded: key: safe exact
        self.instance.boards.get_or_create(pk=1)  # Board: id: fragile many-to-many


class Create(CreateView):
    model = Coded

    def form_valid(self, form: Any) -> Any:
        self.model.objects.get_or_create(key="x")  # Coded: key: safe exact
        self.object.boards.get_or_create(pk=1)  # Board: id: fragile many-to-many
        self.get_object().boards.get_or_create(pk=1)  # Board: id: fragile many-to-many


class Update(UpdateView):
    queryset = Parent.objects.all()

    def form_valid(self, form: Any) -> Any:
        parent = self.get_object()
        parent.children.get_or_create(key="x")  # Child: parent key: safe exact
        child = get_object_or_404(Child, pk=1)
        child.parent.children.get_or_create(key="x")  # Child: parent key: safe exact
        for one in get_list_or_404(Parent):
            one.children.get_or_create(key="x")  # Child: parent key: safe exact


def shared_task(f):
    return f


@shared_task
def task(parent_id: Any, key: str) -> Any:
    parent = Parent.objects.get(pk=parent_id)
    Child.objects.get_or_create(parent=parent, key=key)  # Child: parent key: safe exact
    Child.objects.get_or_create(parent_id=parent_id, key=key)  # Child: parent key: safe exact
    Stray.objects.get_or_create(  # Stray: parent key: fragile unless-null
        parent_id=parent_id, key=key
    )


def kwargs_built(key, note=None):
    kwargs = {"key": key}
    if note:
        kwargs["note"] = note
    Coded.objects.get_or_create(**kwargs)  # Coded: : unknown opaque-arguments
    defaults = {}
    if note:
        defaults["note"] = note
    Coded.objects.get_or_create(key=key, defaults=defaults)  # Coded: key: safe exact
    Coded.objects.update_or_create(  # Coded: key: safe exact
        key=key, defaults={"note": note} if note else {}
    )
    Coded.objects.update_or_create(key=key, defaults={k: 1 for k in "ab"})  # Coded: key: safe exact
    data = dict(key=key, note=note)
    Coded.objects.update_or_create(key=data.pop("key"), defaults=data)  # Coded: key: safe exact
    Coded.objects.get_or_create(key=key, **{"note": "x"})  # Coded: key note: fragile subset
    Coded.objects.get_or_create(**dict(key=key))  # Coded: key: safe exact


def extra(key, **kwargs):
    Coded.objects.get_or_create(key=key, defaults=kwargs)  # Coded: key: safe exact
    Coded.objects.get_or_create(key=key, **kwargs)  # Coded: : unknown opaque-arguments
    Loose.objects.get_or_create(key=key, **kwargs)  # Loose: : unknown opaque-arguments


def walrus(key: str) -> Any:
    if (parent := Parent.objects.filter(name=key).first()) is not None:
        Stray.objects.get_or_create(parent=parent, key=key)  # Stray: parent key: safe exact
    if parent2 := Parent.objects.filter(name=key).first():
        parent2.children.get_or_create(key=key)  # Child: parent key: safe exact


def match_stmt(x: Any, key: str) -> Any:
    match x:
        case Parent() as p:
            p.children.get_or_create(key=key)  # Child: parent key: safe exact


def with_lock(key: str) -> Any:
    with transaction.atomic():
        Loose.objects.select_for_update().get_or_create(key=key)  # Loose: key: unsafe no-rule


def conditional_expression(flag: Any, key: str) -> Any:
    rows = (Coded if flag else Loose).objects
    rows.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule


MODEL_MAP = {"a": Coded, "b": Loose}


def by_map(kind: Any, key: str) -> Any:
    MODEL_MAP[kind].objects.get_or_create(  # Coded: key: safe exact | Loose: key: unsafe no-rule
        key=key
    )
    model = MODEL_MAP.get(kind)
    model.objects.get_or_create(key=key)  # Coded: key: safe exact | Loose: key: unsafe no-rule
    model = MODEL_MAP["a"]
    model.objects.get_or_create(key=key)  # Coded: key: safe exact


def by_type(row: Coded, key):
    type(row).objects.get_or_create(key=key)  # Coded: key: safe exact
    row.__class__.objects.get_or_create(key=key)  # Coded: key: safe exact
    row._meta.model.objects.get_or_create(key=key)  # Coded: key: safe exact
    row._meta.default_manager.get_or_create(key=key)  # Coded: key: safe exact
    row._meta.model._default_manager.get_or_create(key=key)  # Coded: key: safe exact
    row.other.boards.get_or_create(pk=1)  # Board: id: fragile many-to-many


def by_getattr(key: str) -> Any:
    getattr(models, "Coded").objects.get_or_create(key=key)  # Coded: key: safe exact
    getattr(models, key).objects.get_or_create(key=key)  # : : unknown unresolved
    manager = Coded.objects
    manager.get_or_create(key=key)  # Coded: key: safe exact


def exists_multi(key: str) -> Any:
    if Pair.objects.filter(a=key).filter(b=key).exists():  # Pair: a b: fragile by-hand
        pass
    else:
        Pair.objects.create(a=key, b=key)


def exists_any(key: str, parent: Parent) -> None:
    if not parent.children.filter(key=key):  # Child: parent key: fragile by-hand
        Child.objects.create(parent=parent, key=key)
    if not any(c.key == key for c in parent.children.all()):
        Child.objects.create(parent=parent, key=key)


def bulk(keys):
    have = set(Loose.objects.filter(key__in=keys).values_list("key", flat=True))
    for key in keys:
        if key not in have:
            Loose.objects.create(key=key)
    Loose.objects.bulk_create([Loose(key=k) for k in keys if k not in have])


def while_exists(key: str) -> Any:
    while Loose.objects.filter(key=key).exists():
        key += "x"
    Loose.objects.create(key=key)


def none_first(key: str) -> Any:
    row = Loose.objects.filter(key=key).first()
    if row is not None:  # Loose: key: unsafe no-rule
        return row
    row = Loose(key=key)
    row.save()
    return row


def by_last(key: str) -> Any:
    row = Loose.objects.filter(key=key).order_by("-pk").last()
    if row is None:  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


async def async_get(key: str) -> Any:
    try:  # Loose: key: unsafe no-rule
        row = await Loose.objects.aget(key=key)
    except Loose.DoesNotExist:
        row = await Loose.objects.acreate(key=key)
    if not await Loose.objects.filter(key=key).aexists():  # Loose: key: unsafe no-rule
        await Loose.objects.acreate(key=key)
    if await Loose.objects.filter(key=key).acount() == 0:  # Loose: key: unsafe no-rule
        await Loose(key=key).asave()
    row = await Loose.objects.filter(key=key).afirst()
    if row is None:  # Loose: key: unsafe no-rule
        row = Loose(key=key)
        await row.asave()


class Command(BaseCommand):
    def handle(self, *args, **options):
        obj, _ = Loose.objects.get_or_create(key=options["key"])  # Loose: key: unsafe no-rule
        obj.boards.get_or_create(pk=1)  # Board: id: fragile many-to-many


class Numbering:
    def run(self, keys: list) -> Any:
        for key in keys:
            self.keep(f"x{key}", key)

    def keep(self, code, key) -> Any:
        Stray.objects.get_or_create(code=code, key=key)  # Stray: code key: fragile unless-null


def found_and_wanted(key: str, wanted: bool) -> Any:
    row = Loose.objects.filter(key=key).first()
    if row and wanted:
        return None
    return Loose.objects.create(key=key)


def absent_or_wanted(key: str, wanted: bool) -> Any:
    if wanted or not Loose.objects.filter(key=key).exists():
        Loose.objects.create(key=key)


def absent_and_wanted(key: str, wanted: bool) -> Any:
    if wanted and not Loose.objects.filter(key=key).exists():  # Loose: key: unsafe no-rule
        Loose.objects.create(key=key)


def through_the_name_of_the_parent(name: str, key: str) -> Any:
    child = Child.objects.filter(parent__name__iexact=name, key=key).first()
    if child is None:  # Child: parent key: fragile by-hand
        child = Child.objects.create(parent=Parent.objects.get(name__iexact=name), key=key)
    return child


def by_a_slug_that_is_filled_in(key: str) -> Any:
    row = models.Slugged.objects.filter(name=key, slug=key).first()
    if row is None:  # Slugged: name slug: unknown opaque-defaults
        row = models.Slugged.objects.create(name=key)
    return row


def in_a_block(key: str) -> Any:
    with transaction.atomic():
        Coded.objects.get_or_create(key=key)  # Coded: key: safe exact


@transaction.atomic
def in_a_function(key: str) -> Any:
    Coded.objects.get_or_create(key=key)  # Coded: key: safe exact


def outside(key: str) -> Any:
    Coded.objects.get_or_create(key=key)  # Coded: key: safe exact


def by_the_name_of_what_leads_there(coded: Any, row: Any, pk: int) -> Any:
    coded.boards.get_or_create(pk=pk)  # Board: id: fragile many-to-many
    row.boards.get_or_create(pk=pk)  # : : unknown unresolved
