"""Break the package line by line, in a copy, and see that the proof fails each time.

Run with `make proof`, or `python -m tests.proof.mutate`; exits with 1 if a mutation survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

from tests.proof.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("dedupe_toolkit", "testproject", "tests", "pyproject.toml")
CASES = "3000"
DATABASE = urlparse(os.environ.get("DATABASE_URL", "sqlite:")).scheme


def main() -> int:
    survived = 0
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in PARTS:
            _copy(ROOT / part, copy / part)
        if not _passes(copy):
            print("the proof fails without any mutation")
            return 1
        mutations = [each for each in MUTATIONS if each.only in ("", DATABASE)]
        for mutation in mutations:
            is_alive = _survives(copy, mutation)
            survived += is_alive
            print(f"{'SURVIVED' if is_alive else 'killed'}: {mutation.promise}", flush=True)
    print(f"{len(mutations) - survived} of {len(mutations)} mutations killed")
    return 1 if survived else 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _survives(copy: Path, mutation: Mutation) -> bool:
    file = copy / "dedupe_toolkit" / mutation.file
    source = file.read_text()
    if source.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.file} does not hold exactly once: {mutation.old}")
    file.write_text(source.replace(mutation.old, mutation.new))
    try:
        return _passes(copy)
    finally:
        file.write_text(source)


def _passes(copy: Path) -> bool:
    # not the whole directory: another test there looks at the very line that is broken
    tests = ["tests/proof/test_drawn.py", "tests/proof/test_proof.py"]
    options = ["-q", "-x", "-p", "no:cacheprovider", *tests]
    command = [sys.executable, "-m", "pytest", *options]
    env = os.environ | {"PROOF_CASES": CASES, "PROOF_SHRINK": "no", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
