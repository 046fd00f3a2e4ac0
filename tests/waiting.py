"""Waiting for the thing itself, with a deadline."""

import asyncio
import threading
import time
from collections.abc import Callable

_pause = threading.Event()


def look_again_soon(seconds: float = 0.01) -> None:
    """A short pause between two looks at something another process does."""
    _pause.wait(seconds)


async def look_again() -> None:
    """The same between two looks at something this process does."""
    await asyncio.to_thread(look_again_soon)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until the condition holds; fails, naming `what`, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        look_again_soon()
