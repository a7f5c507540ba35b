"""Every sentence that says why something cannot be done, where a person may have caused it.

An error that is not here tells of the project's code or of its database: a page passes it on as it
is.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from .wording import Wording

_BUSY = _("Others are merging {model} just now. Wait a moment, then try again.")
_FORGOTTEN = _("What was to be merged is no longer known. Nothing was changed: try again.")

ERRORS = {
    "merge running": Wording(
        text="{model}: another merge of this model is running; wait until it ends",
        people=_BUSY,
    ),
    "merged meanwhile": Wording(
        text="{model}: a merge of this model is running; wait for its end",
        people=_BUSY,
    ),
    "other session": Wording(
        text="{model}: the work tables of this merge plan are not in this database session: it is"
        " another one than that of the plan{advice}; plan the merge again",
        people=_FORGOTTEN,
    ),
    "plan gone": Wording(
        text="{model}: this merge plan has been carried out, or is no longer the latest of its"
        " database connection; plan the merge again",
        people=_FORGOTTEN,
    ),
    "too few": Wording(
        text="{model}: name at least two different rows",
        people=_("{model}: select at least two different ones to merge."),
    ),
    "into another": Wording(
        text="{model}: the row to merge into, {row}, is not among the rows named",
        people=_("{model}: #{row}, which is to stay, is not among those selected."),
    ),
    "no key": Wording(
        text="{model}: {typed} cannot be a primary key of this model{several}",
        people=_("{model}: there cannot be one with the number {typed}."),
    ),
    "missing": Wording(
        text="{model} has no row {rows}{told}",
        people=_("{model}: no longer there: #{rows}. Select again."),
    ),
    "no run": Wording(
        text="there is no merge run {run} in database {using}",
        people=_("There is no merge run {run}."),
    ),
    "undone": Wording(
        text="merge run {run} has been undone already",
        people=_("Merge run {run} has been undone already."),
    ),
    "pruned": Wording(
        text="merge run {run} has been pruned: what its rows were before is no longer known",
        people=_(
            "Merge run {run} cannot be undone any more: what was there before it is no longer"
            " known."
        ),
    ),
    "group undone": Wording(
        text="merge run {run}: {model} {row} has been undone already",
        people=_("{model}: the merge into #{row} has been undone already."),
    ),
    "no survivor": Wording(
        text="merge run {run}: {model} {row} is no survivor",
        people=_("{model}: merge run {run} merged nothing into #{row}."),
    ),
    "no model": Wording(
        text="model {label} does not exist any more: its rows cannot be restored",
        people=_("What was merged is of a kind that this site no longer knows."),
    ),
    "no column": Wording(
        text="{model} has no column {fields} any more: migrate back to where it had, then undo"
        " merge run {run}",
        people=_("{model} have no {fields} any more, so that it cannot be brought back."),
    ),
}
"""Errors, by code."""

OBSTACLES = {
    "there again": Wording(
        text="{model} {row} is there again", people=_("{model}: #{row} is there again.")
    ),
    "taken": Wording(
        text="{model} {row} would break {rule}",
        people=_("{model}: another one has the same {fields} as #{row} by now."),
    ),
    "deleted since": Wording(
        text="{model} {row} has been deleted since",
        people=_("{model}: #{row} has been deleted since."),
    ),
    "changed since": Wording(
        text="{model} {row} has been changed since ({fields})",
        people=_("{model}: #{row} has been changed since ({fields})."),
    ),
    "altered": Wording(
        text="{model} {row}: what {fields} was does not fit into its column any more: give the"
        " column its former type",
        people=_("{model}: what the {fields} of #{row} was cannot be stored any more."),
    ),
    "trigger": Wording(
        text="{model}: of {rows} rows {done} come back: a trigger's doing",
        people=_("{model}: of {rows} only {done} would be as before, for the database interferes."),
    ),
    "target gone": Wording(
        text="{model} {row} would point at a row of {table} that has been deleted since"
        " ({columns})",
        people=_("{model}: what #{row} belonged to has been deleted since."),
    ),
    "left behind": Wording(
        text="{model}: {count} rows of {table} point at a key that moves back ({columns})",
        people=_("{model}: others ({count}) belong by now to what would be gone."),
    ),
    "more": Wording(text="and {count} more", people=_("And {count} more.")),
    "later runs": Wording(
        text="Later merge runs changed these rows: undo them first, in this order: {runs}",
        people=_("Later merge runs changed these: undo them first, in this order: {runs}."),
    ),
    "put back": Wording(
        text="Put these rows back as the merge left them (a constraint added since: migrate back"
        " before it), then undo again",
        people=_("Make these again what they were after the merge, then undo again."),
    ),
}
"""What is in the way of an undo, by code, and what to do about it."""
