"""Texts longer than what some databases sort by."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

# elsewhere than on MariaDB and MySQL keys are told apart to the letter of their own accord
_IS_MYSQL = settings.DATABASES["default"]["ENGINE"].endswith("mysql")
_EXACT = "utf8mb4_bin" if _IS_MYSQL else None
_COLLATIONS = {"mysql": ("utf8mb4_unicode_ci", "utf8mb4_general_ci", "utf8mb4_bin")}
_COLLATIONS |= {"postgresql": ("C", "POSIX", "C"), "sqlite3": ("NOCASE", "RTRIM", "BINARY")}
_ONE, _OTHER, _KEYS = _COLLATIONS[settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]]


class Page(models.Model):
    """Looked up by its address, or by its text."""

    url = models.CharField(max_length=3000)
    text = models.TextField(blank=True)


class Visit(models.Model):
    """Collides where pages become one: unique by a text that is as long as an index takes."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="visits")
    query = models.CharField(max_length=700)

    class Meta:
        unique_together = ("page", "query")


class Label(models.Model):
    """Many for a page, or none."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="labels")
    name = models.CharField(max_length=20)


class Word(models.Model):
    """Its keys differ by the case of their letters."""

    key = models.CharField(max_length=40, primary_key=True, db_collation=_EXACT)
    sense = models.CharField(max_length=20)


class Use(models.Model):
    word = models.ForeignKey(Word, models.CASCADE, related_name="uses")


class Tagged(models.Model):
    """Beside a type the key as text, which each table compares in its own way."""

    content_type = models.ForeignKey(
        ContentType, models.CASCADE, related_name="+", db_constraint=False
    )
    about = GenericForeignKey()

    class Meta:
        abstract = True


class Note(Tagged):
    object_id = models.CharField(max_length=40, db_index=True, db_collation=_ONE)


class Star(Tagged):
    object_id = models.CharField(max_length=40, db_index=True, db_collation=_OTHER)


class Vote(Tagged):
    object_id = models.CharField(max_length=40, db_index=True, db_collation=_KEYS)


class Term(models.Model):
    """Its keys are text that is compared in a third way."""

    key = models.CharField(max_length=40, primary_key=True, db_collation=_ONE)
    sense = models.CharField(max_length=20)


class Mention(models.Model):
    """May name a term in other letters than its own, where the collation calls them equal."""

    term = models.ForeignKey(Term, models.CASCADE, null=True)
