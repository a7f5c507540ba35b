"""Pieces of Python source: how they are laid out, and where they go. Knows no Django."""

from __future__ import annotations

import re
import tokenize
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 88
_NEWLINE = re.compile(r"\r\n?|\n")


def deeper(indent: str) -> str:
    """The indentation of one level more, in the file's own kind: tabs stay tabs."""
    return f"{indent}\t" if indent.endswith("\t") else f"{indent}    "


@dataclass(frozen=True, kw_only=True)
class Code:
    """A call, or a tuple when it has no ``head``; laid out on as few lines as fit."""

    head: str = ""
    args: tuple[str, ...]

    def __str__(self) -> str:
        single = "," if not self.head and len(self.args) == 1 else ""
        return f"{self.head}({', '.join(self.args)}{single})"

    def quoted_like(self, text: str) -> Code:
        """The code with the quotes that most strings of a module's text have."""
        quotes = Counter(token.string[-1] for token in _strings(text))
        if quotes["'"] <= quotes['"']:
            return self
        return replace(self, args=tuple(map(_single_quoted, self.args)))

    def lines(self, indent: str) -> list[str]:
        """The element of a list that has each element on lines of its own."""
        inner = deeper(indent)
        if len(f"{indent}{self},") <= WIDTH:
            return [f"{indent}{self},"]
        if len(f"{inner}{', '.join(self.args)}") <= WIDTH:
            body = [f"{inner}{', '.join(self.args)}"]
        else:
            body = [f"{inner}{arg}," for arg in self.args]
        return [f"{indent}{self.head}(", *body, f"{indent}),"]


def _strings(text: str) -> Iterator[tokenize.TokenInfo]:
    """The strings of a text in quotes of one character."""
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.STRING and not token.string.endswith(('"""', "'''")):
            yield token


def _single_quoted(code: str) -> str:
    for token in reversed(list(_strings(code))):
        inner = token.string[1:-1]
        if token.string[0] == '"' and not {"'", "\\"} & {*inner}:
            code = f"{code[: token.start[1]]}'{inner}'{code[token.end[1] :]}"
    return code


def assignment(name: str, elements: list[Code | str], indent: str) -> list[str]:
    """``name = [elements]`` as lines, one element a line unless it is a single short tuple."""
    one = f"{indent}{name} = [{', '.join(map(str, elements))}]"
    if len(one) <= WIDTH and not any(isinstance(e, Code) and e.head for e in elements):
        return [one]
    inner = deeper(indent)
    body = [
        line
        for element in elements
        for line in (element.lines(inner) if isinstance(element, Code) else [f"{inner}{element},"])
    ]
    return [f"{indent}{name} = [", *body, f"{indent}]"]


class Source:
    """A module's text, its syntax tree, and where in the text each node stands.

    Edits are made to the text, at places the tree gives, so whatever they do not touch stays
    as it was, byte by byte. Raises `libcst.ParserSyntaxError` for text that is not Python.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._positions: Any = wrapper.resolve(PositionProvider)
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        found = _NEWLINE.search(text)
        self.newline = found[0] if found else "\n"

    def start(self, node: cst.CSTNode) -> int:
        return self._offset(self._positions[node].start)

    def end(self, node: cst.CSTNode) -> int:
        return self._offset(self._positions[node].end)

    def span(self, node: Any) -> tuple[int, int]:
        """Where an expression begins and ends, its own parentheses included."""
        start = self.start(node.lpar[0]) if node.lpar else self.start(node)
        end = self.end(node.rpar[-1]) if node.rpar else self.end(node)
        return start, end

    def code(self, node: Any) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def line_start(self, offset: int) -> int:
        return self._starts[bisect_right(self._starts, offset) - 1]

    def line_end(self, offset: int) -> int:
        """Where the line ends, before its newline."""
        found = _NEWLINE.search(self.text, offset)
        return found.start() if found else len(self.text)

    def next_line(self, offset: int) -> int:
        """Where the line after the one of ``offset`` starts; the end of the text if none does."""
        found = _NEWLINE.search(self.text, offset)
        return found.end() if found else len(self.text)

    def line_after(self, node: cst.CSTNode) -> str:
        """The line below the one on which the node ends."""
        start = self.next_line(self.end(node))
        return self.text[start : self.line_end(start)]

    def indent_at(self, offset: int) -> str:
        line = self.text[self.line_start(offset) : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip())]

    def replaced(self, start: int, end: int, text: str) -> str:
        """The text with one part replaced; newlines in ``text`` become those of the file."""
        return self.text[:start] + text.replace("\n", self.newline) + self.text[end:]

    def with_lines_after(self, node: cst.CSTNode, lines: list[str]) -> str:
        """The text with lines inserted below a statement and the comments that follow it."""
        at = self.next_line(self.end(node))
        missing = "" if self.text[:at].endswith(("\n", "\r")) else "\n"
        at = self._after_comments(at, self.indent_at(self.start(node)))
        return self.replaced(at, at, missing + "".join(f"{line}\n" for line in lines))

    def _after_comments(self, at: int, indent: str) -> int:
        """Past the comments that close a block; comments above a next statement are its own."""
        end = here = at
        while here < len(self.text):
            line = self.text[here : self.line_end(here)]
            if line.startswith(f"{indent}#"):
                end = self.next_line(here)
            elif line.strip():
                return at if line.startswith(indent) else end
            here = self.next_line(here)
        return end

    def _offset(self, position: Any) -> int:
        return int(self._starts[position.line - 1] + position.column)
