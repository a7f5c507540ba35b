"""A server and its replica, started in a folder and stopped in the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 120
_ADMINISTRATORS = [
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, Path("/usr/lib/postgresql").glob("*/bin")),
]


class Servers(ABC):
    """Two servers; the second repeats the first once `attach` was called."""

    user: str
    scheme: str
    database: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = (_free_port(), _free_port())
        self._running: list[subprocess.Popen[bytes]] = []
        if os.geteuid() == 0:  # neither server runs as root
            shutil.chown(folder, self.user)

    def url(self, number: int) -> str:
        return f"{self.scheme}@127.0.0.1:{self.ports[number]}/{self.database}"

    @abstractmethod
    def start(self) -> None:
        """Start the first server, with an empty database."""

    @abstractmethod
    def attach(self) -> None:
        """Start the second server and let it repeat the first."""

    can_be_asked = True
    """Whether the replica knows how far behind it is."""

    @abstractmethod
    def pause(self) -> None:
        """Let the replica repeat nothing more."""

    @abstractmethod
    def go_on(self) -> None:
        """Let it repeat again."""

    def stop(self) -> None:
        for server in reversed(self._running):
            server.terminate()
        for server in self._running:
            server.wait(PATIENCE)

    def serve(self, number: int, *command: str) -> None:
        log = (self.folder / f"{number}.log").open("wb")
        self._running.append(
            subprocess.Popen(self._as_user(command), stdout=log, stderr=log, cwd=self.folder)
        )
        deadline = monotonic() + PATIENCE
        while not _listens(self.ports[number]):
            if monotonic() > deadline or self._running[-1].poll() is not None:
                raise SystemExit(
                    (self.folder / f"{number}.log").read_text(errors="replace")[-2000:]
                )
            sleep(0.2)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            self._as_user(command), capture_output=True, text=True, cwd=self.folder, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    def _as_user(self, command: Sequence[str]) -> list[str]:
        program = shutil.which(
            command[0], path=os.pathsep.join([*_ADMINISTRATORS, os.environ["PATH"]])
        )
        if program is None:
            raise SystemExit(f"there is no {command[0]} on this machine")
        switch = ["runuser", "-u", self.user, "--"] if os.geteuid() == 0 else []
        return [*switch, program, *command[1:]]


class Standby(Servers):
    """PostgreSQL and a hot standby, by streaming replication."""

    user, scheme, database = "postgres", "postgres://postgres", "postgres"

    def start(self) -> None:
        self._initialize(0)
        self._serve(0)

    def attach(self) -> None:
        source = ["-h", "127.0.0.1", "-p", str(self.ports[0]), "-U", "postgres"]
        self.run("pg_basebackup", *source, "-D", str(self._data(1)), "-R", "-c", "fast")
        self._serve(1)

    def pause(self) -> None:
        self.sql(1, "SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        self.sql(1, "SELECT pg_wal_replay_resume()")

    def sql(self, number: int, statement: str) -> str:
        return self.run("psql", "-AtqX", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(number))

    def _initialize(self, number: int) -> None:
        self.run(
            "initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", str(self._data(number))
        )

    def _serve(self, number: int) -> None:
        options = {
            "port": self.ports[number],
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "wal_level": "logical",
            "fsync": "off",
        }
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.serve(number, "postgres", "-D", str(self._data(number)), *given)
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:  # it listens before it lets anybody in
            with suppress(SystemExit):
                self.sql(number, "SELECT 1")
                return
            sleep(0.2)

    def _data(self, number: int) -> Path:
        return self.folder / f"data{number}"


class Logical(Standby):
    """PostgreSQL and a second one that subscribes to all of its tables."""

    can_be_asked = False

    def attach(self) -> None:
        self._initialize(1)
        self._serve(1)
        tables = self.run("pg_dump", "--schema-only", self.url(0))
        (self.folder / "schema.sql").write_text(tables)
        self.run("psql", "-qX", "-f", str(self.folder / "schema.sql"), self.url(1))
        self.sql(0, "CREATE PUBLICATION everything FOR ALL TABLES")
        source = f"host=127.0.0.1 port={self.ports[0]} user=postgres dbname=postgres"
        self.sql(1, f"CREATE SUBSCRIPTION everything CONNECTION '{source}' PUBLICATION everything")

    def pause(self) -> None:
        self.sql(1, "ALTER SUBSCRIPTION everything DISABLE")

    def go_on(self) -> None:
        self.sql(1, "ALTER SUBSCRIPTION everything ENABLE")


class MariaDB(Servers):
    """MariaDB and a replica, by its binary log with row images."""

    user, scheme, database = "mysql", "mysql://root", "merged"

    def start(self) -> None:
        self._serve(0)
        self.sql(0, "CREATE DATABASE merged", "")

    def attach(self) -> None:
        self._serve(1)
        self.sql(
            1,
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.ports[0]},"
            " MASTER_USER='root', MASTER_USE_GTID=slave_pos; START REPLICA",
            "",
        )

    def pause(self) -> None:
        self.sql(1, "STOP REPLICA SQL_THREAD")

    def go_on(self) -> None:
        self.sql(1, "START REPLICA SQL_THREAD")

    def sql(self, number: int, statement: str, database: str = "mysql") -> str:
        address = ["--protocol=tcp", "-h", "127.0.0.1", "-P", str(self.ports[number]), "-u", "root"]
        return self.run(
            "mariadb", "--no-defaults", *address, "-N", "-e", statement, *filter(None, [database])
        )

    def _serve(self, number: int) -> None:
        data = self.folder / f"data{number}"
        self.run(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        self.serve(
            number,
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--port={self.ports[number]}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / f'{number}.socket'}",
            f"--server-id={number + 1}",
            "--log-bin=binary",
            "--binlog-format=ROW",
            "--innodb-flush-log-at-trx-commit=0",
            "--skip-name-resolve",
        )


KINDS: dict[str, type[Servers]] = {"standby": Standby, "logical": Logical, "mariadb": MariaDB}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: Any = one.getsockname()[1]
        return int(port)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
