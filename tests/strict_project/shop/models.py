from __future__ import annotations

from django.db import models


class Customer(models.Model):
    email = models.EmailField()
    points = models.IntegerField(default=0)


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    owner_type = models.CharField(max_length=20)
    owner_id = models.IntegerField()
    mentions = models.TextField(blank=True)
