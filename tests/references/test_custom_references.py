"""References that a project writes itself: found, replaced, journaled and undone like others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import CustomReference, match_key, merge, plan_merge, register
from dedupe_toolkit.checks import check_declarations
from dedupe_toolkit.errors import MergeRefused
from dedupe_toolkit.models import MergeRun
from dedupe_toolkit.registry import unregister
from dedupe_toolkit.repointing import custom_references as computed
from dedupe_toolkit.signals import pre_merge
from tests.kit import assert_undo_restores, changed_tables, counts, merged, snapshot
from tests.situations.keyed.models import Account, Device, Measurement, Settings
from tests.situations.links.models import Author
from tests.situations.odd.models import Audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

pytestmark = pytest.mark.django_db


class CommaSeparated(CustomReference):
    def keys(self, value: str) -> Iterable[str]:
        return value.split(",")

    def replaced(self, value: str, survivors: Mapping[str, Any]) -> str:
        return ",".join(str(survivors.get(key, key)) for key in self.keys(value))


class Mentions(CustomReference):
    """Addresses in a text: numbers, where `CommaSeparated` gives text."""

    address = re.compile(r"(?<=/person/)\d+")

    def keys(self, value: str) -> Iterable[int]:
        return map(int, self.address.findall(value))

    def replaced(self, value: str, survivors: Mapping[int, Any]) -> str:
        def new(found: re.Match[str]) -> str:
            return str(survivors.get(int(found[0]), found[0]))

        return self.address.sub(new, value)


class PayloadList(CustomReference):
    def keys(self, value: dict[str, Any]) -> Iterable[Any]:
        return value.get("people", [])

    def replaced(self, value: dict[str, Any], survivors: Mapping[Any, Any]) -> dict[str, Any]:
        return value | {"people": [survivors.get(key, key) for key in value["people"]]}


class Forgetful(CommaSeparated):
    """Promises to replace keys, and does not."""

    def replaced(self, value: str, survivors: Mapping[str, Any]) -> str:
        return value


class Wordy(CommaSeparated):
    """Makes more of a value than its column can take."""

    def replaced(self, value: str, survivors: Mapping[str, Any]) -> str:
        return "much longer than before"


class Failing(CommaSeparated):
    def replaced(self, value: str, survivors: Mapping[str, Any]) -> str:
        raise LookupError("no such person")


@pytest.fixture
def declare() -> Iterator[Callable[..., None]]:
    """Register references of a model for one test."""
    models = []

    def add(model: Any, *references: Any) -> None:
        models.append(model)
        register(model, references=references)

    yield add
    for model in models:
        unregister(model)


@pytest.fixture
def ann() -> tuple[Author, Author, Author]:
    """The survivor, its duplicate, and somebody else."""
    kept, lost, other = (Author.objects.create(name=name) for name in ("Ann", "Ann", "Bob"))
    return kept, lost, other


def mentions(*values: str | None) -> list[int]:
    return [Audit.objects.create(mentions=value).pk for value in values]


def test_keys_are_replaced_where_they_stand_and_all_else_is_left_alone(
    declare: Callable[..., None], ann: tuple[Author, ...]
) -> None:
    declare(Author, CommaSeparated("odd.Audit.mentions"))
    kept, lost, other = (author.pk for author in ann)
    values = [f"{lost}", f"{other},{lost},{kept}", f"{other}", "", None, f"x,{10**30},{lost} "]
    mentions(*values)
    before = snapshot()
    run = merged(Author, "name")
    assert list(Audit.objects.order_by("pk").values_list("mentions", flat=True)) == [
        f"{kept}",
        f"{other},{kept},{kept}",
        *values[2:5],
        f"x,{10**30},{kept}",
    ]
    assert counts(run, "odd.Audit.mentions") == (3, 0, 0)
    assert changed_tables(before, snapshot()) == {"links_author", "odd_audit"}
    assert_undo_restores(run, before)


def test_two_ways_of_writing_keys_in_one_column_are_both_followed(
    declare: Callable[..., None], ann: tuple[Author, ...]
) -> None:
    declare(Author, CommaSeparated("odd.Audit.mentions"), Mentions("odd.Audit.mentions"))
    kept, lost, _ = (author.pk for author in ann)
    mentions(f"{lost},see https://x.org/person/{lost}/books")
    before = snapshot()
    run = merged(Author, "name")
    assert Audit.objects.get().mentions == f"{kept},see https://x.org/person/{kept}/books"
    assert_undo_restores(run, before)


def test_a_value_comes_as_its_field_has_it_in_python(
    declare: Callable[..., None], ann: tuple[Author, ...]
) -> None:
    declare(Author, PayloadList("odd.Audit.payload"))
    kept, lost, other = (author.pk for author in ann)
    Audit.objects.create(payload={"people": [lost, other, None], "at": 1.5})
    Audit.objects.create(payload={"by": lost})
    before = snapshot()
    run = merged(Author, "name")
    payloads = list(Audit.objects.order_by("pk").values_list("payload", flat=True))
    assert payloads == [{"people": [kept, other, None], "at": 1.5}, {"by": lost}]
    assert_undo_restores(run, before)


def test_keys_that_are_no_numbers_are_given_as_they_are_written(
    declare: Callable[..., None],
) -> None:
    declare(Device, CommaSeparated("odd.Audit.mentions"))
    devices = sorted((Device.objects.create(serial="s") for _ in range(2)), key=lambda d: d.pk)
    mentions(f"{devices[1].pk},{devices[0].pk.hex}", f"{devices[1].pk.hex}")
    before = snapshot()
    run = merged(Device, "serial")
    kept = Device.objects.get().pk
    first, second = Audit.objects.order_by("pk").values_list("mentions", flat=True)
    assert {*first.replace("-", "").split(","), second.replace("-", "")} == {kept.hex}
    assert_undo_restores(run, before)


def test_a_table_of_any_length_is_read_chunk_by_chunk(
    declare: Callable[..., None], ann: tuple[Author, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computed, "CHUNK", 3)
    declare(Author, CommaSeparated("odd.Audit.mentions"))
    kept, lost, other = (author.pk for author in ann)
    mentions(*[f"{lost},{other},7001,7002,7003", f"{other}"] * 5)
    before = snapshot()
    run = merged(Author, "name")
    changed = Audit.objects.filter(mentions=f"{kept},{other},7001,7002,7003")
    assert (changed.count(), counts(run, "odd.Audit.mentions")) == (5, (5, 0, 0))
    assert_undo_restores(run, before)


def test_rows_with_a_composite_key_are_read_chunk_by_chunk_too(
    declare: Callable[..., None], ann: tuple[Author, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computed, "CHUNK", 2)
    declare(Author, CommaSeparated("keyed.Measurement.note"))
    kept, lost, _ = (author.pk for author in ann)
    for number in range(5):
        Measurement.objects.create(station=number % 2, number=number, name="m", note=f"{lost}")
    before = snapshot()
    run = merged(Author, "name")
    assert set(Measurement.objects.values_list("note", flat=True)) == {f"{kept}"}
    assert_undo_restores(run, before)


def test_keys_of_a_row_whose_key_is_a_reference_follow_it(declare: Callable[..., None]) -> None:
    declare(Settings, CommaSeparated("odd.Audit.mentions"))
    accounts = [Account.objects.create(name="a") for _ in range(2)]
    Settings.objects.create(account=accounts[1])
    mentions(f"{accounts[1].pk}")
    before = snapshot()
    run = merged(Account, "name")
    assert Audit.objects.get().mentions == f"{accounts[0].pk}"
    assert_undo_restores(run, before)


def refused(reference: CustomReference) -> str:
    """What the plan says when it refuses; nothing is written by then."""
    register(Author, references=[reference])
    before = snapshot()
    try:
        with pytest.raises(MergeRefused) as caught:
            plan_merge(match_key(Author, ["name"]))
    finally:
        unregister(Author)
    assert snapshot() == before
    assert not MergeRun.objects.exists()
    return str(caught.value)


def test_a_class_that_raises_stops_the_plan_naming_reference_row_and_value(
    ann: tuple[Author, ...],
) -> None:
    (row,) = mentions(f"{ann[1].pk}")
    assert refused(Failing("odd.Audit.mentions")) == (
        f"odd.Audit.mentions of row {row}, Failing.replaced('{ann[1].pk}'): LookupError: no such"
        " person; correct the class or the value, then plan the merge again"
    )


def test_a_class_that_cannot_read_a_value_stops_the_plan(ann: tuple[Author, ...]) -> None:
    row = Audit.objects.create(payload={"people": 5})
    assert refused(PayloadList("odd.Audit.payload")).startswith(
        f"odd.Audit.payload of row {row.pk}, PayloadList.keys({{'people': 5}}): TypeError:"
    )


def test_a_merged_key_that_is_left_in_the_value_stops_the_plan(ann: tuple[Author, ...]) -> None:
    (row,) = mentions(f"{ann[1].pk}")
    assert refused(Forgetful("odd.Audit.mentions")) == (
        f"odd.Audit.mentions of row {row}, Forgetful: {ann[1].pk} is left in '{ann[1].pk}'"
    )


def test_a_value_that_its_column_cannot_take_stops_the_plan(ann: tuple[Author, ...]) -> None:
    row = Audit.objects.create(author_text=f"{ann[1].pk}")
    assert refused(Wordy("odd.Audit.author_text")) == (
        f"odd.Audit.author_text of row {row.pk}, Wordy.replaced('{ann[1].pk}'): ValueError: 'much"
        " longer than before' is longer than the 20 characters allowed; correct the class or the"
        " value, then plan the merge again"
    )


def test_a_class_that_raises_during_the_merge_leaves_the_database_as_it_was(
    declare: Callable[..., None], ann: tuple[Author, ...]
) -> None:
    declare(Author, PayloadList("odd.Audit.payload"))
    plan = plan_merge(match_key(Author, ["name"]))
    Audit.objects.create(payload={"people": 5})
    before = snapshot()
    with pytest.raises(MergeRefused, match=r"PayloadList\.keys"):
        merge(plan)
    assert snapshot() == before
    assert not MergeRun.objects.get().merged


def test_what_is_written_between_plan_and_merge_is_replaced_as_well(
    declare: Callable[..., None], ann: tuple[Author, ...]
) -> None:
    declare(Author, CommaSeparated("odd.Audit.mentions"))

    def meanwhile(**_: Any) -> None:
        mentions(f"{ann[1].pk}")

    pre_merge.connect(meanwhile)
    try:
        merge(plan_merge(match_key(Author, ["name"])))
    finally:
        pre_merge.disconnect(meanwhile)
    assert Audit.objects.get().mentions == f"{ann[0].pk}"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            CommaSeparated,
            "links.Author: reference <class 'tests.references.test_custom_referenc",
        ),
        (
            CommaSeparated("odd.Audit.mention"),
            "links.Author: reference CommaSeparated('odd.Audit.mention'): odd.Audit has no field"
            " 'mention'; did you mean mentions?",
        ),
        (
            CommaSeparated("odd.Audit.id"),
            "links.Author: reference CommaSeparated('odd.Audit.id'): id holds a key as it is:"
            " name it as a column, as text",
        ),
        (CommaSeparated("odd.Audt.mentions"), "links.Author: there is no model 'odd.Audt'"),
    ],
    ids=["a class", "no field", "a key", "no model"],
)
def test_what_is_wrong_in_a_custom_reference_is_system_check_e005(
    declare: Callable[..., None], reference: Any, message: str
) -> None:
    declare(Author, reference)
    (error,) = check_declarations()
    assert error.id == "dedupe_toolkit.E005"
    assert error.msg.startswith(message)


def test_a_custom_reference_holds_primary_keys_of_one_column_only() -> None:
    custom = CommaSeparated("odd.Audit.mentions")
    for model, references in ((Measurement, [custom]), (Author, {custom: "name"})):
        register(model, references=references)
        try:
            (error,) = check_declarations()
            assert error.id == "dedupe_toolkit.E005"
            assert "custom references hold primary keys of one column" in error.msg
        finally:
            unregister(model)
