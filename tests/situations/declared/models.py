"""Rows that collide and have values worth a rule: cards with points, and what hangs on them."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=50)


class Card(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    program = models.CharField(max_length=20)
    points = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    is_blocked = models.BooleanField(default=False)
    is_valid = models.BooleanField(default=True)
    note = models.CharField(max_length=50, blank=True)
    code = models.CharField(max_length=20, unique=True, null=True)
    used = models.IntegerField(null=True)
    sponsor = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+")

    class Meta:
        unique_together = [("customer", "program")]
        constraints = [
            models.CheckConstraint(condition=models.Q(points__lte=1000), name="card_points")
        ]


class GiftCard(Card):
    balance = models.IntegerField(null=True)


class Purchase(models.Model):
    card = models.ForeignKey(Card, models.CASCADE)


class Perk(models.Model):
    """Collides itself once two cards become one."""

    card = models.ForeignKey(Card, models.CASCADE)
    label = models.CharField(max_length=20)
    uses = models.IntegerField(default=0)
    text = models.CharField(max_length=50, blank=True)

    class Meta:
        unique_together = [("card", "label")]


class Redemption(models.Model):
    perk = models.ForeignKey(Perk, models.CASCADE)


class Wallet(models.Model):
    """Its primary key is the reference."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True)
    balance = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)


class Receipt(models.Model):
    wallet = models.ForeignKey(Wallet, models.CASCADE)


class Contact(models.Model):
    """The far ends of its family are declared, and it is not."""

    name = models.CharField(max_length=50)
    phone = models.CharField(max_length=50, blank=True)


class Supplier(Contact):
    orders = models.IntegerField(null=True)
    rating = models.IntegerField(null=True)
