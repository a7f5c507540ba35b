from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from dedupe_toolkit.admin import DuplicatesMixin
from testproject.films.models import (
    Award,
    Country,
    Credit,
    Film,
    Genre,
    Language,
    Note,
    Person,
    PersonProfile,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class CreditInline(admin.TabularInline):
    model = Credit
    extra = 0
    autocomplete_fields = ["film", "person"]


@admin.register(Genre, Country, Language)
class LabelAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Person)
class PersonAdmin(DuplicatesMixin, admin.ModelAdmin):
    list_display = ["name", "acting_since", "discovered_by", "created"]
    list_select_related = ["discovered_by"]
    search_fields = ["name"]
    autocomplete_fields = ["discovered_by", "genres"]
    ordering = ["name", "pk"]
    inlines = [CreditInline]


@admin.register(Film)
class FilmAdmin(admin.ModelAdmin):
    list_display = ["title", "year", "remake_of"]
    list_filter = ["genres"]
    list_select_related = ["remake_of"]
    search_fields = ["title"]
    autocomplete_fields = ["genres", "countries", "languages", "remake_of"]
    inlines = [CreditInline]


@admin.register(Credit)
class CreditAdmin(admin.ModelAdmin):
    list_display = ["person", "role", "film"]
    list_filter = ["role"]
    list_select_related = ["person", "film"]
    search_fields = ["person__name", "film__title"]
    autocomplete_fields = ["person", "film"]


@admin.register(PersonProfile)
class PersonProfileAdmin(admin.ModelAdmin):
    list_display = ["person", "known_as", "known_for"]
    list_select_related = ["person", "known_for"]
    search_fields = ["person__name"]
    autocomplete_fields = ["person", "known_for"]


@admin.register(Award)
class AwardAdmin(admin.ModelAdmin):
    list_display = ["text", "film", "person", "is_removed"]
    list_filter = ["is_removed"]
    list_select_related = ["film", "person"]
    search_fields = ["person__name", "film__title"]
    autocomplete_fields = ["person", "film"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Award]:
        """All awards, so that a hidden one can be shown again."""
        return Award.all_objects.all()


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["text", "content_type", "object_id"]
    list_select_related = ["content_type"]
    search_fields = ["text"]
