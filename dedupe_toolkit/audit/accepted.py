"""``# dedupe: safe — reason``: a person's word on a call, which is itself checked."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .findings import Note
from .values import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .findings import Finding
    from .sources import SourceFile

MARK = b"dedupe:"
_COMMENT = re.compile(r"#\s*dedupe:\s*safe\b\s*(?:[-\u2014\u2013:]+\s*(?P<reason>.*))?$")


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """One such comment."""

    path: str
    line: int
    reason: str
    is_alone: bool
    """Whether it has the line to itself, and so speaks of the one below."""


def acceptances(file: SourceFile, text: str) -> Iterator[Acceptance]:
    """The comments of a file that accept a call."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            found = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
            if found:
                yield Acceptance(
                    path=file.shown,
                    line=token.start[0],
                    reason=(found["reason"] or "").strip(),
                    is_alone=not token.line[: token.start[1]].strip(),
                )
    except (tokenize.TokenError, IndentationError):
        return


def accept(
    findings: Iterable[Finding], comments: Iterable[Acceptance]
) -> tuple[list[Finding], list[Note]]:
    """The findings with the reasons that accept them, and notes on comments that accept nothing."""
    open_comments = list(comments)
    used: set[Acceptance] = set()
    judged = []
    for one in findings:
        comment = next((c for c in open_comments if _speaks_of(c, one)), None)
        if comment and comment.reason and one.verdict is not Verdict.SAFE:
            used.add(comment)
            one = replace(one, accepted=comment.reason)
        elif comment and not comment.reason:
            used.add(comment)
        judged.append(one)
    return judged, [note for c in open_comments if (note := _note(c, c in used)) is not None]


def _speaks_of(comment: Acceptance, finding: Finding) -> bool:
    if comment.path != finding.path:
        return False
    if comment.is_alone and comment.line == finding.line - 1:
        return True
    return finding.line <= comment.line <= finding.end_line


def _note(comment: Acceptance, is_used: bool) -> Note | None:
    if is_used and comment.reason:
        return None
    text = "accepts nothing: no call there needs it" if comment.reason else "gives no reason"
    return Note(path=comment.path, line=comment.line, text=f"this '# dedupe: safe' {text}")
