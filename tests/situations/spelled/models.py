"""Keys that are one thing in Python and another in the database, and what names them."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class PrefixedKey(models.BigAutoField):  # type: ignore[type-arg]  # generic to type checkers only
    """``usr_5`` in Python, 5 in the database."""

    def from_db_value(self, value: int | None, *_: Any) -> str | None:
        return None if value is None else f"usr_{value}"

    def to_python(self, value: Any) -> Any:
        return f"usr_{value}" if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(str(value).removeprefix("usr_") if value else value)


class Token:
    """A UUID that people read as 26 characters."""

    def __init__(self, value: uuid.UUID) -> None:
        self.value = value

    def __str__(self) -> str:
        return base64.b32encode(self.value.bytes).decode().rstrip("=")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def new_token() -> Token:
    return Token(uuid.uuid4())


class TokenField(models.UUIDField):  # type: ignore[type-arg]  # generic to type checkers only
    """A `Token` in Python, what a UUID is in the database."""

    def from_db_value(self, value: Any, *_: Any) -> Token | None:
        return self.to_python(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) == 26:
            return Token(uuid.UUID(bytes=base64.b32decode(f"{value}======")))
        found = super().to_python(value.value if isinstance(value, Token) else value)
        return None if found is None else Token(found)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        token = self.to_python(value)
        return super().get_db_prep_value(token and token.value, connection, prepared)

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(value)


class User(models.Model):
    key = PrefixedKey(primary_key=True)
    email = models.CharField(max_length=50)


class Ticket(models.Model):
    key = TokenField(primary_key=True, default=new_token)
    title = models.CharField(max_length=50)


class Person(models.Model):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)


class Employee(Person):
    badge = models.CharField(max_length=20, blank=True)


class Seat(models.Model):
    pk = models.CompositePrimaryKey("row", "number")
    row = models.IntegerField()
    number = models.IntegerField()
    label = models.CharField(max_length=20)


class Login(models.Model):
    user = models.ForeignKey(User, models.CASCADE)


class Remark(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=191, db_index=True)
    subject = GenericForeignKey()


class Rating(models.Model):
    """One for each who rates, under a unique rule over the generic key."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=191)
    who = models.CharField(max_length=20)
    points = models.IntegerField(default=1)
    subject = GenericForeignKey()

    class Meta:
        unique_together = [("content_type", "object_id", "who")]


class Count(models.Model):
    """A number for an object id, which holds no key that is text."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    subject = GenericForeignKey()


class Audit(models.Model):
    """Two ids beside one content type, as django-auditlog has them."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_pk = models.CharField(max_length=191, db_index=True)
    object_id = models.BigIntegerField(null=True, blank=True, db_index=True)


class Search(models.Model):
    """Two ids beside one content type, as django-watson has them."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=191, db_index=True)
    object_id_int = models.IntegerField(null=True, blank=True, db_index=True)
    object = GenericForeignKey()


class Mention(models.Model):
    """Columns that hold keys, and only ``dedupe.py`` says so."""

    text = models.CharField(max_length=50, blank=True)
    number = models.BigIntegerField(null=True)
    data: Any = models.JSONField(null=True)


class Dossier(models.Model):
    """May be about something, which two ids name."""

    name = models.CharField(max_length=20)
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, related_name="+")
    object_pk = models.CharField(max_length=20, blank=True)
    object_id = models.BigIntegerField(null=True)
