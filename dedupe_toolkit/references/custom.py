"""The base of references that projects write themselves. No database, no engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, eq=False)
class ColumnReference:
    """A column that holds keys of a model in some of its rows only.

    ``column`` is its name, ``"app.Model.field"``, or a `CustomReference`. ``target`` is the field
    whose values it holds, if that is not the primary key. ``where`` are the conditions, as
    ``filter()`` takes them, on columns of the same table: ``{"owner_type": "customer"}``. An empty
    ``where`` says that all rows are meant, whatever a column beside it seems to say.
    """

    column: str | CustomReference
    _: KW_ONLY
    target: str = "pk"
    where: Mapping[str, Any] | None = None


class CustomReference(ABC):
    """Keys of a model in the values of one column, written as only the project itself can read.

    A subclass says which keys a value holds and what the value becomes; ``dedupe.py`` registers
    an instance with the column, ``"app.Model.field"``. Values are those of the column's field as
    Python has them, never NULL. Both methods must depend on nothing but their arguments: they are
    called while planning and again while merging. What they raise stops the merge, which then
    leaves the database as it was.
    """

    def __init__(self, column: str) -> None:
        self.column = column

    @abstractmethod
    def keys(self, value: Any) -> Iterable[Any]:
        """The primary keys that a value holds, as text or as they are.

        What cannot be a primary key of the model is passed over.
        """

    @abstractmethod
    def replaced(self, value: Any, survivors: Mapping[Any, Any]) -> Any:
        """The value with each merged key replaced.

        ``survivors`` has the primary key of the survivor for each merged key, under the very key
        that `keys` gave. None of these may be left in the new value.
        """
