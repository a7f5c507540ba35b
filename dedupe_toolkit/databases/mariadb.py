"""MariaDB, where it differs from MySQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.utils import OperationalError

from .mysql import MySQLFamily
from .mysql_sorting import for_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_JSON_TABLE = (10, 6)
_ACROSS = """
SELECT COUNT(*) FROM information_schema.innodb_sys_foreign
WHERE SUBSTRING_INDEX(for_name, '/', 1) <> SUBSTRING_INDEX(ref_name, '/', 1)
"""


_VERSIONED = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = %s AND table_name IN ({tables}) AND table_type = 'SYSTEM VERSIONED'
"""


class MariaDB(MySQLFamily):
    exact_collation = "utf8mb4_nopad_bin"
    # MySQL's name for it came with 11.1
    isolation_level = "@@tx_isolation"
    is_index_used = "ignored = 'NO'"
    # of all its sources; MySQL's statement has them all by itself
    show_replica = "SHOW ALL REPLICAS STATUS"

    waited_for = (
        "SELECT EXISTS (SELECT 1 FROM information_schema.innodb_lock_waits w"
        " JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id"
        " WHERE b.trx_mysql_thread_id = CONNECTION_ID())"
    )

    @property
    def unpacks(self) -> bool:
        server: Any = self.connection
        return bool(server.mysql_version >= _JSON_TABLE)

    def may_be_pointed_at(self) -> bool:
        if not super().may_be_pointed_at():
            return False
        try:
            # who may read it need not have every table of the server opened to know
            return bool(self.look_up(_ACROSS)[0][0])
        except OperationalError:
            return True

    def versioned(self, tables: Sequence[str]) -> Iterable[str]:
        return [name for (name,) in self.fetch_of(_VERSIONED, tables)]

    def sorted_whole(self, head: str, select: str, texts: int) -> str:
        return f"SET STATEMENT {', '.join(for_statement(texts))} FOR {head} {select}"

    def image_text(self, image: str, position: int) -> str:
        return f"JSON_VALUE({image}, '$[{position}]')"
