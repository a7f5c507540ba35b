"""What a steward could not edit on the form of a row does not change among the safe ones either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth.hashers import make_password

from dedupe_toolkit import match_key
from dedupe_toolkit.admin import slices
from dedupe_toolkit.models import QueuedGroup
from testproject.films.admin import PersonAdmin
from testproject.films.models import Genre, Person
from tests.admin.kit import QUEUE, merge_safe, messages_of, people_called, scan
from tests.queue.scanning import scanned

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from dedupe_toolkit.models import Scan

pytestmark = pytest.mark.django_db

State = QueuedGroup.State


@pytest.fixture(autouse=True, params=[True, False], ids=["one form", "a form for each row"])
def forms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        for name in ("get_fieldsets", "get_readonly_fields"):
            monkeypatch.setattr(PersonAdmin, name, getattr(ModelAdmin, name))


def states_of(known: Scan) -> dict[str, str]:
    return dict(known.queued.values_list("text", "state"))


def test_the_safe_ones_fill_no_blank_of_a_field_that_a_steward_could_not_edit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = people_called("Agnès Varda", "Agnès Varda")
    Person.objects.filter(pk=second.pk).update(biography="Film maker.", acting_since=1954)
    monkeypatch.setattr(PersonAdmin, "readonly_fields", ["biography"])
    people_called("Chris Marker", "Chris Marker", biography="The same.")
    known = scan(admin_client)
    told = messages_of(merge_safe(admin_client, known))
    assert "1 group needs someone else" in told
    assert dict(known.queued.values_list("text", "state")) == {
        "Agnès Varda": State.OTHERS,
        "Chris Marker": State.MERGED,
    }
    assert Person.objects.get(pk=first.pk).biography == ""
    assert Person.objects.get(pk=second.pk).biography == "Film maker."


def test_the_safe_ones_move_no_links_that_a_steward_could_not_edit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = people_called("Agnès Varda", "Agnès Varda")
    second.genres.add(Genre.objects.create(name="Drama"))
    people_called(*["Chris Marker", "Jacques Demy", "Sally Potter"] * 2)
    known = scan(admin_client)
    monkeypatch.setattr(PersonAdmin, "exclude", ["genres"])
    told = messages_of(merge_safe(admin_client, known))
    assert "3 groups merged" in told
    assert "1 group needs someone else" in told
    assert not first.genres.exists()
    assert Person.objects.filter(name="Agnès Varda").count() == 2
    assert Person.objects.count() == 5


def test_refusals_that_take_longer_than_a_slice_come_to_an_end(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SECONDS", 0)
    second = people_called("Agnès Varda", "Agnès Varda")[1]
    second.genres.add(Genre.objects.create(name="Drama"))
    people_called(*["Chris Marker", "Jacques Demy", "Sally Potter"] * 2)
    known = scan(admin_client)
    monkeypatch.setattr(PersonAdmin, "exclude", ["genres"])
    asking = f"{QUEUE}merge-safe/{known.pk}/"
    url = admin_client.post(asking, {"groups": "4"}).url.removesuffix("#start")
    for _ in range(4):
        admin_client.post(url, {"slice": "1"})
    assert sorted(states_of(known).values()) == [*[State.MERGED] * 3, State.OTHERS]


def test_a_password_hash_is_filled_into_no_row(admin_client: Client) -> None:
    people_called(*["Agnès Varda"] * 2, biography="The same.")
    people_called("Chris Marker")
    people_called("Chris Marker", biography=make_password("secret"))
    known = scan(admin_client)
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.MERGED, "Chris Marker": State.OTHERS}


def test_a_password_hash_in_one_group_hides_nothing_in_its_neighbour(
    admin_client: Client,
) -> None:
    people_called(*["Agnès Varda"] * 2, biography=make_password("secret"))
    people_called("Chris Marker")
    people_called("Chris Marker", biography="Film maker.")
    known = scan(admin_client)
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.MERGED, "Chris Marker": State.MERGED}
    assert Person.objects.get(name="Chris Marker").biography == "Film maker."


def test_what_is_read_only_in_one_group_is_filled_in_another(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called("Agnès Varda")
    people_called("Agnès Varda", biography="Film maker.")
    people_called(*["Chris Marker"] * 2, biography="The same.", acting_since=1954)

    def read_only(self: PersonAdmin, request: Any, row: Person | None = None) -> list[str]:
        return ["biography"] if row is not None and row.acting_since else []

    monkeypatch.setattr(PersonAdmin, "get_readonly_fields", read_only)
    known = scan(admin_client)
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.MERGED, "Chris Marker": State.MERGED}
    assert Person.objects.get(name="Agnès Varda").biography == "Film maker."


def test_a_read_only_value_that_differs_since_the_scan_is_not_dropped(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = people_called(*["Agnès Varda"] * 2, biography="The same.")[1]
    monkeypatch.setattr(PersonAdmin, "readonly_fields", ["biography"])
    known = scan(admin_client)
    Person.objects.filter(pk=second.pk).update(biography="Another.")
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.HELD}
    assert Person.objects.count() == 2


def test_a_declared_rule_makes_no_value_of_a_field_that_is_read_only(
    admin_client: Client, declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(Person, keys=["name"], field_rules={"acting_since": "sum"})
    people_called(*["Agnès Varda"] * 2, acting_since=3)
    people_called(*["Chris Marker"] * 2)
    monkeypatch.setattr(PersonAdmin, "readonly_fields", ["acting_since"])
    known = scanned(match_key(Person, ["name"]))
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.OTHERS, "Chris Marker": State.MERGED}


def test_a_group_that_is_gone_is_no_longer_safe(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_called(*["Agnès Varda", "Chris Marker"] * 2)
    known = scan(admin_client)
    monkeypatch.setattr(PersonAdmin, "readonly_fields", ["biography"])
    Person.objects.filter(name="Agnès Varda").delete()
    merge_safe(admin_client, known)
    assert states_of(known) == {"Agnès Varda": State.OUTDATED, "Chris Marker": State.MERGED}
