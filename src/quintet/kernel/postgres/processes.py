"""Starting PostgreSQL's programs, and judging processes by their id.

Invariant: no process is signalled before it is known to be a postgres that works in our data folder.
"""

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .account import Account

_PROC = Path("/proc")
# A look at a process, or at a folder as another account, takes milliseconds; a hung disk should not hang us.
_LOOK_SECONDS = 10


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code and everything it wrote."""

    code: int
    output: str


def spawn(
    command: Sequence[str | Path], account: Account, output: int | IO[bytes], keep_open: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a program as `account`, away from our terminal, our environment and our open files."""
    return subprocess.Popen(  # noqa: S603 (the programs are PostgreSQL's own, the arguments are a list)
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",  # ours may be closed to the account
        env=_bare_environment(),
        start_new_session=True,  # Ctrl-C reaches us alone; we then stop the database in order
        pass_fds=keep_open,
        user=account.uid if account.switched else None,
        group=account.gid if account.switched else None,
        extra_groups=[] if account.switched else None,
    )


def run(
    command: Sequence[str | Path],
    account: Account,
    seconds: float = _LOOK_SECONDS,
    keep_open: Sequence[int] = (),
) -> Ended:
    """Run a program as `account` to its end; raises subprocess.TimeoutExpired after killing it."""
    with spawn(command, account, subprocess.PIPE, keep_open) as child:
        try:
            output, _ = child.communicate(timeout=seconds)
        except BaseException:
            child.kill()
            raise
    return Ended(child.returncode, output.decode(errors="replace"))


def reap_when_dead(child: subprocess.Popen[bytes]) -> None:
    """Collect the child at the moment it dies.

    A dead child that nobody collects still has its id: other openers, and PostgreSQL's own check of
    postmaster.pid, would take it for living.
    """
    threading.Thread(target=child.wait, name=f"postmaster-{child.pid}", daemon=True).start()


def first_closed_folder(folder: Path, account: Account) -> Path | None:
    """The outermost of `folder` and its parents that the account cannot enter; None when all are open.

    Asked by really going there, since access lists and mounts know more than mode bits do.
    """
    path = [*reversed(folder.parents), folder]
    script = 'for folder; do cd -- "$folder" 2>/dev/null || { printf %s "$folder"; exit 1; }; done'
    ended = run(["/bin/sh", "-c", script, "sh", *path], account)
    return Path(ended.output) if ended.code else None


def is_alive(pid: int) -> bool:
    """Whether a process of this id exists and is not a dead one waiting to be collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) not in {"Z", "X"}


def runs_postgres_in(pid: int, pgdata: Path) -> bool:
    """Whether a living process of this id is a postgres at work in `pgdata`.

    On a system without /proc the name alone decides; the caller connects anyhow.
    """
    if not is_alive(pid):
        return False
    if not (_PROC / "self").exists():
        return "postgres" in _ps(pid, "comm")
    try:
        # A new release may have replaced the program under a running server: "… (deleted)".
        name = (_PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)")
        return name == "postgres" and (_PROC / str(pid) / "cwd").samefile(pgdata)
    except OSError:  # gone meanwhile, or of another account and so not ours
        return False


def orphans_in(pgdata: Path) -> list[int]:
    """The ids of backends in `pgdata` whose postmaster is dead; none while one lives, or without /proc."""
    if not (_PROC / "self").exists():
        return []
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    ours = {pid for pid in pids if runs_postgres_in(pid, pgdata)}
    # A parent among them is a postmaster at work, whatever postmaster.pid says: then none is an orphan.
    return [] if any(_parent(pid) in ours for pid in ours) else sorted(ours)


def _state(pid: int) -> str:
    if (_PROC / "self").exists():
        return _stat_fields(pid)[0]
    return _ps(pid, "state")[:1]


def _parent(pid: int) -> int:
    return int(_stat_fields(pid)[1] or 0)


def _stat_fields(pid: int) -> list[str]:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ["X", ""]
    return text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets


def _ps(pid: int, column: str) -> str:
    command = ["/bin/ps", "-o", f"{column}=", "-p", str(pid)]
    # The program and its arguments are our own.
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LOOK_SECONDS)  # noqa: S603
    return ended.stdout.strip()


def _bare_environment() -> dict[str, str]:
    # Nothing of ours: settings hold secrets, and PG… and LC_… variables would change what the programs do.
    # English messages (LC_ALL=C) are what failures.py knows how to read.
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **kept}
