"""A chain of rows that are each other's keys, so that one that moves takes the next along."""

from __future__ import annotations

from django.db import models


class Member(models.Model):
    name = models.CharField(max_length=20)


class Passport(models.Model):
    """Points at its own table, and at what follows it, by a key and from within a value."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True)
    sponsor = models.ForeignKey("self", models.SET_NULL, null=True)
    latest = models.ForeignKey(
        "Visa", models.SET_NULL, null=True, db_constraint=False, related_name="+"
    )
    data = models.JSONField(default=dict)


class Visa(models.Model):
    passport = models.OneToOneField(Passport, models.CASCADE, primary_key=True)


class Stamp(models.Model):
    visa = models.ForeignKey(Visa, models.SET_NULL, null=True)
