"""MariaDB and MySQL: multi-table UPDATE and DELETE that start from the temporary table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import AUTHOR_REFERENCES, ONE, ONE_PER_TAG, WRITER_REFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAP_TABLE = "CREATE TEMPORARY TABLE map (dup bigint PRIMARY KEY, survivor bigint NOT NULL{text})"
TEXT = ", dup_text varchar(64) NOT NULL, survivor_text varchar(64) NOT NULL, KEY (dup_text)"
# sorting, and exploding the keys of each group: the plain GROUP BY plan is ten times slower;
# in the order of its key the table grows at its end
MAP = """
INSERT INTO map
SELECT j.dup, g.survivor{text} FROM (
  SELECT SQL_BIG_RESULT MIN(id) AS survivor, CONCAT('[', GROUP_CONCAT(id), ']') AS ids
  FROM library_{people} GROUP BY first_name, last_name HAVING COUNT(*) > 1
) g, JSON_TABLE(g.ids, '$[*]' COLUMNS (dup bigint PATH '$')) j
WHERE j.dup <> g.survivor ORDER BY j.dup
"""
OWN = """
UPDATE map m
STRAIGHT_JOIN library_author s ON s.id = m.survivor AND s.mentor_id = m.dup
STRAIGHT_JOIN library_author d ON d.id = m.dup
LEFT JOIN map o ON o.dup = d.mentor_id AND o.survivor = m.survivor
SET s.mentor_id = CASE WHEN d.mentor_id <> m.survivor AND o.dup IS NULL THEN d.mentor_id END
"""
FILLED_TABLE = "CREATE TEMPORARY TABLE filled (survivor bigint PRIMARY KEY, mentor_id bigint)"
FILLED = """
INSERT INTO filled
SELECT survivor, mentor_id FROM (
  SELECT m.survivor, d.mentor_id, ROW_NUMBER() OVER (PARTITION BY m.survivor ORDER BY m.dup) n
  FROM map m STRAIGHT_JOIN library_author d ON d.id = m.dup
  STRAIGHT_JOIN library_author s ON s.id = m.survivor
  WHERE s.mentor_id IS NULL AND d.mentor_id <> m.survivor
) x WHERE n = 1
"""
LOST_TABLE = "CREATE TEMPORARY TABLE lost_{table} (id bigint PRIMARY KEY)"
LOST = """
INSERT INTO lost_{table}
SELECT id FROM (
  SELECT t.id, s.id AS held, ROW_NUMBER() OVER (PARTITION BY m.survivor{tag} ORDER BY t.id) n
  FROM map m STRAIGHT_JOIN library_{table} t ON t.{owner}_id = m.dup
  LEFT JOIN library_{table} s ON s.{owner}_id = m.survivor{same_tag}
) x WHERE n > 1 OR held IS NOT NULL
"""


def authors(author_type: int, *, journaled: bool) -> Iterator[str]:
    """The statements of one merge of all authors with equal names."""
    yield from _map("author", TEXT, ", j.dup, g.survivor")
    yield OWN
    links, profiles = ["author_id", "tag_id"], ["author_id", "biography"]
    yield from _collisions("author_tags", "author", ONE_PER_TAG, links, journaled)
    yield from _collisions("profile", "author", ONE, profiles, journaled)
    yield from _foreign_keys(AUTHOR_REFERENCES, journaled)
    join = (
        "map m STRAIGHT_JOIN library_note t"
        f" ON t.object_id = m.dup_text AND t.content_type_id = {author_type}"
    )
    yield from _repoint(join, "note.subject", "t.object_id = m.survivor_text", journaled)
    yield FILLED_TABLE
    yield FILLED
    names = ["first_name", "last_name", "mentor_id"]
    yield from _delete("author", "map", "dup", names, journaled)
    join = "filled m STRAIGHT_JOIN library_author t ON t.id = m.survivor"
    changed = "t.mentor_id = m.mentor_id"
    yield from _repoint(join, "author.filled", changed, journaled, "NULL, m.mentor_id")


def writers() -> Iterator[str]:
    """The same for writers, who have less that points at them; never with a journal."""
    yield from _map("writer")
    yield from _collisions("writer_tags", "writer", ONE_PER_TAG)
    yield from _foreign_keys(WRITER_REFERENCES)
    yield from _delete("writer", "map", "dup")


def _map(people: str, columns: str = "", values: str = "") -> Iterator[str]:
    yield MAP_TABLE.format(text=columns)
    yield "SET SESSION group_concat_max_len = 1048576"
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
        join = f"map m STRAIGHT_JOIN library_{table} t ON t.{column}_id = m.dup"
        yield from _repoint(join, reference, f"t.{column}_id = m.survivor", journaled)


def _repoint(
    join: str, relation: str, change: str, journaled: bool, values: str = "m.dup, m.survivor"
) -> Iterator[str]:
    if journaled:
        yield (
            "INSERT INTO library_rawchange (run, relation, `row`, old, new)"
            f" SELECT 1, '{relation}', t.id, {values} FROM {join}"
        )
    yield f"UPDATE {join} SET {change}"


def _delete(
    table: str, lost: str, column: str, columns: Sequence[str] = (), journaled: bool = False
) -> Iterator[str]:
    join = f"{lost} m STRAIGHT_JOIN library_{table} t ON t.id = m.{column}"
    if journaled:
        image = ", ".join(f"t.{name}" for name in ["id", *columns])
        yield (
            "INSERT INTO library_rawchange (run, relation, `row`, image)"
            f" SELECT 1, '{table}', t.id, JSON_ARRAY({image}) FROM {join}"
        )
    yield f"DELETE t FROM {join}"
