"""The same as ``get_or_create``, written by hand: look, find nothing, create."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.base_session import AbstractBaseSession

from .arguments import Arguments
from .creating import Creation, creations, is_caught
from .findings import undecided
from .given import Givens
from .judging import shown_fields
from .looking import KINDS, looks
from .lookups import field_name, fields_of
from .sources import Kind
from .things import ModelClass, Rows
from .values import Decision, Given, Reason, Verdict
from .wrapping import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Place
    from .findings import Finding
    from .looking import Look

_SEEDS = ("seed", "populate", "demo", "sample", "fixture", "initial", "bootstrap", "dummy", "fake")


def hand_written_in(place: Place) -> Iterator[Finding]:
    """Every look for a row that is followed by its creation where there is none, each once."""
    if place.file.kind is Kind.SCRIPT and any(word in place.file.path.stem for word in _SEEDS):
        return
    created: set[Any] = set()
    for node in place.module.of_kinds(*KINDS):
        for look in looks(node, place.module):
            for creation, found in _found(look, place):
                if creation.node not in created:
                    yield found
                created.add(creation.node)


def _found(look: Look, place: Place) -> Iterator[tuple[Creation, Finding]]:
    made = list(creations(look.absent, place.module, place.resolver)) if look.absent else []
    rows = _rows(look.search.rows, place) if made else None
    if rows is None or issubclass(rows.model, AbstractBaseSession):
        return
    for creation in made:
        if creation.model is rows.model:
            found = _judged(look, rows, creation, place)
            if found is not None and not _is_seen_to(found, creation, place):
                yield creation, found
            return


def _rows(node: Any, place: Place) -> Rows | None:
    """What a look looks in: rows, or all those of a model."""
    for one in place.resolver.resolve(node, place.module):
        if isinstance(one, Rows):
            return one
        if isinstance(one, ModelClass):
            return Rows(model=one.model)
    return None


def _is_seen_to(found: Finding, creation: Creation, place: Place) -> bool:
    """Whether the loser of a race is caught, where there is a rule that makes one."""
    return found.verdict is not Verdict.UNSAFE and is_caught(creation.node, place.module)


def _judged(look: Look, rows: Rows, creation: Creation, place: Place) -> Finding | None:
    if any(text.startswith("**") for text in rows.excludes) or _has_rest(look):
        text = "what it looks for is put together at run time"
        decision = undecided(Reason.OPAQUE_ARGUMENTS, text)
        return place.finding(look.node, look.search.form, decision, rows.model)
    asked = _asked(look, rows, place)
    if not asked:
        return None
    given = _arguments(rows, asked, creation, place)
    if given is None:
        return None
    bare = replace(rows, lookups=(), filters=(), many_to_many="")
    reads = Rows(model=rows.model, filters=tuple(given[1].items()), excludes=rows.excludes)
    decision = by_hand(place.judge.decide(reads, given[0], "get_or_create"))
    taken = set(given[0].lookups)
    others = (name for name in asked if not taken & {name, name.split("__")[0]})
    more = (*others, *rows.excludes)
    fields = (*shown_fields(bare, given[0]), *more)
    found = place.finding(look.node, look.search.form, decision, rows.model, fields)
    last = creation.node.end_lineno or found.end_line
    return replace(found, source=_rewritten(look, rows, given[0], creation), end_line=last)


def _has_rest(look: Look) -> bool:
    return any(keyword.arg is None for keyword in look.search.keywords)


def _asked(look: Look, rows: Rows, place: Place) -> dict[str, Given]:
    """What the look asks for."""
    asked = {**dict(rows.lookups), **dict(rows.filters)}
    givens = Givens(place.resolver, place.module)
    for keyword in look.search.keywords:
        asked[str(keyword.arg)] = givens.of(keyword.value)
    return asked


def _arguments(
    rows: Rows, asked: dict[str, Given], creation: Creation, place: Place
) -> tuple[Arguments, dict[str, Given]] | None:
    """The look and the creation as one call; nothing where they have no field in common."""
    if creation.values is None:
        is_by_key = field_name(rows.model, "pk") in {field_name(rows.model, n) for n in asked}
        return None if is_by_key else (Arguments(lookups=asked, defaults=None), {})
    givens = Givens(place.resolver, place.module)
    values = {
        name: givens.of(node) if node is not None else dict(rows.lookups).get(name, Given())
        for name, node in creation.values.items()
    }
    written = {field_name(rows.model, name) or name: name for name in values}
    asked = dict(_by_what_is_given(asked, values, written, rows))
    common = {name: g for name, g in asked.items() if field_name(rows.model, name) in written}
    if field_name(rows.model, "pk") in {
        field_name(rows.model, n) for n in set(asked) - set(common)
    }:
        return None  # whoever asks for one row by its key and makes another means something else
    compared = [n for n in asked if field_name(rows.model, n.split("__")[0]) in written]
    if not common and not compared:
        return None
    taken = {field_name(rows.model, name) for name in common}
    defaults = {n: g for n, g in values.items() if (field_name(rows.model, n) or n) not in taken}
    unmet = {
        name: given
        for name, given in asked.items()
        # what is linked to a row is linked after it was created
        if name not in common and field_name(rows.model, name.split("__")[0])
    }
    return Arguments(lookups=common, defaults=defaults), unmet


def _by_what_is_given(
    asked: dict[str, Given], values: dict[str, Given], written: dict[str, str], rows: Rows
) -> Iterator[tuple[str, Given]]:
    """The look-ups; one through a relation as the relation itself, where that is created with."""
    for name, given in asked.items():
        start = name.split("__")[0]
        field = field_name(rows.model, start)
        is_through = "__" in name and field in written and fields_of(rows.model)[field].is_relation
        yield (start, values[written[field]]) if is_through else (name, given)


def by_hand(decision: Decision) -> Decision:
    """What a race does where nobody sees to its loser."""
    if decision.verdict is Verdict.SAFE:
        return replace(
            decision,
            verdict=Verdict.FRAGILE,
            reason=Reason.BY_HAND,
            sentence=f"{decision.rule} stops the second row, and the loser of a race raises"
            " IntegrityError",
        )
    return decision


def _rewritten(look: Look, rows: Rows, given: Arguments, creation: Creation) -> str:
    """The ``get_or_create``, or ``update_or_create``, that says the same."""
    if given.defaults is None or OWN.text in {one.text for one in given.lookups.values()}:
        return ""
    written = {name: g.text for name, g in given.lookups.items() if g.text}
    defaults = {n: g.text for n, g in given.defaults.items() if g.text}
    name = rows.model._meta.object_name
    words = [f"{key}={text}" for key, text in written.items()]
    if defaults:
        inside = ", ".join(f"{key!r}: {text}" for key, text in defaults.items())
        words.append(f"defaults={{{inside}}}")
    method = "update_or_create" if look.search.form == "update" else "get_or_create"
    return f"obj, created = {name}.objects.{method}({', '.join(words)})"
