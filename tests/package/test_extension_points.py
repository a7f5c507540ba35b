"""What is added from outside works as what the package brings: named, listed, undone."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import CharField, F, Transform
from django.db.models.functions import Length

from dedupe_toolkit import databases
from dedupe_toolkit.collisions.resolutions import RESOLUTIONS, OfRivals, Outcome, Resolution
from dedupe_toolkit.databases import Database, dialect_of
from dedupe_toolkit.errors import InvalidOption, MergeRefused
from dedupe_toolkit.field_rules import rules as field_rules
from dedupe_toolkit.field_rules.rules import Pick
from dedupe_toolkit.finding import survivor_rules as survivors
from dedupe_toolkit.keys import is_text
from dedupe_toolkit.planning.reasons.of_rows import REASONS, Merging, Reason
from dedupe_toolkit.references.finders import FINDERS, Finder
from dedupe_toolkit.references.kinds import Reference
from dedupe_toolkit.wording import WORDING, Wording
from testproject.films.models import Person
from tests.kit import assert_undo_restores, counts, merged, merged_rows, planned, snapshot
from tests.situations.declared.models import Card, Customer
from tests.situations.links.models import Author
from tests.situations.odd.models import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def authors() -> None:
    for name, bio in (("Leo", "long"), ("Leo", "longest"), ("Leo", "a")):
        Author.objects.create(name=name, bio=bio)


def helped(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    return capsys.readouterr().out


def test_a_field_rule_is_one_object(
    authors: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shortest = Pick(
        order=lambda value, mapping, database: f"{database.characters(value)}, m.place",
        fits=is_text,
    )
    monkeypatch.setitem(field_rules.RULES, "shortest", shortest)
    before = snapshot()
    run = merged(Author, "name", field_rules={"bio": "shortest"})
    assert Author.objects.get().bio == "a"
    assert_undo_restores(run, before)
    assert "shortest" in helped("merge_duplicates", capsys)
    with pytest.raises(InvalidOption, match=r"'shortest' does not fit links\.Author\.born"):
        merged(Author, "name", field_rules={"born": "shortest"})


def test_a_field_rule_says_what_it_fits() -> None:
    with pytest.raises(TypeError, match="fits"):
        Pick(order=lambda value, mapping, database: "m.place")  # type: ignore[call-arg]  # forgotten


def test_a_survivor_rule_is_one_function(
    authors: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(
        survivors.RULES, "best-told", lambda model, using: [Length(F("bio")).desc()]
    )
    longest = Author.objects.get(bio="longest")
    merged(Author, "name", survivor="best-told")
    assert Author.objects.get() == longest
    for command in ("find_duplicates", "merge_duplicates"):
        assert "best-told" in helped(command, capsys)


@dataclass(frozen=True, kw_only=True)
class NamedModelReference(Reference):
    """The label of a model, and beside it the id of one of its rows."""

    kind = "named model"

    def condition(self, alias: str, database: Database) -> str:
        return f"{alias}.{database.q('res_model')} = '{self.target._meta.label}'"

    @property
    def beside(self) -> tuple[str, ...]:
        return ("res_model",)


def names_models(referrer: type[Model]) -> bool:
    return {"res_model", "res_id"} <= {field.name for field in referrer._meta.local_fields}


def named_models(
    referrer: type[Model], model: type[Model], using: str
) -> Iterator[NamedModelReference]:
    if names_models(referrer):
        yield NamedModelReference(
            referrer=referrer,
            label=f"{referrer._meta.label}.res_id",
            columns=("res_id",),
            target=model,
            targets=(model._meta.pk.column,),
        )


def test_a_kind_of_reference_is_one_class_and_where_it_stands(
    authors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = Finder(
        targets=lambda referrer: None if names_models(referrer) else (),
        references=named_models,
        columns=lambda referrer, model: (),
    )
    monkeypatch.setitem(FINDERS, "named models", finder)
    first, second, third = Author.objects.values_list("pk", flat=True).order_by("pk")
    for model, pk, who in (
        ("links.Author", first, "Ann"),
        ("links.Author", second, "Ann"),
        ("links.Author", third, "Bob"),
        ("links.Book", second, "Bob"),
    ):
        Follower.objects.create(res_model=model, res_id=pk, who=who)
    (shown,) = [one for one in planned(Author, "name").references if one.kind == "named model"]
    assert (shown.reference, shown.repointed, shown.discarded) == ("odd.Follower.res_id", 1, 1)
    before = snapshot()
    run = merged(Author, "name")
    followers = Follower.objects.values_list("res_model", "res_id", "who")
    assert set(followers) == {
        ("links.Author", first, "Ann"),
        ("links.Author", first, "Bob"),
        ("links.Book", second, "Bob"),
    }
    assert_undo_restores(run, before)


def test_a_kind_of_reference_says_what_it_is_called() -> None:
    with pytest.raises(TypeError, match="Nameless does not say by kind what it is called"):

        class Nameless(Reference):
            pass


def test_a_finder_says_whose_values_its_references_hold() -> None:
    with pytest.raises(TypeError, match="columns"):
        Finder(targets=lambda referrer: None, references=named_models)  # type: ignore[call-arg]  # forgotten


UNUSED = Resolution(
    name="unused",
    words="let unused cards go",
    tied=Outcome.HOLD,
    rivals=OfRivals(
        outcome=Outcome.DISCARD,
        choice="Let unused cards go.",
        of_pair="let an unused card go",
        loses="it keeps: %(fields)s",
        only=lambda database, referrer: f"a.{database.q('points')} = 0",
    ),
)


@pytest.fixture
def unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RESOLUTIONS, "unused", UNUSED)
    for name, points in (("Ann", 5), ("Ann", 0), ("Bob", 5), ("Bob", 3)):
        customer = Customer.objects.create(name=name)
        Card.objects.create(customer=customer, program="miles", points=points)


def test_a_resolution_is_one_object(unused: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "hold|merge|discard|unused" in helped("merge_duplicates", capsys)
    before = snapshot()
    run = merged(Customer, "name", on_collision="unused")
    assert (run.merged, run.groups_held_back) == (1, 1)
    assert counts(run, "declared.Card.customer") == (0, 1, 0)
    assert sorted(Card.objects.values_list("points", flat=True)) == [3, 5, 5]
    assert_undo_restores(run, before)


def test_a_resolution_is_the_same_for_rows_named_one_by_one(unused: None) -> None:
    for name, held in (("Ann", 0), ("Bob", 1)):
        rows = Customer.objects.filter(name=name).order_by("pk")
        run = merged_rows(Customer, *(row.pk for row in rows), on_collision="unused")
        assert run.groups_held_back == held


def test_a_resolution_can_be_chosen_on_the_review_page(unused: None, admin_client: Client) -> None:
    rows = "&".join(f"rows={Person.objects.create(name='Ann').pk}" for _ in range(2))
    page = admin_client.get(f"/admin/dedupe_toolkit/mergerun/merge/films/person/?{rows}")
    assert "Let unused cards go." in page.content.decode()


def test_a_resolution_says_what_becomes_of_rows_that_tie() -> None:
    with pytest.raises(TypeError, match="tied"):
        Resolution(name="unused", words="", rivals=None)  # type: ignore[call-arg]  # forgotten


@pytest.mark.parametrize("name", RESOLUTIONS)
def test_every_resolution_is_in_the_reference(name: str) -> None:
    pages = Path(__file__).parents[2] / "docs" / "reference"
    told = [page for page in pages.glob("*.md") if f"`{name}`" in page.read_text(encoding="utf-8")]
    assert told


def hold_crowds(rows: Merging) -> None:
    database = rows.session.database
    rows.session.held.add(
        "crowd",
        f"FROM (SELECT m.group_number FROM {database.q(rows.mapping.name)} m"
        " GROUP BY m.group_number HAVING COUNT(*) > 2) x",
        told={"model": rows.mapping.table.model._meta.label},
    )


@pytest.fixture
def crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    wording = Wording(text="{model}: more than two rows", people="{model}: many.")
    monkeypatch.setitem(WORDING, "crowd", wording)
    crowd = Reason(codes=("crowd",), needs_plan=lambda rows: True, hold=hold_crowds)
    monkeypatch.setitem(REASONS, "crowds", crowd)


def test_a_reason_to_hold_back_is_one_object(authors: None, crowds: None) -> None:
    few = [Author.objects.create(name="Ann") for _ in range(2)]
    run = merged(Author, "name")
    (held,) = run.held_back
    assert (run.merged, held["reason"]) == (1, "links.Author: more than two rows")
    assert Author.objects.filter(name="Ann").get() == few[0]
    assert Author.objects.filter(name="Leo").count() == 3


def test_a_reason_to_hold_back_is_told_by_a_preview_too(authors: None, crowds: None) -> None:
    rows = Author.objects.filter(name="Leo").order_by("pk").values_list("pk", flat=True)
    run = merged_rows(Author, *rows)
    assert [held["reason"] for held in run.held_back] == ["links.Author: more than two rows"]


def test_a_reason_to_hold_back_has_a_sentence() -> None:
    with pytest.raises(TypeError, match="no sentence in WORDING for the reason crowd"):
        Reason(codes=("crowd",), needs_plan=lambda rows: True, hold=hold_crowds)


def test_a_database_is_one_class(authors: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(dialect_of("default")):  # type: ignore[misc]  # of any database that the suite has
        unpacks = False

    monkeypatch.setattr(connection, "vendor", "own")
    with pytest.raises(MergeRefused, match="duplicates can be merged on"):
        planned(Author, "name")
    monkeypatch.setattr(databases, "DIALECTS", dict(databases.DIALECTS))
    databases.add_dialect("own", Own)
    assert isinstance(databases.database("default"), Own)
    before = snapshot()
    run = merged(Author, "name")
    assert Author.objects.count() == 1
    assert_undo_restores(run, before)


def test_a_database_has_an_answer_to_every_question() -> None:
    class Half(Database):
        pass

    with pytest.raises(TypeError, match=r"Half has no .*lock_rows"):
        databases.add_dialect("half", Half)


class FirstLetter(Transform):
    template = "SUBSTR(%(expressions)s, 1, 1)"
    lookup_name = "first_letter"


@pytest.fixture
def first_letter() -> Iterator[None]:
    CharField.register_lookup(FirstLetter)
    yield
    CharField._unregister_lookup(FirstLetter)


def test_a_transform_is_one_class(first_letter: None) -> None:
    for name in ("Leo", "Lea", "Mary"):
        Author.objects.create(name=name)
    out = StringIO()
    call_command("find_duplicates", "links.Author", "--fields", "name__first_letter", stdout=out)
    assert "1 duplicate group" in out.getvalue()
    before = snapshot()
    run = merged(Author, "name__first_letter")
    assert Author.objects.count() == 2
    assert_undo_restores(run, before)
