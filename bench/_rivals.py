"""Rivals of the live connection: Node `ws`, Socket.IO and nchan, installed where they are missing.

Invariant: each is one process that takes part in the fan-out, like ours, started on the loopback from its own
configuration and ended by its process id. One that cannot be installed is left out, with the reason.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench._listeners import Door, Publishers, text_frame
from bench._load import request
from bench._server import free_port, running, wait_until_ready

_RIVALS = Path(__file__).parent / "rivals"
_NODE = _RIVALS / "node"
_NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_PACKAGES = ("nginx-light", "libnginx-mod-nchan")


@dataclass(frozen=True)
class Rival:
    """One of them, running: how to hear it, how to publish, and what one event is to a publisher."""

    door: Callable[[int], Door]
    publishers: Publishers
    event: Callable[[str], bytes]


class NotInstalled(Exception):
    """A rival cannot be had here."""


@contextmanager
def ws(folder: Path) -> Iterator[Rival]:
    """Node `ws`, a broadcast to all."""
    with _node("ws.js", folder) as port:
        yield Rival(
            lambda count: Door(port, ["/"] * count, []), Publishers(port, path="/publish"), text_frame
        )


@contextmanager
def socket_io(folder: Path) -> Iterator[Rival]:
    """Socket.IO, a broadcast to one room."""
    with _node("socketio.js", folder) as port:
        path = "/socket.io/?EIO=4&transport=websocket"

        def door(count: int) -> Door:
            return Door(port, [path] * count, [["40"]] * count, [(b"40{", 1)], text_frame("3"))

        publishers = Publishers(port, path=f"{path}&publish=1", says=["40"], ready=b"40{")
        yield Rival(door, publishers, lambda event: text_frame(f'42["publish",{event}]'))


@contextmanager
def nchan(folder: Path) -> Iterator[Rival]:
    """Nginx with nchan: one worker, its memory as the store, published over HTTP."""
    _install_nchan()
    port, place = free_port(), folder / "nchan"
    place.mkdir()
    (place / "modules").symlink_to(_NCHAN.parent)
    user = "user root;" if os.geteuid() == 0 else ""
    text = (_RIVALS / "nchan.conf").read_text().replace("PORT", str(port)).replace("USER", user)
    (place / "nginx.conf").write_text(text)
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with _serving([nginx, "-p", str(place), "-c", "nginx.conf", "-e", "stderr"], port, folder / "nchan.log"):
        yield Rival(
            lambda count: Door(port, ["/subscribe"] * count, []),
            Publishers(port),
            lambda event: request("POST", "/publish", body=event.encode()),
        )


@contextmanager
def sharedb(folder: Path, dsn: str | None = None) -> Iterator[int]:
    """ShareDB with its text type, kept in memory or in a database; its port. GET /NAME makes a document."""
    with _node("sharedb.js", folder, *([] if dsn is None else [dsn])) as port:
        yield port


def sharedb_tables() -> str:
    """What ShareDB's store in PostgreSQL wants there, as it ships it."""
    _install_node_packages()
    return (_NODE / "node_modules" / "sharedb-postgres" / "structure.sql").read_text()


def npm_transforms(package: str, pairs: object, seconds: float) -> tuple[float, int]:
    """How many of these pairs a text type of npm transforms a second, and how many parts came out."""
    _install_node_packages()
    command = [shutil.which("node") or "node", str(_NODE / "transform.js"), package, str(seconds)]
    ended = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    return told["per_second"], told["parts"]


@contextmanager
def _node(script: str, folder: Path, *arguments: str) -> Iterator[int]:
    _install_node_packages()
    port, node = free_port(), shutil.which("node")
    assert node is not None
    log = folder / f"{script}.{port}.log"
    with _serving([node, str(_NODE / script), str(port), *arguments], port, log):
        yield port


@contextmanager
def _serving(command: list[str], port: int, log: Path) -> Iterator[None]:
    with running(command, dict(os.environ), log) as process:
        wait_until_ready(port, process, "/", log)
        yield


def _install_node_packages() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("not installed: no node and npm here")
    wanted = json.loads((_NODE / "package.json").read_text())["dependencies"]
    if any(_version(name) != version for name, version in wanted.items()):
        # No lock file: it would record where this machine has its packages from.
        _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--omit=optional"], _NODE)


def _version(package: str) -> str | None:
    file = _NODE / "node_modules" / package / "package.json"
    return json.loads(file.read_text())["version"] if file.exists() else None


def _install_nchan() -> None:
    if _NCHAN.exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotInstalled(f"not installed: needs the Debian packages {' and '.join(_PACKAGES)}")
    _run(["apt-get", "update"], _RIVALS)
    _run(["apt-get", "install", "--yes", "--no-install-recommends", *_PACKAGES], _RIVALS)


def _run(command: Sequence[str], folder: Path) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotInstalled(f"not installed: {command[0]} says {reason}"[:100])
