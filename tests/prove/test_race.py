"""The race of ``get_or_create``, run by real processes on the real database."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from dedupe_toolkit.prove.processes import run_in_step
from testproject.library.models import Author
from tests.prove.races import AUTHORS, race_for_authors, unique

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 4


def test_without_a_constraint_the_race_leaves_duplicates_and_makes_later_calls_raise():
    race_for_authors(processes=PROCESSES)
    # all had looked for the first author before anyone created it
    assert Author.objects.filter(last_name="No. 0").count() == PROCESSES
    assert Author.objects.count() > AUTHORS

    happened = race_for_authors(processes=PROCESSES)
    assert happened["MultipleObjectsReturned"] > 0
    assert happened["created"] == 0


def test_with_a_unique_constraint_every_process_gets_the_one_row_and_none_raises():
    with unique(Author, "first_name", "last_name"):
        happened = race_for_authors(processes=PROCESSES)

    assert Author.objects.count() == AUTHORS
    assert happened == {"created": AUTHORS, "got": AUTHORS * (PROCESSES - 1)}


def test_the_constraint_of_a_race_test_is_gone_afterwards():
    with unique(Author, "first_name", "last_name"):
        Author.objects.create(first_name="Leo", last_name="Tolstoy")
        with pytest.raises(DatabaseError), transaction.atomic():
            Author.objects.create(first_name="Leo", last_name="Tolstoy")

    Author.objects.create(first_name="Leo", last_name="Tolstoy")
    assert Author.objects.count() == 2


def fail_in_the_last_process(turn):
    if turn.number == turn.processes - 1:
        raise LookupError("this process gives up")
    turn.wait()


def test_a_process_that_fails_stops_the_others_and_its_error_is_raised_here():
    with pytest.raises(LookupError, match="this process gives up"):
        run_in_step(f"{__name__}.fail_in_the_last_process", processes=3)
