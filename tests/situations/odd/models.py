"""Tables with something unusual: unmanaged, without rows, with names that need quoting."""

from __future__ import annotations

from django.db import models


class Person(models.Model):
    name = models.CharField(max_length=50, null=True)
    email = models.CharField(max_length=50, blank=True)
    slug = models.CharField(max_length=50, unique=True, null=True)
    updated = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-name"]
        base_manager_name = "objects"


class Passport(models.Model):
    number = models.CharField(max_length=20)


class Traveller(models.Model):
    """A one-to-one that goes forward from the merged row."""

    name = models.CharField(max_length=50)
    passport = models.OneToOneField(Passport, models.CASCADE, null=True)


class Quoted(models.Model):
    owner = models.ForeignKey(Person, models.CASCADE, db_column="select")

    class Meta:
        db_table = "odd order table"


class Mirror(models.Model):
    """An unmanaged model whose table is not there."""

    owner = models.ForeignKey(Person, models.CASCADE, related_name="+")

    class Meta:
        managed = False
        db_table = "odd_missing"


class Audit(models.Model):
    """Keys of rows elsewhere, without any relation."""

    author_id = models.BigIntegerField(null=True)
    author_text = models.CharField(max_length=20, blank=True)
    payload = models.JSONField(default=dict)
    mentions = models.TextField(null=True)


class Follower(models.Model):
    """A generic key without content types: the model's name stands beside the id."""

    res_model = models.CharField(max_length=30)
    res_id = models.IntegerField()
    who = models.CharField(max_length=10)
    payload = models.JSONField(default=dict)
    ids = models.CharField(max_length=50, default="")
    ids_kind = models.CharField(max_length=10, default="")

    class Meta:
        unique_together = [("res_model", "res_id", "who")]
