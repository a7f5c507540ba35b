"""Every case has its test."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

CASES = range(1, 43)


def test_every_case_has_one_test() -> None:
    text = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    tested = Counter(int(number) for number in re.findall(r"^def test_case_(\d\d)_", text, re.M))
    assert tested == Counter(CASES)
