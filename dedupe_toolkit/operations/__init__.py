"""Migration operations: the guard before a unique constraint, two ways to add one, and a merge."""

from .checking import CheckNoDuplicates
from .constraints import AddUniqueConstraintConcurrently, ForOtherApp
from .merging import MergeDuplicates

__all__ = [
    "AddUniqueConstraintConcurrently",
    "CheckNoDuplicates",
    "ForOtherApp",
    "MergeDuplicates",
]

# Django writes the module of an operation into the migrations of users' projects, which hold it
# for good: this one, whichever file the class stands in.
for _name in __all__:
    globals()[_name].__module__ = __name__
