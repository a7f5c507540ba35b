"""Checksums of the tables, to see that two merges left the same rows."""

from __future__ import annotations

from hashlib import sha256

from .library.models import Author, Book, Note, Profile, Tag, Writer, Writing

MODELS = [Author, Book, Author.tags.through, Profile, Note, Tag]


def checksums() -> dict[str, str]:
    """A checksum of every row of each table, in the order of its key."""
    found = {}
    for model in MODELS:
        digest, count = sha256(), 0
        for row in model._base_manager.order_by("pk").values_list().iterator():
            digest.update(repr(row).encode())
            count += 1
        found[model._meta.db_table] = f"{count} rows {digest.hexdigest()[:16]}"
    return found


def outcome() -> dict[str, str]:
    """What a merge of writers left: the rows, and what is linked, whatever the links' own keys."""
    found = {
        "writers": Writer.objects.values_list("pk", "first_name", "last_name"),
        "writings": Writing.objects.values_list("pk", "title", "writer_id"),
        "links": Writer.tags.through.objects.values_list("writer_id", "tag_id"),
    }
    return {name: _digest(sorted(rows)) for name, rows in found.items()}


def _digest(rows: list[object]) -> str:
    return f"{len(rows)} rows {sha256(repr(rows).encode()).hexdigest()[:16]}"
