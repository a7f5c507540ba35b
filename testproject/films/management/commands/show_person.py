"""Shows every row that a name has, and what refers to each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django_rich.management import RichCommand
from rich.table import Table

from testproject.films.models import Award, Note, Person, PersonProfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.management.base import CommandParser


class Command(RichCommand):
    help = "Show the people of this name side by side. Only reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *, name: str, **options: Any) -> None:
        people = Person._base_manager.filter(name=name).order_by("pk")
        self.console.print(_side_by_side(name, [_facts(person) for person in people]))


def _side_by_side(name: str, people: list[Mapping[str, object]]) -> Table:
    table = Table(title=name, show_header=False)
    for label in people[0] if people else []:
        values = [person[label] for person in people]
        table.add_row(label, *("" if value is None else str(value) for value in values))
    return table


def _facts(person: Person) -> dict[str, object]:
    """A person's own values, then how many rows refer to them: hidden ones count as well."""
    discoverer = person.discovered_by
    notes = Note.objects.filter(
        content_type=ContentType.objects.get_for_model(Person), object_id=str(person.pk)
    )
    return {
        "id": person.pk,
        "biography": person.biography,
        "acting since": person.acting_since,
        "discovered by": discoverer and f"{discoverer} (id {discoverer.pk})",
        "credits": person.credits.count(),
        "profiles": PersonProfile._base_manager.filter(person=person).count(),
        "awards": Award._base_manager.filter(person=person).count(),
        "notes": notes.count(),
        "genres": person.genres.count(),
        "discoveries": person.discoveries.count(),
    }
