"""Rows that are parts of larger objects, in every role: duplicate, rival, or moving."""

from __future__ import annotations

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)


class Shelf(models.Model):
    authors = models.ManyToManyField(Author)


class Text(models.Model):
    title = models.CharField(max_length=50, blank=True)


class Quote(models.Model):
    text = models.ForeignKey(Text, models.CASCADE)


class Bio(Text):
    """A part of a larger object, of which each author has one at most."""

    author = models.OneToOneField(Author, models.CASCADE)
    words = models.IntegerField(null=True)


class LongBio(Bio):
    chapters = models.IntegerField(null=True)


class Excerpt(models.Model):
    bio = models.ForeignKey(Bio, models.CASCADE)


class Left(models.Model):
    name = models.CharField(max_length=50)


class Right(models.Model):
    right_id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=50, blank=True)


class Both(Left, Right):
    """An object of two parents, each with a key of its own."""

    size = models.IntegerField(null=True)


class LeftMark(models.Model):
    left = models.ForeignKey(Left, models.CASCADE)


class RightMark(models.Model):
    right = models.OneToOneField(Right, models.CASCADE)
    text = models.CharField(max_length=50, blank=True)


class BothMark(models.Model):
    both = models.ForeignKey(Both, models.CASCADE)


class Badge(models.Model):
    """One row points at a parent and at its child, and its table comes before theirs."""

    both = models.ForeignKey(Both, models.CASCADE)
    right = models.ForeignKey(Right, models.CASCADE, related_name="+")

    class Meta:
        unique_together = [("both", "right")]


class Led(Left):
    """A part of an object that points, once at most, at another of the same family."""

    guide = models.OneToOneField(Left, models.CASCADE, related_name="leads")


class Card(Left, Right):
    """An object of two parents, of which each author has one at most."""

    author = models.OneToOneField(Author, models.CASCADE)


class Code(Right):
    """A child with a key of its own beside its parent's."""

    sign = models.CharField(max_length=10, primary_key=True)
    author = models.ForeignKey(Author, models.CASCADE)
    number = models.IntegerField(default=1)

    class Meta:
        unique_together = [("author", "number")]


class Thing(models.Model):
    name = models.CharField(max_length=50)


class Solid(Thing):
    solid_thing = models.OneToOneField(
        Thing, models.CASCADE, parent_link=True, primary_key=True, related_name="solid"
    )
    weight = models.IntegerField(null=True)


class Sold(Thing):
    sold_thing = models.OneToOneField(
        Thing, models.CASCADE, parent_link=True, primary_key=True, related_name="sold"
    )
    price = models.IntegerField(null=True)


class Goods(Solid, Sold):
    """A diamond: both parents are parts of the same thing."""

    stock = models.IntegerField(null=True)


class GoodsMark(models.Model):
    goods = models.ForeignKey(Goods, models.CASCADE)


class Book(models.Model):
    title = models.CharField(max_length=50)


class Chapter(models.Model):
    """Its key holds that of its book, and moves with it."""

    pk = models.CompositePrimaryKey("book", "number")
    book = models.ForeignKey(Book, models.CASCADE)
    number = models.IntegerField()
    heading = models.CharField(max_length=50, blank=True)


class Verse(models.Model):
    pk = models.CompositePrimaryKey("book_id", "chapter_number", "number")
    book_id = models.BigIntegerField()
    chapter_number = models.IntegerField()
    number = models.IntegerField()
    chapter = models.ForeignObject(
        Chapter,
        models.CASCADE,
        from_fields=["book_id", "chapter_number"],
        to_fields=["book", "number"],
    )


class Footnote(models.Model):
    book_id = models.BigIntegerField()
    chapter_number = models.IntegerField()
    number = models.IntegerField()
    verse = models.ForeignObject(
        Verse,
        models.CASCADE,
        from_fields=["book_id", "chapter_number", "number"],
        to_fields=["book_id", "chapter_number", "number"],
    )


class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE)
    text = models.CharField(max_length=50, blank=True)


class Like(models.Model):
    """It points at a column that moves with the author."""

    profile = models.ForeignKey(Profile, models.CASCADE, to_field="author")


class Link(models.Model):
    """A chain: each points at the next, and no two at the same."""

    name = models.CharField(max_length=50)
    next = models.OneToOneField("self", models.SET_NULL, null=True, related_name="previous")


class Pilot(models.Model):
    name = models.CharField(max_length=50)


class Licence(models.Model):
    """Each replaces another one at most, which no foreign key guards."""

    pilot = models.OneToOneField(Pilot, models.CASCADE)
    replaces = models.OneToOneField(
        "self", models.SET_NULL, null=True, db_constraint=False, related_name="replaced_by"
    )


class Folder(models.Model):
    """A tree in which no two children of one parent share a name, but folders elsewhere may."""

    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    name = models.CharField(max_length=50)
    code = models.CharField(max_length=50)

    class Meta:
        unique_together = [("parent", "name")]


class Entry(models.Model):
    beside = models.ForeignKey("self", models.CASCADE, null=True)
    kept_in = models.ForeignKey(Folder, models.CASCADE, null=True, related_name="+")


class Index(Entry):
    """Each folder has one at most, which names another folder."""

    folder = models.OneToOneField(Folder, models.CASCADE)
    about = models.ForeignKey(Folder, models.CASCADE, null=True, related_name="+")


class Tab(models.Model):
    folder = models.OneToOneField(Folder, models.CASCADE)
    about = models.ForeignKey(Folder, models.CASCADE, null=True, related_name="+")


class Stem(models.Model):
    name = models.CharField(max_length=20)


class Twig(Stem):
    """A tree whose rows are parts of objects."""

    parent = models.ForeignKey("self", models.SET_NULL, null=True)
    label = models.CharField(max_length=20)

    class Meta:
        unique_together = [("parent", "label")]


class Topic(models.Model):
    """A tree whose rows point at each other by another column than the key."""

    parent = models.ForeignKey("self", models.SET_NULL, null=True, to_field="slug")
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=20)
    code = models.CharField(max_length=20)

    class Meta:
        unique_together = [("parent", "name")]
