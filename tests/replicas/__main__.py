from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .servers import KINDS


def main(names: list[str]) -> None:
    """Each kind in a process of its own: Django knows its databases once."""
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        sys.exit(f"no kind of replica is called {unknown[0]!r}: {', '.join(KINDS)}")
    if len(names) == 1:
        _tell(names[0])
        return
    ends = [
        subprocess.run([sys.executable, "-m", "tests.replicas", name], check=False).returncode
        for name in names or KINDS
    ]
    sys.exit(max(ends))


def _tell(name: str) -> None:
    print(f"{name}:", flush=True)
    with TemporaryDirectory() as folder:
        servers = KINDS[name](Path(folder))
        try:
            servers.start()
            os.environ |= {
                "DATABASE_URL": servers.url(0),
                "REPLICA_URL": servers.url(1),
                "DJANGO_SETTINGS_MODULE": "tests.replicas.settings",
            }
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", run_syncdb=True, verbosity=0)
            servers.attach()
            from .story import tell

            tell(servers)
        finally:
            servers.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
