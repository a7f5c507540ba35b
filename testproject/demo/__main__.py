"""Run with ``python -m testproject.demo [FOLDER]``; ``DATABASE_URL`` chooses the database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from testproject.demo.databases import prepare_databases
from testproject.demo.errors import DemoError
from testproject.demo.shell import Shell
from testproject.demo.story import tell
from testproject.demo.workspace import fresh_workspace


def main() -> int:
    console = Console(highlight=False)
    try:
        workspace = fresh_workspace(*map(Path, sys.argv[1:]))
        databases = prepare_databases(os.environ.get("DATABASE_URL"))
        tell(Shell(console=console, folder=workspace, url=databases.catalogue), databases)
    except DemoError as error:
        Console(stderr=True).print(f"[red]{error}[/red]", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("\nStopped. The next demo begins anew.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
