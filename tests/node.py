"""Node, for what is written in JavaScript; a bare machine of continuous integration installs it."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

OLDEST = 18


@cache
def node() -> str:
    """Where Node is; where there is none and none can be installed, the test is skipped."""
    with (Path(tempfile.gettempdir()) / "quintet-node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers ask at once, and apt serves one at a time
        found = shutil.which("node")
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for command in (["update"], ["install", "--yes", "--no-install-recommends", "nodejs"]):
                subprocess.run(["apt-get", *command], env=quietly, capture_output=True, check=False)
            found = shutil.which("node")
    if found is None:
        pytest.skip("no Node here: install it (Debian: apt-get install nodejs), or run as root with apt")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", told)[0]) < OLDEST:
        pytest.skip(f"Node {told.strip()} is too old: {OLDEST} or newer is needed")
    return found
