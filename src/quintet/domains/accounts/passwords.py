"""Hashing and verifying passwords with Argon2id, in threads of their own.

Invariant: at most two hashes are computed at a time and at most a hundred wait; beyond that callers are
told to come back, instead of everybody waiting ever longer.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from quintet.kernel.refusals import Unavailable

T = TypeVar("T")
THREADS: Final = 2
MOST_WAITING: Final = 100
# OWASP's password storage cheat sheet: Argon2id with 19 MiB, two passes, one lane.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Passwords:
    """A bounded pool that hashes and verifies."""

    def __init__(self, hasher: PasswordHasher = HASHER, most_waiting: int = MOST_WAITING) -> None:
        self._hasher = hasher
        self._most = THREADS + most_waiting
        self._underway = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        # What an unknown account's password is verified against, so that it takes the same time.
        self._nobodys = hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The password's hash with a fresh salt; raises Unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether the password is the hash's; without a hash no, in the same time. Raises Unavailable."""
        right = await self._run(lambda: self._verify(hashed or self._nobodys, password))
        return right and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._underway >= self._most:
            raise Unavailable("too many people are signing in at this moment", retry_after_seconds=2)
        self._underway += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Counted until the thread is done with it, even where its caller has gone meanwhile.
        future.add_done_callback(self._finish)
        return await asyncio.shield(future)

    def _finish(self, _future: object) -> None:
        self._underway -= 1
