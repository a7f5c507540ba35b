"""Blanks that are answers: not deleted, never expires, still a member."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class Live(models.Manager[Any]):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(deleted_at=None).exclude(state="archived")


class Key(models.Model):
    """Deletion only hides it, and so does what its state says."""

    name = models.CharField(max_length=9)
    deleted_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, blank=True)
    token = models.CharField(max_length=9, null=True)
    used = models.IntegerField(default=0)

    objects = Live()
    everything = models.Manager[Any]()


class Use(models.Model):
    key = models.ForeignKey(Key, models.CASCADE)


class Setting(models.Model):
    """Collides once two keys become one, and can be deleted by itself."""

    key = models.OneToOneField(Key, models.CASCADE)
    value = models.CharField(max_length=9, blank=True)
    deleted_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, blank=True)

    objects = Live()


class Licence(models.Model):
    name = models.CharField(max_length=9)
    expires = models.DateField(null=True)
    opens = models.TimeField(null=True)
    seats = models.IntegerField(null=True)
    plan = models.CharField(max_length=9, blank=True)


class Member(models.Model):
    """Unique among those who have given no reason to leave, and among those with a card."""

    name = models.CharField(max_length=9)
    email = models.CharField(max_length=20, blank=True)
    card = models.CharField(max_length=9, blank=True)
    left_because = models.CharField(max_length=9, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"], condition=Q(left_because=""), name="blanks_member_email"
            ),
            models.UniqueConstraint(
                fields=["card"], condition=~Q(card=""), name="blanks_member_card"
            ),
        ]
