"""The best hand-written SQL found for this one schema, per database: what the engine is held to.

A script is a list of statements, to be run in one transaction. With ``journaled`` it also writes
what an undo would need: a row per changed reference, and the image of every deleted row. Authors
are what the engine is held to, writers what the released packages can merge as well.
"""

from __future__ import annotations

from . import mysql, postgresql, sqlite

AUTHORS = {
    "mysql": mysql.authors,
    "postgresql": postgresql.authors,
    "sqlite": sqlite.authors,
}
WRITERS = {
    "mysql": mysql.writers,
    "postgresql": postgresql.writers,
    "sqlite": sqlite.writers,
}
