"""Sentences as a code and what they speak of: plain English for commands and JSON, and the same for
people, in their language and in the words of their models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.utils.translation import gettext

from .verbose import field_words, model_words, reference_words
from .wording import WORDING, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Sentence(str):
    """A sentence of `WORDING`, as commands and JSON tell it; its code and parameters say the rest.

    Parameters are texts, or lists of them. Never changes.
    """

    __slots__ = ("_params", "code")

    code: str
    _params: dict[str, Any]

    def __new__(cls, code: str, **params: Any) -> Self:
        wording = WORDING.get(code, Wording(text=code, people=code))
        told = super().__new__(
            cls, wording.text.format(**{n: _plain(v) for n, v in params.items()})
        )
        told.code, told._params = code, params
        return told

    def __reduce__(self) -> Any:
        return type(self).from_plain, (self.plain,)

    @property
    def params(self) -> Mapping[str, Any]:
        return self._params.copy()

    @property
    def plain(self) -> dict[str, Any]:
        """The code and the parameters, as JSON holds them."""
        return {"code": self.code, "params": self._params}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        return cls(plain["code"], **plain["params"])

    @property
    def for_people(self) -> str:
        """The sentence in the reader's language; "" for one that only commands tell."""
        wording = WORDING.get(self.code)
        if wording is None:
            return str(self)
        if not wording.people:
            return ""
        return gettext(wording.people).format(**{n: self._words(n) for n in self._params})

    def _words(self, name: str) -> str:
        value, kind = self._params[name], name.partition("_")[0]
        if kind not in _KINDS:
            return _plain(value)
        texts = value if isinstance(value, list | tuple) else [value]
        model = str(self._params.get("model", ""))
        return ", ".join(_KINDS[kind](str(text), model) for text in texts)


_KINDS: dict[str, Callable[[str, str], str]] = {
    "model": lambda text, _model: model_words(text),
    "reference": lambda text, _model: reference_words(text),
    "field": lambda text, model: field_words(model, text),
    "fields": lambda text, model: field_words(model, text),
}
"""How parameters are told to people, by the first word of their names; others as they are."""


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
