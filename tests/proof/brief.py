"""A case in few words: what is not as usual in it, and no long text in full."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from reprlib import Repr
from typing import Any


class _Brief(Repr):
    def repr_instance(self, value: Any, level: int) -> str:
        if not is_dataclass(value):
            return str(value)[:80]
        told = (
            f"{each.name}={self.repr1(found, level)}"
            for each in fields(value)
            if (found := getattr(value, each.name)) and each.name != "schema"
        )
        return getattr(value, "label", "") or (f"{type(value).__name__}({', '.join(told)})")


_brief = _Brief()
_brief.maxlevel, _brief.maxstring = 20, 40
_brief.maxdict = _brief.maxlist = _brief.maxtuple = 30


def in_brief(*values: Any) -> str:
    return "\n".join(map(_brief.repr, values))
