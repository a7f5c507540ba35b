"""Which references point at a model: read from every model of the project, hidden ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import connections, router

from ..databases.caching import cached, caching
from ..databases.places import is_view, place_of, stores_rows
from ..databases.tables import pk_fields
from ..errors import InvalidMatchKey
from ..registry import declared
from ..sentences import Sentence
from .finders import models_pointing_at, references_held, targeted_columns
from .foreign import foreign_fields, foreign_reference, is_foreign, target_of
from .frozen import knows_content_types
from .generic import unknown_references
from .kinds import Reference
from .meta import column_of, concrete
from .registered import registered_reference
from .twins import on_one_model, twins_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model

    from ..databases import Database
    from .embedded import EmbeddedReference


Kind = TypeVar("Kind", bound=Reference)


@caching()  # also for those who ask for nothing else: each table is looked up many times
@cached
def references_to(model: type[Model], using: str) -> tuple[Reference, ...]:
    """Every reference to the rows of ``model``'s own table, each column once.

    Includes hidden relations, those of unmanaged models, those declared to a proxy, and the
    columns that ``dedupe.py`` registers; a model without a table in the database ``using`` holds
    none. Rows are never read, but for the content types that stand for the model.
    """
    found: dict[Any, Reference] = {}
    for reference in _all_to(model, using):
        seat = _seat(reference, using)
        found[seat] = found[seat].joined(reference) if seat in found else reference
    shown = [ref for ref in found.values() if not _is_shown(ref, found, using)]
    return on_one_model(shown, model, using)


def _all_to(model: type[Model], using: str) -> Iterator[Reference]:
    """Every reference in a table that stores rows; the same column may come twice."""
    own = concrete(model)
    for target in (own, *twins_of(own, using)):
        for referrer in models_pointing_at(target):
            if stores_rows(referrer, using):
                held = references_held(referrer, target, using)
                yield from held if target is own else (one.of_twin(own) for one in held)
    for registered in _registered(own):
        if stores_rows(registered.referrer, using):
            yield registered


@cached
def columns_pointed_at(model: type[Model]) -> frozenset[str]:
    """The columns of a model's own table that any reference may hold: its key, and some others."""
    registered = (column for reference in _registered(model) for column in reference.targets)
    return frozenset(targeted_columns(model)).union(map(column_of, pk_fields(model)), registered)


def present(references: Iterable[Kind], known: Database) -> tuple[Kind, ...]:
    """Those references whose columns the database has: others wait for a migration."""
    found = tuple(references)
    known.read_tables(reference.referrer for reference in found)
    return tuple(reference for reference in found if not _missing(reference, known))


def pending_relations(model: type[Model], known: Database) -> tuple[Sentence, ...]:
    """A sentence for each relation to a model that the database has no column or table for yet."""
    found = []
    for referrer in filter(lambda referrer: referrer._meta.managed, models_pointing_at(model)):
        for reference in references_held(referrer, concrete(model), known.using):
            what = _not_there(reference, known)
            if what:
                found.append(Sentence("no relation", reference=reference.label, what=what))
    return tuple(found)


def refuse_hidden(model: type[Model], known: Database) -> None:
    """Raises `InvalidMatchKey` where a relation to a model may be there, and not be shown.

    Of what a user may not read some servers say nothing: as little as of what is not there.
    """
    for referrer in models_pointing_at(model) if known.hides_unreadable else ():
        for reference in references_held(referrer, concrete(model), known.using):
            table = referrer._meta.db_table
            if _not_there(reference, known) and known.is_unreadable(table, reference.columns):
                raise InvalidMatchKey(
                    f"{reference.label}: the user of database {known.using!r} may not read"
                    f" {', '.join(reference.columns)} of {table!r}, and nothing is done about rows"
                    " that cannot be seen: grant SELECT, or run manage.py migrate if it is not"
                    " there yet"
                )


def _not_there(reference: Reference, known: Database) -> str:
    referrer, using = reference.referrer, known.using
    if stores_rows(referrer, using):
        missing = _missing(reference, known)
        return f"column {', '.join(sorted(missing))}" if missing else ""
    is_expected = place_of(referrer, using) is None and router.allow_migrate_model(using, referrer)
    return f"table {referrer._meta.db_table}" if is_expected else ""


def relations_elsewhere(model: type[Model], using: str) -> Iterator[tuple[str, list[str]]]:
    """The relations to a model from tables that the project's routers keep in other databases.

    Each with the aliases of those, of which none is asked anything: one may be out of reach.
    """
    for referrer in models_pointing_at(model):
        if not router.allow_migrate_model(using, referrer):
            aliases = [one for one in connections if router.allow_migrate_model(one, referrer)]
            aliases = aliases or [router.db_for_write(referrer)]
            if using not in aliases:
                for reference in references_held(referrer, concrete(model), using):
                    yield reference.label, aliases


def _missing(reference: Reference, known: Database) -> set[str]:
    """The columns of a reference that its table has not, as long as a migration is pending."""
    there = {column.name for column in known.table(reference.referrer).columns}
    return {*reference.columns, *reference.beside} - there


def _seat(reference: Reference, using: str) -> Any:
    """What two references share that are the same column of one table."""
    # several paths may lead into one JSON value
    if reference.is_embedded:
        return reference
    place = place_of(reference.referrer, using)
    return place and place.identity, reference.columns


def _is_shown(reference: Reference, found: dict[Any, Reference], using: str) -> bool:
    """Whether the rows are those of a larger table as well, which has the same reference."""
    place = place_of(reference.referrer, using)
    wholes = place.wholes if place else ()
    return any((whole, reference.columns) in found for whole in wholes)


@cached
def unknown_references_to(model: type[Model], using: str) -> tuple[Reference, ...]:
    """The generic keys that may name rows of ``model`` in a way that cannot be read."""
    if len(pk_fields(model)) == 1 or not knows_content_types(model):
        return ()
    return tuple(
        reference
        for referrer in models_pointing_at(model)
        if stores_rows(referrer, using)
        for reference in unknown_references(referrer, concrete(model), using)
    )


def views_of(model: type[Model], using: str) -> tuple[str, ...]:
    """The relations to a model from views: they show what the tables hold, and are left alone."""
    return tuple(
        f"{referrer._meta.label}.{field.name}"
        for referrer in model._meta.apps.get_models()
        if not referrer._meta.proxy and is_view(referrer, using)
        for field in referrer._meta.local_fields
        if is_foreign(referrer, field) and target_of(field) is concrete(model)
    )


def column_references(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """Those references that are whole columns."""
    return tuple(ref for ref in references if not ref.is_embedded)


def embedded_references(references: Iterable[Reference]) -> tuple[EmbeddedReference, ...]:
    """Those references that stand inside larger values."""
    return tuple(cast("EmbeddedReference", ref) for ref in references if ref.is_embedded)


def inheritance_root(model: type[Model]) -> type[Model]:
    """The model whose table every row of ``model`` has its key from, through all its parents."""
    root = concrete(model)
    while getattr((link := root._meta.pk.remote_field), "parent_link", False):
        root = concrete(cast("Any", link).model)
    return root


@cached
def parent_links(model: type[Model]) -> tuple[Reference, ...]:
    """The links from a model's own table to those of its multi-table parents.

    Each leads to another part of the same object.
    """
    found = (foreign_reference(concrete(model), *pair) for pair in foreign_fields(concrete(model)))
    return tuple(link for link in found if link.is_part)


@cached
def child_links(model: type[Model], using: str) -> tuple[Reference, ...]:
    """The links to a model's own table from those of its multi-table children."""
    return tuple(link for link in references_to(concrete(model), using) if link.is_part)


@cached
def naming_columns(model: type[Model]) -> frozenset[str]:
    """The columns that say which row this is, and of which object it is a part."""
    links = {column for link in parent_links(model) for column in link.columns}
    return frozenset(links.union(field.column for field in pk_fields(model)))


def family_of(model: type[Model]) -> set[type[Model]]:
    """The models whose rows are parts of the same objects under the same keys."""
    root = inheritance_root(model)
    # a migration asks for models of its own
    models = model._meta.apps.get_models()
    return {concrete(other) for other in models if inheritance_root(other) is root}


@cached
def kin_of(model: type[Model]) -> set[type[Model]]:
    """The models whose rows are parts of the same objects, whatever their keys.

    Itself, its parents and children, and theirs in turn.
    """
    # a migration asks for models of its own
    models = {concrete(other) for other in model._meta.apps.get_models()}
    kin = {other: {concrete(parent) for parent in other._meta.parents} for other in models}
    found, around = {concrete(model)}, [concrete(model)]
    for one in around:
        near = kin.get(one, set()) | {other for other, parents in kin.items() if one in parents}
        around += near - found
        found |= near
    return found


def _registered(model: type[Model]) -> Iterator[Reference]:
    declaration = declared(model)
    for named, target in declaration.columns.items() if declaration else ():
        yield registered_reference(model, named, target)
