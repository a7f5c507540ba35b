"""Names of tables and columns: what is quoted taken apart, what the catalogue says quoted.

Django quotes a name by putting quotes around it, whatever is in it, and takes one that begins and
ends with a quote for quoted already. So ``schema"."table`` names a table of another schema, and a
name with a quote in it stands with two in its model.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2s

_LONGEST = 63
_DIGITS = 12


@lru_cache(maxsize=10_000)
def parts_of(quoted: str) -> tuple[str, ...]:
    """The names in a quoted name: a table's, perhaps after its schema's; none if it is not one."""
    quote = quoted[:1]
    part = rf"{quote}((?:[^{quote}]|{quote}{quote})+){quote}"
    if not re.fullmatch(rf"{part}(?:\s*\.\s*{part})*", quoted):
        return ()
    return tuple(found[1].replace(quote * 2, quote) for found in re.finditer(part, quoted))


def spelled(quote: str, *parts: str) -> str:
    """A name of the catalogue as Django quotes it, which is as it is wherever that will do."""
    if len(parts) == 1 and quote not in parts[0]:
        return parts[0]
    return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in parts)


def ascii_lower(name: str) -> str:
    """A name as SQLite compares it: cases are told apart but in ASCII."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), name)


def numbered(name: str, width: int) -> list[str]:
    """So many columns of one kind: ``key_0``, ``key_1``, …"""
    return [f"{name}_{number}" for number in range(width)]


def derived(name: str, *parts: object) -> str:
    """A name for what belongs to something of that name; different ones for different parts."""
    return bounded("_".join([name, *map(str, parts)]))


def bounded(name: str) -> str:
    """A name that every server takes whole: one that is too long ends in a digest of itself."""
    if len(name) <= _LONGEST:
        return name
    digest = blake2s(name.encode(), digest_size=_DIGITS // 2).hexdigest()
    return f"{name[: _LONGEST - _DIGITS - 1]}~{digest}"
