"""Films and the people who made them, with every kind of reference to a person."""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Label(models.Model):
    """A name that a unique constraint protects: ``get_or_create`` is safe here."""

    name = models.CharField(max_length=100, unique=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Genre(Label):
    pass


class Country(Label):
    class Meta(Label.Meta):
        verbose_name_plural = "countries"


class Language(Label):
    pass


class Person(models.Model):
    """Somebody credited in a film, looked up by name.

    The name is deliberately not unique yet: that is the mistake this project shows.
    """

    name = models.CharField(max_length=200, db_index=True)
    biography = models.TextField(blank=True)
    acting_since = models.PositiveSmallIntegerField(null=True, blank=True)
    discovered_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="discoveries"
    )
    genres = models.ManyToManyField(Genre, blank=True, related_name="people")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class Film(models.Model):
    catalogue_id = models.PositiveBigIntegerField(unique=True)
    title = models.CharField(max_length=250)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    genres = models.ManyToManyField(Genre, blank=True, related_name="films")
    countries = models.ManyToManyField(Country, blank=True, related_name="films")
    languages = models.ManyToManyField(Language, blank=True, related_name="films")
    people = models.ManyToManyField(Person, through="Credit", related_name="films")
    remake_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="remakes"
    )

    def __str__(self) -> str:
        return f"{self.title} ({self.year})"


class Role(models.TextChoices):
    DIRECTOR = "director"
    WRITER = "writer"
    CAST = "cast"


class Credit(models.Model):
    """A person's part in a film: at most one row for each role."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="credits")
    film = models.ForeignKey(Film, on_delete=models.CASCADE, related_name="credits")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "film", "role"], name="films_one_credit_a_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.role} of {self.film}"


class PersonProfile(models.Model):
    """What a visitor reads first about a person; there is one at most."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="profile")
    known_for = models.ForeignKey(Film, on_delete=models.CASCADE, related_name="profiles")
    known_as = models.CharField(max_length=10, choices=Role.choices)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.person}, known for {self.known_for}"


class ShownManager(models.Manager["Award"]):
    def get_queryset(self) -> models.QuerySet[Award]:
        return super().get_queryset().filter(is_removed=False)


class Award(models.Model):
    """An award of a film, listed with its directors and writers; removal only hides it."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="awards")
    film = models.ForeignKey(Film, on_delete=models.CASCADE, related_name="awards")
    text = models.CharField(max_length=200)
    is_removed = models.BooleanField(default=False)

    # The first manager is the default one: related managers and the admin see shown awards only.
    objects = ShownManager()
    all_objects = models.Manager()  # noqa: DJ012 (taken for a field)

    def __str__(self) -> str:
        return f"{self.text}: {self.film}"


class Note(models.Model):
    """A remark about anything: one table for all models, ids kept as text."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.CharField(max_length=64)
    subject = GenericForeignKey("content_type", "object_id")
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["content_type", "object_id"], name="films_note_subject")]

    def __str__(self) -> str:
        return self.text
