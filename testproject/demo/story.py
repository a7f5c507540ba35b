"""The story in nine chapters; each is a function that runs commands and shows what they did."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

from testproject.demo.databases import without_password
from testproject.demo.errors import DemoError
from testproject.demo.sums import adds_up, merge_table, proof_table, written_twice

if TYPE_CHECKING:
    from testproject.demo.databases import DemoDatabases
    from testproject.demo.shell import Shell

KEY = ("films.Person", "--fields", "name")
MERGE = ("merge_duplicates", *KEY, "--on-collision", "merge")
FIRST_REPORT = "import-without-constraint.json"
SECOND_REPORT = "import-with-constraint.json"
TRIES = 5
USER = "demo"
QUEUE = "http://127.0.0.1:8000/admin/dedupe_toolkit/scan/"


def tell(shell: Shell, databases: DemoDatabases) -> None:
    """Run the whole story; raise :class:`DemoError` as soon as something is not as promised."""
    _prepare(shell)
    _audit(shell)
    name = _race(shell)
    _find(shell)
    _merge(shell, name)
    _constrain(shell)
    _race_again(shell, databases.again)
    _prove(shell)
    _undo(shell)
    _hand_over(shell)


def _chapter(shell: Shell, number: int, title: str) -> None:
    shell.console.rule(f"[bold]{number}. {title}[/bold]", align="left")


def _prepare(shell: Shell) -> None:
    shell.say(f"A copy of the test project stands in {shell.folder}.")
    if shell.url:
        shell.say(f"Its database: {without_password(shell.url)}")
    shell.run("migrate", "-v", "0")


def _audit(shell: Shell) -> None:
    _chapter(shell, 1, "Which calls let duplicates in?")
    shell.run("audit_get_or_create", "films")


def _race(shell: Shell) -> str:
    _chapter(shell, 2, "Several processes import films with get_or_create")
    for _ in range(TRIES):
        if _import_films(shell, FIRST_REPORT)["duplicate people"]:
            return _show_the_damage(shell)
        shell.say("This run left no duplicates, by luck. The import is run again.")
        shell.run("flush", "--no-input", "-v", "0")
    raise DemoError(f"{TRIES} imports left no duplicates: the machine is too quiet for a race.")


def _import_films(shell: Shell, report: str, **environment: str) -> dict[str, int]:
    shell.run("import_films", "--report", report, **environment)
    return json.loads((shell.folder / report).read_text())


def _show_the_damage(shell: Shell) -> str:
    counts = "from testproject.films import counts"
    name = shell.read("shell", "-v", "0", "-c", f"{counts}; print(counts.best_known_duplicate())")
    name = name.strip()
    shell.run("show_person", name)
    shell.say("An innocent get() of that name:")
    models = "from testproject.films.models import Person"
    shell.fail(
        "shell",
        "-v",
        "0",
        "-c",
        f"{models}; Person.objects.get(name={json.dumps(name, ensure_ascii=False)})",
    )
    return name


def _find(shell: Shell) -> None:
    _chapter(shell, 3, "The duplicates have names")
    shell.run("find_duplicates", *KEY, "--limit", "5")


def _merge(shell: Shell, name: str) -> None:
    _chapter(shell, 4, "The merge: first the plan, then the deed")
    before = shell.read_json("film_counts")
    plan = shell.read_json(*MERGE, "--dry-run")
    shell.run(*MERGE, "--dry-run")
    shell.run(*MERGE, "--no-input")
    after = shell.read_json("film_counts")
    shell.show(merge_table(before, plan, after))
    if not adds_up(before, plan, after):
        raise DemoError("The numbers before and after the merge do not add up.")
    shell.run("show_person", name)


def _constrain(shell: Shell) -> None:
    _chapter(shell, 5, "Never again: the constraint")
    shell.run("make_unique", *KEY)
    shell.run("migrate", "films")
    shell.run("makemigrations", "--check")


def _race_again(shell: Shell, url: str) -> None:
    _chapter(shell, 6, "The same import again, into an empty catalogue")
    shell.run("migrate", "-v", "0", DATABASE_URL=url)
    again = _import_films(shell, SECOND_REPORT, DATABASE_URL=url)
    first = json.loads((shell.folder / FIRST_REPORT).read_text())
    merged = shell.read_json("film_counts")
    shell.show(proof_table(first, merged, again))
    if why := written_twice(merged, again):
        shell.say(f"{why}\n")
    if again["duplicate people"]:
        raise DemoError("The constraint let duplicates in.")


def _prove(shell: Shell) -> None:
    _chapter(shell, 7, "The proof: the race itself, without the constraint and with it")
    shell.run("prove_get_or_create", *KEY, "--processes", "4", "--calls", "400")
    shell.say("And the audit, of the same code:")
    shell.run("audit_get_or_create", "films", "--check")


def _undo(shell: Shell) -> None:
    _chapter(shell, 8, "All of it taken back")
    shell.say("The constraint goes first: it forbids what comes back.")
    shell.run("migrate", "films", "0001", "-v", "0")
    shell.run("undo_merge", "1", "--no-input")


def _hand_over(shell: Shell) -> None:
    _chapter(shell, 9, "Your turn: decide for yourself")
    shell.run("fill_queue")
    email = ("--email", "demo@example.com")
    shell.run(
        "createsuperuser", "--no-input", "--username", USER, *email, DJANGO_SUPERUSER_PASSWORD=USER
    )
    folder = shlex.quote(os.path.relpath(shell.folder))
    python = shlex.quote(sys.executable)
    shell.say("To see them in the admin:")
    _type(shell, f"cd {folder}", *_database_line(shell), f"{python} manage.py runserver")
    shell.say(f"  and open {QUEUE} (user {USER}, password {USER}).")
    shell.say("Once the queue is empty, put the constraint back:")
    _type(shell, f"{python} manage.py migrate films")


def _type(shell: Shell, *lines: str) -> None:
    for line in lines:
        shell.console.print(f"  {line}", style="bold cyan", markup=False, soft_wrap=True)


def _database_line(shell: Shell) -> list[str]:
    return [f"export DATABASE_URL={without_password(shell.url)}"] if shell.url else []
