"""Reads the film catalogue that the package bokeh-sampledata carries; never writes it.

The columns hold lists as text, ``"Annie Hall, Diane Keaton"``. They are split at every comma
and space and taken as they are, the way a first importer does it. So "Robert Downey, Jr." gives
a person called "Jr.", accents and capitals differ from film to film, and a doubled space inside
a name stays.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

QUERY = """
    SELECT "ID" AS catalogue_id, "Title" AS title, "Year" AS year, "Genre" AS genres,
           "Director" AS directors, "Writer" AS writers, "Cast" AS actors,
           "Language" AS languages, "Country" AS countries, "Awards" AS awards
    FROM omdb
    ORDER BY count(nullif("Director", '')) OVER (PARTITION BY "Director") DESC, "Director", "ID"
    LIMIT ?
"""


@dataclass(frozen=True, kw_only=True)
class FilmRecord:
    """One film as the catalogue tells it."""

    catalogue_id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    directors: tuple[str, ...]
    writers: tuple[str, ...]
    actors: tuple[str, ...]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    awards: tuple[str, ...]


def read_catalogue(limit: int | None = None) -> list[FilmRecord]:
    """The first ``limit`` films (None: all), always in the same order.

    Directors with the most films come first: their people come back from film to film.
    """
    uri = f"{_catalogue_path().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(QUERY, [-1 if limit is None else limit])
        return [_record(row) for row in rows]


def _catalogue_path() -> Path:
    # Imported late: only the import needs the sample data, the project runs without it.
    from bokeh_sampledata.movies_data import movie_path

    return movie_path


def _record(row: sqlite3.Row) -> FilmRecord:
    return FilmRecord(
        catalogue_id=row["catalogue_id"],
        title=row["title"],
        year=row["year"],
        genres=_split(row["genres"]),
        directors=_split(row["directors"]),
        writers=_split(row["writers"]),
        actors=_split(row["actors"]),
        languages=_split(row["languages"]),
        countries=_split(row["countries"]),
        awards=_split(row["awards"], separator=". "),
    )


def _split(text: str | None, *, separator: str = ", ") -> tuple[str, ...]:
    return tuple(text.split(separator)) if text else ()
