"""How a connection ends that was good: its token runs out, its session ends, its user's role changes."""

import time

import pytest
from tests.conftest import reachable, serving, settings_for_tests
from tests.sockets import connected
from tests.world import World


async def test_renewing_in_place_and_the_end_of_a_token(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    async with connected(ada) as socket, connected(ada) as idle:
        live.clock.go(minutes=14, seconds=1)
        for one in (socket, idle):
            told = await one.until("token_expiring")
            assert 50 < told["in_seconds"] <= 60
        for member in list(live.kernel.hub.members):
            member.look_after(live.kernel.clock.monotonic())  # said once, however often it is looked at
        fresh = (await live.post("/auth/refresh", json={"refresh_token": ada.refresh_token})).json()
        refused = await socket.ask("auth", token="garbage")
        assert (refused["type"], refused["code"]) == ("error", "not_signed_in")
        theirs = (await live.post("/auth/refresh", json={"refresh_token": ben.refresh_token})).json()
        refused = await socket.ask("auth", token=theirs["access_token"])
        assert (refused["type"], refused["code"]) == ("error", "forbidden")
        renewed = await socket.ask("auth", token=fresh["access_token"])
        assert (renewed["type"], renewed["event"]) == ("system", "authenticated")
        live.clock.go(minutes=1, seconds=1)
        assert await idle.closed() == 4401
        assert idle.heard[-1]["code"] == "not_signed_in"
        assert (await socket.ask("ping"))["type"] == "pong"  # the renewed one lives on
        assert sum(one["type"] == "token_expiring" for one in socket.heard) == 1


@pytest.mark.parametrize("ending", ["logout", "role", "change_password"])
async def test_what_ends_a_session_ends_its_sockets_within_two_seconds(live: World, ending: str) -> None:
    ada = await live.person()
    login = {"email": ada.email, "password": ada.password}
    elsewhere = (await live.post("/auth/login", json=login)).json()["access_token"]
    async with (
        serving(settings_for_tests(), live.dsn) as other,
        reachable(other),
        connected(ada) as here,
        connected(ada, other) as there,
        connected(await live.person()) as bystander,
    ):
        begun = time.monotonic()
        if ending == "logout":
            assert (await ada.post("/auth/logout")).status_code == 204
        elif ending == "role":
            live.sql("update accounts.users set role = 'moderator' where id = %s", ada.id)
        else:
            answer = await live.http.post(
                "/auth/change-password",
                json={"current_password": ada.password, "new_password": "another horse entirely"},
                headers={"Authorization": f"Bearer {elsewhere}"},
            )
            assert answer.status_code == 204
        assert [await here.closed(), await there.closed()] == [4401, 4401]
        seconds = time.monotonic() - begun
        assert seconds < 2
        assert (await bystander.ask("ping"))["type"] == "pong"
        print(f"{ending}: sockets of both nodes closed after {seconds:.2f} s")
