"""What is in a large schema, table by table: the same for the benchmark and for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterator

Fields = dict[str, Any]
Options = dict[str, Any]


def tables(references: int, owner: str) -> Iterator[tuple[str, Fields, Options]]:
    """The names, fields and options of as many models that point at an owner, and of some others.

    Of 26 references 20 are generic keys, two of these as text, four are foreign keys, one is a
    one-to-one and one a many-to-many relation. A third of the tables has a unique rule more.
    """
    label = owner.partition(".")[0]
    for number in range(references):
        fields = _pointing(number % 26, owner)
        yield f"Referring{number}", {**fields, **_rank()}, _options(fields, number, label)
    for number in range(references * 11 // 13):
        yield f"Other{number}", _rank(), {}


def _rank() -> Fields:
    return {"rank": models.IntegerField(default=0)}


def _pointing(kind: int, owner: str) -> Fields:
    if kind == 0:
        return {"owner": models.OneToOneField(owner, models.CASCADE, related_name="+")}
    if kind == 1:
        return {"owners": models.ManyToManyField(owner, related_name="+")}
    if kind < 6:
        return {"owner": models.ForeignKey(owner, models.CASCADE, related_name="+")}
    ids = models.CharField(max_length=50) if kind < 8 else models.PositiveBigIntegerField()
    of = models.ForeignKey("contenttypes.ContentType", models.CASCADE, related_name="+")
    return {"content_type": of, "object_id": ids}


def _options(fields: Fields, number: int, label: str) -> Options:
    names = [name for name in fields if name != "owners"]
    options: Options = {}
    if len(names) == 2:
        options["indexes"] = [models.Index(fields=names, name=f"{label}_{number}")]
    if names and number % 3 == 0:
        options["unique_together"] = {(*names, "rank")}
    return options
