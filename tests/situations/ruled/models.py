"""Rules that are more than some columns being unique: over expressions, computed columns, checks.

Where a database cannot have such a rule, Django leaves it out.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least, Lower


class Person(models.Model):
    """Its own row is under rules as well, which values taken from duplicates may break."""

    name = models.CharField(max_length=50)
    points = models.IntegerField(null=True)
    start = models.IntegerField(null=True)
    end = models.IntegerField(null=True)
    motto = models.CharField(max_length=10, blank=True)
    area = models.IntegerField(null=True)
    phone = models.CharField(max_length=20, blank=True)
    mail = models.CharField(max_length=20, null=True, unique=True)

    class Meta:
        unique_together = [("area", "phone")]
        constraints = [
            models.CheckConstraint(condition=Q(points__lte=100), name="few_points"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="starts_first"),
        ]


class Pair(models.Model):
    """A pair in either order is there once, as long as it is on."""

    a = models.ForeignKey(Person, models.CASCADE, related_name="+")
    b = models.ForeignKey(Person, models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=True)
    note = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Least("a", "b"), Greatest("a", "b"), condition=Q(is_on=True), name="one_pair"
            )
        ]


class Seat(models.Model):
    owner = models.ForeignKey(Person, models.CASCADE, null=True)
    row = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(Coalesce(F("owner"), Value(0)), Lower("row"), name="one_seat")
        ]


class Slot(models.Model):
    """Only those of persons with high numbers have a day for themselves."""

    owner = models.ForeignKey(Person, models.CASCADE)
    day = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day"], condition=Q(owner__gt=100), name="one_slot")
        ]


class Share(models.Model):
    """A computed column that has to be unique, and one that is so together with another.

    What they are computed of is no ASCII, as little as in the rules and checks of others here.
    """

    owner = models.ForeignKey(Person, models.CASCADE, db_column="propriétaire")
    number = models.IntegerField()
    kind = models.IntegerField(default=0)
    code = models.GeneratedField(
        expression=F("owner") * 1000 + F("number"),
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )
    place = models.GeneratedField(
        expression=F("owner") * 10, output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "kind"], name="one_share")]


class Card(models.Model):
    """Merges in its turn when its persons do."""

    owner = models.ForeignKey(Person, models.CASCADE)
    kind = models.CharField(max_length=20)

    class Meta:
        unique_together = [("owner", "kind")]


class Swap(models.Model):
    one = models.ForeignKey(Card, models.CASCADE, related_name="+", db_column="первая")
    other = models.ForeignKey(Card, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Least("one", "other"), Greatest("one", "other"), name="one_swap"
            )
        ]


class Follow(models.Model):
    """Nobody follows himself, nor anybody with a number that nobody has."""

    who = models.ForeignKey(Person, models.CASCADE, related_name="+")
    whom = models.ForeignKey(Person, models.CASCADE, related_name="+", db_column="zu €uch")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(who=F("whom")), name="not_oneself"),
            models.CheckConstraint(condition=~Q(whom=13), name="not_thirteen"),
        ]


class Trade(models.Model):
    """What it costs is computed of a reference, and checked."""

    buyer = models.ForeignKey(Person, models.CASCADE, related_name="+")
    paid = models.IntegerField()
    left = models.GeneratedField(
        expression=F("buyer") - F("paid"), output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(left__gte=0), name="nothing_owed")]


class Member(models.Model):
    """Merges in its turn, and has rules for what it takes over and what points at it."""

    owner = models.ForeignKey(Person, models.CASCADE)
    club = models.CharField(max_length=20)
    since = models.IntegerField(null=True)
    until = models.IntegerField(null=True)
    seat = models.IntegerField(null=True)
    level = models.IntegerField(null=True)

    class Meta:
        unique_together = [("owner", "club")]
        constraints = [
            models.CheckConstraint(condition=Q(since__lt=F("until")), name="leaves_last"),
            models.UniqueConstraint(fields=["seat", "level"], name="one_place"),
        ]


class Match(models.Model):
    home = models.ForeignKey(Member, models.CASCADE, related_name="+")
    guest = models.ForeignKey(Member, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(home=F("guest")), name="not_alone")]


class Duty(models.Model):
    """Points at both levels: rows that differ in both may become one."""

    owner = models.ForeignKey(Person, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    note = models.CharField(max_length=20, blank=True)

    class Meta:
        unique_together = [("owner", "member")]


class Tariff(models.Model):
    """Known by what the database computes of it."""

    name = models.CharField(max_length=20)
    base = models.IntegerField()
    extra = models.IntegerField(null=True)
    price = models.GeneratedField(
        expression=F("base") + Coalesce("extra", 0),
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )


class Fare(models.Model):
    tariff = models.ForeignKey(Tariff, models.CASCADE, to_field="price", db_constraint=False)


class Line(models.Model):
    """Known by what the database computes of a reference."""

    tariff = models.ForeignKey(Tariff, models.CASCADE, db_constraint=False)
    number = models.IntegerField()
    code = models.GeneratedField(
        expression=F("tariff") * 1000 + F("number"),
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )


class Stop(models.Model):
    line = models.ForeignKey(Line, models.CASCADE, to_field="code", db_constraint=False)
