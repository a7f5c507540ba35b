"""Primary keys of every kind, and references by something else than the primary key."""

from __future__ import annotations

import uuid

from django.db import models


class Country(models.Model):
    name = models.CharField(max_length=50)
    code = models.CharField(max_length=5, unique=True, null=True)


class City(models.Model):
    country = models.ForeignKey(Country, models.CASCADE, to_field="code", null=True)


# from Django 6.1 on, the database itself deletes what points at a row
BY_DATABASE = getattr(models, "DB_CASCADE", models.CASCADE)


class Embassy(models.Model):
    country = models.ForeignKey(Country, BY_DATABASE, to_field="code", null=True)


class Treaty(models.Model):
    country = models.ForeignKey(Country, BY_DATABASE)


class Flag(models.Model):
    """Its primary key is the reference, and holds another column than the country's own key."""

    country = models.OneToOneField(Country, models.CASCADE, to_field="code", primary_key=True)


class Device(models.Model):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    serial = models.CharField(max_length=50)


class Reading(models.Model):
    device = models.ForeignKey(Device, models.CASCADE)
    value = models.FloatField()


class Product(models.Model):
    sku = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=50)


class Offer(models.Model):
    product = models.ForeignKey(Product, models.CASCADE)


class Account(models.Model):
    name = models.CharField(max_length=50)


class Settings(models.Model):
    """Its primary key is the reference itself."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True)
    theme = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=20, blank=True)


class Shortcut(models.Model):
    settings = models.ForeignKey(Settings, models.CASCADE)
    keys = models.CharField(max_length=20)


class Enrolment(models.Model):
    """A composite primary key with a reference in it."""

    pk = models.CompositePrimaryKey("account", "course")
    account = models.ForeignKey(Account, models.CASCADE)
    course = models.IntegerField()
    grade = models.IntegerField(null=True)


class Measurement(models.Model):
    """A composite primary key of its own."""

    pk = models.CompositePrimaryKey("station", "number")
    station = models.IntegerField()
    number = models.IntegerField()
    name = models.CharField(max_length=50)
    note = models.CharField(max_length=50, blank=True)


class Folder(models.Model):
    """A tree within an account, whose key both of its references share."""

    pk = models.CompositePrimaryKey("account", "number")
    account = models.ForeignKey(Account, models.CASCADE)
    number = models.IntegerField()
    above = models.IntegerField(null=True)
    parent = models.ForeignObject(
        "self",
        models.CASCADE,
        from_fields=["account", "above"],
        to_fields=["account", "number"],
        null=True,
    )


class Document(models.Model):
    """Belongs to an account, and by the same column to a folder of it, or to none."""

    account = models.ForeignKey(Account, models.CASCADE)
    number = models.IntegerField(null=True)
    folder = models.ForeignObject(
        Folder,
        models.CASCADE,
        from_fields=["account", "number"],
        to_fields=["account", "number"],
        null=True,
    )
