"""Turns of the loop: what is said in one leaves together at its end.

Invariant: one call of the loop serves all who have something to send; a call for each would cost a quarter of
what a delivery costs.
"""

import asyncio
from typing import Protocol


class Sender(Protocol):
    """Whoever has something to send."""

    def flush(self) -> None:
        """Send it; must not raise."""
        ...


class Turn:
    """Those that have something to send in this turn of the loop."""

    def __init__(self) -> None:
        self._senders: list[Sender] = []

    def add(self, one: Sender) -> None:
        """Flush it when the turn ends; each is added once a turn."""
        if not self._senders:
            asyncio.get_running_loop().call_soon(self._flush)
        self._senders.append(one)

    def _flush(self) -> None:
        senders, self._senders = self._senders, []
        for one in senders:
            one.flush()
