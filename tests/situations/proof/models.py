"""Every kind of reference at once, for the proof: see `tests.proof.schema`, which says it again."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least


class Tag(models.Model):
    name = models.CharField(max_length=20)


class Team(models.Model):
    """Its self-reference cannot be empty."""

    name = models.CharField(max_length=20)
    city = models.CharField(max_length=20, blank=True)
    heir = models.ForeignKey("self", models.CASCADE, related_name="+")


class Person(models.Model):
    first = models.CharField(max_length=20, null=True)
    last = models.CharField(max_length=20)
    note = models.CharField(max_length=200, blank=True)
    score = models.IntegerField(null=True)
    rank = models.IntegerField()
    active = models.BooleanField(null=True)
    code = models.CharField(max_length=20, unique=True, null=True)
    boss = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)
    follows = models.ManyToManyField("self", symmetrical=False, related_name="+")
    friends = models.ManyToManyField("self")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(score__lte=2), name="proof_few_points")]


class Employee(Person):
    desk = models.CharField(max_length=20, blank=True)
    pay = models.IntegerField(null=True)


class Task(models.Model):
    employee = models.ForeignKey(Employee, models.CASCADE)


class Book(models.Model):
    author = models.ForeignKey(Person, models.CASCADE, related_name="+")


class Review(models.Model):
    author = models.ForeignKey(Person, models.SET_NULL, null=True)


class Trace(models.Model):
    author = models.ForeignKey(Person, models.DO_NOTHING, db_constraint=False)


class Letter(models.Model):
    """Points at a unique column that is not the primary key."""

    person = models.ForeignKey(Person, models.CASCADE, to_field="code", null=True)


class Membership(models.Model):
    person = models.ForeignKey(Person, models.CASCADE)
    team = models.ForeignKey(Team, models.CASCADE)
    role = models.CharField(max_length=20, blank=True)
    since = models.IntegerField(null=True)
    prior = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)

    class Meta:
        unique_together = [("person", "team")]


class Badge(models.Model):
    """Collides itself once two memberships become one."""

    membership = models.ForeignKey(Membership, models.CASCADE)
    label = models.CharField(max_length=20)
    color = models.CharField(max_length=20, blank=True)

    class Meta:
        unique_together = [("membership", "label")]


class Stamp(models.Model):
    badge = models.ForeignKey(Badge, models.CASCADE)


class Profile(models.Model):
    person = models.OneToOneField(Person, models.CASCADE)
    bio = models.CharField(max_length=20, blank=True)
    site = models.CharField(max_length=20, blank=True)


class Post(models.Model):
    profile = models.ForeignKey(Profile, models.CASCADE)


class Options(models.Model):
    """Its primary key is the reference."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True)
    theme = models.CharField(max_length=20, blank=True)
    size = models.IntegerField(null=True)


class Shortcut(models.Model):
    options = models.ForeignKey(Options, models.CASCADE)
    keys = models.CharField(max_length=20)

    class Meta:
        unique_together = [("options", "keys")]


class Seat(models.Model):
    """Two unique rules, one of them with NULLs."""

    person = models.ForeignKey(Person, models.CASCADE)
    row = models.IntegerField(null=True)
    number = models.IntegerField()

    class Meta:
        unique_together = [("person", "row")]
        constraints = [models.UniqueConstraint(fields=["person", "number"], name="proof_number")]


class Duel(models.Model):
    """Three references into one table, two of them unique together."""

    left = models.ForeignKey(Person, models.CASCADE, related_name="+")
    right = models.ForeignKey(Person, models.CASCADE, related_name="+")
    referee = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    place = models.CharField(max_length=20, blank=True)

    class Meta:
        unique_together = [("left", "right")]


class Couple(models.Model):
    """Unique in either order, by computed columns that both references feed."""

    left = models.ForeignKey(Person, models.CASCADE, related_name="+")
    right = models.ForeignKey(Person, models.CASCADE, related_name="+")
    low = models.GeneratedField(
        expression=Least("left", "right"), output_field=models.BigIntegerField(), db_persist=True
    )
    high = models.GeneratedField(
        expression=Greatest("left", "right"), output_field=models.BigIntegerField(), db_persist=True
    )
    place = models.CharField(max_length=20, blank=True)

    class Meta:
        unique_together = [("low", "high")]


class Ticket(models.Model):
    """Not for everybody."""

    person = models.ForeignKey(Person, models.CASCADE)
    floor = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(person__gte=F("floor")), name="proof_old_enough")
        ]


class Note(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=20)
    subject = GenericForeignKey()


class Vote(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    who = models.CharField(max_length=20)
    points = models.IntegerField(null=True)
    subject = GenericForeignKey()

    class Meta:
        unique_together = [("content_type", "object_id", "who")]


class Like(models.Model):
    """Points at a unique column that moves with the person."""

    profile = models.ForeignKey(Profile, models.CASCADE, to_field="person", null=True)


class Paper(models.Model):
    title = models.CharField(max_length=20)
    pages = models.IntegerField(null=True)


class Sheet(models.Model):
    sheet_id = models.BigAutoField(primary_key=True)
    size = models.IntegerField()
    color = models.CharField(max_length=20, blank=True)


class Thesis(Paper, Sheet):
    """An object of three tables, of which a person has one at most."""

    person = models.OneToOneField(Person, models.CASCADE)
    grade = models.IntegerField(null=True)


class Cite(models.Model):
    paper = models.ForeignKey(Paper, models.CASCADE)


class Fold(models.Model):
    """Of each sheet there is one at most."""

    sheet = models.OneToOneField(Sheet, models.CASCADE)
    style = models.CharField(max_length=20, blank=True)


class Defence(models.Model):
    thesis = models.ForeignKey(Thesis, models.CASCADE)


class Stop(models.Model):
    """No two of one name lead to the same: a tree, or several."""

    next = models.ForeignKey("self", models.CASCADE, null=True)
    name = models.CharField(max_length=20)
    line = models.CharField(max_length=20)

    class Meta:
        unique_together = [("next", "name")]
