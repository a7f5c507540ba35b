"""Values that mean something only beside others: amounts, weights, addresses, generic keys."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Account(models.Model):
    name = models.CharField(max_length=20)
    limit = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    limit_currency = models.CharField(max_length=3, default="EUR")
    balance = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    balance_currency = models.CharField(max_length=3, default="EUR")
    note = models.CharField(max_length=20, blank=True)


class Purse(models.Model):
    """Collides once two accounts become one."""

    account = models.OneToOneField(Account, models.CASCADE)
    amount = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    amount_currency = models.CharField(max_length=3, default="EUR")


class Parcel(models.Model):
    """One unit for whatever is measured; pieces have none."""

    code = models.CharField(max_length=9)
    weight = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    pieces = models.IntegerField(null=True)
    unit = models.CharField(max_length=3, default="kg")


class Person(models.Model):
    name = models.CharField(max_length=20)
    street = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=20, null=True)
    country = models.CharField(max_length=2, default="FR")
    phone = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(city="Lyon") | models.Q(country="FR"), name="lyon_is_french"
            )
        ]


class Employee(Person):
    """Its parent's fields are declared together here."""


class Pin(models.Model):
    """A generic key that may be empty."""

    label = models.CharField(max_length=20)
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True)
    object_id = models.PositiveIntegerField(null=True)
    subject = GenericForeignKey()


class Shop(models.Model):
    tenant = models.IntegerField()
    number = models.IntegerField()

    class Meta:
        unique_together = [("tenant", "number")]


class Order(models.Model):
    """Two relations by two columns that have one in common."""

    code = models.CharField(max_length=20)
    tenant = models.IntegerField(null=True)
    shop_number = models.IntegerField(null=True)
    depot_number = models.IntegerField(null=True)
    shop = models.ForeignObject(
        Shop,
        models.CASCADE,
        from_fields=("tenant", "shop_number"),
        to_fields=("tenant", "number"),
        related_name="+",
    )
    depot = models.ForeignObject(
        Shop,
        models.CASCADE,
        from_fields=("tenant", "depot_number"),
        to_fields=("tenant", "number"),
        related_name="+",
    )
