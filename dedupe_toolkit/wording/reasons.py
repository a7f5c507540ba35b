"""Every sentence that says why a group is held back."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from .wording import Wording

_CANNOT_FOLLOW = _("{reference}: #{first} cannot follow what it belongs to.")

REASONS = {
    "differ": Wording(
        text="{about}its rows, such as {first} and {second}, differ in {which}{declare}",
        people=_("{model} #{first} and #{second} differ in: {fields}. Choose which values stay."),
    ),
    "other kind": Wording(
        text="{about}rows {first} and {second} differ in {field}: objects of different kinds",
        people=_("{model} #{first} and #{second} are things of different kinds ({field})."),
    ),
    "unlike": Wording(
        text="{about}rows {first} and {second} differ in {fields_beside}, so that {fields_made} has"
        " no {rule}: these values belong together",
        people=_(
            "{model} #{first} and #{second} differ in {fields_beside}, which belongs together with"
            " {fields_made}: those cannot be made one value."
        ),
    ),
    "acted upon": Wording(
        text="{reference}: row {first} points at a value that the survivor takes over, and its"
        " foreign key would delete or change it with the duplicate; give the survivor the value"
        " first, or merge into the row that has it",
        people=_(
            "{reference}: #{first} would be deleted or changed by the database itself. Choose what"
            " it belongs to as the one that stays."
        ),
    ),
    "not let go": Wording(
        text="{reference}: row {first} points at a value that the survivor takes over, and its"
        " foreign key lets nobody take it: make it DEFERRABLE and ON DELETE NO ACTION, or merge"
        " into the row that has the value",
        people=_(
            "{reference}: the database does not let #{first} go over to the row that stays. Choose"
            " what it belongs to as the one that stays."
        ),
    ),
    "changed": Wording(
        text="its rows have been changed since the merge was planned",
        people=_("Somebody has changed these rows meanwhile. Look at them again."),
    ),
    "changed all the time": Wording(
        text="{words}",
        people=_("Somebody else was changing these rows at the same moment. Try again."),
    ),
    "held by others": Wording(
        text="another session holds its rows, or rows that point at them, for longer than a lock is"
        " waited for; merge it again once that session is done",
        people=_("Somebody else is at work on these rows, or on what belongs to them. Try again."),
    ),
    "refused": Wording(
        text="{about}the database refuses it: {words}",
        people=_("The database refuses it, in these words: {words}"),
    ),
    "circle of groups": Wording(
        text="its rows, such as {first}, point in a circle at rows of other groups; merge these by"
        " themselves first",
        people=_(
            "#{first} and rows of other groups point at each other in a circle: merge those groups"
            " first."
        ),
    ),
    "rivals": Wording(
        text="{model}: rows {first} and {second} would break {rule}",
        people=_(
            "{model}: #{first} and #{second} cannot both belong to the row that stays, for their"
            " {fields} would be the same. Decide which of them stays, or make one of both."
        ),
    ),
    "tie": Wording(
        text="{model}: row {first} ties rows of this group together ({fields}), and would relate"
        " the survivor to itself",
        people=_(
            "{model}: #{first} says that these rows are related to each other ({fields}), so that"
            " the row that stays would be related to itself."
        ),
    ),
    "unmergeable": Wording(
        text="{model}: rows {first} and {second} would have to become one, but {why}",
        people=_("{model}: #{first} and #{second} would have to become one, and must not."),
    ),
    "part": Wording(
        text="{model}: row {second} cannot be discarded, it is a part of a {label}",
        people=_("{model}: #{second} cannot go, for it is a part of something else."),
    ),
    "embedded": Wording(
        text="{model}: row {second} cannot be discarded, {reference} may hold its key",
        people=_("{model}: #{second} cannot go, for something may point at it: {reference}."),
    ),
    "pointed at": Wording(
        text="{model}: row {second} cannot be discarded, {reference} points at it",
        people=_("{model}: #{second} cannot go, for something points at it: {reference}."),
    ),
    "maybe pointed at": Wording(
        text="{model}: row {second} cannot be discarded, {reference} may point at it",
        people=_("{model}: #{second} cannot go, for something may point at it: {reference}."),
    ),
    "circle": Wording(
        text="{model}: merging rows {first} and {second} would lead back to a table already being"
        " merged; merge these two by themselves first, or take apart what makes them collide",
        people=_(
            "{model}: #{first} and #{second} would have to become one, and that leads back to the"
            " rows of this page. Merge these two by themselves first."
        ),
    ),
    "two ends": Wording(
        text="{model}: rows {first} and {second} would have to become one, and one of them with"
        " another row as well, which it meets elsewhere in this merge; merge these two by"
        " themselves first, or take apart what makes them collide",
        people=_(
            "{model}: #{first} and #{second} would have to become one, and one of them with another"
            " as well. Merge these two by themselves first."
        ),
    ),
    "apart": Wording(
        text="{model}: rows {first} and {second} would become one, and the {label} of each, a part"
        " of it, would not",
        people=_("{model}: #{first} and #{second} would become one, and parts of them would not."),
    ),
    "named in content": Wording(
        text="{label} names row {first} in {path}: content is not rewritten; let it name the"
        " survivor, then merge",
        people=_("A text of the site names #{first}. Let it name the row that stays, then merge."),
    ),
    "incomplete": Wording(
        text="rows of {reference} point at row {first} by {fields}, which row {second} has not all:"
        " give them to it first",
        people=_(
            "{reference} know #{first} by {fields}, which #{second} has not all. Fill these in"
            " first."
        ),
    ),
    "long row": Wording(
        text="{model}: {fields} of row {first} is longer than the journal can keep: raise"
        " max_allowed_packet of the server and of the connection, or shorten it",
        people=_("{model}: {fields} of #{first} is too long for the journal of the database."),
    ),
    "unnamed": Wording(
        text="{model}: {field} of row {first} is of another type than the column declares, so that"
        " no undo would find the row; let the column, or the value, be of one type first",
        people=_("{model}: #{first} could not be found again for an undo."),
    ),
    "unkept": Wording(
        text="{model}: no undo could bring back row {first} as it is: {why}",
        people=_("{model}: #{first} could not come back from an undo as it is."),
    ),
    "long text": Wording(
        text="the texts joined for {field} of row {first} are longer than {limit} allows",
        people=_("The texts joined for {field} of #{first} are too long for the database."),
    ),
    "mixed up": Wording(
        text="{reference} compares texts more loosely than {model} tells its keys {first} and"
        " {second} apart, so its rows may mean either: give both columns one collation first",
        people=_("{reference}: nobody can say whether these mean #{first} or #{second}."),
    ),
    "unreadable": Wording(
        text="{reference} names rows of {model} in a way that does not tell whether row {first} is"
        " one: its field and that of the key convert to nothing common; repoint or delete these"
        " first",
        people=_("{reference}: nobody can say whether these mean #{first}."),
    ),
    "cannot follow": Wording(
        text="{reference}: row {first} points at a row of {model} whose key moves, and its foreign"
        " key lets it follow neither before nor after: make it DEFERRABLE, or ON UPDATE CASCADE",
        people=_CANNOT_FOLLOW,
    ),
    "filled source": Wording(
        text="rows of {reference} point at row {first} or {second} by {fields}, which the database"
        " computes of what row {second} would take over: give it that first",
        people=_CANNOT_FOLLOW,
    ),
    "computed target": Wording(
        text="{reference} points at row {first} of {model} by a value that the database computes of"
        " what the merge would change, and could not follow: repoint or delete these rows first",
        people=_CANNOT_FOLLOW,
    ),
    "taken along": Wording(
        text="{reference}: row {first} points at a row of {model} whose key moves, and its foreign"
        " key would move that row's own key by ON UPDATE CASCADE, which nothing can follow: make"
        " it DEFERRABLE",
        people=_CANNOT_FOLLOW,
    ),
    "torn apart": Wording(
        text="{reference}: row {first} moves together with the row of {model} that it points at,"
        " and its foreign key would change it in between: make it ON UPDATE NO ACTION",
        people=_CANNOT_FOLLOW,
    ),
    "unknown table": Wording(
        text="{key} points at {about}row {first}, and no model of the project has this table: give"
        " it one (managed = False will do)",
        people=_("Something that this site does not know of points at #{first}."),
    ),
    "unknown relation": Wording(
        text="{key} points at {about}row {first}, and no relation of {model} declares it: apply its"
        " migrations, or give it one",
        people=_("{model} point at #{first} in a way that this site does not know of."),
    ),
    "function below": Wording(
        text="{model}: rows {first} and {second} would become one, but the field rule of {field},"
        " {rule}, is a Python function, which only merges of rows named one by one can use: merge"
        " these rows first (--pks, the admin), or declare another rule",
        people=_(
            "{model}: #{first} and #{second} would become one, and their {field} needs a person to"
            " look at it. Merge these two first."
        ),
    ),
    "ruled target": Wording(
        text="{model}: rows {first} and {second} would become one, but rows of {reference} point at"
        " them by {field}, which has a field rule: declare survivor or fill for it",
        people=_(
            "{model}: #{first} and #{second} would become one, and {reference} know them by their"
            " {field}, which must not change."
        ),
    ),
    "out of reach": Wording(
        text="rows of {reference} would point at row {first} of {model}, which stands in a table"
        " that inherits from its own, and their foreign key does not let them: let another row"
        " survive",
        people=_("{reference} could not point at #{first}. Let another row stay."),
    ),
    "check": Wording(
        text="{model}: row {first} would violate {check}",
        people=_("{model}: #{first} would have values that are not allowed together ({fields})."),
    ),
    "does not fit": Wording(
        text="{model}: the value computed for {field} of row {first} does not fit into {type}",
        people=_("{model}: the new value for {field} of #{first} is too large."),
    ),
    "unique": Wording(
        text="{model}: rows {first} and {second} would violate {rule}",
        people=_(
            "{model}: #{first} and #{second} would have the same {fields}, which is not allowed."
        ),
    ),
    "exclusion": Wording(
        text="{model}: rows {first} and {second} would violate exclusion constraint {name}",
        people=_("{model}: #{first} and #{second} would overlap, which is not allowed."),
    ),
    "own target": Wording(
        text="{reference} of row {first} would point at its own row, and cannot be empty",
        people=_("{reference}: #{first} would point at itself, and cannot be left empty."),
    ),
}
"""Why a group is held back, by code."""
