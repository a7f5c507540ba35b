"""What a person is told to do next: the right name, the right alias, the right right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User as Account
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

import dedupe_toolkit
from dedupe_toolkit import (
    DedupeError,
    MergeRun,
    find_duplicates,
    make_unique,
    match_key,
    merge,
    plan_merge,
    row_set,
    survivor_of,
    undo,
)
from dedupe_toolkit.keys import resolve_model
from dedupe_toolkit.models import RowChange
from tests.commands.terminal import in_pipe
from tests.kit import merged, merged_rows
from tests.merging.killing import database_url
from tests.roles import refused
from tests.situations.links.models import Author

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

TYPED = ("typed.Everything", "--fields", "name")
KEY = ("links.Author", "--fields", "name")


def told(*line: object, **options: Any) -> str:
    """The one line with which a command refuses."""
    with pytest.raises(CommandError) as refusal:
        call_command(*map(str, line), verbosity=0, **options)
    assert refusal.value.returncode == 1
    (text,) = str(refusal.value).splitlines()
    return text


class AuthorsElsewhere:
    """Keeps authors in the database ``other``, and the journal out of it."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == "links":
            return db == "other"
        return db == "default" if app_label == "dedupe_toolkit" else None


# -- databases -------------------------------------------------------------------------------


@pytest.mark.django_db(databases=["default", "other"])
def test_a_missing_table_is_looked_for_where_the_routers_put_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.AuthorsElsewhere"]
    monkeypatch.setattr(Author._meta, "db_table", "not_there")
    sentence = told("find_duplicates", *KEY)
    assert sentence.endswith("the project's database routers put it into 'other'")
    assert "migrate" not in sentence


@pytest.mark.django_db(databases=["default", "other"])
def test_a_journal_that_the_routers_keep_out_is_not_to_be_migrated(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.AuthorsElsewhere"]
    monkeypatch.setattr(RowChange._meta, "db_table", "not_there")
    sentence = told("merge_duplicates", *KEY, "--database", "other")
    assert "let allow_migrate() say yes for the app dedupe_toolkit there" in sentence


@pytest.mark.django_db
def test_pages_of_a_journal_without_tables_say_so(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (Account.objects.create(username=name) for name in ("first", "second"))
    rows = f"?rows={first.pk}&rows={second.pk}"
    for model in (MergeRun, RowChange):
        monkeypatch.setattr(model._meta, "db_table", "not_there")
    pages = [
        reverse("admin:dedupe_toolkit_mergerun_changelist"),
        reverse("admin:dedupe_toolkit_mergerun_change", args=(1,)),
        reverse("admin:dedupe_toolkit_mergerun_undo", args=(1,)),
        reverse("admin:dedupe_toolkit_rowchange_changelist"),
        reverse("admin:dedupe_toolkit_mergerun_merge", args=("auth", "user")) + rows,
    ]
    for page in pages:
        shown = admin_client.get(page, follow=True)
        assert shown.status_code == 200
        assert "run manage.py migrate --database default" in shown.content.decode()


# -- names and values ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("find_duplicates", "links.Author", "--fields", "name__iexact"), "--ignore-case"),
        (("find_duplicates", "links.Author", "--fields", "name__icontains"), "--ignore-case"),
        (("find_duplicates", "links.Author", "--fields", "born__gt"), "--where narrows"),
        (("find_duplicates", "links.Author", "--fields", "name,born"), "separate fields by spaces"),
        (("find_duplicates", *KEY, "--where", "nmae=x"), "did you mean name?"),
        (("find_duplicates", *KEY, "--where", "mentor__nmae=x"), "did you mean name?"),
        (("merge_duplicates", "links.Author", "--pks", "1,2"), "separate keys by spaces"),
        (("merge_duplicates", "links.Author", "--pks", "1", "9" * 20), "cannot be a primary key"),
        (
            ("merge_duplicates", *TYPED, "--field-rule", "shouted=longest"),
            "is computed by the database",
        ),
    ],
)
def test_a_mistake_is_answered_with_what_was_meant(line: tuple[str, ...], words: str) -> None:
    assert words in told(*line)


@pytest.mark.django_db
def test_a_row_that_was_merged_is_said_to_be_in_its_survivor() -> None:
    first, second, third = (Author.objects.create(name=name) for name in ("Ann", "Ann", "Bob"))
    run = merged(Author, "name")
    sentence = told("merge_duplicates", "links.Author", "--pks", second.pk, third.pk)
    assert sentence == (
        f"links.Author has no row {second.pk}: {second.pk} was merged into {first.pk} in run"
        f" {run.pk}"
    )
    undo(run)
    assert merged_rows(Author, second.pk, third.pk).merged == 1


def test_a_model_that_is_swapped_out_names_the_one_to_use(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_USER_MODEL = "links.Author"
    for ask in (lambda: resolve_model("auth.User"), lambda: match_key(Account, ["email"])):
        with pytest.raises(DedupeError, match=r"auth\.User is swapped out for links\.Author"):
            ask()


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: match_key(Author, "name"), r"must be a list, not 'name': match_key\(Author, \['name'"),
    (lambda: match_key("links.Author", ["name"]), "a model class is needed, not 'links.Author'"),  # type: ignore[arg-type]  # the mistake
    (lambda: row_set(Author, 5), "the primary keys must be a list, not 5"),  # type: ignore[arg-type]  # the mistake
    (lambda: row_set(Author, "12"), "the primary keys must be a list, not '12'"),
    (lambda: find_duplicates(Author), "takes a match key.*not the class Author"),  # type: ignore[arg-type]  # the mistake
    (lambda: plan_merge(Author), "takes a match key or a row set.*not the class Author"),  # type: ignore[arg-type]  # the mistake
    (lambda: merge(match_key(Author, ["name"])), "takes a merge plan.*not a MatchKey"),  # type: ignore[arg-type]  # the mistake
    (lambda: make_unique(Author, "name"), "takes"),  # type: ignore[arg-type,call-arg,misc]  # the mistake
    (lambda: undo("7"), "takes a merge run or its number, not '7'"),  # type: ignore[arg-type]  # the mistake
    (lambda: undo(2_000_000_000), "there is no merge run 2000000000"),
    (lambda: survivor_of("links.Author", 1), "a model class is needed"),  # type: ignore[arg-type]  # the mistake
    (
        lambda: plan_merge(match_key(Author, ["name"]), policy={"survivor": "oldest"}),  # type: ignore[arg-type]  # the mistake
        "policy takes a MergePolicy, not a dict",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("mistake", "words"), MISTAKES)
def test_a_mistake_in_code_is_one_sentence(mistake: Callable[[], Any], words: str) -> None:
    with pytest.raises((DedupeError, TypeError), match=words):
        mistake()


def test_every_public_name_is_listed_by_dir() -> None:
    assert set(dedupe_toolkit.__all__) <= set(dir(dedupe_toolkit))


# -- what a database refuses -------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("default_transaction_read_only", "on", "--database"),
        ("statement_timeout", "1", "statement_timeout is how long"),
    ],
)
def test_a_setting_that_forbids_is_named(pair: None, setting: str, value: str, words: str) -> None:
    assert words in refused(f"{database_url()}?options=-c%20{setting}%3D{value}")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
def test_a_file_that_cannot_be_written_is_named(pair: None) -> None:
    url = f"{database_url()}?init_command=PRAGMA%20query_only%3D1"
    assert "must be writable" in refused(url)
    asked_for = in_pipe("merge_duplicates", *KEY, "--no-input", "--traceback", DATABASE_URL=url)
    assert "Traceback" in asked_for.stderr
