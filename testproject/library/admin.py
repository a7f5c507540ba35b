from __future__ import annotations

from django.contrib import admin

from testproject.library.models import Author, Book, Publisher, RecordTemplate


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ["first_name", "last_name", "isni"]
    search_fields = ["first_name", "last_name"]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "publisher"]
    search_fields = ["title"]
    autocomplete_fields = ["authors"]


@admin.register(Publisher)
class PublisherAdmin(admin.ModelAdmin):
    list_display = ["name", "city"]
    search_fields = ["name"]


@admin.register(RecordTemplate)
class RecordTemplateAdmin(admin.ModelAdmin):
    list_display = ["name", "defaults"]
