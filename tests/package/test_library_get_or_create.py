"""What ``get_or_create`` promises and what it does not, as documentation that runs."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse

from testproject.library.models import Author, Book, Publisher, RecordTemplate

pytestmark = pytest.mark.django_db
ISNI = "0000000000000001"


def test_the_first_call_creates_the_row_and_the_second_gets_it():
    tolstoy, created = Author.objects.get_or_create(first_name="Leo", last_name="Tolstoy")
    assert created

    same, created = Author.objects.get_or_create(first_name="Leo", last_name="Tolstoy")
    assert same == tolstoy
    assert not created


def test_defaults_are_used_to_create_and_never_to_look_up_or_to_update():
    Publisher.objects.get_or_create(name="Penguin Books", defaults={"city": "London"})

    publisher, created = Publisher.objects.get_or_create(
        name="Penguin Books", defaults={"city": "Harmondsworth"}
    )
    assert not created
    assert publisher.city == "London"


def test_a_default_may_be_a_callable_that_is_called_only_to_create():
    calls = []

    def city() -> str:
        calls.append("called")
        return "Leipzig"

    for _ in range(2):
        publisher, _ = Publisher.objects.get_or_create(name="Insel", defaults={"city": city})
    assert publisher.city == "Leipzig"
    assert calls == ["called"]


def test_a_field_called_defaults_is_looked_up_as_defaults__exact():
    template, created = RecordTemplate.objects.get_or_create(
        defaults__exact="language: ru", defaults={"defaults": "language: ru"}
    )
    assert created
    assert template.defaults == "language: ru"

    same, created = RecordTemplate.objects.get_or_create(
        defaults__exact="language: ru", defaults={"defaults": "language: fr"}
    )
    assert same == template
    assert not created


def test_a_lookup_with_exact_does_not_reach_the_row_that_is_created():
    author, _ = Author.objects.get_or_create(first_name="Leo", last_name__exact="Tolstoy")
    assert author.last_name == ""

    another, created = Author.objects.get_or_create(first_name="Leo", last_name__exact="Tolstoy")
    assert created
    assert another != author


def test_nothing_but_a_constraint_keeps_a_second_row_out():
    Author.objects.create(first_name="Leo", last_name="Tolstoy")
    Author.objects.create(first_name="Leo", last_name="Tolstoy")

    Publisher.objects.create(name="Penguin Books")
    with pytest.raises(IntegrityError), transaction.atomic():
        Publisher.objects.create(name="Penguin Books")


def test_two_rows_make_every_later_call_raise_multiple_objects_returned():
    for _ in range(2):
        Author.objects.create(first_name="Leo", last_name="Tolstoy")

    with pytest.raises(Author.MultipleObjectsReturned):
        Author.objects.get_or_create(first_name="Leo", last_name="Tolstoy")
    assert Author.objects.count() == 2


def test_a_filter_with_q_narrows_the_lookup_and_the_defaults_make_the_row_fit_it():
    leo_or_lev = Author.objects.filter(Q(first_name="Leo") | Q(first_name="Lev"))

    author, created = leo_or_lev.get_or_create(last_name="Tolstoy", defaults={"first_name": "Leo"})
    assert created
    assert author.first_name == "Leo"

    Author.objects.filter(pk=author.pk).update(first_name="Lev")
    same, created = leo_or_lev.get_or_create(last_name="Tolstoy", defaults={"first_name": "Leo"})
    assert same == author
    assert not created


def test_what_a_filter_says_and_the_defaults_do_not_is_lost_in_the_created_row():
    leo_only = Author.objects.filter(first_name="Leo")

    author, _ = leo_only.get_or_create(last_name="Tolstoy")
    assert author.first_name == ""

    _, created = leo_only.get_or_create(last_name="Tolstoy")
    assert created


def test_a_q_given_as_argument_is_taken_for_the_defaults_and_filters_nothing():
    Author.objects.create(first_name="Anton", last_name="Chekhov")

    author, created = Author.objects.get_or_create(Q(last_name="Tolstoy"))
    assert not created
    assert author.last_name == "Chekhov"


def test_a_reverse_foreign_key_adds_its_parent_to_the_lookup_and_to_the_row():
    penguin = Publisher.objects.create(name="Penguin Books")
    Book.objects.create(title="War and Peace")

    book, created = penguin.books.get_or_create(title="War and Peace")
    assert created
    assert book.publisher == penguin


def test_a_many_to_many_looks_only_among_the_related_rows():
    Author.objects.create(first_name="Leo", last_name="Tolstoy")
    book = Book.objects.create(title="War and Peace")

    author, created = book.authors.get_or_create(first_name="Leo", last_name="Tolstoy")
    assert created
    assert list(book.authors.all()) == [author]
    assert Author.objects.count() == 2


def test_a_many_to_many_raises_when_a_unique_row_exists_but_is_not_related():
    Author.objects.create(first_name="Leo", last_name="Tolstoy", isni=ISNI)
    book = Book.objects.create(title="War and Peace")

    with pytest.raises(IntegrityError):
        book.authors.get_or_create(isni=ISNI)


def test_getting_the_row_first_and_adding_it_then_is_right_for_a_many_to_many():
    tolstoy = Author.objects.create(isni=ISNI)
    book = Book.objects.create(title="War and Peace")

    for _ in range(2):
        author, created = Author.objects.get_or_create(isni=ISNI)
        book.authors.add(author)
        assert not created
    assert list(book.authors.all()) == [tolstoy]


def test_null_is_a_value_to_get_or_create_and_none_to_the_constraint():
    Author.objects.get_or_create(isni=None)
    _, created = Author.objects.get_or_create(isni=None)
    assert not created

    Author.objects.create(isni=None)
    with pytest.raises(Author.MultipleObjectsReturned):
        Author.objects.get_or_create(isni=None)


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_view_never_creates_when_it_is_only_looked_at(client, method):
    url = reverse("library:authors")
    response = getattr(client, method)(url, {"first_name": "Leo", "last_name": "Tolstoy"})

    assert response.status_code == 200
    assert not Author.objects.exists()


def test_a_view_creates_when_posted_to_and_gets_when_posted_to_again(client):
    form = {"first_name": "Leo", "last_name": "Tolstoy"}

    for _ in range(2):
        response = client.post(reverse("library:authors"), form)
        assert response.status_code == 302
    assert Author.objects.get().last_name == "Tolstoy"


def test_a_view_creates_nothing_from_a_form_that_is_not_valid(client):
    response = client.post(reverse("library:authors"), {"first_name": "Leo"})

    assert "This field is required." in response.text
    assert not Author.objects.exists()


def test_a_view_shows_the_authors_that_are_asked_for(client):
    Author.objects.create(first_name="Leo", last_name="Tolstoy")
    Author.objects.create(first_name="Anton", last_name="Chekhov")

    response = client.get(reverse("library:authors"), {"first_name": "Leo", "last_name": "Tolstoy"})
    assert "<li>Leo Tolstoy</li>" in response.text
    assert "Chekhov" not in response.text
