"""The JavaScript client: its own tests, and the mathematics it shares with the server."""

import os
import subprocess
from pathlib import Path

from tests.clients import vectors
from tests.node import node

CLIENT = Path(__file__).parent.parent.parent / "clients" / "javascript"


def test_the_shared_vectors_are_those_of_the_server() -> None:
    assert vectors.PLACE.read_text() == vectors.vectors(), "python -m tests.clients.vectors writes them anew"


def test_the_javascript_tests_pass() -> None:
    files = sorted(str(path) for path in (CLIENT / "test").glob("*.test.js"))
    assert files
    histories = "600" if os.environ.get("CI") else "150"
    ran = subprocess.run(
        [node(), "--test", *files], env=os.environ | {"HISTORIES": histories},
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    told = [line.lstrip("# ") for line in ran.stdout.splitlines()]
    print("; ".join(line for line in told if line.endswith(("agree", "for all", "there once"))))
