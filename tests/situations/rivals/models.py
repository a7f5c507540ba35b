"""Rows that collide once they point at the same row."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower


class User(models.Model):
    name = models.CharField(max_length=50)
    email = models.CharField(max_length=50, blank=True)


class Team(models.Model):
    name = models.CharField(max_length=50)
    members = models.ManyToManyField(User, through="Membership")
    visitors = models.ManyToManyField(User, through="Visit", related_name="+")


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    team = models.ForeignKey(Team, models.CASCADE)
    role = models.CharField(max_length=20, blank=True)
    since = models.IntegerField(null=True)

    class Meta:
        unique_together = [("user", "team")]


class Visit(models.Model):
    """A link that may be there twice, and may have lost one end."""

    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(Team, models.CASCADE, null=True)
    day = models.IntegerField(null=True)


class Badge(models.Model):
    """A child of a row that may have to be merged itself."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="badges")
    label = models.CharField(max_length=20)

    class Meta:
        unique_together = [("membership", "label")]


class Stamp(models.Model):
    badge = models.ForeignKey(Badge, models.CASCADE)


class Profile(models.Model):
    user = models.OneToOneField(User, models.CASCADE)
    bio = models.CharField(max_length=50, blank=True)
    site = models.CharField(max_length=50, blank=True)


class Duel(models.Model):
    """Two references of one row into the same table, unique together."""

    left = models.ForeignKey(User, models.CASCADE, related_name="+")
    right = models.ForeignKey(User, models.CASCADE, related_name="+")
    place = models.CharField(max_length=20)

    class Meta:
        unique_together = [("left", "right")]


class Seat(models.Model):
    """Two unique rules on one table."""

    user = models.ForeignKey(User, models.CASCADE)
    row = models.IntegerField(null=True)
    number = models.IntegerField()

    class Meta:
        unique_together = [("user", "row"), ("user", "number")]


class Address(models.Model):
    """Unique under a condition, where the database can say so."""

    user = models.ForeignKey(User, models.CASCADE)
    kind = models.CharField(max_length=20)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"], condition=models.Q(is_active=True), name="one_active"
            )
        ]


class Nickname(models.Model):
    """Unique by an expression, where the database can say so."""

    user = models.ForeignKey(User, models.CASCADE)
    text = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint("user", Lower("text"), name="one_spelling")]
