"""Rights by actions: what a steward may do with which, as the documentation has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit import merge, plan_merge, row_set
from dedupe_toolkit.models import QueuedGroup
from testproject.films.models import Film, Person, PersonProfile, Role
from tests.admin.kit import (
    OVERVIEW,
    QUEUE,
    client_of,
    digest_on,
    fields_of,
    people_called,
    scan,
    steward,
    text_of,
)

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[2] / "docs" / "how-to" / "review-in-the-admin.md"
ROWS = ["change_person", "delete_person"]
RIGHTS = {
    "none": [],
    "to change and delete the model": ROWS,
    "and to scan": [*ROWS, "scan_duplicates"],
    "and to dismiss": [*ROWS, "dismiss_duplicates"],
    "and to merge": [*ROWS, "merge_duplicates"],
    "and to merge, and to delete what would vanish": [
        *ROWS,
        "merge_duplicates",
        "delete_personprofile",
    ],
    "and to view merge runs": [*ROWS, "view_mergerun"],
    "and to view merge runs, and to undo": [
        *ROWS,
        "view_mergerun",
        "undo_merges",
        "delete_personprofile",
    ],
    "to merge, not to delete the model": ["change_person", "merge_duplicates"],
}
ACTIONS = ["overview", "scan", "queue", "review page", "merge", "merge, another row vanishes"]
ACTIONS += ["dismiss", "merge runs", "undo"]


class Desk:
    """Something to be done for each action, and the answer to whoever tries."""

    def __init__(self, admin: Client) -> None:
        people_called(*["Agnès Varda", "Jacques Demy", "Anna Karina"] * 2)
        done = people_called("Alain Resnais", "Alain Resnais")
        film = Film.objects.create(catalogue_id=1, title="Lola", year=1961)
        demys = Person.objects.filter(name="Jacques Demy")
        for person, role in zip(demys, (Role.DIRECTOR, Role.CAST), strict=True):
            PersonProfile.objects.create(person=person, known_for=film, known_as=role)
        self.key = digest_on(admin.get(OVERVIEW))
        scan(admin)
        groups = {
            name: QueuedGroup.objects.get(row=Person.objects.filter(name=name).earliest("pk").pk)
            for name in ("Agnès Varda", "Jacques Demy", "Anna Karina")
        }
        self.pages = {name: f"{QUEUE}{group.pk}/" for name, group in groups.items()}
        self.forms = {name: fields_of(admin.get(page)) for name, page in self.pages.items()}
        run = merge(plan_merge(row_set(Person, [one.pk for one in done])))
        self.run = f"/admin/dedupe_toolkit/mergerun/{run.pk}/undo/"

    def answer(self, client: Client, action: str) -> HttpResponse:
        match action:
            case "overview":
                return client.get(OVERVIEW)
            case "scan":
                return client.post(OVERVIEW, {"key": self.key}, follow=True)
            case "queue":
                return client.get(QUEUE)
            case "review page":
                return client.get(self.pages["Agnès Varda"])
            case "merge":
                return self.press(client, "Agnès Varda", "merge")
            case "merge, another row vanishes":
                return self.press(client, "Jacques Demy", "merge")
            case "dismiss":
                return self.press(client, "Anna Karina", "dismiss")
            case "merge runs":
                return client.get("/admin/dedupe_toolkit/mergerun/")
            case _:
                return client.post(self.run, follow=True)

    def press(self, client: Client, name: str, button: str) -> HttpResponse:
        """The button on the page as this user sees it; as others do, where it is not shown."""
        shown = client.get(self.pages[name])
        form = fields_of(shown) if shown.status_code == 200 else self.forms[name]
        return client.post(self.pages[name], {**form, button: "x"})


def told(response: HttpResponse) -> str:
    if response.status_code == 302:  # it is done, and the page of the next group another matter
        return "yes"
    if response.status_code == 200:
        page = text_of(response)
        return "“Merging needs someone else.”" if "Merging needs someone else" in page else "yes"
    return {403: "403", 404: "404"}[response.status_code]


@pytest.mark.parametrize("rights", RIGHTS)
def test_what_these_rights_allow_is_what_the_documentation_says(
    admin_client: Client, rights: str
) -> None:
    desk = Desk(admin_client)
    client = client_of(steward(*RIGHTS[rights]))
    answers = [told(desk.answer(client, action)) for action in ACTIONS]
    assert f"| {rights} | {' | '.join(answers)} |" in DOCUMENT.read_text()


def test_the_documentation_has_these_actions() -> None:
    assert f"| the right … | {' | '.join(ACTIONS)} |" in DOCUMENT.read_text()
