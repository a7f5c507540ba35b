"""Small models, each as the manual of its library has them."""

from __future__ import annotations

import uuid
from typing import Any

import reversion
from auditlog.registry import auditlog
from django.db import models
from modelcluster.fields import ParentalKey
from mptt.models import MPTTModel, TreeForeignKey
from parler.models import TranslatableModel, TranslatedFields
from polymorphic.models import PolymorphicModel
from simple_history.models import HistoricalRecords
from taggit.managers import TaggableManager
from treebeard.al_tree import AL_Node
from treebeard.mp_tree import MP_Node
from treebeard.ns_tree import NS_Node
from treenode.models import TreeNodeModel
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import DraftStateMixin, Page, RevisionMixin
from wagtail.snippets.models import register_snippet


class Food(models.Model):
    """For django-taggit."""

    name = models.CharField(max_length=50)

    tags = TaggableManager()


class Contract(models.Model):
    """For django-auditlog and django-watson, under a number."""

    title = models.CharField(max_length=50)


class Parcel(models.Model):
    """For the same, under a UUID."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=50)


auditlog.register(Contract)
auditlog.register(Parcel)


class Region(models.Model):
    name = models.CharField(max_length=50)


class Genre(MPTTModel):
    """A nested set, kept in step with its parents."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, null=True)
    parent = TreeForeignKey("self", models.CASCADE, null=True, related_name="children")

    class Meta:
        unique_together = [("region", "name")]


class Record(models.Model):
    name = models.CharField(max_length=50)
    genres = models.ManyToManyField(Genre)


class Folder(MP_Node):
    """Materialised paths."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, null=True)

    class Meta:
        unique_together = [("region", "name")]


class Branch(NS_Node):
    name = models.CharField(max_length=50)


class Shelf(AL_Node):
    name = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children_set")
    sib_order = models.PositiveIntegerField()


class Leaflet(models.Model):
    name = models.CharField(max_length=50)
    folder = models.ForeignKey(Folder, models.CASCADE)


class Subject(TreeNodeModel):
    """Every row names its parents and children in text, beside the foreign key."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, null=True)


class Planet(TranslatableModel):
    code = models.CharField(max_length=50)

    translations = TranslatedFields(
        name=models.CharField(max_length=50), about=models.TextField(blank=True)
    )


class Vehicle(PolymorphicModel):
    name = models.CharField(max_length=50)


class Car(Vehicle):
    doors = models.IntegerField(null=True)


class Boat(Vehicle):
    draught = models.IntegerField(null=True)


class Trip(models.Model):
    vehicle = models.ForeignKey(Vehicle, models.CASCADE)
    boat = models.ForeignKey(Boat, models.CASCADE, null=True, related_name="+")


class Poll(models.Model):
    """For django-simple-history: history under the bare id."""

    question = models.CharField(max_length=50)
    note = models.TextField(blank=True)

    history = HistoricalRecords()


class Choice(models.Model):
    poll = models.ForeignKey(Poll, models.CASCADE)
    text = models.CharField(max_length=50)

    history = HistoricalRecords(related_name="log")


@reversion.register()
class Recipe(models.Model):
    title = models.CharField(max_length=50)
    text = models.TextField(blank=True)


class Document(models.Model):
    """For django-guardian."""

    title = models.CharField(max_length=50)

    class Meta:
        permissions = [("read_document", "Can read document")]


@register_snippet
class Advert(DraftStateMixin, RevisionMixin, models.Model):
    text = models.CharField(max_length=50)
    image = models.ForeignKey(
        "wagtailimages.Image", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    body = RichTextField(blank=True)

    panels: Any = [FieldPanel("text"), FieldPanel("image"), FieldPanel("body")]


class Article(Page):
    advert = models.ForeignKey(Advert, models.SET_NULL, null=True, blank=True, related_name="+")
    body = RichTextField(blank=True)


class Attachment(models.Model):
    article = ParentalKey(Article, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey("wagtaildocs.Document", models.CASCADE, related_name="+")
