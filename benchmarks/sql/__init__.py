"""The best hand-written SQL found for this one schema, per database: what the engine is held to.

A script is a list of statements, to be run in one transaction. With ``journaled`` it also writes
what an undo would need: a row per changed reference, and the image of every deleted row.
"""

from __future__ import annotations

from . import mysql, postgresql, sqlite

SCRIPTS = {
    "mysql": mysql.script,
    "postgresql": postgresql.script,
    "sqlite": sqlite.script,
}
