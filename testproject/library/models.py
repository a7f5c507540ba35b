"""Authors, books and publishers: ``get_or_create`` with and without a constraint."""

from __future__ import annotations

from django.db import models


class Author(models.Model):
    """Looked up by first and last name, which nothing keeps unique: the race makes duplicates."""

    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    isni = models.CharField("ISNI", max_length=16, unique=True, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Publisher(models.Model):
    """Looked up by a unique name: ``get_or_create`` is safe here."""

    name = models.CharField(max_length=200, unique=True)
    city = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=200)
    authors = models.ManyToManyField(Author, related_name="books")
    publisher = models.ForeignKey(
        Publisher, on_delete=models.PROTECT, null=True, blank=True, related_name="books"
    )

    def __str__(self) -> str:
        return self.title


class RecordTemplate(models.Model):
    """A template for new records. Its field ``defaults`` is called like the argument."""

    name = models.CharField(max_length=100, blank=True)
    defaults = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name
