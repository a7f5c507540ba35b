"""SQLite: IN and a scalar subquery, which look each row up by index and scan no child table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import AUTHOR_REFERENCES, ONE, ONE_PER_TAG, WRITER_REFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAP_TABLE = "CREATE TEMPORARY TABLE map (dup integer PRIMARY KEY, survivor integer NOT NULL{text})"
TEXT = ", dup_text text NOT NULL, survivor_text text NOT NULL"
MAP = """
INSERT INTO map
SELECT j.value, g.survivor{text} FROM (
  SELECT min(id) AS survivor, json_group_array(id) AS ids FROM library_{people}
  GROUP BY first_name, last_name HAVING count(*) > 1
) g, json_each(g.ids) j WHERE j.value <> g.survivor ORDER BY j.value
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
FILLED_TABLE = "CREATE TEMPORARY TABLE filled (survivor integer PRIMARY KEY, mentor_id integer)"
FILLED = """
INSERT INTO filled
SELECT survivor, mentor_id FROM (
  SELECT m.survivor, d.mentor_id, row_number() OVER (PARTITION BY m.survivor ORDER BY m.dup) n
  FROM map m CROSS JOIN library_author d ON d.id = m.dup
  CROSS JOIN library_author s ON s.id = m.survivor
  WHERE d.mentor_id <> m.survivor AND s.mentor_id IS NULL
) WHERE n = 1
"""
LOST_TABLE = "CREATE TEMPORARY TABLE lost_{table} (id integer PRIMARY KEY)"
LOST = """
INSERT INTO lost_{table}
SELECT id FROM (
  SELECT t.id, s.id AS held, row_number() OVER (PARTITION BY m.survivor{tag} ORDER BY t.id) n
  FROM map m CROSS JOIN library_{table} t ON t.{owner}_id = m.dup
  LEFT JOIN library_{table} s ON s.{owner}_id = m.survivor{same_tag}
) WHERE n > 1 OR held IS NOT NULL
"""


def authors(author_type: int, *, journaled: bool) -> Iterator[str]:
    """The statements of one merge of all authors with equal names."""
    yield from _map("author", TEXT, ", j.value, g.survivor")
    yield "CREATE INDEX temp.map_text ON map (dup_text, survivor_text)"
    yield OWN
    links, profiles = ["author_id", "tag_id"], ["author_id", "biography"]
    yield from _collisions("author_tags", "author", ONE_PER_TAG, links, journaled)
    yield from _collisions("profile", "author", ONE, profiles, journaled)
    yield from _foreign_keys(AUTHOR_REFERENCES, journaled)
    only = f"t.content_type_id = {author_type} AND "
    text = ("object_id", only, "dup_text", "survivor_text", "note.subject")
    yield from _repoint("note", *text, journaled)
    yield FILLED_TABLE
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


def writers() -> Iterator[str]:
    """The same for writers, who have less that points at them; never with a journal."""
    yield from _map("writer")
    yield from _collisions("writer_tags", "writer", ONE_PER_TAG)
    yield from _foreign_keys(WRITER_REFERENCES)
    yield from _delete("writer", "map", "dup")


def _map(people: str, columns: str = "", values: str = "") -> Iterator[str]:
    yield MAP_TABLE.format(text=columns)
    yield MAP.format(people=people, text=values)


def _collisions(
    table: str,
    owner: str,
    unique: Mapping[str, str],
    columns: Sequence[str] = (),
    journaled: bool = False,
) -> Iterator[str]:
    yield LOST_TABLE.format(table=table)
    yield LOST.format(table=table, owner=owner, **unique)
    yield from _delete(table, f"lost_{table}", "id", columns, journaled)


def _foreign_keys(references: Sequence[str], journaled: bool = False) -> Iterator[str]:
    for reference in references:
        table, column = reference.split(".")
        yield from _repoint(table, f"{column}_id", "", "dup", "survivor", reference, journaled)


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
    table: str, lost: str, column: str, columns: Sequence[str] = (), journaled: bool = False
) -> Iterator[str]:
    if journaled:
        image = ", ".join(f"t.{name}" for name in ["id", *columns])
        yield (
            'INSERT INTO library_rawchange (run, relation, "row", image)'
            f" SELECT 1, '{table}', t.id, json_array({image}) FROM {lost} m"
            f" CROSS JOIN library_{table} t ON t.id = m.{column}"
        )
    yield f"DELETE FROM library_{table} WHERE id IN (SELECT {column} FROM {lost})"
