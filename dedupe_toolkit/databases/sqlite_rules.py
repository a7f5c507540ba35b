"""The unique rules in SQLite's catalogue, which keeps expressions and conditions as typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .rules import LiveRule, RulePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .sqlite_catalogue import SQLiteCatalogue

# the primary key on its own: that of a rowid table is no index of the catalogue
_PARTS = """
SELECT w.name, 0 AS kind, '' AS rule, c.pk AS place, c.name, c.cid, ''
FROM w JOIN pragma_table_info(w.bare, w.schema) c
WHERE c.pk > 0
UNION ALL
SELECT w.name, 1, l.name, i.seqno, i.name, i.cid, COALESCE(x.sql, '')
FROM w JOIN pragma_index_list(w.bare, w.schema) l JOIN pragma_index_xinfo(l.name, w.schema) i
LEFT JOIN {master} x ON x.schema = w.schema AND x.type = 'index' AND x.name = l.name
WHERE l."unique" AND l.origin <> 'pk' AND i.key
ORDER BY 1, 2, 3, 4
"""
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
      | (?P<comment>--[^\n]*|/\*.*?\*/) | [(),] | [^'"`\[(),/-]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_DIRECTION = re.compile(r"\s+(?:ASC|DESC)$", re.IGNORECASE)
_COLLATE = re.compile(r"\bCOLLATE\b", re.IGNORECASE)
_WHERE = re.compile(r"^WHERE\b\s*", re.IGNORECASE)


def rule_parts(database: SQLiteCatalogue, tables: Sequence[str]) -> Iterator[RulePart]:
    for table, kind, name, place, column, cid, sql in database.fetch_of(_PARTS, tables):
        if kind == 0:
            rule = LiveRule(table=table, name="primary key", is_primary_key=True)
            yield RulePart(rule=rule, column=column)
            continue
        texts, condition = taken_apart(sql) if sql else ([], "")
        rule = LiveRule(table=table, name=name, condition=condition)
        text = texts[place] if texts else ""
        # a column in another collation than its own is compared as another value
        if cid < 0 or _COLLATE.search(text):
            yield RulePart(rule=rule, expression=text)
        else:
            yield RulePart(rule=rule, column=column)


def written_rule(table: str, name: str, columns: Sequence[str], sql: str) -> LiveRule:
    """The rule that a CREATE INDEX of a table with these columns makes."""
    texts, condition = taken_apart(sql)
    named = {f'"{column}"': column for column in columns}
    return LiveRule(
        table=table,
        name=name,
        columns=tuple(named[text] for text in texts if text in named),
        expressions=tuple(text for text in texts if text not in named),
        condition=condition,
    )


def taken_apart(sql: str) -> tuple[list[str], str]:
    """What an index compares, and its condition ("" if it has none), from its CREATE INDEX."""
    depth, parts, after = 0, [""], ""
    is_open, is_over = False, False
    for token in _TOKEN.finditer(sql):
        text = " " if token["comment"] else token[0]
        if is_over:
            after += text
            continue
        depth += (text == "(") - (text == ")")
        if text == "(" and depth == 1 and not is_open:
            is_open = True
        elif text == ")" and depth == 0:
            is_over = True
        elif text == "," and depth == 1:
            parts.append("")
        elif is_open:
            parts[-1] += text
    return [_DIRECTION.sub("", part.strip()) for part in parts], _WHERE.sub("", after.strip())
