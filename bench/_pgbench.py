"""PostgreSQL's own load generator as the limit: the very statements of Quintet, with nothing around them.

Invariant: statements come out of PostgreSQL's log (`_trace.py`), so that they cannot fall behind the code.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench._load import CONNECTIONS
from bench._server import Server

from quintet.kernel.postgres import find_binaries
from quintet.kernel.postgres.connection import DATABASE
from quintet.kernel.postgres.creation import SUPERUSER

_PARAMETER = re.compile(r"\$(\d+)")
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"number of failed transactions: (\d+)")


def with_expressions(statement: str, expressions: Mapping[int, str]) -> str:
    """The statement with each `$n` replaced, on one line; `:name` in an expression is pgbench's variable."""
    # Spaces keep a variable apart from the colon of an array slice.
    filled = _PARAMETER.sub(lambda match: f" {expressions[int(match[1])]} ", statement)
    return " ".join(filled.split()) + ";"


def pgbench(
    server: Server, script: str, *, seconds: float, database: str = DATABASE, connections: int = CONNECTIONS
) -> float:
    """Run the script's transaction over the server's own socket with prepared statements; how many a second.

    pgbench knows no warm-up: its rate leaves out connecting, and the first round of a bench is thrown away.
    """
    folder = server.data.parent
    file = folder / "script.sql"
    file.write_text(script)
    command: list[str | Path] = [find_binaries().path("pgbench"), "--no-vacuum", "--protocol=prepared"]
    command += [f"--client={connections}", "--jobs=1", f"--time={max(1, round(seconds))}", f"--file={file}"]
    command += [f"--host={server.socket_folder}", f"--username={SUPERUSER}", database]
    ended = subprocess.run(
        command,
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    rate, failed = _RATE.search(ended.stdout), _FAILED.search(ended.stdout)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert rate is not None, ended.stdout
    assert failed is None or failed[1] == "0", ended.stdout
    return float(rate[1])
