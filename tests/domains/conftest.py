"""A server that trusts an outside issuer."""

from collections.abc import AsyncIterator

import pytest
from tests.conftest import serving, settings_for_tests
from tests.domains.outside_issuer import AUDIENCE, PARTY, Issuer
from tests.world import World

from quintet.domains.accounts.authentication import Gate
from quintet.domains.accounts.issuer import ExternalIssuer


@pytest.fixture(scope="module")
async def running_issuer() -> AsyncIterator[Issuer]:
    made = Issuer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
async def running_world(dsn: str, running_issuer: Issuer) -> AsyncIterator[World]:
    settings = settings_for_tests(
        QUINTET_OIDC_ISSUER=running_issuer.url,
        QUINTET_OIDC_JWKS_URL=f"{running_issuer.url}/.well-known/jwks.json",
        QUINTET_OIDC_AUDIENCES=f"{AUDIENCE},other",
        QUINTET_OIDC_AUTHORIZED_PARTIES=PARTY,
    )
    async with serving(settings, dsn) as made:
        yield made


@pytest.fixture
async def issuer(running_issuer: Issuer) -> Issuer:
    running_issuer.begin_anew()
    await running_issuer.start()
    return running_issuer


@pytest.fixture
async def trusting(running_world: World, issuer: Issuer) -> World:
    """The server, as if just started: it knows no key and no token, and shares the issuer's clock."""
    gate = running_world.kernel.authenticate
    assert isinstance(gate, Gate)
    kernel = running_world.kernel
    gate._external = ExternalIssuer.from_settings(kernel.settings, kernel.database, issuer.clock)
    return running_world
