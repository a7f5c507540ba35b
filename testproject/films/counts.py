"""Counts the rows of the catalogue, hidden ones too; only reads."""

from __future__ import annotations

from django.db.models import Count

from testproject.films.models import Award, Credit, Film, Note, Person, PersonProfile


def film_counts() -> dict[str, int]:
    """The rows of every table of people, and how many of the people are surplus.

    The database compares the names, as a unique constraint on them would.
    """
    people = Person._base_manager.count()
    names = Person._base_manager.values("name").distinct().count()
    return {
        "films": Film._base_manager.count(),
        "people": people,
        "different names": names,
        "duplicate people": people - names,
        "credits": Credit._base_manager.count(),
        "profiles": PersonProfile._base_manager.count(),
        "awards": Award._base_manager.count(),
        "notes": Note._base_manager.count(),
        "genre links": Person.genres.through._base_manager.count(),
        "discoveries": Person._base_manager.filter(discovered_by__isnull=False).count(),
    }


def best_known_duplicate() -> str:
    """The name that several people have and most films credit; raises IndexError if none has."""
    people = Person._base_manager.values("name").annotate(rows=Count("pk", distinct=True))
    duplicates = people.filter(rows__gt=1).annotate(parts=Count("credits", distinct=True))
    return duplicates.order_by("-parts", "name")[0]["name"]
