"""Collisions whose merging leads back to where it began."""

from __future__ import annotations

from django.db import models


class Country(models.Model):
    name = models.CharField(max_length=50)
    capital = models.OneToOneField("City", models.SET_NULL, null=True)


class Province(models.Model):
    country = models.ForeignKey(Country, models.CASCADE)
    number = models.IntegerField()
    note = models.CharField(max_length=50, blank=True)
    allies = models.ManyToManyField(Country, related_name="+")

    class Meta:
        unique_together = [("country", "number")]


class City(models.Model):
    province = models.OneToOneField(Province, models.CASCADE)
    name = models.CharField(max_length=50)


class Category(models.Model):
    """A tree in which no two children of one parent share a name."""

    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    name = models.CharField(max_length=50)
    note = models.CharField(max_length=50, blank=True)

    class Meta:
        unique_together = [("parent", "name")]


class Shop(models.Model):
    """One on a day in each province, and one of a number in each country."""

    country = models.ForeignKey(Country, models.CASCADE, related_name="+")
    number = models.IntegerField()
    province = models.ForeignKey(Province, models.CASCADE, related_name="+")
    day = models.IntegerField()

    class Meta:
        unique_together = [("country", "number"), ("province", "day")]


class Clerk(models.Model):
    shop = models.ForeignKey(Shop, models.CASCADE)
