"""The parts of the demo that decide something; the story itself is run by ``make demo``."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from testproject.demo.databases import prepare_databases, without_password
from testproject.demo.errors import DemoError
from testproject.demo.sums import KINDS, adds_up, rows_leaving, written_twice
from testproject.demo.workspace import fresh_workspace
from testproject.films.models import Person

PLAN = {
    "references": [
        {"reference": "films.Credit.person", "repointed": 9, "discarded": 2, "merged": 0},
        {"reference": "films.PersonProfile.person", "repointed": 0, "discarded": 1, "merged": 2},
        {"reference": "films.Award.person", "repointed": 4, "discarded": 0, "merged": 0},
    ],
}
BEFORE = dict.fromkeys(KINDS, 10) | {"duplicate people": 3}


def test_merged_and_discarded_rows_leave_and_repointed_rows_stay():
    assert rows_leaving(BEFORE, PLAN) == {
        "people": 3,
        "credits": 2,
        "profiles": 3,
        "awards": 0,
        "notes": 0,
        "genre links": 0,
    }


def test_the_numbers_add_up_when_only_the_planned_rows_are_gone():
    after = BEFORE | {"people": 7, "credits": 8, "profiles": 7}

    assert adds_up(BEFORE, PLAN, after)
    assert not adds_up(BEFORE, PLAN, after | {"awards": 9})


def test_what_the_duplicates_brought_twice_is_no_loss_and_is_explained():
    merged = {"awards": 189, "notes": 1104}

    assert "keeps 10 awards and 1,010 notes more" in written_twice(
        merged, {"awards": 179, "notes": 94}
    )
    assert written_twice(merged, merged) == ""


def test_the_root_of_the_demo_s_server_leads_to_the_admin(client):
    response = client.get("/")
    assert (response.status_code, response.url) == (302, "/admin/")


def test_the_workspace_is_made_anew_from_the_test_project(tmp_path):
    workspace = fresh_workspace(tmp_path / "demo")
    (workspace / "left_over").touch()

    fresh_workspace(workspace)
    assert (workspace / "manage.py").is_file()
    assert (workspace / "testproject" / "films" / "models.py").is_file()
    assert not (workspace / "testproject" / "demo").exists()
    assert not (workspace / "left_over").exists()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(DemoError, match="please move it away"):
        fresh_workspace(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize("url", [None, "", "sqlite:///mine.sqlite3"])
def test_in_sqlite_the_demo_uses_files_of_its_own(url):
    databases = prepare_databases(url)

    assert databases.catalogue is None
    assert databases.again == "sqlite:///again.sqlite3"


def test_a_shown_url_has_no_password():
    assert without_password("postgres://me:secret@db/films") == "postgres://me:***@db/films"
    assert without_password("postgres://me@db/films") == "postgres://me@db/films"


@pytest.mark.django_db
def test_people_of_one_name_are_shown_side_by_side():
    first = Person.objects.create(name="Federico Fellini", biography="Directed 8½ (1963).")
    second = Person.objects.create(name="Federico Fellini", discovered_by=first)
    out = StringIO()
    call_command("show_person", "Federico Fellini", stdout=out)

    lines = {
        line.split("│")[1].strip(): line for line in out.getvalue().splitlines() if "│" in line
    }
    assert str(first.pk) in lines["id"]
    assert str(second.pk) in lines["id"]
    assert "Directed 8½ (1963)." in lines["biography"]
    assert f"Federico Fellini (id {first.pk})" in lines["discovered by"]
