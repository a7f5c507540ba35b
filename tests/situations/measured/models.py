"""Primary keys that are measured: neither numbers that count, nor texts, nor UUIDs."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models


class Measured(models.Model):
    name = models.CharField(max_length=20)
    note = models.CharField(max_length=20, blank=True)

    class Meta:
        abstract = True


class Price(Measured):
    key = models.DecimalField(primary_key=True, max_digits=8, decimal_places=2)


class Weight(Measured):
    key = models.FloatField(primary_key=True)


class Day(Measured):
    key = models.DateField(primary_key=True)


class Moment(Measured):
    key = models.DateTimeField(primary_key=True)


class TimestampField(models.DateTimeField):  # type: ignore[type-arg]  # generic to type checkers only
    """Moments that MariaDB and MySQL show in the hours of the session's time zone."""

    def db_type(self, connection: Any) -> str:
        kind: str = super().db_type(connection)
        return "timestamp(6)" if connection.vendor == "mysql" else kind


class Instant(Measured):
    key = TimestampField(primary_key=True)


class Hour(Measured):
    key = models.TimeField(primary_key=True)


class Span(Measured):
    key = models.DurationField(primary_key=True)


class Address(Measured):
    key = models.GenericIPAddressField(primary_key=True)


class ShortBinaryField(models.BinaryField):  # type: ignore[type-arg]  # generic to type checkers only
    """Bytes that MariaDB and MySQL take for a key: those of Django have no length there."""

    def db_type(self, connection: Any) -> str:
        kind: str = super().db_type(connection)
        return "varbinary(50)" if connection.vendor == "mysql" else kind


class ShortUUIDField(ShortBinaryField):
    """A UUID in Python, its bytes in the database."""

    def from_db_value(self, value: Any, *_: Any) -> uuid.UUID | None:
        return self.to_python(value)

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, uuid.UUID):
            return value
        return uuid.UUID(value) if isinstance(value, str) else uuid.UUID(bytes=bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        found = self.to_python(value)
        return super().get_db_prep_value(found and found.bytes, connection, prepared)


class Digest(Measured):
    key = ShortBinaryField(primary_key=True)


class Token(models.Model):
    """As projects keep UUIDs in sixteen bytes."""

    key = ShortUUIDField(primary_key=True)
    name = models.CharField(max_length=20)


class Slot(Measured):
    """A key of several parts of such kinds."""

    pk = models.CompositePrimaryKey("moment", "price")
    moment = models.DateTimeField()
    price = models.DecimalField(max_digits=8, decimal_places=2)


class Entry(models.Model):
    """Points at one of them."""

    price = models.ForeignKey(Price, models.CASCADE, null=True)
    weight = models.ForeignKey(Weight, models.CASCADE, null=True)
    day = models.ForeignKey(Day, models.CASCADE, null=True)
    moment = models.ForeignKey(Moment, models.CASCADE, null=True)
    hour = models.ForeignKey(Hour, models.CASCADE, null=True)
    span = models.ForeignKey(Span, models.CASCADE, null=True)
    address = models.ForeignKey(Address, models.CASCADE, null=True)
    digest = models.ForeignKey(Digest, models.CASCADE, null=True)
