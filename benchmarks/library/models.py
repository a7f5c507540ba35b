"""One author with everything that can point at it: each kind of reference once."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    mentor = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="pupils")
    tags = models.ManyToManyField(Tag)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Book(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")

    def __str__(self) -> str:
        return self.title


class Profile(models.Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE)
    biography = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.biography


class Note(models.Model):
    """Notes on authors, and as many again on books, which no merge of authors may touch."""

    text = models.CharField(max_length=100)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, db_index=False)
    object_id = models.CharField(max_length=64)
    subject = GenericForeignKey()

    class Meta:
        indexes = [models.Index(fields=["content_type", "object_id"], name="note_subject")]

    def __str__(self) -> str:
        return self.text


class Writer(models.Model):
    """An author whom the released packages can merge: only foreign keys and links."""

    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    tags = models.ManyToManyField(Tag)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Writing(models.Model):
    title = models.CharField(max_length=100)
    writer = models.ForeignKey(Writer, on_delete=models.CASCADE, related_name="writings")

    def __str__(self) -> str:
        return self.title


class RawChange(models.Model):
    """The journal of the hand-written SQL: a row per changed reference and per deleted row."""

    run = models.PositiveIntegerField(db_index=True)
    relation = models.CharField(max_length=40)
    row = models.CharField(max_length=64)
    old = models.CharField(max_length=64, null=True)  # noqa: DJ001  # NULL: no such value
    new = models.CharField(max_length=64, null=True)  # noqa: DJ001  # NULL: no such value
    image = models.TextField(null=True)  # noqa: DJ001  # NULL: no such value

    def __str__(self) -> str:
        return f"{self.relation} {self.row}"
