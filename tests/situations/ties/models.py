"""Rows that two references of their own tie to two rows, which may turn out to be one."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q


class Person(models.Model):
    name = models.CharField(max_length=20)
    code = models.CharField(max_length=20, unique=True, null=True)
    father = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    mother = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")


class Worker(Person):
    """A part of the same object, which points at another part."""

    desk = models.CharField(max_length=20, blank=True)
    boss = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")


class Relation(models.Model):
    """Two references to one model, and no many-to-many relation declares them."""

    a = models.ForeignKey(Person, models.CASCADE, related_name="+")
    b = models.ForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    start = models.IntegerField(null=True)

    class Meta:
        unique_together = [("a", "b", "kind", "start")]


class Follow(models.Model):
    """Nobody may follow himself."""

    who = models.ForeignKey(Person, models.CASCADE, related_name="+")
    whom = models.ForeignKey(Person, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["who", "whom"], name="ties_follow_once"),
            models.CheckConstraint(condition=~Q(who=F("whom")), name="ties_not_oneself"),
        ]


class Transfer(models.Model):
    payer = models.ForeignKey(Person, models.PROTECT, related_name="+")
    payee = models.ForeignKey(Person, models.PROTECT, related_name="+")
    broker = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    amount = models.IntegerField(default=1)


class Receipt(models.Model):
    transfer = models.ForeignKey(Transfer, models.CASCADE)


class Couple(models.Model):
    husband = models.OneToOneField(Person, models.CASCADE, related_name="+")
    wife = models.OneToOneField(Person, models.CASCADE, related_name="+")


class Parcel(models.Model):
    """One end by another unique column."""

    sender = models.ForeignKey(Person, models.CASCADE, to_field="code", related_name="+")
    receiver = models.ForeignKey(Person, models.CASCADE, related_name="+")


class Mention(models.Model):
    """A foreign key, and a generic key as text."""

    author = models.ForeignKey(Person, models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=20)
    subject = GenericForeignKey()


class Handover(models.Model):
    """Bare columns that hold keys, where they are declared to."""

    giver_id = models.BigIntegerField()
    taker_id = models.BigIntegerField()


class Club(models.Model):
    name = models.CharField(max_length=20)


class Member(models.Model):
    """Collides once two persons become one, and is linked with its like."""

    person = models.ForeignKey(Person, models.CASCADE)
    club = models.ForeignKey(Club, models.CASCADE)
    role = models.CharField(max_length=20, blank=True)
    friends = models.ManyToManyField("self", symmetrical=False)

    class Meta:
        unique_together = [("person", "club")]


class Vouch(models.Model):
    """One level down."""

    one = models.ForeignKey(Member, models.CASCADE, related_name="+")
    other = models.ForeignKey(Member, models.CASCADE, related_name="+")


class Place(models.Model):
    pk = models.CompositePrimaryKey("land", "number")
    land = models.IntegerField()
    number = models.IntegerField()
    name = models.CharField(max_length=20)


class Road(models.Model):
    """Two references by two columns each, one of which they share."""

    land = models.IntegerField()
    start_number = models.IntegerField()
    end_number = models.IntegerField()
    start = models.ForeignObject(
        Place,
        models.CASCADE,
        from_fields=["land", "start_number"],
        to_fields=["land", "number"],
        related_name="+",
    )
    end = models.ForeignObject(
        Place,
        models.CASCADE,
        from_fields=["land", "end_number"],
        to_fields=["land", "number"],
        related_name="+",
    )
