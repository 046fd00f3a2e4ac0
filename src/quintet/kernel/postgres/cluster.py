"""One PostgreSQL on one data folder, shared by every process that opens it.

Invariant: the database runs while anyone holds the cluster open, and the last one out stops it. Who dies
without closing leaves it running; the next opener adopts it.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from .account import account_for
from .binaries import Binaries, find_binaries
from .connection import DATABASE, socket_dsn
from .failures import told_readably
from .layout import Layout
from .locks import FileLock, deciding
from .postmaster import Postmaster
from .starting import bring_up


class Cluster:
    """An open cluster: its address, and a share in keeping it running. Made by `Cluster.open`."""

    def __init__(self, layout: Layout, binaries: Binaries, users: FileLock) -> None:
        self._layout = layout
        self.binaries = binaries
        self._users = users
        self._open = True
        self._turn = threading.Lock()  # a supervisor's thread and a closing one
        self._server = self._bring_up(may_create=True)

    @classmethod
    def open(cls, data: Path, binaries: Binaries | None = None) -> Self:
        """Create, adopt or recover the database under `data`, and have it running.

        Blocks for about half a second the first time, a tenth later. Raises PostgresFailed in its kinds.
        """
        with told_readably("Opening the database", data):
            layout = Layout.prepare(data)
            users = FileLock(layout.users_lock)
            try:
                return cls(layout, binaries or find_binaries(), users)
            except BaseException:
                users.close()
                raise

    @property
    def dsn(self) -> str:
        """The address of Quintet's database, as libpq's URL over the private socket; holds no secret."""
        return self.dsn_for(DATABASE)

    def dsn_for(self, database: str) -> str:
        """The address of another database in the same cluster."""
        return socket_dsn(self.socket_folder, database)

    @property
    def socket_folder(self) -> Path:
        """The private folder of the database's socket."""
        return self._server.socket_folder

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._server.pid

    def ensure_running(self) -> bool:
        """Start the server again when its process has died; True when it had died, and connections with it.

        Cheap while all is well: no connection is made. Does nothing after `close`. Raises PostgresFailed.
        """
        with self._turn:
            if not self._open or self._server.is_alive():
                return False
            with told_readably("Restarting the database", self._layout.data):
                self._server = self._bring_up(may_create=False)
            return True

    def close(self) -> None:
        """Leave; the last one out stops the server. A second call does nothing. Raises PostgresFailed."""
        with self._turn:
            if not self._open:
                return
            self._open = False
            try:
                with told_readably("Closing the database", self._layout.data), deciding(self._layout):
                    if self._users.take():
                        self._server.stop()
            finally:
                self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bring_up(self, *, may_create: bool) -> Postmaster:
        account = account_for(self._layout.pgdata, self._layout.data)
        with deciding(self._layout) as lock:
            self._users.share()
            return bring_up(self._layout, self.binaries, account, lock, may_create=may_create)
