"""Makes the rows, from a fixed seed: authors of whom some are duplicates, and what hangs on them.

Children come in random order, as years of inserts leave them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[object, ...]

FIRST_NAMES = ["Ada", "Anna", "Boris", "Chinua", "Clarice", "Emily", "Italo", "Jorge", "Leo"]
LAST_NAMES = ["Achebe", "Austen", "Borges", "Brontë", "Calvino", "Lispector", "Tolstoy", "Woolf"]
TAGS = 20


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many rows, and how they hang together."""

    authors: int
    removable: float = 0.2
    largest_group: int = 5
    books: int = 3
    links: int = 2
    mentors: float = 0.1
    profiles: float = 0.3
    notes: float = 0.5
    decoys: float = 0.1
    seed: int = 20_240_229


PEERS_SHAPE: dict[str, Any] = {
    # half of the rows stand in groups of 2.5 on average, of which all but one are removable
    "removable": 0.3,
    "largest_group": 3,
    "books": 5,
    "links": 3,
}


def rows(shape: Shape, content_types: dict[str, int]) -> Iterator[tuple[str, list[str], list[Row]]]:
    """The tables in the order in which they can be loaded: name, columns, rows."""
    random = Random(shape.seed)  # noqa: S311  # the same data every time, no secret
    everyone = range(1, shape.authors + 1)
    yield _tags()
    names = _names(shape, random)
    mentored = set(random.sample(everyone, int(shape.authors * shape.mentors)))
    mentors = {author: _other(author, shape.authors, random) for author in sorted(mentored)}
    authors = [(author, *names[author], mentors.get(author)) for author in everyone]
    yield "library_author", ["id", "first_name", "last_name", "mentor_id"], authors
    yield "library_book", ["id", "title", "author_id"], _books(shape, random)
    yield "library_author_tags", ["id", "author_id", "tag_id"], _links(shape, random)
    profiled = random.sample(everyone, int(shape.authors * shape.profiles))
    profiles = [(n, author, f"Born, wrote, {n}") for n, author in enumerate(profiled, 1)]
    yield "library_profile", ["id", "author_id", "biography"], profiles
    notes = _notes(shape, content_types, random)
    yield "library_note", ["id", "text", "content_type_id", "object_id"], notes


def writers(shape: Shape) -> Iterator[tuple[str, list[str], list[Row]]]:
    """The tables that the released packages can merge as well, in the order to load them."""
    random = Random(shape.seed)  # noqa: S311  # the same data every time, no secret
    yield _tags()
    names = _names(shape, random)
    people = [(writer, *names[writer]) for writer in range(1, shape.authors + 1)]
    yield "library_writer", ["id", "first_name", "last_name"], people
    yield "library_writing", ["id", "title", "writer_id"], _books(shape, random)
    yield "library_writer_tags", ["id", "writer_id", "tag_id"], _links(shape, random)


def _tags() -> tuple[str, list[str], list[Row]]:
    return "library_tag", ["id", "name"], [(n, f"tag {n}") for n in range(1, TAGS + 1)]


def _books(shape: Shape, random: Random) -> list[Row]:
    owners = [author for author in range(1, shape.authors + 1) for _ in range(shape.books)]
    random.shuffle(owners)
    return [(n, f"The book of {n}", owner) for n, owner in enumerate(owners, 1)]


def _links(shape: Shape, random: Random) -> list[Row]:
    tags = range(1, TAGS + 1)
    everyone = range(1, shape.authors + 1)
    links = [(author, tag) for author in everyone for tag in random.sample(tags, shape.links)]
    random.shuffle(links)
    return [(n, *link) for n, link in enumerate(links, 1)]


def _names(shape: Shape, random: Random) -> dict[int, tuple[str, str]]:
    """A name for every author; those of one group share theirs."""
    shuffled = list(range(1, shape.authors + 1))
    random.shuffle(shuffled)
    names, person, surplus = {}, 0, int(shape.authors * shape.removable)
    while shuffled:
        person += 1
        size = min(random.randint(2, shape.largest_group), surplus + 1) if surplus else 1
        surplus -= size - 1
        for author in [shuffled.pop() for _ in range(min(size, len(shuffled)))]:
            last = f"{LAST_NAMES[person % len(LAST_NAMES)]}-{person}"
            names[author] = (FIRST_NAMES[person % len(FIRST_NAMES)], last)
    return names


def _other(author: int, authors: int, random: Random) -> int:
    mentor = random.randint(1, authors - 1)
    return mentor + (mentor >= author)


def _notes(shape: Shape, content_types: dict[str, int], random: Random) -> list[Row]:
    about = [(content_types["author"], int(shape.authors * shape.notes))]
    about += [(content_types["book"], int(shape.authors * shape.decoys))]
    subjects = [
        (content_type, str(random.randint(1, shape.authors)))
        for content_type, count in about
        for _ in range(count)
    ]
    random.shuffle(subjects)
    return [(n, f"note {n}", *subject) for n, subject in enumerate(subjects, 1)]
