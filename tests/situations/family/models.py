"""Multi-table inheritance: one object in several tables."""

from __future__ import annotations

from django.db import models


class Place(models.Model):
    name = models.CharField(max_length=50)
    phone = models.CharField(max_length=50, blank=True)


class Restaurant(Place):
    stars = models.IntegerField(null=True)


class Pizzeria(Restaurant):
    oven = models.CharField(max_length=20, blank=True, unique=True, null=True)


class Bar(Place):
    beers = models.IntegerField(null=True)


class Visit(models.Model):
    place = models.ForeignKey(Place, models.CASCADE)


class Meal(models.Model):
    restaurant = models.ForeignKey(Restaurant, models.CASCADE)


class Slice(models.Model):
    pizzeria = models.ForeignKey(Pizzeria, models.CASCADE)


class Stall(Place):
    """Parts of objects that point at each other."""

    beside = models.ForeignKey("self", models.SET_NULL, null=True)
