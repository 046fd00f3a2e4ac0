"""Sending sounds in: every kind is heard for what it is, whatever it is called."""

import asyncio
from uuid import UUID

import pytest
from tests.apps.sidechain.uploading import UPLOAD, Traces, kept, path_of, upload
from tests.apps.sounds import BY_NAME, CODINGS, Coding, encoded, fade, silence, sine
from tests.world import World, code_of

WAV = encoded(BY_NAME["wav-16"], sine(0.5), 0.25)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
async def test_every_kind_is_heard(world: World, coding: Coding) -> None:
    ada = await world.person("ada")
    content = encoded(coding, sine(0.5), 0.5)
    answer = await upload(ada, content, "holiday.jpg", "image/jpeg")
    assert answer.status_code == 201, answer.text
    audio = answer.json()
    assert set(audio) == {"id", "url", "duration_seconds", "sample_rate", "channels", "waveform"}
    assert answer.headers["location"] == f"/api/v1/audio/{audio['id']}"
    assert UUID(audio["id"]).version == 7
    assert (audio["sample_rate"], audio["channels"]) == (coding.rate, 2)
    assert 0.5 <= audio["duration_seconds"] + 0.001 <= 0.502 + coding.spare_frames / coding.rate
    assert len(audio["waveform"]) == 200
    for peak in audio["waveform"][20:160]:
        assert abs(peak - 0.5) <= coding.loss, coding.name
    read = await world.get(path_of(world, audio["url"]))
    assert read.status_code == 200
    assert read.content == content
    assert read.headers["content-type"] == coding.content_type


async def test_channels_are_counted_and_the_loudest_is_shown(world: World) -> None:
    ada = await world.person("ada")
    for channels in (1, 6):
        audio = await kept(ada, encoded(BY_NAME["wav-16"], sine(0.8), 0.1, channels))
        assert audio["channels"] == channels
        assert abs(max(audio["waveform"]) - 0.8) < 0.005


async def test_the_waveform_is_that_of_the_sound(world: World) -> None:
    ada = await world.person("ada")
    flat = await kept(ada, encoded(BY_NAME["flac"], silence, 0.3))
    assert flat["waveform"] == [0] * 200
    rising = await kept(ada, encoded(BY_NAME["aiff"], fade(1.0), 1.0))
    for part, peak in enumerate(rising["waveform"]):
        assert abs(peak - (part + 1) / 200) <= 0.01
    tiny = await kept(ada, encoded(BY_NAME["wav-float"], fade(0.001), 20 / 44100))
    assert tiny["waveform"] == sorted(tiny["waveform"])
    assert len(tiny["waveform"]) == 200
    loud = await kept(ada, encoded(BY_NAME["wav-float"], sine(7.0), 0.1))
    assert max(loud["waveform"]) == 1


async def test_covers_and_tags_are_no_hindrance(world: World) -> None:
    ada = await world.person("ada")
    tags = {"title": "größe <script>" + "x" * 3000, "artist": "\udcff".encode("utf-8", "replace").decode()}
    for name in ("mp3", "m4a"):
        audio = await kept(ada, encoded(BY_NAME[name], sine(0.5), 0.3, tags=tags))
        assert audio["channels"] == 2


async def test_one_key_one_sound(world: World) -> None:
    ada = await world.person("ada")
    key = {"headers": {"Idempotency-Key": "mine"}}
    first = await upload(ada, WAV, **key)
    traces = Traces(world)
    again = await upload(ada, WAV, "another name", "another/label", **key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert traces.new() == set(), "what was sent again is not kept"
    other = await upload(ada, encoded(BY_NAME["wav-16"], silence, 0.1), **key)
    assert code_of(other) == (422, "idempotency_key_reused")
    assert traces.new() == set()
    answers = await asyncio.gather(
        *(upload(ada, WAV, headers={"Idempotency-Key": "at-once"}) for _ in range(4))
    )
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(traces.new()) == 3, "its bytes, its row, and that it is a sound"


async def test_a_form_has_one_part_named_file(world: World) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    for files, code, pointer in (
        ({"sound": ("a", WAV)}, "unknown_field", "/sound"),
        ([("file", ("a", WAV)), ("file", ("b", WAV))], "too_many", "/file"),
        ([("file", ("a", WAV)), ("title", ("b", b"x"))], "unknown_field", "/title"),
    ):
        answer = await ada.post(UPLOAD, files=files)
        assert code_of(answer) == (422, "invalid_request"), answer.text
        [fault] = answer.json()["errors"]
        assert (fault["code"], fault["pointer"]) == (code, pointer)
    empty = await ada.post(
        UPLOAD, content=b"--x--\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert empty.json()["errors"][0]["code"] == "missing"
    assert code_of(await ada.post(UPLOAD, content=WAV, headers={"Content-Type": "audio/wav"})) == (
        415,
        "unsupported_media_type",
    )
    cut = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + WAV
    answer = await ada.post(UPLOAD, content=cut, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert code_of(answer) == (400, "malformed_multipart")
    assert traces.new() == set()


async def test_ones_own_is_read_and_removed(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    audio = await kept(ada, WAV)
    place = f"/api/v1/audio/{audio['id']}"
    read = await ada.get(place)
    assert (read.status_code, read.json()) == (200, audio)
    assert (await ada.get(place, headers={"If-None-Match": read.headers["etag"]})).status_code == 304
    assert code_of(await ben.get(place)) == code_of(await ben.delete(place)) == (404, "not_found")
    assert (await world.get(place)).status_code == 401
    assert (await ada.delete(place)).status_code == 204
    assert code_of(await ada.get(place)) == code_of(await ada.delete(place)) == (404, "not_found")
    assert code_of(await world.get(path_of(world, audio["url"]))) == (404, "not_found")
