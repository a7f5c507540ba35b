"""Commands as a pipe sees them."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from django.core.management import CommandError, call_command


class Outcome:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.out.splitlines()]


def run(*arguments: object, answer: str | None = None) -> Outcome:
    """Run a command line in a pipe; the words that a shell would show."""
    out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO("" if answer is None else f"{answer}\n")
    code = 0
    try:
        call_command(*map(str, arguments), stdout=out, stderr=err, no_color=True)
    except SystemExit as error:
        code = int(error.code or 0)
    except CommandError as error:
        code = error.returncode
        err.write(f"CommandError: {error}\n")
    finally:
        sys.stdin = stdin
    return Outcome(code, out.getvalue(), err.getvalue())
