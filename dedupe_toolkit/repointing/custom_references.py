"""Custom references: Python reads every value of a column, a chunk of rows at a time.

Reads users' rows and writes work tables; ``write`` carries the change out.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, Field, IntegerField, Q, QuerySet

from ..databases.names import numbered
from ..databases.tables import last_field, pk_fields, python_key
from ..errors import MergeRefused
from ..mapping.mapping import MERGED
from ..references.meta import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.custom import CustomReference
    from ..references.embedded import EmbeddedReference

CHUNK = 500
"""Rows in memory at once, and keys looked up at once."""


@dataclass(frozen=True, kw_only=True)
class _Survivor:
    key: Any
    root: str


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row of the referrer: its key, its value, and the keys found in it, each as it was given."""

    pk: Any
    value: Any
    keys: dict[Any, Any]


def fill_computed(
    database: Database,
    mapping: MergeMap,
    reference: EmbeddedReference,
    custom: CustomReference,
    name: str,
) -> int:
    """Fill a work table with the rows that hold a duplicate; returns how many they are.

    Raises `MergeRefused` naming the row when the project's own code raises, or gives a value that
    does not fit or still holds a merged key.
    """
    computed = _Computed(
        database=database, mapping=mapping, reference=reference, custom=custom, name=name
    )
    return sum(computed.add(rows) for rows in computed.chunks())


@dataclass(frozen=True, kw_only=True)
class _Computed:
    database: Database
    mapping: MergeMap
    reference: EmbeddedReference
    custom: CustomReference
    name: str

    @property
    def field(self) -> Field[Any, Any]:
        """The field whose values hold the keys."""
        fields = self.reference.referrer._meta.local_concrete_fields
        return next(field for field in fields if column_of(field) == self.reference.value)

    @property
    def target(self) -> Field[Any, Any]:
        """The field whose values the keys are."""
        (key,) = pk_fields(self.mapping.table.model)
        field: Field[Any, Any] = last_field(key)
        return field

    def chunks(self) -> Iterator[list[tuple[Any, Any]]]:
        """The rows with a value, by their keys: not every database has cursors to read them by."""
        name = self.field.name
        rows: QuerySet[Any] = QuerySet(self.reference.referrer, using=self.database.using)
        meant = self.reference.where or Q()
        rows = rows.filter(meant, **{f"{name}__isnull": False})
        rows = rows.order_by("pk").values_list("pk", name)
        chunk = list(rows[:CHUNK])
        while chunk:
            yield chunk
            chunk = list(rows.filter(pk__gt=chunk[-1][0])[:CHUNK])

    def add(self, chunk: list[tuple[Any, Any]]) -> int:
        """Add those rows of a chunk that hold a duplicate, with what their value becomes."""
        rows = [self._read(pk, value) for pk, value in chunk]
        survivors = self._survivors({key for row in rows for key in row.keys.values()})
        lines = [
            self._line(row, merged)
            for row in rows
            if (merged := {g: survivors[k] for g, k in row.keys.items() if k in survivors})
        ]
        return self._insert(lines)

    def _read(self, pk: Any, value: Any) -> _Row:
        with self._blaming("keys", pk, value):
            keys = {given: self._key(given) for given in self.custom.keys(value)}
        return _Row(pk=pk, value=value, keys={g: k for g, k in keys.items() if k is not None})

    def _key(self, given: Any) -> Any:
        """What was given as the target has it; None for what cannot be a key of it."""
        try:
            key = self.target.to_python(given)
            if isinstance(self.target, IntegerField) and isinstance(key, int):
                self.target.run_validators(key)  # no database takes a number of any size
        except (ValidationError, ValueError, TypeError):
            return None
        return key

    def _survivors(self, keys: Iterable[Any]) -> dict[Any, _Survivor]:
        """Those of the keys that are merged, each with its survivor."""
        database, listed = self.database, list(keys)
        one, found = database.placeholder(self.mapping.table.pk[0]), {}
        for start in range(0, len(listed), CHUNK):
            params = [self._prepared(key) for key in listed[start : start + CHUNK]]
            for member, survivor, root in database.fetch(
                f"SELECT m.member_0, m.survivor_0, {self.mapping.root(database)}"
                f" FROM {database.q(self.mapping.name)} m"
                f" WHERE {MERGED} AND m.member_0 IN ({', '.join([one] * len(params))})",
                params,
            ):
                member, survivor = (self._read_key(key) for key in (member, survivor))
                found[member] = _Survivor(key=survivor, root=root)
        return found

    def _read_key(self, key: Any) -> Any:
        return python_key(self.mapping.table.model, [key], self.database.using)

    def _prepared(self, key: Any) -> Any:
        return self.target.get_db_prep_value(key, self.database.connection)

    def _line(self, row: _Row, merged: dict[Any, _Survivor]) -> list[Any]:
        """A row of the work table: the referrer's key, its new value, and the top survivor."""
        survivors = {given: survivor.key for given, survivor in merged.items()}
        field, connection = self.field, self.database.connection
        with self._blaming("replaced", row.pk, row.value):
            new = self.custom.replaced(row.value, survivors)
            _require_fit(field, new)
            value = field.get_db_prep_save(new, connection)
        left = [] if new is None else self._read(row.pk, new).keys.values()
        lost = sorted(str(row.keys[given]) for given in survivors if row.keys[given] in left)
        if lost:
            raise MergeRefused(f"{self._named(row.pk)}: {', '.join(lost)} is left in {new!r:.200}")
        pks = row.pk if isinstance(row.pk, tuple) else (row.pk,)
        fields = pk_fields(self.reference.referrer)
        keys = [f.get_db_prep_value(k, connection) for f, k in zip(fields, pks, strict=True)]
        return [*keys, value, min(survivor.root for survivor in merged.values())]

    def _insert(self, lines: list[list[Any]]) -> int:
        if not lines:
            return 0
        names = [*numbered("key", len(lines[0]) - 2), "value", "root"]
        table = self.database.table(self.reference.referrer)
        columns = [*table.pk, table.column(self.reference.value)]
        line = f"({', '.join(map(self.database.placeholder, columns))}, %s)"
        return self.database.run(
            f"INSERT INTO {self.database.q(self.name)} ({', '.join(names)})"
            f" VALUES {', '.join([line] * len(lines))}",
            [value for values in lines for value in values],
        )

    def _named(self, pk: Any) -> str:
        return f"{self.reference.label} of row {pk}, {type(self.custom).__name__}"

    @contextmanager
    def _blaming(self, method: str, pk: Any, value: Any) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # a class of the project's: it may raise anything
            raise MergeRefused(
                f"{self._named(pk)}.{method}({value!r:.200}): {type(error).__name__}: {error};"
                " correct the class or the value, then plan the merge again"
            ) from error


def _require_fit(field: Field[Any, Any], value: Any) -> None:
    """Raises `ValueError` for text that the column would cut off or refuse."""
    if isinstance(field, CharField) and field.max_length and len(value or "") > field.max_length:
        raise ValueError(f"{value!r:.200} is longer than the {field.max_length} characters allowed")
