"""The loop in one command: each step shown, asked for where it writes, and never done twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.commands.terminal import finished

if TYPE_CHECKING:
    from collections.abc import Callable

    import pexpect

    from tests.source.project import Project

ITEM = "shop.Item"
LINE = ("dedupe", ITEM, "--fields", "name", "--processes", "2", "--calls", "2")
VERBS = ["audit", "find", "plan", "merge", "make_unique", "migrate", "prove"]
CALL = """\
from .models import Item, Tag


def show(name):
    return Item.objects.get_or_create(name=name)


def tagged(name):
    return Tag.objects.get_or_create(name=name)
"""
QUESTIONS = [
    "Merge 2 rows of shop.Item?",
    "Write shop/models.py and shop/migrations/0002_item_unique_name.py?",
    "Apply them?",
    "Let 2 processes race on a scratch copy of the table of shop.Item?",
]
MERGED = r"2 rows merged in run 1 \(manage\.py undo_merge 1 takes it back\)"
WRITTEN = r"shop/models\.py and shop/migrations/0002_item_unique_name\.py written"
SO_FAR = [
    "nothing was written",
    MERGED,
    f"{MERGED}; {WRITTEN}",
    f"{MERGED}; {WRITTEN}; shop migrated",
]
ON = "The same command goes on from there."


@pytest.fixture
def shop(project: Project) -> Project:
    """Two people too many, a call that let them in, and one of another model."""
    (project.folder / "shop" / "views.py").write_text(CALL)
    project.python("for name in 'aabbc': make('shop.Item', name=name)")
    return project


def names(project: Project) -> str:
    code = "print(*apps.get_model('shop.Item').objects.values_list('name', flat=True))"
    return "".join(sorted(project.python(code).split()))


def assert_closed(project: Project) -> None:
    """No duplicates, none to come, and the models say what the migrations say."""
    said = project.python(
        "call_command('makemigrations', check_changes=True)\n"
        "print('kept:', fails('shop.Item', name='a'))"
    )
    assert said == "No changes detected\nkept: True\n"
    assert names(project) == "abc"
    assert len(project.migrations()) == 2


def answered(project: Project, *answers: str) -> pexpect.spawn[str]:
    """The command at a terminal, its first questions answered, waiting at the next."""
    child = project.begun_at_terminal(*LINE, columns=200)
    for question, answer in zip(QUESTIONS, answers, strict=False):
        child.expect_exact(f"{question} [y/N] ")
        child.sendline(answer)
    return child


def test_a_person_walks_the_whole_loop_and_is_asked_before_each_step_that_writes(
    shop: Project,
) -> None:
    code, shown = finished(answered(shop, "y", "y", "y", "y"))
    assert code == 0
    assert "with the constraint         2           0" in shown
    assert shown.splitlines()[-1] == "Done: shop.Item by name stays without duplicates."
    assert_closed(shop)


def test_without_a_question_the_same_steps_follow_each_other(shop: Project) -> None:
    said = shop.must(*LINE, "--no-input")
    assert re.findall(r"^\d of 7\. (\w+)", said, re.M) == VERBS
    assert "shop/views.py:5: unsafe: shop.Item by name" in said
    assert "shop.Tag" not in said.partition("2 of 7")[0]
    assert "Applying shop.0002_item_unique_name... OK" in said
    assert "[y/N]" not in said
    assert_closed(shop)


def test_a_second_walk_finds_every_step_done_and_proves_again(shop: Project) -> None:
    shop.must(*LINE, "--no-input")
    before = shop.files()
    said = shop.must(*LINE, "--no-input")
    assert "shop/views.py:5: safe: shop.Item by name" in said
    assert "Nothing to merge." in said
    assert "unique_together (name) covers it. Nothing was written." in said
    assert "Nothing to migrate." in said
    assert "with the constraint\t2\t0\t0" in said
    assert shop.files() == before


@pytest.mark.any_database
@pytest.mark.parametrize("step", range(4), ids=["merge", "make_unique", "migrate", "prove"])
def test_ctrl_c_at_a_question_says_what_is_done_and_the_same_command_goes_on(
    shop: Project, step: int
) -> None:
    files = shop.files()
    child = answered(shop, *"y" * step)
    child.expect_exact(f"{QUESTIONS[step]} [y/N] ")
    child.sendintr()
    code, shown = finished(child)
    assert code == 130
    verb = VERBS[3 + step]
    assert re.fullmatch(f"Stopped at {verb}: {SO_FAR[step]}\\. {ON}", shown.splitlines()[-1])
    if step == 0:
        assert (names(shop), shop.files()) == ("aabbc", files)
    shop.must(*LINE, "--no-input")
    assert_closed(shop)


@pytest.mark.any_database
def test_who_says_no_leaves_there_and_is_asked_the_same_the_next_time(shop: Project) -> None:
    for number, question in enumerate(QUESTIONS):
        child = shop.begun_at_terminal(*LINE, columns=200)
        for asked in QUESTIONS[max(number - 1, 0) : number]:
            child.expect_exact(f"{asked} [y/N] ")
            child.sendline("y")
        child.expect_exact(f"{question} [y/N] ")
        child.sendline("n")
        code, shown = finished(child)
        assert code == 0
        assert shown.splitlines()[-1].startswith(f"Left at {VERBS[3 + number]}: ")
        assert shown.splitlines()[-1].endswith(ON)
    child = shop.begun_at_terminal(*LINE, columns=200)
    child.expect_exact(f"{QUESTIONS[-1]} [y/N] ")
    child.sendline("y")
    assert finished(child)[0] == 0
    assert_closed(shop)


@pytest.mark.parametrize("field", ["id", "pk"])
def test_a_key_with_the_primary_key_is_refused_before_the_first_step(
    shop: Project, field: str
) -> None:
    done = shop.manage("dedupe", ITEM, "--fields", field, "--no-input")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "CommandError: shop.Item: the primary key is among id and keeps them unique already: there"
        " is nothing to prove\n"
    )


def test_where_nobody_can_answer_the_first_question_ends_it(shop: Project) -> None:
    advice = "nobody answers on standard input: use --no-input to go ahead"
    files = shop.files()
    child = shop.begun_at_terminal(*LINE, columns=200)
    child.expect_exact(QUESTIONS[0])
    child.sendeof()
    code, shown = finished(child)
    assert (code, shown.splitlines()[-1]) == (1, f"CommandError: {advice}")
    assert (names(shop), shop.files()) == ("aabbc", files)


def test_where_nobody_can_answer_a_later_question_what_is_done_is_said(shop: Project) -> None:
    child = answered(shop, "y")
    child.expect_exact(QUESTIONS[1])
    child.sendeof()
    code, shown = finished(child)
    assert code == 1
    assert re.search(f"to go ahead; {MERGED}\\. {ON}$", shown.splitlines()[-1])
    assert names(shop) == "abc"


def test_groups_that_are_held_back_end_the_walk_with_the_reasons(shop: Project) -> None:
    shop.python(
        "Place = apps.get_model('shop.Place')\n"
        "for seat in (1, 2): make('shop.Place', row=1, seat=seat, block=seat)"
    )
    files = shop.files()
    line = ("dedupe", "shop.Place", "--fields", "row", "--on-conflict", "hold", "--no-input")
    done = shop.manage(*line)
    assert done.returncode == 3
    assert "seat" in done.stdout
    assert done.stderr.splitlines()[-1] == (
        "CommandError: 1 group was held back: see the reasons above. Once they are settled, the"
        " same command goes on."
    )
    assert shop.files() == files


def options_of_a_merge(shop: Project) -> None:
    shop.must(*LINE, "--survivor", "newest", "--field-rule", "code=longest", "--no-input")
    ids = "print(sorted(apps.get_model('shop.Item').objects.values_list('pk', flat=True)))"
    assert shop.python(ids) == "[2, 4, 5]\n"


def options_of_a_constraint(shop: Project) -> None:
    shop.must(*LINE, "--name", "one_name", "--show-values", "--no-input")
    assert 'models.UniqueConstraint(fields=["name"], name="one_name")' in shop.models
    assert "show_values" in list(shop.migrations().values())[-1]


@pytest.mark.parametrize("check", [options_of_a_merge, options_of_a_constraint])
def test_the_options_of_the_verbs_reach_them(
    shop: Project, check: Callable[[Project], None]
) -> None:
    check(shop)
    assert_closed(shop)


@pytest.mark.parametrize(
    ("key", "style", "refused"),
    [
        (["--ignore-case"], "constraint", "name='B'"),
        (["--ignore-case"], "generated", "name='B'"),
        (["--where", "is_gone=false", "--blanks", "distinct"], "generated", "name='b'"),
    ],
)
def test_a_key_that_takes_more_than_columns_is_taken_through_every_step(
    shop: Project, key: list[str], style: str, refused: str
) -> None:
    if style == "constraint" and not shop.has("features.supports_expression_indexes"):
        pytest.skip("the database has no constraints on expressions")
    shop.must(*LINE, *key, "--style", style, "--no-input")
    assert_closed(shop)
    assert shop.python(f"print(fails('shop.Item', {refused}))") == "True\n"


def test_a_rule_that_was_written_and_not_applied_is_migrated(shop: Project) -> None:
    shop.must("make_unique", ITEM, "--fields", "name", "--merge")
    said = shop.must(*LINE, "--no-input")
    assert "its migration has not been applied" in said
    assert_closed(shop)


def test_a_rule_that_migrating_does_not_bring_ends_the_walk_with_what_does(shop: Project) -> None:
    shop.must("make_unique", ITEM, "--fields", "name", "--merge")
    shop.must("migrate", "shop", "--fake", "-v", "0")
    said = shop.refuses(*LINE, "--no-input")
    assert "is recorded as applied: it was faked" in said


def test_from_code_the_steps_run_in_the_same_process(shop: Project) -> None:
    said = shop.python(
        "call_command('dedupe', 'shop.Item', '--fields', 'name', '--processes', '2', '--calls',"
        " '2', '--no-input')"
    )
    assert said.splitlines()[-1] == "Done: shop.Item by name stays without duplicates."
    assert_closed(shop)
