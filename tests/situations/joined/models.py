"""Relations by several columns at once, and relations of kinds that nobody knows."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.fields.related import ForeignObjectRel, RelatedField


class Part(models.Model):
    """Known by maker and code to those who use it."""

    maker = models.IntegerField()
    code = models.CharField(max_length=20, null=True)
    name = models.CharField(max_length=50)

    class Meta:
        unique_together = [("maker", "code")]


class Stock(models.Model):
    maker = models.IntegerField(null=True)
    code = models.CharField(max_length=20, null=True)
    part = models.ForeignObject(
        Part, models.CASCADE, from_fields=["maker", "code"], to_fields=["maker", "code"]
    )
    amount = models.IntegerField(default=0)


class Drawer(models.Model):
    """Its unique rule has one of the two columns."""

    maker = models.IntegerField()
    code = models.CharField(max_length=20)
    part = models.ForeignObject(
        Part,
        models.CASCADE,
        from_fields=["maker", "code"],
        to_fields=["maker", "code"],
        related_name="+",
    )
    number = models.IntegerField()
    label = models.CharField(max_length=20, blank=True)

    class Meta:
        unique_together = [("maker", "number")]


class Price(models.Model):
    """Its unique rule has both columns."""

    maker = models.IntegerField()
    code = models.CharField(max_length=20)
    part = models.ForeignObject(
        Part,
        models.CASCADE,
        from_fields=["maker", "code"],
        to_fields=["maker", "code"],
        related_name="+",
    )
    amount = models.IntegerField()

    class Meta:
        unique_together = [("maker", "code")]


class Sample(models.Model):
    """Its primary key has two columns."""

    pk = models.CompositePrimaryKey("site", "number")
    site = models.IntegerField()
    number = models.IntegerField()
    name = models.CharField(max_length=50)


class Trial(models.Model):
    site = models.IntegerField()
    number = models.IntegerField()
    sample = models.ForeignObject(
        Sample, models.CASCADE, from_fields=["site", "number"], to_fields=["site", "number"]
    )


class Reading(models.Model):
    """One of each kind for a sample."""

    site = models.IntegerField()
    number = models.IntegerField()
    sample = models.ForeignObject(
        Sample,
        models.CASCADE,
        from_fields=["site", "number"],
        to_fields=["site", "number"],
        related_name="+",
    )
    kind = models.CharField(max_length=20)
    value = models.IntegerField()

    class Meta:
        unique_together = [("site", "number", "kind")]


class Machine(models.Model):
    serial = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=50)


class Robot(Machine):
    arms = models.IntegerField(default=2)


class Job(models.Model):
    """Points at a robot by a column that its parent's table has."""

    serial = models.CharField(max_length=20)
    robot = models.ForeignObject(
        Robot, models.CASCADE, from_fields=["serial"], to_fields=["serial"]
    )


class SoftKey(RelatedField):  # type: ignore[type-arg]  # generic in the stubs only
    """A relation of a kind that nobody has heard of: a number, and no foreign key."""

    db_constraint = False

    def __init__(self, to: Any, **options: Any) -> None:
        options["rel"] = ForeignObjectRel(self, to, related_name="+")  # type: ignore[arg-type]
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        to = self.remote_field.model
        label = to if isinstance(to, str) else to._meta.label_lower
        return name, path, args, {**options, "to": label}

    def db_type(self, connection: Any) -> str:
        return "bigint"

    def contribute_to_related_class(self, model: Any, related: Any) -> None:
        """Nothing leads back from the other side."""


class NameJoin(models.ForeignObject):  # type: ignore[type-arg]  # the same
    """A relation to whichever rows share a value."""

    requires_unique_target = False


class Person(models.Model):
    name = models.CharField(max_length=50)


class Student(Person):
    year = models.IntegerField(null=True)


class Letter(models.Model):
    student = SoftKey(Student)


class Team(models.Model):
    name = models.CharField(max_length=50)
    captain = models.CharField(max_length=50, blank=True)


class Match(models.Model):
    team_name = models.CharField(max_length=50)
    team = NameJoin(Team, models.CASCADE, from_fields=["team_name"], to_fields=["name"])


class Load(models.Model):
    maker = models.IntegerField(null=True)
    code = models.CharField(max_length=20, null=True)


class Carton(models.Model):
    maker = models.IntegerField()
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=50)

    class Meta:
        unique_together = [("maker", "code")]


class Shipment(Load):
    """Its columns are in the table of its parent."""

    carton = models.ForeignObject(
        Carton, models.CASCADE, from_fields=["maker", "code"], to_fields=["maker", "code"]
    )


class Player(models.Model):
    """At most one for each part, and pointed at by a relation that nobody knows."""

    part = models.OneToOneField(Part, models.CASCADE)


class Cap(models.Model):
    player = SoftKey(Player)


class Box(models.Model):
    """At most one for each part, and known by its label to what lies in it."""

    part = models.OneToOneField(Part, models.CASCADE)
    label = models.CharField(max_length=20, unique=True)


class Content(models.Model):
    box = models.ForeignKey(
        Box, models.CASCADE, to_field="label", db_constraint=False, related_name="contents"
    )


class Shelf(models.Model):
    """Names boxes by their keys, in a list."""

    boxes = models.JSONField(default=dict)


class Hall(models.Model):
    """Two of a part on different floors are two, each known by its label."""

    part = models.ForeignKey(Part, models.CASCADE)
    floor = models.IntegerField()
    label = models.CharField(max_length=20, unique=True)

    class Meta:
        unique_together = [("part", "floor")]


class Lamp(models.Model):
    hall = models.ForeignKey(Hall, models.CASCADE, to_field="label")
