"""The formats of a report, and how keys and values read in all of them."""

from __future__ import annotations

import csv
import json
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from ..plain import plain_where
from ..values import MatchKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def as_json(document: Any) -> str:
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().rstrip("\n")


def json_line(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def shown_key(pk: Any) -> str:
    """A primary key as it is typed on the command line: composite ones as a JSON list."""
    return json_line(list(pk)) if isinstance(pk, list | tuple) else str(pk)


def described(source: Any) -> str:
    """A match key, or a set of rows, as a sentence names it."""
    if not isinstance(source, MatchKey):
        return f"{source.label} rows {', '.join(map(shown_key, source.pks))}"
    conditions = "".join(f", {lookup}={value}" for lookup, value in plain_where(source).items())
    return f"{source.label} by {', '.join(source.fields)}{conditions}"
