"""The audit itself: reads the source, judges what it finds. Writes nothing."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import checking_arguments
from ..databases.caching import caching
from ..keys import check_alias
from .accepted import MARK, accept, acceptances
from .baseline import with_baseline
from .calls import METHODS, Place, calls_in
from .counting import counted_findings
from .emptiness import Empty, has_nothing
from .factories import FACTORY
from .findings import Audit, Finding, Note
from .handwritten import hand_written_in
from .judging import Judge
from .library import Library
from .observed import with_observed
from .proposals import proposal
from .resolve import Resolver
from .sources import Kind, source_files
from .weaker import notes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..values import MatchKey
    from .accepted import Acceptance

_ASIDE = (Kind.TEST, Kind.MIGRATION)
_WORDS = (
    *(name.encode() for name in sorted({name.removeprefix("a") for name in METHODS})),
    *(FACTORY.encode(), b"ignore_conflicts", b"UniqueTogetherValidator"),
)


@checking_arguments
def audit_get_or_create(
    *labels: str,
    using: str = "default",
    everything: bool = False,
    count: bool = False,
    baseline: Path | str | None = None,
    observed: Path | str | None = None,
    supposed: MatchKey | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Which calls of ``get_or_create`` and ``update_or_create`` the database makes safe.

    Reads the source of the apps with these labels, or of the whole project, and asks the database
    ``using`` what is unique in it; imports nothing that Django has not loaded and writes nothing.
    Tests and migrations are left out unless ``everything`` is asked for. ``count`` adds how many
    duplicate groups there are already; findings that the file ``baseline`` knows are marked.
    What the source leaves open is decided by what the guard saw, as it wrote it to ``observed``.
    With a key that is ``supposed`` to be unique, the verdicts are those that its constraint would
    bring.
    ``progress`` is called with the number of files read, and of all.

    Raises `InvalidOption` for an app that is not installed, a file that is no baseline or that the
    guard has not written, `InvalidMatchKey` for an unknown alias.
    """
    check_alias(using)
    files = source_files(labels)
    library = Library(files)
    with caching(), _without_collecting():
        found, weaker, comments = _read(library, Judge(using, supposed), progress or _silent)
    kept = [one for one in found if everything or one.kind not in _ASIDE]
    seen, changed = with_observed(kept, Path(observed)) if observed is not None else (kept, [])
    findings = [replace(one, proposal=proposal(one, using)) for one in _distinct(seen)]
    accepted, notes = accept(findings, comments)
    shown = [one for one in weaker if everything or one.kind not in _ASIDE]
    if baseline is not None:
        accepted = with_baseline(accepted, Path(baseline))
    return Audit(
        findings=tuple(counted_findings(accepted, using) if count else accepted),
        notes=tuple(sorted({*shown, *notes, *changed}, key=lambda one: (one.path, one.line))),
        broken=tuple(sorted(library.broken.items())),
        files=len(files),
        left_out=len(found) - len(kept),
    )


def _read(
    library: Library, judge: Judge, progress: Callable[[int, int], None]
) -> tuple[list[Finding], list[Note], list[Acceptance]]:
    resolver = Resolver(library)
    found: list[Finding] = []
    notes: list[Note] = []
    comments: list[Acceptance] = []
    files = list(library.files.values())
    empty = Empty()
    for done, file in enumerate(files, 1):
        text = library.text(file)
        if MARK in text:
            comments.extend(acceptances(file, text.decode("utf-8-sig", errors="replace")))
        if _may_be_found_in(text) and not empty.has(text):
            module = library.module(file.module)
            if module is not None and has_nothing(module, METHODS):
                empty.add(text)
            elif module is not None:
                place = Place(file=file, module=module, resolver=resolver, judge=judge)
                found += [*calls_in(place), *hand_written_in(place)]
                notes += notes_in(place)
        progress(done, len(files))
    empty.keep()
    return sorted(found, key=lambda one: (one.path, one.line)), notes, comments


def _may_be_found_in(text: bytes) -> bool:
    looks = b".filter(" in text or b".get(" in text or b"first()" in text or b"exists()" in text
    creates = b"create" in text or b"save(" in text
    checks = b"exists()" in text and b"raise " in text
    return (looks and creates) or checks or any(word in text for word in _WORDS)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Trees are kept to the end: who looks for garbage among them takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def _distinct(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each once, where several ways lead to the same model."""
    seen = set()
    for one in findings:
        key = (one.path, one.line, one.form, one.label, one.fields)
        if key not in seen:
            seen.add(key)
            yield one
