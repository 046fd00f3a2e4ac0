"""Tens of thousands of short histories of editing, in one process: everybody ends with one text."""

import random

import pytest
from tests.domains.documents.simulation import Simulation

HISTORIES = 20_000
STEPS = 40
LONG = 10  # histories of fifty writers


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_tens_of_thousands_of_histories_converge() -> None:
    operations = drops = 0
    for seed in range(HISTORIES):
        chance = random.Random(seed)
        writers = chance.randint(2, 6)
        plain = chance.randint(0, writers)
        utf16 = chance.randint(0, writers - plain)
        one = Simulation(
            seed, plain=plain, extended=writers - plain - utf16, utf16=utf16, nodes=chance.randint(1, 2)
        )
        try:
            one.run(STEPS)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
        operations += len(one.store.changes)
        drops += one.drops
    for seed in range(LONG):
        one = Simulation(seed, plain=15, extended=20, utf16=15, nodes=2)
        one.run(3000)
        operations += len(one.store.changes)
        drops += one.drops
    print(f"{HISTORIES + LONG} histories, {operations} operations, {drops} drops: all converge")
