"""Content types with object ids: as text, number and UUID, with and without a generic key."""

from __future__ import annotations

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class TextNote(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=50, db_index=True)
    subject = GenericForeignKey()
    text = models.CharField(max_length=50)


class NumberNote(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    subject = GenericForeignKey()
    text = models.CharField(max_length=50)


class UuidNote(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.UUIDField()
    subject = GenericForeignKey()


class ProxyNote(models.Model):
    """Stored under the content type of the very class it was given, a proxy's too."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    subject = GenericForeignKey(for_concrete_model=False)


class Like(models.Model):
    """A pair that is no generic key, and unique."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.TextField()
    who = models.CharField(max_length=20)


class Vote(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    who = models.CharField(max_length=20)
    points = models.IntegerField(default=1)
    subject = GenericForeignKey()

    class Meta:
        unique_together = [("content_type", "object_id", "who")]


class Page(models.Model):
    slug = models.CharField(max_length=50)
    notes = GenericRelation(NumberNote)


class PageProxy(Page):
    class Meta:
        proxy = True


class Asset(models.Model):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)
    notes = GenericRelation(TextNote)


class Word(models.Model):
    text = models.CharField(max_length=20, primary_key=True)
    meaning = models.CharField(max_length=20)
