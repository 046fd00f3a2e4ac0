"""Where things are under the data folder, and where the database's socket is.

Invariant: only PostgreSQL's account (and root) can enter the folder of the socket. That folder's mode is the
whole authentication, so a folder that someone else prepared is never used.
"""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .account import Account
from .failures import FolderUnreachable

PORT = 5432  # names the socket's file only; nothing listens on the network
# sockaddr_un holds 108 bytes on Linux, 104 on macOS and the BSDs, each with a closing zero.
_LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True)
class Layout:
    """The paths under one data folder."""

    data: Path

    @classmethod
    def prepare(cls, data: Path) -> Self:
        """The layout of `data`, which is made if it is not there; nobody else can list it."""
        data = Path(os.path.realpath(data))
        if not data.is_dir():
            data.mkdir(parents=True)
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        return cls(data)

    @property
    def pgdata(self) -> Path:
        """The database itself."""
        return self.data / "postgres"

    @property
    def unfinished(self) -> Path:
        """Where the database is created, before it is renamed to `pgdata`."""
        return self.data / "postgres.new"

    @property
    def log(self) -> Path:
        """What the database writes about itself."""
        return self.data / "postgres.log"

    @property
    def copies(self) -> Path:
        """Copies of PostgreSQL's programs, where its account cannot reach the originals."""
        return self.data / "postgres.programs"

    @property
    def deciding_lock(self) -> Path:
        """Held alone while someone creates, starts or stops the database."""
        return self.data / "postgres.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by all who use the database."""
        return self.data / "postgres.users"

    @property
    def serve_lock(self) -> Path:
        """Held alone by the one `quintet serve`."""
        return self.data / "serve.lock"

    def prepare_socket_folder(self, account: Account) -> Path:
        """The folder for the database's socket, made if needed: 0700 and owned by `account`.

        Under the data folder; under the system's folder for temporary files where the path would be too
        long for a socket, or holds a comma, which libpq and PostgreSQL take for the end of a name.
        Raises FolderUnreachable when someone else made it first.
        """
        folder = self.data / "postgres.socket"
        if "," in str(folder) or len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _LONGEST_SOCKET_PATH:
            name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir(), f"quintet-{name}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            account.own(folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {account.uid, os.geteuid()}:
            raise FolderUnreachable(
                f"{folder} should be a folder of the account {account.name}, for the database's private "
                "socket, but someone else made it. Find out who, remove it, and start again."
            )
        # Ours from here on. A start that was killed between the steps above, or data handed to another
        # account, may have left it half right.
        account.own(folder)
        folder.chmod(0o700)
        return folder
