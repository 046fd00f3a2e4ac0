"""Which account of the machine runs PostgreSQL, and what that account can get to.

Invariant: PostgreSQL never runs as root; it refuses to, and a hole in it would own the machine.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from .failures import FolderUnreachable, PostgresFailed

# `postgres` is the name every distribution's package uses; `nobody` exists everywhere.
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user and its main group; `switched` when this process is root and must become it for a child."""

    uid: int
    gid: int
    switched: bool

    @property
    def name(self) -> str:
        """The account's name, or its number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def own(self, path: Path) -> None:
        """Give one path to the account. Does nothing when no switch is needed."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, folder: Path) -> None:
        """Give a folder and all in it to the account, never following a link out of it."""
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                self.own(Path(parent, name))
        self.own(folder)


def this_account() -> Account:
    """The account of this very process, root too: for programs that only tell their version."""
    return Account(os.geteuid(), os.getegid(), switched=False)


def account_for(*folders: Path) -> Account:
    """The account that runs PostgreSQL: this process's own, or for root the first other owner of them."""
    if os.geteuid() != 0:
        return this_account()
    for folder in folders:
        if folder.exists() and (found := folder.stat()).st_uid != 0:
            return Account(found.st_uid, found.st_gid, switched=True)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, switched=True)
    raise PostgresFailed(
        "PostgreSQL refuses to run as root, and this machine has neither an account named postgres nor "
        "nobody. Start Quintet as an ordinary user, or chown the data folder to one."
    )


def copy_readable(source: Path, target: Path) -> None:
    """Copy a tree of programs so that every account may read and run it, and only this one change it."""
    shutil.copytree(
        source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "pkgconfig", "*.a")
    )
    for parent, _, files in os.walk(target):
        Path(parent).chmod(0o755)
        for file in (Path(parent, name) for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def unreachable(folder: Path, parent: Path, account: Account) -> FolderUnreachable:
    """The refusal for a data folder that the account cannot enter because of `parent`."""
    return FolderUnreachable(
        f"Quintet runs as root and starts PostgreSQL as the account {account.name}, which may not enter "
        f"{parent}, so it cannot get to {folder}. Allow it with `chmod o+x {parent}`, choose a folder "
        "elsewhere with --data, or start Quintet as an ordinary user."
    )
