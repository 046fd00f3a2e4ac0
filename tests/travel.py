"""People who travel in time: their access token, which lasts for a quarter hour,
is renewed before each call."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import jwt

from tests.world import Person, World


@dataclass
class Traveller(Person):
    """Somebody whose token never runs out."""

    async def call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        session = UUID(jwt.decode(self.access_token, options={"verify_signature": False})["sid"])
        self.access_token = self.world.kernel.tokens.issue(UUID(self.id), session, "user")
        return await super().call(method, path, **request)


async def traveller(world: World, name: str = "ada") -> Traveller:
    """A new person who may travel."""
    return moved(await world.person(name), world)


def moved(person: Person, world: World) -> Traveller:
    """The same person, on another server of the same database."""
    return Traveller(
        world, person.id, person.username, person.email, person.access_token, person.refresh_token
    )
