"""PostgreSQL's own load generator as the limit: the very statements of Quintet, with nothing around them.

Invariant: statements come out of Quintet's code or out of PostgreSQL's log, so that they cannot fall behind.
"""

import ast
import inspect
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench._load import CONNECTIONS
from bench._server import Server

from quintet.kernel.postgres import find_binaries
from quintet.kernel.postgres.connection import DATABASE
from quintet.kernel.postgres.creation import SUPERUSER

_PARAMETER = re.compile(r"\$(\d+)")
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"number of failed transactions: (\d+)")


def statement_of(function: Callable[..., Any]) -> str:
    """The literal statement in a function of a `queries.py`: its only text that is not its docstring."""
    tree = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(tree, ast.AsyncFunctionDef)
    texts = [
        node.value
        for inner in tree.body[1:]
        for node in ast.walk(inner)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip()
    ]
    assert len(texts) == 1, f"{function.__name__} holds {len(texts)} statements"
    return texts[0]


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
