"""The address of a cluster's databases, and the first connection to one.

Invariant: an answer on a socket counts only when the server itself says that it runs on our folder.
"""

import contextlib
from pathlib import Path
from urllib.parse import quote

import psycopg

from .creation import SUPERUSER
from .failures import ForeignFolder
from .layout import PORT

DATABASE = "quintet"
_CONNECT_SECONDS = 5
# Starting up, shutting down, recovering; or every connection is taken just now.
_PASSING = ("the database system is", "too many clients", "remaining connection slots")


def socket_dsn(socket_folder: Path, database: str) -> str:
    """The address of one database over the private socket, as libpq's URL."""
    path, folder = quote(database, safe=""), quote(str(socket_folder), safe="")
    return f"postgresql://{SUPERUSER}@/{path}?host={folder}&port={PORT}"


def answers(socket_folder: Path, pgdata: Path) -> bool:
    """Whether the database of `pgdata` answers on the socket; False while it starts, stops or is not there.

    Raises ForeignFolder when a database of another folder answers, psycopg.Error when it refuses us.
    """
    try:
        connection = _connect(socket_folder)
    except psycopg.OperationalError as error:
        # libpq gives no code for a refused connection, only the server's words: English, see processes.py.
        refused = "FATAL" in str(error) and not any(words in str(error) for words in _PASSING)
        if refused:
            raise
        return False
    with contextlib.closing(connection):
        row = connection.execute("SHOW data_directory").fetchone()
    shown = Path(row[0]) if row else Path()
    if not shown.exists() or not shown.samefile(pgdata):
        # The folder was moved while its database ran, or is shared with another container.
        raise ForeignFolder(
            f"The database that answers in {socket_folder} runs on {shown}, not on {pgdata}. If the folder "
            "was moved, move it back and stop the database first; if another container uses it, stop that "
            "one."
        )
    return True


def ensure_database(socket_folder: Path) -> None:
    """Make the database `quintet` if it is not there, as after a kill between creation and first use."""
    with contextlib.closing(_connect(socket_folder)) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _connect(socket_folder: Path) -> psycopg.Connection:
    dsn = socket_dsn(socket_folder, "postgres")
    return psycopg.connect(dsn, connect_timeout=_CONNECT_SECONDS, autocommit=True)
