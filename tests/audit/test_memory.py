"""The keys of the last audit, which find_duplicates goes by."""

from __future__ import annotations

import pytest

from dedupe_toolkit import audit_get_or_create
from dedupe_toolkit.audit.memory import remember, remembered_keys
from dedupe_toolkit.models import AuditedKey
from tests.commands.kit import run
from tests.situations.audited.models import Coded, Loose

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture
def audited() -> None:
    remember(audit_get_or_create("audited", everything=True), "default")


@pytest.mark.usefixtures("audited")
def test_what_unsafe_calls_look_up_is_kept_with_its_places() -> None:
    (row,) = [r for r in AuditedKey.objects.filter(model="audited.Loose") if r.fields == ["key"]]
    assert "tests/situations/audited/calls.py:31" in row.places
    assert not AuditedKey.objects.filter(model="audited.Coded").exists()


@pytest.mark.usefixtures("audited")
def test_the_next_audit_takes_its_place() -> None:
    before = AuditedKey.objects.count()
    remember(audit_get_or_create("audited", everything=True), "default")
    assert AuditedKey.objects.count() == before
    remember(audit_get_or_create("audited"), "default")
    assert not AuditedKey.objects.exists()


@pytest.mark.usefixtures("audited")
def test_find_duplicates_without_fields_goes_by_the_last_audit() -> None:
    for _ in range(2):
        Loose.objects.create(key="twice")
    found = run("find_duplicates", "audited.Loose", "--format", "json").document["keys"]
    assert [one["fields"] for one in found] == [["key"], ["key", "seen"]]
    assert [one["groups"] for one in found] == [1, 0]
    every = run("find_duplicates", "--format", "json").document["keys"]
    assert {"audited.Loose", "audited.Stray", "audited.Pair"} <= {one["model"] for one in every}


def test_an_audit_of_some_apps_is_not_kept() -> None:
    run("audit_get_or_create", "audited", "--all")
    assert not AuditedKey.objects.exists()


@pytest.mark.usefixtures("audited")
def test_a_key_that_cannot_be_any_more_is_passed_over() -> None:
    AuditedKey.objects.update(fields=["gone"])
    assert list(remembered_keys("default")) == []
    AuditedKey.objects.update(model="gone.Gone")
    assert list(remembered_keys("default")) == []
    assert list(remembered_keys("default", Coded)) == []
