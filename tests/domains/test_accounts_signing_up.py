"""Signing up, logging in, and being somebody."""

from tests.world import PASSWORD, World


async def test_smoke(world: World) -> None:
    ada = await world.person()
    answer = await ada.get("/auth/me")
    assert answer.status_code == 200, answer.text
    answer = await world.post("/auth/login", json={"email": ada.email.upper(), "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    answer = await world.post("/auth/login", json={"username": ada.username.upper(), "password": "x"})
    assert answer.status_code == 401, answer.text
    first = await world.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    again = await world.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert first.status_code == again.status_code == 200
    assert first.json()["refresh_token"] == again.json()["refresh_token"]
    answer = await ada.get("/api/v1/auth/sessions")
    assert len(answer.json()["items"]) == 2, answer.text
    answer = await ada.post("/auth/change-password", json={"current_password": PASSWORD, "new_password": PASSWORD + "!"})
    assert answer.status_code == 204, answer.text
    answer = await ada.get("/api/v1/auth/sessions")
    assert len(answer.json()["items"]) == 1, answer.text
    assert (await ada.post("/auth/logout")).status_code == 204
    assert (await ada.get("/auth/me")).status_code == 401
