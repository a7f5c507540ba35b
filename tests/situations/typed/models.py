"""A column of every type Django has, to travel through the journal and back."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Upper


class Everything(models.Model):
    name = models.CharField(max_length=100)
    big = models.BigIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    integer = models.IntegerField(null=True)
    small = models.SmallIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    binary = models.BinaryField(null=True)
    boolean = models.BooleanField(null=True)
    char = models.CharField(max_length=200, null=True)
    text = models.TextField(null=True)
    date = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    time = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    decimal = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    float = models.FloatField(null=True)
    email = models.EmailField(null=True)
    slug = models.SlugField(null=True)
    url = models.URLField(null=True)
    file = models.FileField(null=True)
    ip = models.GenericIPAddressField(null=True)
    json: Any = models.JSONField(null=True)
    uuid = models.UUIDField(null=True, default=uuid.uuid4)
    shouted = models.GeneratedField(
        expression=Upper("name"), output_field=models.CharField(max_length=100), db_persist=True
    )


class Detail(models.Model):
    whole = models.ForeignKey(Everything, models.CASCADE)


class Wide(models.Model):
    """More columns than a function of SQLite takes arguments."""

    name = models.CharField(max_length=100)


for _number in range(150):
    Wide.add_to_class(f"value_{_number}", models.FloatField(null=True))


class Zone:
    """What a column of zones holds in Python: nothing that JSON knows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Zone) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<zone {self.name}>"


class UnknownZoneError(Exception):
    """What a project's own field raises, which is no error of Python's or Django's."""


class ZoneField(models.CharField):  # type: ignore[type-arg]  # generic to type checkers only
    """Text in the database, an object of its own in Python."""

    def from_db_value(self, value: Any, *_: Any) -> Zone | None:
        return None if value is None else Zone(value)

    def to_python(self, value: Any) -> Zone | None:
        if value == "nowhere":
            raise UnknownZoneError
        return value if value is None or isinstance(value, Zone) else Zone(value)

    def get_prep_value(self, value: Any) -> Any:
        return value.name if isinstance(value, Zone) else value

    def value_to_string(self, obj: Any) -> str:
        return str(self.get_prep_value(self.value_from_object(obj)))


class Priced(models.Model):
    """A primary key that JSON has no type for."""

    price = models.DecimalField(primary_key=True, max_digits=8, decimal_places=2)
    name = models.CharField(max_length=20)
    zone = ZoneField(max_length=20, null=True)


class Tariff(models.Model):
    """Collides where its prices become one."""

    priced = models.ForeignKey(Priced, models.CASCADE)
    year = models.IntegerField(null=True)
    note = models.CharField(max_length=20)

    class Meta:
        unique_together = ("priced", "year")
