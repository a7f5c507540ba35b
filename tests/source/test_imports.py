"""A name is imported where a person would put it."""

from __future__ import annotations

import pytest

from dedupe_toolkit.source.imports import with_import

FUNCTIONS = ("django.db.models.functions", "Lower")
CONSTRAINT = ("django.db.models", "UniqueConstraint")
COLLAPSE = ("dedupe_toolkit.transforms", "Collapse")

CASES = {
    "below_the_last_django_import_that_sorts_before": (
        "import os\n\nfrom django.db import models\nfrom django.utils import timezone\n\nx = 1\n",
        FUNCTIONS,
        "import os\n\nfrom django.db import models\nfrom django.db.models.functions import Lower\n"
        "from django.utils import timezone\n\nx = 1\n",
    ),
    "above_django_when_it_sorts_before": (
        "import os\n\nfrom django.db import models\n",
        COLLAPSE,
        "import os\n\nfrom dedupe_toolkit.transforms import Collapse\n"
        "from django.db import models\n",
    ),
    "into_a_sorted_import": (
        "from django.db.models import CharField, Q  # noqa\n",
        CONSTRAINT,
        "from django.db.models import CharField, Q, UniqueConstraint  # noqa\n",
    ),
    "in_alphabetical_order": (
        "from django.db.models.functions import Length, Upper as U\n",
        FUNCTIONS,
        "from django.db.models.functions import Length, Lower, Upper as U\n",
    ),
    "below_an_import_in_brackets": (
        "from django.db.models import (\n    CharField,\n)\n",
        CONSTRAINT,
        "from django.db.models import (\n    CharField,\n)\n"
        "from django.db.models import UniqueConstraint\n",
    ),
    "below_imports_of_anything_else": (
        '"""Doc."""\nfrom __future__ import annotations\n\nfrom .base import Base\n\nx = 1\n',
        CONSTRAINT,
        '"""Doc."""\nfrom __future__ import annotations\n\nfrom .base import Base\n'
        "from django.db.models import UniqueConstraint\n\nx = 1\n",
    ),
    "below_the_docstring": (
        '"""Doc."""\n\nx = 1\n',
        CONSTRAINT,
        '"""Doc."""\n\nfrom django.db.models import UniqueConstraint\n\nx = 1\n',
    ),
    "on_top": (
        "# a comment\nx = 1\n",
        CONSTRAINT,
        "# a comment\nfrom django.db.models import UniqueConstraint\n\nx = 1\n",
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), CASES.values(), ids=CASES)
def test_a_name_is_imported(before: str, wanted: tuple[str, str], after: str) -> None:
    assert with_import(before, *wanted) == after
