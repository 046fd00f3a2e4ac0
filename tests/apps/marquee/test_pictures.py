"""Sharing one's tier list as a picture: public, revocable, always the present list, and cheap to ask for."""

import asyncio
import io
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from PIL import Image
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import Person, World, code_of

from quintet.apps.marquee import pictures
from quintet.apps.marquee.pictures.model import Job, ListedTier, ListedTitle, TierList
from quintet.apps.marquee.pictures.studio import Studio, studio_of
from quintet.kernel.beside.workshop import WorkFailed, Workshop
from quintet.kernel.refusals import Unavailable

ME = "/rankings/me/picture"
LIST = TierList("Ada", "1 May 2026", [ListedTier("S", [ListedTitle("Heat", 1995)], 1)])


async def rank(person: Person, title: str, tier: str = "S", **place: Any) -> str:
    """Enter a film and rank it; the ranking's id."""
    body = {"title": title, "media_type": "MOVIE", "year": 1995, "confirm": True}
    media = (await person.post("/media/create_stub", json=body)).json()
    answer = await person.post("/rankings", json={"media_id": media["id"], "tier": tier, **place})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def environment_of(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/environ")
    return path.read_bytes() if path.exists() else b""


async def share(person: Person) -> tuple[str, str]:
    """Share the list; the paths of its SVG and its PNG."""
    answer = await person.put(ME)
    assert answer.status_code in {200, 201}, answer.text
    picture_id = answer.json()["id"]
    return f"/pictures/{picture_id}/tiers.svg", f"/pictures/{picture_id}/tiers.png"


def said(svg: bytes) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


async def test_a_list_is_shared_by_its_owner_and_seen_by_everybody(world: World) -> None:
    ada = await world.person("ada")
    assert code_of(await ada.get(ME)) == (404, "not_found")
    first = await ada.put(ME)
    assert first.status_code == 201
    picture = first.json()
    assert set(picture) == {"id", "svg_url", "png_url", "created_at"}
    assert len(picture["id"]) == 22
    assert first.headers["location"] == picture["svg_url"]
    again = await ada.put(ME)
    assert (again.status_code, again.json()) == (200, picture)
    assert (await ada.get(ME)).json() == picture
    svg, png = (picture[name].removeprefix(world.kernel.settings.issuer) for name in ("svg_url", "png_url"))
    told = await world.get(svg)
    assert told.status_code == 200
    assert {"Nothing" in one for one in said(told.content)} == {True, False}
    assert told.headers["content-type"] == "image/svg+xml"
    assert told.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["cache-control"] == "public, max-age=10"
    assert "room-seq" not in told.headers
    drawn = await world.get(png, headers={"Accept-Encoding": "gzip"})
    assert drawn.headers["content-type"] == "image/png"
    assert "content-encoding" not in drawn.headers
    assert Image.open(io.BytesIO(drawn.content)).size[0] == 1200
    for path in (svg, png):
        etag = (await world.get(path)).headers["etag"]
        unchanged = await world.get(path, headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (await world.http.head(path)).status_code == 200


async def test_it_shows_the_list_as_it_is_and_draws_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person("ada")
    await rank(ada, "Heat & <Dust>")
    last = await rank(ada, "千と千尋の神隠し", "B")
    svg, png = await share(ada)
    drawn: Counter[str] = Counter()
    draw = Studio.draw

    async def count(self: Studio, job: Job) -> bytes:
        drawn[job.form] += 1
        return await draw(self, job)

    monkeypatch.setattr(Studio, "draw", count)
    answers = await asyncio.gather(*(world.get(path) for path in (svg, png) * 20))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers}) == 2
    assert drawn == {"svg": 1, "png": 1}
    assert {"Heat & <Dust>", "千と千尋の神隠し", "2 titles"} <= set(
        " · ".join(said((await world.get(svg)).content)).split(" · ")
    )
    etags = {(await world.get(path)).headers["etag"] for path in (svg, png)}
    assert (await ada.patch(f"/rankings/{last}/move", json={"tier": "A"})).status_code == 200
    moved = said((await world.get(svg)).content)
    assert moved.index("千と千尋の神隠し") < moved.index("B")
    assert (await ada.delete(f"/rankings/{last}")).status_code == 204
    assert "千と千尋の神隠し" not in said((await world.get(svg)).content)
    assert (await world.get(png)).headers["etag"] not in etags
    assert drawn == {"svg": 3, "png": 2}


async def test_a_long_tier_shows_its_best_and_counts_the_rest(world: World) -> None:
    ada = await world.person("ada")
    svg, _ = await share(ada)
    await asyncio.gather(*(rank(ada, f"Film {number}") for number in range(43)))
    lines = said((await world.get(svg)).content)
    assert "+ 3 more" in lines
    assert sum(line.startswith("Film ") for line in lines) == 40


async def test_an_address_that_is_taken_back_is_gone_at_once_and_for_good(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    svg, png = await share(ada)
    assert (await live.get(svg)).status_code == (await live.get(png)).status_code == 200
    assert (await ben.delete(ME)).status_code == 204, "takes back one's own, and there is none"
    assert (await live.get(svg)).status_code == 200
    assert (await ada.delete(ME)).status_code == 204
    missing = code_of(await live.get(f"/pictures/{'A' * 22}/tiers.svg"))
    for path in (svg, png):
        assert code_of(await live.get(path)) == missing == (404, "not_found")
    assert code_of(await ada.get(ME)) == (404, "not_found")
    assert (await ada.delete(ME)).status_code == 204
    new, _ = await share(ada)
    assert new != svg
    assert (await live.get(new)).status_code == 200
    assert (await live.get(svg)).status_code == 404
    for odd in ("", "x", "A" * 300, "..", "%00", "A" * 21 + "é"):
        assert (await live.get(f"/pictures/{odd}/tiers.svg")).status_code in {404, 422}, odd


async def test_the_reference_says_what_kind_of_file_a_picture_is(world: World) -> None:
    paths = (await world.get("/openapi.json")).json()["paths"]
    for form, kind in (("svg", "image/svg+xml"), ("png", "image/png")):
        told = paths[f"/pictures/{{picture_id}}/tiers.{form}"]["get"]["responses"]["200"]["content"]
        assert set(told) == {kind}
    assert {"200", "201"} <= set(paths[ME]["put"]["responses"])


async def test_many_who_share_at_once_share_one_address(world: World) -> None:
    ada = await world.person("ada")
    answers = await asyncio.gather(*(ada.put(ME) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    events = world.sql("select body->>'type' from kernel.room_events where room = %s", f"user:{ada.id}")
    assert events == [("picture_shared",)]


async def test_the_process_knows_nothing_it_need_not(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Studio()
    for name in ("AWS_SECRET_ACCESS_KEY", "QUINTET_TMDB_TOKEN", "PGPASSWORD", "HOME"):
        monkeypatch.setenv(name, "told in confidence")
    await alone.draw(Job("svg", LIST))
    assert alone.pid is not None
    environment = environment_of(alone.pid)
    assert b"PATH=" in environment
    assert b"confidence" not in environment
    await alone.workshop.close()


async def test_a_studio_that_dies_is_replaced(world: World) -> None:
    ada = await world.person("ada")
    svg, _ = await share(ada)
    assert (await world.get(svg)).status_code == 200
    working = studio_of(world.kernel)
    first = working.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await share(ada)
    await rank(ada, "Heat")
    assert "Heat" in said((await world.get(svg)).content)
    assert working.pid not in {None, first}


async def test_a_studio_that_hangs_costs_nobody_else_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Studio()
    assert (await alone.draw(Job("svg", LIST))).startswith(b"<svg")
    assert alone.pid is not None
    os.kill(alone.pid, signal.SIGSTOP)
    terms = msgspec.structs.replace(alone.workshop.terms)
    alone.workshop.terms.most_seconds, alone.workshop.terms.most_waiting = 0.1, 3

    async def hang(*_: Any) -> Any:
        return await asyncio.create_subprocess_exec(
            "sleep", "60", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    monkeypatch.setattr(Workshop, "_start", hang)
    waiting = [asyncio.create_task(alone.draw(Job("png", LIST))) for _ in range(3)]
    await look_again()
    with pytest.raises(Unavailable, match="Many pictures"):
        await alone.draw(Job("svg", LIST))
    assert (await world.get("/health/live")).status_code == 200
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in results] == [Unavailable] * 3
    monkeypatch.undo()
    alone.workshop.terms = terms
    assert (await alone.draw(Job("png", LIST))).startswith(b"\x89PNG")
    last = alone.pid
    await alone.workshop.close()
    assert alone.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)
    with pytest.raises(Unavailable):
        await alone.draw(Job("svg", LIST))
    assert alone.pid is None, "what is closed starts nothing"


async def test_the_drawing_process_ends_when_nobody_holds_its_input() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", pictures.__name__, stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(b"")
    assert process.returncode == 0


async def test_an_idle_studio_closes() -> None:
    alone = Studio()
    await alone.draw(Job("svg", LIST))
    await alone.workshop.rest()
    assert alone.pid is not None
    alone.workshop.terms.idle_seconds = 0
    await alone.workshop.rest()
    assert alone.pid is None
    await alone.workshop.close()


async def test_what_cannot_be_drawn_is_a_bug_and_not_the_end() -> None:
    alone = Studio()
    with pytest.raises(WorkFailed, match="KeyError"):
        await alone.draw(Job("svg", TierList("Ada", "", [ListedTier("Z", [], 0)])))
    before = alone.pid
    assert (await alone.draw(Job("svg", LIST))).startswith(b"<svg")
    assert alone.pid == before
    await alone.workshop.close()


async def test_ones_other_tab_hears_of_it(live: World) -> None:
    ada = await live.person("ada")
    async with connected(ada) as tab:
        await share(ada)
        told = await tab.until("picture_shared")
        assert told["picture_id"]
        await ada.delete(ME)
        assert (await tab.until("picture_withdrawn"))["picture_id"] == told["picture_id"]
