"""Models with every kind of unique rule that a look-up can meet, and with none."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.db.models.functions import Lower


class Loose(models.Model):
    """Nothing but its primary key is unique."""

    key = models.CharField(max_length=50)
    note = models.CharField(max_length=50, default="")
    amount = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    seen = models.DateTimeField(null=True)


class Coded(models.Model):
    """Unique by one field."""

    key = models.CharField(max_length=50, unique=True)
    note = models.CharField(max_length=50, default="")
    price = models.DecimalField(max_digits=9, decimal_places=2, unique=True, null=True)
    stamp = models.DateTimeField(auto_now=True)
    seen = models.DateTimeField(null=True)
    other = models.ForeignKey("self", models.CASCADE, null=True)


class Pair(models.Model):
    """Unique by two fields together."""

    a = models.CharField(max_length=20)
    b = models.CharField(max_length=20)
    c = models.CharField(max_length=20, null=True)

    class Meta:
        unique_together = [("a", "b")]


class Parent(models.Model):
    name = models.CharField(max_length=50)
    marks = GenericRelation("audited.Mark")


class Child(models.Model):
    """Unique by a foreign key and a field."""

    parent = models.ForeignKey(Parent, models.CASCADE, null=False, related_name="children")
    key = models.CharField(max_length=50)

    class Meta:
        constraints = [UniqueConstraint(fields=["parent", "key"], name="audited_child_uniq")]


class Stray(models.Model):
    """Unique by fields that may be NULL."""

    parent = models.ForeignKey(Parent, models.CASCADE, null=True, related_name="strays")
    code = models.CharField(max_length=20, null=True)
    key = models.CharField(max_length=50)

    class Meta:
        unique_together = [("parent", "key"), ("code", "key")]


class NullsEqual(models.Model):
    parent = models.ForeignKey(Parent, models.CASCADE, null=True)
    key = models.CharField(max_length=50)

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["parent", "key"], nulls_distinct=False, name="audited_nulls_equal_uniq"
            )
        ]


class Either(models.Model):
    """Unique below a parent, and among those that have none."""

    parent = models.ForeignKey(Parent, models.CASCADE, null=True)
    key = models.CharField(max_length=50)

    class Meta:
        unique_together = [("parent", "key")]
        constraints = [
            UniqueConstraint(
                fields=["key"], condition=Q(parent__isnull=True), name="audited_either_uniq"
            )
        ]


class Folded(models.Model):
    """Unique whatever the case."""

    key = models.CharField(max_length=50)
    note = models.CharField(max_length=50, default="")

    class Meta:
        constraints = [UniqueConstraint(Lower("key"), name="audited_folded_uniq")]


class Switched(models.Model):
    """Unique among the active ones."""

    key = models.CharField(max_length=50)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["key"], condition=Q(active=True), name="audited_switched_uniq")
        ]


class Late(models.Model):
    """Unique at the end of the transaction."""

    key = models.CharField(max_length=50)

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["key"], deferrable=models.Deferrable.DEFERRED, name="audited_late_uniq"
            )
        ]


class AliveManager(models.Manager["Soft"]):
    def get_queryset(self) -> models.QuerySet[Soft]:
        return super().get_queryset().filter(deleted_at__isnull=True)


class Soft(models.Model):
    """Deleted rows stay, and the manager hides them."""

    key = models.CharField(max_length=50, unique=True)
    name = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, default="a")
    deleted_at = models.DateTimeField(null=True)

    objects = models.Manager()
    alive = AliveManager()

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="audited_soft_uniq"
            )
        ]

    @classmethod
    def of_a(cls) -> models.QuerySet[Soft]:
        return cls.objects.filter(name="a")


class KindManager(models.Manager["Kind"]):
    def get_queryset(self) -> models.QuerySet[Kind]:
        return super().get_queryset().filter(kind="b")


class Kind(models.Model):
    """A manager of one kind alone."""

    key = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, default="a")

    objects = models.Manager()
    of_b = KindManager()

    class Meta:
        unique_together = [("key", "kind")]


class Board(models.Model):
    coded = models.ManyToManyField(Coded, related_name="boards")
    loose = models.ManyToManyField(Loose, related_name="boards")


class Base(models.Model):
    code = models.CharField(max_length=20, unique=True)


class Derived(Base):
    extra = models.CharField(max_length=20)


class DerivedProxy(Derived):
    class Meta:
        proxy = True


class Grid(models.Model):
    """Its primary key has two columns."""

    pk = models.CompositePrimaryKey("a", "b")
    a = models.IntegerField()
    b = models.IntegerField()
    note = models.CharField(max_length=20)


class Token(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    note = models.CharField(max_length=20)


class Tidied(models.Model):
    """It does not store its name as given."""

    name = models.CharField(max_length=50, unique=True)

    def save(self, *args: object, **kwargs: object) -> None:
        self.name = self.name.strip()
        super().save(*args, **kwargs)


class Settled(models.Model):
    """It fills in a slug where there is none, and tidies its name by another method."""

    name = models.CharField(max_length=50, unique=True)
    slug = models.CharField(max_length=50, unique=True)

    def save(self, *args: object, **kwargs: object) -> None:
        self.clean()
        if not self.slug:
            self.slug = self.name.lower()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.name = self.name.strip()


class Moving(models.Model):
    """Only a row that is there already has its flag turned, and back, on the way."""

    name = models.CharField(max_length=50, unique=True)
    is_public = models.BooleanField(default=True)

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk:
            self.move()
        super().save(*args, **kwargs)

    def move(self) -> None:
        self.is_public = not self.is_public
        self.is_public = not self.is_public


class Slugged(models.Model):
    """It puts a slug of its own in place."""

    name = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, unique=True)

    def save(self, *args: object, **kwargs: object) -> None:
        self.slug = f"{self.name}-1"
        super().save(*args, **kwargs)


class NextNumberField(models.IntegerField):
    """It takes the next number where one is taken already."""

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        return int(super().pre_save(model_instance, add)) + 1


class Numbered(models.Model):
    number = NextNumberField(unique=True)


class Daily(models.Model):
    day = models.DateField(unique=True)


class TwiceUnique(models.Model):
    """Rules within rules: whatever the case, and among the active ones."""

    key = models.CharField(max_length=50, unique=True)
    a = models.CharField(max_length=50)
    b = models.CharField(max_length=50)
    active = models.BooleanField(default=True)

    class Meta:
        unique_together = [("a", "b")]
        constraints = [
            UniqueConstraint(Lower("key"), name="audited_twice_lower_uniq"),
            UniqueConstraint(fields=["a"], condition=Q(active=True), name="audited_twice_uniq"),
        ]


class OpenManager(models.Manager["Filed"]):
    """It shows what is open, and opens what it creates."""

    def get_queryset(self) -> models.QuerySet[Filed]:
        return super().get_queryset().filter(status="open")

    def get_or_create(self, **kwargs: object) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        return self.get_queryset().get_or_create(status="open", **kwargs)


class PlainManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: object) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        """Only a name of its own."""
        return super().get_or_create(**kwargs)


class ChangingManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: object) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        kwargs["key"] = str(kwargs["key"]).strip()
        return super().get_or_create(**kwargs)


class SortingManager(models.Manager["Filed"]):
    def get_or_create(  # type: ignore[override]  # as projects write it
        self, defaults: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[Filed, bool]:
        kept = {name: value for name, value in (defaults or {}).items() if name != "note"}
        filed, created = super().get_or_create(defaults=kept, **kwargs)
        return filed, created


class HastyManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: Any) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        if "key" not in kwargs:
            return Filed(), False
        return super().get_or_create(**kwargs)


class NamingManager(models.Manager["Filed"]):
    def get_or_create(self, *, key: str, **kwargs: Any) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        return super().get_or_create(**kwargs)


class SparingManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: Any) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        newest = self.last()
        return (newest, False) if newest else super().get_or_create(**kwargs)


class LoggingManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: Any) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        found = super().get_or_create(**kwargs)
        self.create(key="log")
        return found


class LookingManager(models.Manager["Filed"]):
    def get_or_create(self, **kwargs: Any) -> tuple[Filed, bool]:  # type: ignore[override]  # as projects write it
        found = self.filter(key__iexact=kwargs["key"]).first()
        return (found, False) if found else (self.create(**kwargs), True)


class Filed(models.Model):
    """Its managers create in ways of their own."""

    key = models.CharField(max_length=50)
    status = models.CharField(max_length=10)

    objects = models.Manager()
    opened = OpenManager()
    plain = PlainManager()
    changing = ChangingManager()
    sorting = SortingManager()
    hasty = HastyManager()
    naming = NamingManager()
    sparing = SparingManager()
    logging = LoggingManager()
    looking = LookingManager()

    class Meta:
        unique_together = [("key", "status")]


class Chosen(models.Model):
    """Unique among those that are chosen, by an expression that is NULL for the others."""

    key = models.CharField(max_length=50)
    active = models.BooleanField(default=False)

    class Meta:
        constraints = [
            UniqueConstraint(
                models.Case(models.When(active=True, then="key")), name="audited_chosen_uniq"
            )
        ]


class Mark(models.Model):
    """Unique by what it is about, whatever that is."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveIntegerField()
    about = GenericForeignKey()
    text = models.CharField(max_length=50)

    class Meta:
        unique_together = [("content_type", "object_id", "text")]
