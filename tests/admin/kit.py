"""What the tests of the admin share: who logs in, what is pressed, and what a page says."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from dedupe_toolkit.models import QueuedGroup, Scan
from testproject.films.models import Person

if TYPE_CHECKING:
    from django.http import HttpResponse

PEOPLE = "/admin/films/person/"
REVIEW = "/admin/dedupe_toolkit/mergerun/merge/films/person/"
OVERVIEW = "/admin/dedupe_toolkit/scan/"
QUEUE = "/admin/dedupe_toolkit/queuedgroup/"

OWN = ("merge_duplicates", "dismiss_duplicates", "undo_merges")
"""The package's own rights, beside those on the rows that are merged."""

LARGE = "9" * 20

GARBAGE = [
    LARGE,
    "-1",
    f"-{LARGE}",
    "9" * 5000,
    "x" * 9000,
    "1.5",
    "NaN",
    "1e400",
    "\x00",
    "💥",
    "[1]",
]


def user_who_may(*verbs: str, own: tuple[str, ...] = OWN) -> User:
    user = User.objects.create_user("user", password="password", is_staff=True)
    codenames = [*own, *(f"{verb}_person" for verb in verbs)]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def client_of(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def select(client: Client, *people: Person, **more: Any) -> HttpResponse:
    data = {"action": "merge_selected", "_selected_action": [p.pk for p in people], "index": 0}
    return client.post(PEOPLE, data | more)


def fields_of(response: HttpResponse) -> dict[str, Any]:
    """What the form of the page would send."""
    text = response.content.decode()
    named = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    checked = re.findall(r'<input type="radio" name="([\w.]+)" value="([^"]*)" checked', text)
    rows = [html.unescape(value) for name, value in named if name == "rows"]
    return {**dict(named), **{n: html.unescape(v) for n, v in checked}, "rows": rows}


def merge(client: Client, response: HttpResponse, **changed: Any) -> HttpResponse:
    data = {**fields_of(response), "merge": "Merge", **changed}
    return client.post(REVIEW, data, follow=True)


def messages_of(response: HttpResponse) -> str:
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', response.content.decode(), re.S)
    return html.unescape(found[1]) if found else ""


def text_of(response: HttpResponse) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", response.content.decode())).split())


ALL_RIGHTS = (
    "change_person",
    "delete_person",
    "delete_credit",
    "scan_duplicates",
    "merge_duplicates",
    "dismiss_duplicates",
)


def people_called(*names: str, **values: Any) -> list[Person]:
    return [Person.objects.create(name=name, **values) for name in names]


def steward(*codenames: str) -> User:
    user = User.objects.create_user("steward", password="password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def digest_on(page: HttpResponse) -> str:
    text = page.content.decode()
    return text.split('name="key" value="')[1].split('"')[0]


def scan(client: Client) -> Scan:
    """Scan the first key of the overview, as its button does, to the end."""
    press_scan(client)
    return Scan.objects.latest("pk")


def press_scan(client: Client) -> None:
    """The same where the database is not the one that reads are sent to."""
    response = client.post(OVERVIEW, {"key": digest_on(client.get(OVERVIEW))})
    url = response.url.removesuffix("#start")
    while "/scan/" in url and url != OVERVIEW:
        url = client.post(url, {"slice": "Continue"}).url


def merge_safe(client: Client, of: Scan) -> HttpResponse:
    """Confirm the page that asks, and merge slice after slice."""
    asking = f"{QUEUE}merge-safe/{of.pk}/"
    seen = client.get(asking).context["groups"]
    url = client.post(asking, {"groups": seen}).url.removesuffix("#start")
    while "/merging/" in url:
        url = client.post(url, {"slice": "Continue"}).url
    return client.get(url)


def act(client: Client, action: str, *groups: QueuedGroup, **more: Any) -> HttpResponse:
    data = {"action": action, "_selected_action": [group.pk for group in groups], "index": 0}
    return client.post(QUEUE, data | more, follow=True)
