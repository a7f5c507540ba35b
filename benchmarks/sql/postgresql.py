"""PostgreSQL: one hash join per reference, the journal written by the same statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAP = """
CREATE TEMPORARY TABLE map ON COMMIT DROP AS
SELECT a.id AS dup, g.survivor, a.id::text AS dup_text, g.survivor::text AS survivor_text
FROM library_author a JOIN (
  SELECT first_name, last_name, min(id) AS survivor FROM library_author
  GROUP BY first_name, last_name HAVING count(*) > 1
) g USING (first_name, last_name) WHERE a.id <> g.survivor
"""
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
LOST_LINKS = """
CREATE TEMPORARY TABLE lost_links ON COMMIT DROP AS
SELECT id FROM (
  SELECT l.id, s.id AS held, row_number() OVER (PARTITION BY m.survivor, l.tag_id ORDER BY l.id) n
  FROM map m JOIN library_author_tags l ON l.author_id = m.dup
  LEFT JOIN library_author_tags s ON s.author_id = m.survivor AND s.tag_id = l.tag_id
) x WHERE n > 1 OR held IS NOT NULL
"""
LOST_PROFILES = """
CREATE TEMPORARY TABLE lost_profiles ON COMMIT DROP AS
SELECT id FROM (
  SELECT p.id, s.id AS held, row_number() OVER (PARTITION BY m.survivor ORDER BY p.id) n
  FROM map m JOIN library_profile p ON p.author_id = m.dup
  LEFT JOIN library_profile s ON s.author_id = m.survivor
) x WHERE n > 1 OR held IS NOT NULL
"""
REFERENCES = ["author.mentor", "author_tags.author", "book.author", "profile.author"]


def script(author_type: int, *, journaled: bool) -> Iterator[str]:
    """The statements of one merge of all authors with equal names."""
    yield MAP
    yield "ALTER TABLE map ADD PRIMARY KEY (dup)"
    yield "CREATE INDEX ON map (dup_text)"
    yield "ANALYZE map"
    yield OWN
    for lost, table in ((LOST_LINKS, "author_tags"), (LOST_PROFILES, "profile")):
        yield lost
        name = "lost_links" if table == "author_tags" else "lost_profiles"
        yield from _delete(table, name, "id", journaled)
    for reference in REFERENCES:
        table, column = reference.split(".")
        yield _repoint(
            f"UPDATE library_{table} t SET {column}_id = m.survivor FROM map m"
            f" WHERE t.{column}_id = m.dup",
            reference,
            journaled,
        )
    yield _repoint(
        "UPDATE library_note t SET object_id = m.survivor_text FROM map m"
        f" WHERE t.object_id = m.dup_text AND t.content_type_id = {author_type}",
        "note.subject",
        journaled,
    )
    yield FILLED
    yield from _delete("author", "map", "dup", journaled)
    yield _repoint(
        "UPDATE library_author t SET mentor_id = m.mentor_id FROM filled m WHERE t.id = m.survivor",
        "author.filled",
        journaled,
        returned="t.id, NULL, m.mentor_id",
    )


def _repoint(update: str, relation: str, journaled: bool, returned: str = "") -> str:
    if not journaled:
        return update
    returned = returned or "t.id, m.dup, m.survivor"
    return (
        f"WITH c (row_id, old, new) AS ({update} RETURNING {returned})"
        ' INSERT INTO library_rawchange (run, relation, "row", old, new)'
        f" SELECT 1, '{relation}', row_id, old, new FROM c"
    )


def _delete(table: str, lost: str, column: str, journaled: bool) -> Iterator[str]:
    delete = f"DELETE FROM library_{table} t USING {lost} m WHERE t.id = m.{column}"
    if not journaled:
        yield delete
        return
    yield (
        f"WITH c AS ({delete} RETURNING t.*)"
        ' INSERT INTO library_rawchange (run, relation, "row", image)'
        f" SELECT 1, '{table}', c.id, to_json(c)::text FROM c"
    )
