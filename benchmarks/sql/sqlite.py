"""SQLite: IN and a scalar subquery, which look each row up by index and scan no child table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAP = """
INSERT INTO map
SELECT id, survivor, id, survivor FROM (
  SELECT id, min(id) OVER (PARTITION BY first_name, last_name) AS survivor FROM library_author
) WHERE id <> survivor
"""
OWN = """
UPDATE library_author AS s SET mentor_id = (
  SELECT CASE WHEN d.mentor_id <> m.survivor AND NOT EXISTS (
    SELECT 1 FROM map o WHERE o.dup = d.mentor_id AND o.survivor = m.survivor
  ) THEN d.mentor_id END
  FROM map m JOIN library_author d ON d.id = m.dup WHERE m.dup = s.mentor_id
) WHERE s.id IN (
  SELECT m.survivor FROM map m CROSS JOIN library_author t ON t.id = m.survivor
  WHERE t.mentor_id = m.dup
)
"""
FILLED = """
INSERT INTO filled
SELECT survivor, mentor_id FROM (
  SELECT m.survivor, d.mentor_id, row_number() OVER (PARTITION BY m.survivor ORDER BY m.dup) n
  FROM map m CROSS JOIN library_author d ON d.id = m.dup
  CROSS JOIN library_author s ON s.id = m.survivor
  WHERE d.mentor_id <> m.survivor AND s.mentor_id IS NULL
) WHERE n = 1
"""
LOST = """
INSERT INTO {lost}
SELECT id FROM (
  SELECT t.id, s.id AS held, row_number() OVER (PARTITION BY m.survivor{tag} ORDER BY t.id) n
  FROM map m CROSS JOIN library_{table} t ON t.author_id = m.dup
  LEFT JOIN library_{table} s ON s.author_id = m.survivor{same_tag}
) WHERE n > 1 OR held IS NOT NULL
"""
TEMPORARY = [
    "CREATE TEMPORARY TABLE map (dup integer PRIMARY KEY, survivor integer NOT NULL,"
    " dup_text text NOT NULL, survivor_text text NOT NULL)",
    "CREATE TEMPORARY TABLE filled (survivor integer PRIMARY KEY, mentor_id integer)",
    "CREATE TEMPORARY TABLE lost_links (id integer PRIMARY KEY)",
    "CREATE TEMPORARY TABLE lost_profiles (id integer PRIMARY KEY)",
]
REFERENCES = ["author.mentor", "author_tags.author", "book.author", "profile.author"]


def script(author_type: int, *, journaled: bool) -> Iterator[str]:
    """The statements of one merge of all authors with equal names."""
    yield from TEMPORARY
    yield MAP
    yield "CREATE INDEX temp.map_text ON map (dup_text, survivor_text)"
    yield OWN
    links = {"table": "author_tags", "tag": ", t.tag_id", "same_tag": " AND s.tag_id = t.tag_id"}
    yield LOST.format(lost="lost_links", **links)
    yield from _delete("author_tags", "lost_links", "id", ["author_id", "tag_id"], journaled)
    yield LOST.format(lost="lost_profiles", table="profile", tag="", same_tag="")
    yield from _delete("profile", "lost_profiles", "id", ["author_id", "biography"], journaled)
    for reference in REFERENCES:
        table, column = reference.split(".")
        yield from _repoint(table, f"{column}_id", "", "dup", "survivor", reference, journaled)
    only = f"t.content_type_id = {author_type} AND "
    text = ("object_id", only, "dup_text", "survivor_text", "note.subject")
    yield from _repoint("note", *text, journaled)
    yield FILLED
    names = ["first_name", "last_name", "mentor_id"]
    yield from _delete("author", "map", "dup", names, journaled)
    if journaled:
        yield (
            'INSERT INTO library_rawchange (run, relation, "row", old, new)'
            " SELECT 1, 'author.filled', survivor, NULL, mentor_id FROM filled"
        )
    yield (
        "UPDATE library_author AS t SET mentor_id ="
        " (SELECT mentor_id FROM filled m WHERE m.survivor = t.id)"
        " WHERE t.id IN (SELECT survivor FROM filled)"
    )


def _repoint(
    table: str, column: str, only: str, old: str, new: str, relation: str, journaled: bool
) -> Iterator[str]:
    if journaled:
        yield (
            'INSERT INTO library_rawchange (run, relation, "row", old, new)'
            f" SELECT 1, '{relation}', t.id, m.dup, m.survivor FROM map m"
            f" CROSS JOIN library_{table} t ON {only}t.{column} = m.{old}"
        )
    yield (
        f"UPDATE library_{table} AS t SET {column} ="
        f" (SELECT m.{new} FROM map m WHERE m.{old} = t.{column})"
        f" WHERE {only}t.{column} IN (SELECT {old} FROM map)"
    )


def _delete(
    table: str, lost: str, column: str, columns: list[str], journaled: bool
) -> Iterator[str]:
    if journaled:
        image = ", ".join(f"t.{name}" for name in ["id", *columns])
        yield (
            'INSERT INTO library_rawchange (run, relation, "row", image)'
            f" SELECT 1, '{table}', t.id, json_array({image}) FROM {lost} m"
            f" CROSS JOIN library_{table} t ON t.id = m.{column}"
        )
    yield f"DELETE FROM library_{table} WHERE id IN (SELECT {column} FROM {lost})"
