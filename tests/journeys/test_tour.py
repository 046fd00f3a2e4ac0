"""The tour's commands, run as they stand, against a server as it is started by hand."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.process import ServerProcess, server_process

TOUR = Path(__file__).parent.parent.parent / "docs" / "tour.md"
BLOCKS = re.compile(r"```sh\n(.*?)```\n(?:```json\n(.*?)```)?", re.DOTALL)
MARK = "=== end of step ==="


def resembles(told: Any, expected: Any) -> bool:
    """Whether `told` holds everything in `expected`; an ellipsis stands for any text."""
    if isinstance(expected, dict):
        return isinstance(told, dict) and all(
            name in told and resembles(told[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(told, list) and len(told) == len(expected) and all(map(resembles, told, expected))
    return isinstance(told, str) if expected == "…" else told == expected


def test_the_tour_is_true() -> None:
    steps = BLOCKS.findall(TOUR.read_text())
    assert len(steps) >= 9
    with server_process() as server:
        for (commands, expected), output in zip(steps, run_all(server, [s[0] for s in steps]), strict=True):
            if expected:
                assert resembles(json.loads(output), json.loads(expected)), f"{commands}\n{output}"


def run_all(server: ServerProcess, steps: list[str]) -> list[str]:
    """What each step printed, in one shell."""
    script = "set -e\n" + "".join(f"{step}\necho\necho '{MARK}'\n" for step in steps)
    ran = subprocess.run(
        ["bash", "-c", script], env={"Q": server.url, "PATH": server.environment["PATH"]},
        cwd=server.data.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.split(MARK)[:-1]
