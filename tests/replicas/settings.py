"""The suite's models, on a server and its replica."""

from __future__ import annotations

import os

from testproject.settings import database
from tests.settings import *  # noqa: F403

DATABASES = {
    "default": database(os.environ["DATABASE_URL"]),
    "replica": database(os.environ["REPLICA_URL"]) | {"TEST": {"MIRROR": "default"}},
}
