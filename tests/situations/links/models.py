"""Plain links to a row: foreign keys of every declaration, and many-to-many of every shape."""

from __future__ import annotations

from typing import Any

from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Author(models.Model):
    name = models.CharField(max_length=50)
    bio = models.TextField(blank=True)
    born = models.IntegerField(null=True)
    mentor = models.ForeignKey("self", models.CASCADE, null=True, related_name="students")
    tags = models.ManyToManyField(Tag, related_name="authors")
    friends = models.ManyToManyField("self")
    follows = models.ManyToManyField("self", symmetrical=False, related_name="+")


class AuthorProxy(Author):
    class Meta:
        proxy = True


class Shown(models.Manager[Any]):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(is_hidden=False)


class Book(models.Model):
    """Its default manager hides rows, its save refuses, and a column changes with every save."""

    author = models.ForeignKey(Author, models.CASCADE, related_name="+")
    title = models.CharField(max_length=50)
    is_hidden = models.BooleanField(default=False)
    touched = models.DateTimeField(auto_now=True)

    objects = Shown()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise RuntimeError("books are never saved twice")
        super().save(*args, **kwargs)


class Review(models.Model):
    author = models.ForeignKey(AuthorProxy, models.SET_NULL, null=True, related_name="+")


class Contract(models.Model):
    author = models.ForeignKey(Author, models.PROTECT)


class Trace(models.Model):
    author = models.ForeignKey(Author, models.DO_NOTHING, db_constraint=False, db_index=False)


class Chair(models.Model):
    """A self-reference that cannot be empty."""

    name = models.CharField(max_length=50)
    deputy = models.ForeignKey("self", models.CASCADE)
