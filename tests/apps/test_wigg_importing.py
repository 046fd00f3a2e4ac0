"""Importing chapters as milestones, through the front door."""

import asyncio
import base64
import threading
from typing import Any

import pytest
from tests.apps.chapter_samples import SAMPLES
from tests.apps.test_wigg_milestones import listed, name
from tests.books import book
from tests.waiting import wait_until
from tests.world import World, code_of, new_title

from quintet.apps.wigg.milestones import chapter_upload
from quintet.apps.wigg.milestones.chapters import Chapters, Format

PCTS = {
    "webvtt": [0, 53.580882], "ffmetadata": [0, 53.580882, 58.823529], "matroska": [0, 53.580882, 60.593137],
    "podcasting20": [0, 53.580882, 58.824510], "podlove": [0, 1.833333, 53.580882, 58.828431],
    "epub": [0, 30, 40], "text": [0, 18.284314, 53.580882, 55.882353],
}  # fmt: skip


@pytest.mark.parametrize("name_", SAMPLES)
@pytest.mark.parametrize("way", ["json", "json, sniffed", "form", "form, sniffed"])
async def test_a_file_of_every_format_in_every_way(world: World, name_: Format, way: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    content, named = SAMPLES[name_], "sniffed" not in way
    request: dict[str, Any]
    if way.startswith("json"):
        text = base64.encodebytes(content).decode() if name_ == "epub" else content.decode()
        request = {"json": {"content": text, **({"format": name_} if named else {})}}
    else:
        request = {"files": {"file": ("a.bin", content)}, "data": {"format": name_ if named else ""}}
    path = f"/api/titles/{title}/milestones/import"
    answer = await ada.post(path, **request)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [item["pct"] for item in told["items"]] == PCTS[name_]
    assert (told["created"], told["known"]) == (len(told["items"]), 0)
    assert {(item["source"], item["verified"], item["icon"]) for item in told["items"]} == {
        ("scraped", False, "star")
    }
    assert await listed(world, title) == told["items"]
    again = await ada.post(path, **request)
    assert again.json() == {**told, "created": 0, "known": len(told["items"])}
    assert await listed(world, title) == told["items"]


async def test_what_is_there_already_is_known(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada, total_length_seconds=1000)
    there = await name(ben, title, 10.2, "the BANK")
    content = "1:40 The bank\n1:42 The bank\n5:00 The heist\n5:01 the heist"
    told = (await ada.post(f"/api/titles/{title}/milestones/import", json={"content": content})).json()
    assert (told["created"], told["known"]) == (1, 3)
    assert told["items"][:2] == [there, there]
    assert [item["pct"] for item in told["items"][2:]] == [30, 30]
    assert len(await listed(world, title)) == 2


async def test_the_same_file_many_times_at_once(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    content = "\n".join(f"{n}:00 chapter {n}" for n in range(50))
    answers = await asyncio.gather(
        *(ada.post(f"/api/titles/{title}/milestones/import", json={"content": content}) for _ in range(6))
    )
    assert sorted(answer.json()["created"] for answer in answers) == [0] * 5 + [50]
    assert len(await listed(world, title)) == 50


async def test_official_is_for_moderators(world: World) -> None:
    ada, mo = await world.person("ada"), await world.person("mo", role="moderator")
    title = await new_title(ada)
    path = f"/api/titles/{title}/milestones/import"
    for request in (
        {"json": {"content": "0:00 a", "source": "official"}},
        {"files": {"file": ("a.txt", b"0:00 a")}, "data": {"source": "official"}},
    ):
        assert code_of(await ada.post(path, **request)) == (403, "forbidden")
        assert await listed(world, title) == []
        items = (await mo.post(path, **request)).json()["items"]
        assert [item["source"] for item in items] == ["official"]
        await mo.delete(f"/api/titles/{title}/milestones/{items[0]['id']}")


async def test_length(world: World) -> None:
    """The title's length counts, else the file's own; books are measured by their own text."""
    ada = await world.person()
    long, unknown = [await new_title(ada, total_length_seconds=seconds) for seconds in (20_000, None)]
    vtt, text = SAMPLES["webvtt"].decode(), "0:00 a\n1:00 b"

    async def pcts(title: str, **body: Any) -> list[float]:
        answer = await ada.post(f"/api/titles/{title}/milestones/import", json=body)
        assert answer.status_code == 200, answer.text
        return [item["pct"] for item in answer.json()["items"]]

    assert await pcts(long, content=vtt) == [0, 27.32625]
    assert await pcts(unknown, content=vtt) == PCTS["webvtt"]
    refused = await ada.post(f"/api/titles/{unknown}/milestones/import", json={"content": text})
    assert code_of(refused) == (422, "length_unknown")
    for title in (long, unknown):
        assert await pcts(title, content=base64.b64encode(book()).decode()) == PCTS["epub"]
    assert await pcts(unknown, content="WEBVTT") == []


async def test_a_chapter_past_the_end_refuses_all(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada, total_length_seconds=600)
    path = f"/api/titles/{title}/milestones/import"
    refused = await ada.post(path, json={"content": "0:00 a\n\n10:00 the end\n10:01 b\n"})
    assert code_of(refused) == (422, "invalid_request")
    assert refused.json()["line"] == 4
    assert refused.json()["errors"] == [
        {
            "code": "past_the_end",
            "message": "line 4: 0:10:01 is past the end, which is at 0:10:00",
            "pointer": "/content",
        }
    ]
    assert await listed(world, title) == []
    told = (await ada.post(path, json={"content": "0:00 a\n\n10:00 the end\n"})).json()
    assert [item["pct"] for item in told["items"]] == [0, 100]


async def test_a_malformed_file_refuses_all(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}/milestones/import"
    files = {"file": ("a.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\na\n\nwrong")}
    refused = await ada.post(path, files=files)
    assert code_of(refused) == (422, "invalid_request")
    (fault,) = refused.json()["errors"]
    assert (fault["code"], fault["pointer"]) == ("malformed_file", "/file")
    assert fault["message"] == "line 6: neither a cue nor a NOTE: wrong"
    assert await listed(world, title) == []
    named = await ada.post(path, files={"file": ("a", b"0:00 a")}, data={"format": "webvtt"})
    assert named.json()["errors"][0]["message"] == "line 1: does not begin with WEBVTT"


@pytest.mark.parametrize(
    ("request_", "status", "code", "entry"),
    [
        ({"json": {}}, 422, "invalid_request", ("missing", "/content")),
        ({"json": {"content": "0:00 a", "format": "srt"}}, 422, "invalid_request",
         ("out_of_range", "/format")),
        ({"json": {"content": "0:00 a", "source": "community"}}, 422, "invalid_request",
         ("out_of_range", "/source")),
        ({"json": {"content": "x\0"}}, 422, "invalid_request", ("invalid_text", "/content")),
        ({"json": {"content": "UEsD!", "format": "epub"}}, 422, "invalid_request",
         ("malformed_file", "/content")),
        ({"json": {"content": "é", "format": "epub"}}, 422, "invalid_request",
         ("malformed_file", "/content")),
        ({"json": {"content": "0:00 " + "a" * 2 * 1024 * 1024}}, 413, "too_large", None),
        ({"json": {"content": "a" * 4 * 1024 * 1024}}, 413, "too_large", None),
        ({"files": {"file": b"0:00 " + b"a" * 2 * 1024 * 1024}}, 413, "too_large", None),
        ({"files": {"other": b"0:00 a"}}, 422, "invalid_request", ("unknown_field", "/other")),
        ({"files": {"format": (None, "text")}}, 422, "invalid_request", ("missing", "/file")),
        ({"files": {"file": b"0:00 a"}, "data": {"format": "srt"}}, 422, "invalid_request",
         ("out_of_range", "/format")),
        ({"files": {"file": b"0:00 a"}, "data": {"source": "x\0"}}, 422, "invalid_request",
         ("invalid_text", "/source")),
        ({"files": {"file": b"0:00 a"}, "data": {"source": "x" * 41}}, 422, "invalid_request",
         ("too_long", "/source")),
        ({"files": {"file": b"0:00 a", "source": (None, b"\xff")}}, 400, "not_utf8", None),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400,
         "malformed_multipart", None),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed_multipart",
         None),
        ({"content": b"0:00 a", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type",
         None),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed_json", None),
    ],
)  # fmt: skip
async def test_bad_requests(
    world: World, request_: dict[str, Any], status: int, code: str, entry: tuple[str, str] | None
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.post(f"/api/titles/{title}/milestones/import", **request_)
    assert code_of(answer) == (status, code), answer.text
    if entry is not None:
        assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [entry]
    assert await listed(world, title) == []


async def test_two_mebibytes_are_taken(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    content = b"0:00 " + b"a" * (2 * 1024 * 1024 - 5)
    answer = await ada.post(f"/api/titles/{title}/milestones/import", files={"file": content})
    assert answer.json()["items"][0]["label"] == "a" * 119 + "…"


async def test_at_most_so_many_files_are_read_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are read while twenty wait; who comes then is told to come back, all others get their answer."""
    ada = await world.person()
    title = await new_title(ada)
    path, go = f"/api/titles/{title}/milestones/import", threading.Event()
    reading = threading.Semaphore(0)

    def slow(_content: bytes, _format: Format | None) -> Chapters:
        reading.release()
        go.wait(20)
        return Chapters([])

    monkeypatch.setattr(chapter_upload, "read_chapters", slow)
    body = {"content": "0:00 a"}
    waiting = [asyncio.create_task(ada.post(path, json=body)) for _ in range(22)]
    try:
        for _ in range(2):
            assert await asyncio.to_thread(reading.acquire, timeout=20)
        await asyncio.to_thread(wait_until, lambda: chapter_upload._Queue.length == 22, "all wait")
        refused = await ada.post(path, json=body)
        assert code_of(refused) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert not reading.acquire(blocking=False)
        assert (await world.get(f"/api/titles/{title}/milestones")).status_code == 200
    finally:
        go.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    assert chapter_upload._Queue.length == 0
