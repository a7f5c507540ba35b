"""PostgreSQL: one hash join per reference, the journal written by the same statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import AUTHOR_REFERENCES, ONE, ONE_PER_TAG, WRITER_REFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAP = """
CREATE TEMPORARY TABLE map ON COMMIT DROP AS
SELECT j.dup, g.survivor{text}
FROM (
  SELECT min(id) AS survivor, array_agg(id) AS ids FROM library_{people}
  GROUP BY first_name, last_name HAVING count(*) > 1
) g, LATERAL (SELECT unnest(g.ids) AS dup) j WHERE j.dup <> g.survivor ORDER BY j.dup
"""
TEXT = ", j.dup::text AS dup_text, g.survivor::text AS survivor_text"
OWN = """
UPDATE library_author s
SET mentor_id = CASE WHEN d.mentor_id <> m.survivor AND o.dup IS NULL THEN d.mentor_id END
FROM map m JOIN library_author d ON d.id = m.dup
LEFT JOIN map o ON o.dup = d.mentor_id AND o.survivor = m.survivor
WHERE s.id = m.survivor AND s.mentor_id = m.dup
"""
FILLED = """
CREATE TEMPORARY TABLE filled ON COMMIT DROP AS
SELECT DISTINCT ON (m.survivor) m.survivor, d.mentor_id
FROM map m JOIN library_author d ON d.id = m.dup JOIN library_author s ON s.id = m.survivor
WHERE s.mentor_id IS NULL AND d.mentor_id <> m.survivor ORDER BY m.survivor, m.dup
"""
LOST = """
CREATE TEMPORARY TABLE lost_{table} ON COMMIT DROP AS
SELECT id FROM (
  SELECT t.id, s.id AS held, row_number() OVER (PARTITION BY m.survivor{tag} ORDER BY t.id) n
  FROM map m JOIN library_{table} t ON t.{owner}_id = m.dup
  LEFT JOIN library_{table} s ON s.{owner}_id = m.survivor{same_tag}
) x WHERE n > 1 OR held IS NOT NULL
"""


def authors(author_type: int, *, journaled: bool) -> Iterator[str]:
    """The statements of one merge of all authors with equal names."""
    yield from _map("author", TEXT)
    yield "CREATE INDEX ON map (dup_text)"
    yield OWN
    yield from _collisions("author_tags", "author", ONE_PER_TAG, journaled)
    yield from _collisions("profile", "author", ONE, journaled)
    yield from _foreign_keys(AUTHOR_REFERENCES, journaled)
    yield _repoint(
        "UPDATE library_note t SET object_id = m.survivor_text FROM map m"
        f" WHERE t.object_id = m.dup_text AND t.content_type_id = {author_type}",
        "note.subject",
        journaled,
    )
    yield FILLED
    yield _delete("author", "map", "dup", journaled)
    yield _repoint(
        "UPDATE library_author t SET mentor_id = m.mentor_id FROM filled m WHERE t.id = m.survivor",
        "author.filled",
        journaled,
        returned="t.id, NULL, m.mentor_id",
    )


def writers() -> Iterator[str]:
    """The same for writers, who have less that points at them; never with a journal."""
    yield from _map("writer")
    yield from _collisions("writer_tags", "writer", ONE_PER_TAG)
    yield from _foreign_keys(WRITER_REFERENCES)
    yield _delete("writer", "map", "dup")


def _map(people: str, text: str = "") -> Iterator[str]:
    # it would sort all rows by their names, and compile the query for that
    yield "SET LOCAL enable_sort = off"
    yield "SET LOCAL jit = off"
    yield MAP.format(people=people, text=text)
    yield "SET LOCAL enable_sort = DEFAULT"
    yield "SET LOCAL jit = DEFAULT"
    yield "ALTER TABLE map ADD PRIMARY KEY (dup)"
    yield "ANALYZE map"


def _collisions(
    table: str, owner: str, unique: Mapping[str, str], journaled: bool = False
) -> Iterator[str]:
    yield LOST.format(table=table, owner=owner, **unique)
    yield _delete(table, f"lost_{table}", "id", journaled)


def _foreign_keys(references: Sequence[str], journaled: bool = False) -> Iterator[str]:
    for reference in references:
        table, column = reference.split(".")
        update = (
            f"UPDATE library_{table} t SET {column}_id = m.survivor FROM map m"
            f" WHERE t.{column}_id = m.dup"
        )
        yield _repoint(update, reference, journaled)


def _repoint(update: str, relation: str, journaled: bool, returned: str = "") -> str:
    if not journaled:
        return update
    returned = returned or "t.id, m.dup, m.survivor"
    return (
        f"WITH c (row_id, old, new) AS ({update} RETURNING {returned})"
        ' INSERT INTO library_rawchange (run, relation, "row", old, new)'
        f" SELECT 1, '{relation}', row_id, old, new FROM c"
    )


def _delete(table: str, lost: str, column: str, journaled: bool = False) -> str:
    delete = f"DELETE FROM library_{table} t USING {lost} m WHERE t.id = m.{column}"
    if not journaled:
        return delete
    return (
        f"WITH c AS ({delete} RETURNING t.*)"
        ' INSERT INTO library_rawchange (run, relation, "row", image)'
        f" SELECT 1, '{table}', c.id, to_json(c)::text FROM c"
    )
