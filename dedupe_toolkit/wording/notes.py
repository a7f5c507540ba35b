"""Every sentence that says what to know of a merge beside its numbers."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from .wording import Wording

NOTES = {
    "collide": Wording(
        text="{model}: {told}. --on-collision merge would make one row of each two: the other's"
        " values stay, these give way to the journal, and whatever references the row ({referenced}"
        " {are} referenced) moves to the other. --on-collision discard would delete the row, and"
        " never one that is referenced",
        people="",  # the review page opens its collisions
    ),
    "no right": Wording(
        text="the database user lacks these rights: {rights}; grant them, or use another user:"
        " nothing is written without",
        people="",
    ),
    "only shown": Wording(
        text="{tables} cannot be written from here, being foreign tables that only show their rows:"
        " merge where these are stored; nothing is written without",
        people="",
    ),
    "ties": Wording(
        text="rows tie survivor and duplicate together by {reference} and {reference_too}:"
        " --on-collision discard deletes them, and"
        ' collisions={{"{reference}": "keep"}} in dedupe.py lets them relate the survivor to'
        " itself",
        people="",  # the reason says so
    ),
    "hidden": Wording(
        text="{model}: {count} of these rows {are} hidden by its default manager ({fields}); the"
        " survivor rule decides whether they survive others",
        people=_("{model}: {count} of these are hidden elsewhere on this site ({fields})."),
    ),
    "hidden last": Wording(
        text="{model}: {count} of these rows {are} hidden by its default manager ({fields}); rows"
        " that it shows survive before hidden ones",
        people=_(
            "{model}: {count} of these are hidden elsewhere on this site ({fields}); others stay"
            " before them."
        ),
    ),
    "into hidden": Wording(
        text="{model}: rows that its default manager shows would merge into hidden ones in"
        " {groups}",
        people=_("{model}: one that the site shows would be merged into one that it hides."),
    ),
    "no field": Wording(
        text="{model}: the database has no {what} yet: left out",
        people=_("{model}: the database is not up to date. What it has not yet is left out."),
    ),
    "no relation": Wording(
        text="{reference}: the database has no {what} yet: left out",
        people=_("{reference}: the database is not up to date. What it has not yet is left out."),
    ),
    "no rule": Wording(
        text="{model}: {rule} is in the model, {where}: rows that break it are not held back",
        people=_("{model}: the database does not keep a rule of this site ({rule})."),
    ),
    "view": Wording(
        text="{reference} belongs to a view, which is left alone",
        people=_("{reference}: these are not changed."),
    ),
    "elsewhere": Wording(
        text="{reference} is in database {aliases}, where this merge changes nothing: what it holds"
        " of the duplicates' keys stays, unless a receiver of post_merge repoints it",
        people=_("{reference}: these are in another database and are not changed."),
    ),
    "no index": Wording(
        text="{reference} has no index, so {cost}: {remedy}",
        people=_("{reference}: merging is slow, for the database has no index of these."),
    ),
    "large group": Wording(
        text="{reference}: the group of {first} alone repoints {rows} rows, in one transaction: at"
        " 10,000 rows a second others wait for its locks for {seconds} s, whatever --batch-seconds"
        " says",
        people=_(
            "{reference}: {rows} of these belong to #{first} and what is merged into it. While that"
            " is done, others may have to wait for {seconds} seconds."
        ),
    ),
    "dismissed": Wording(text="{what} left alone", people=""),
}
"""What a plan says beside its numbers, by code."""
