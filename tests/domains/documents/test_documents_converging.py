"""All converge: random histories of editing, in one process and over real sockets."""

import random

import pytest
from tests.domains.documents.simulation import Simulation

HISTORIES = 300


@pytest.mark.parametrize("kind", ["plain", "extended", "mixed"])
async def test_random_histories_converge(kind: str) -> None:
    operations = drops = 0
    for seed in range(HISTORIES // 3):
        chance = random.Random(f"{kind} {seed}")
        plain = 0 if kind == "extended" else chance.randint(1, 3)
        extended = 0 if kind == "plain" else chance.randint(1, 3)
        utf16 = 0 if kind == "plain" else chance.randint(0, 2)
        if plain + extended + utf16 < 2:
            plain, extended = plain + (kind != "extended"), extended + (kind == "extended")
        one = Simulation(seed, plain=plain, extended=extended, utf16=utf16, nodes=chance.randint(1, 2))
        try:
            one.run(150)
        except AssertionError as error:
            raise AssertionError(f"{kind} {seed}") from error
        operations += len(one.store.changes)
        drops += one.drops
    print(f"{kind}: {HISTORIES // 3} histories, {operations} operations, {drops} drops: all converge")
