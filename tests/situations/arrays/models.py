"""What only PostgreSQL has: arrays, ranges, and rules that exclude."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    RangeOperators,
)
from django.db import models
from django.db.models import Func, Value


class Singer(models.Model):
    name = models.CharField(max_length=50)
    tags = ArrayField(models.CharField(max_length=50), null=True)
    matrix = ArrayField(ArrayField(models.IntegerField()), null=True)
    numbers = ArrayField(models.DecimalField(max_digits=20, decimal_places=10), null=True)
    period = DateTimeRangeField(null=True)
    span = BigIntegerRangeField(null=True)
    prices = DecimalRangeField(null=True)
    ratio = models.FloatField(null=True)


class Song(models.Model):
    """The keys of its singers in an array, as some prefer to a many-to-many."""

    singers = ArrayField(models.BigIntegerField(), default=list)


class Chord(models.Model):
    """Known by its notes: a list of such keys must not become one list of all their notes."""

    notes = ArrayField(models.IntegerField(), primary_key=True)
    name = models.CharField(max_length=50)


class Booking(models.Model):
    """No two bookings of a singer at one time."""

    singer = models.ForeignKey(Singer, models.CASCADE)
    slot = BigIntegerRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="no_overlap",
                expressions=[
                    # as a range of one, since equality in such an index needs an extension
                    (
                        Func("singer", "singer", Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    ("slot", RangeOperators.OVERLAPS),
                ],
            )
        ]
