"""Files that lie, break off, or want too much: refused by one code, cheaply, and nothing stays behind."""

import asyncio
import os
import re
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.apps.sidechain.uploading import UPLOAD, Traces, kept, upload
from tests.apps.sounds import BY_NAME, encoded, sine
from tests.waiting import look_again
from tests.world import Person, World, code_of

import quintet
from quintet.kernel.files import arriving
from quintet.kernel.sound import listening, process
from quintet.kernel.sound.listening import listener_of
from quintet.settings import Settings

SINE = sine(0.5)
WAV = encoded(BY_NAME["wav-16"], SINE, 0.2)
MP3 = encoded(BY_NAME["mp3"], SINE, 0.5)
FLAC = encoded(BY_NAME["flac"], SINE, 0.5)
M4A = encoded(BY_NAME["m4a"], SINE, 0.5)
OGG = encoded(BY_NAME["vorbis"], SINE, 0.5)


def wav_of(rate: int, channels: int, bits: int, data: bytes, form: int = 1) -> bytes:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", form, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def film() -> bytes:
    """A moment of moving picture, without sound, then with it."""
    import io
    from fractions import Fraction

    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream: Any = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for number in range(10):
            frame = av.VideoFrame(16, 16, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


REFUSED = {
    "empty": b"",
    "one byte": b"R",
    "text": b"this is a song, believe me " * 100,
    "HTML": b"<html><script>alert(1)</script>",
    "ZIP": b"PK\x03\x04" + bytes(100),
    "PDF with MP3": b"%PDF-1.7\n" + MP3,
    "GIF with MP3": b"GIF89a" + MP3,
    "zeros": bytes(100_000),
    "noise": zlib.decompress(zlib.compress(os.urandom(50_000))),
    "WAV head alone": WAV[:12],
    "WAV without sound": wav_of(44100, 2, 16, b""),
    "WAV of no channels": wav_of(44100, 0, 16, WAV[44:]),
    "WAV of a thousand channels": wav_of(44100, 1000, 16, WAV[44:]),
    "WAV of 1 Hz": wav_of(1, 1, 16, WAV[44:]),
    "WAV of 4 GHz": wav_of(0xFFFFFFFF, 1, 16, WAV[44:]),
    "WAV of no bits": wav_of(44100, 2, 0, WAV[44:]),
    "WAV of a codec nobody knows": wav_of(44100, 2, 16, WAV[44:], form=0x7777),
    "RIFF that is a film": b"RIFF" + struct.pack("<I", 100) + b"AVI LIST" + bytes(100),
    "FLAC head alone": FLAC[:42],
    "FLAC with a text in it": FLAC[:42] + b"lorem ipsum " * 1000,
    "Ogg head alone": OGG[:28],
    "Ogg of noise": b"OggS" + os.urandom(5000),
    "M4A without its table": M4A[: M4A.rindex(b"moov") - 4],
    "M4A head alone": b"\0\0\0\x18ftypM4A \0\0\0\0isomM4A ",
    "film": film(),
    "ID3 without more": b"ID3\x04\0\0\0\0\x01\x00" + bytes(128),
    "ID3 that points far away": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + MP3,
    "ID3 with a text": b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + b"hello " * 1000,
    "a sync and no more": b"\xff\xfb\x90\x00" * 3,
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n",
    "concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_sound_is_refused_and_leaves_nothing(world: World, name: str) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    answer = await upload(ada, REFUSED[name], "song.mp3", "audio/mpeg")
    assert code_of(answer) == (415, "unsupported_media_type"), answer.text
    assert traces.new() == set()


@pytest.mark.parametrize("name", ["wav-16", "rf64", "aiff", "flac", "mp3", "vorbis", "opus", "m4a", "aac"])
async def test_what_breaks_off_is_taken_for_what_there_is(world: World, name: str) -> None:
    coding = BY_NAME[name]
    ada = await world.person("ada")
    seconds = 3 if coding.container == "ogg" else 1  # which comes by pages of a second
    whole = encoded(coding, SINE, seconds)
    answer = await upload(ada, whole[: len(whole) // 2])
    if coding.container == "ipod":  # whose table stands at the end
        assert code_of(answer) == (415, "unsupported_media_type")
    else:
        assert answer.status_code == 201, answer.text
        assert 0.2 <= answer.json()["duration_seconds"] / seconds <= 0.9


async def test_headers_may_lie(world: World) -> None:
    """The length is that of what can be heard, whatever is claimed."""
    ada = await world.person("ada")
    endless = WAV[:40] + b"\xff\xff\xff\xff" + WAV[44:]
    assert abs((await kept(ada, endless))["duration_seconds"] - 0.2) < 0.001
    at = MP3.index(b"Xing") if b"Xing" in MP3 else MP3.index(b"Info")
    ages = MP3[: at + 8] + b"\x7f\xff\xff\xff" + MP3[at + 12 :]  # its number of frames
    assert (await kept(ada, ages))["duration_seconds"] < 0.6
    total = bytearray(FLAC)
    total[21] |= 0x0F  # samples in all, 36 bits from here
    total[22:26] = b"\xff\xff\xff\xff"
    assert abs((await kept(ada, bytes(total)))["duration_seconds"] - 0.5) < 0.001


async def test_something_behind_a_sound_stays_a_sound(world: World) -> None:
    """Polyglots are served as the audio that they are, and as nothing else."""
    ada = await world.person("ada")
    audio = await kept(ada, WAV + b"<html><script>alert(1)</script></html>")
    read = await world.get(audio["url"].removeprefix(world.kernel.settings.issuer))
    assert read.headers["content-type"] == "audio/wav"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_what_lasts_longer_than_an_hour_is_too_large(world: World) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    answer = await upload(ada, wav_of(4000, 1, 8, b"\x80" * 4000 * 3601))
    assert code_of(answer) == (413, "too_large")
    assert "60 minutes" in answer.json()["detail"]
    assert traces.new() == set()


async def test_too_large_is_too_large(world: World) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    most = 50 * 1024 * 1024
    for size, status in ((most, 201), (most + 1, 413)):
        data = WAV[44:]
        content = wav_of(192_000, 8, 24, (data * (size // len(data) + 1))[: size - 44])
        assert len(content) == size
        answer = await upload(ada, content)
        assert answer.status_code == status, answer.text
        if status == 201:
            assert (await ada.delete(answer.headers["location"])).status_code == 204
    assert code_of(answer) == (413, "too_large")
    announced = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(most * 2)}
    assert code_of(await ada.post(UPLOAD, content=b"--x--", headers=announced)) == (413, "too_large")
    assert len(traces.new()) <= 2, "the removed one, should it not be swept yet"


async def test_a_decoder_that_dies_is_the_files_fault_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    workshop = listener_of(world.kernel).workshop

    async def die(*_: Any) -> Any:
        return await asyncio.create_subprocess_exec(
            "true", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    async def hang(*_: Any) -> Any:
        return await asyncio.create_subprocess_exec(
            "sleep", "60", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    monkeypatch.setattr(type(workshop), "_start", die)
    assert code_of(await upload(ada, WAV)) == (415, "unsupported_media_type")
    monkeypatch.setattr(type(workshop), "_start", hang)
    monkeypatch.setattr(workshop.terms, "most_seconds", 0.1)
    assert code_of(await upload(ada, WAV)) == (503, "unavailable")
    monkeypatch.setattr(workshop.terms, "most_waiting", 0)
    busy = await upload(ada, WAV)
    assert (code_of(busy), busy.headers["retry-after"]) == ((503, "unavailable"), "2")
    monkeypatch.undo()
    assert traces.new() == set()
    assert workshop.pids == []
    assert (await upload(ada, WAV)).status_code == 201


@pytest.fixture(scope="module")
async def ada(world: World) -> Person:
    return await world.person("ada")


def damage(content: bytes, wounds: list[tuple[int, int]], stop: int) -> bytes:
    hurt = bytearray(content)
    for at, byte in wounds:
        hurt[at % len(hurt)] = byte
    return bytes(hurt[: len(hurt) - stop % 200])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([WAV, MP3, FLAC, M4A, OGG]),
    st.lists(st.tuples(st.integers(0, 400) | st.integers(0, 100_000), st.integers(0, 255)), max_size=40),
    st.integers(0, 199),
)
def test_damage_is_heard_or_refused(content: bytes, wounds: list[tuple[int, int]], stop: int) -> None:
    """In this process, many times: no crash, no other error than those that are told."""
    hurt = damage(content, wounds, stop)
    path = os.memfd_create("sound")
    with os.fdopen(path, "w+b") as file:
        file.write(hurt)
        file.flush()
        kind = listening.kind_of(file)
        if kind is None:
            return
        heard = process.hear(process.Sound(os.dup(file.fileno()), kind.demuxer))
        assert isinstance(heard, process.Heard | process.Unheard)
        if isinstance(heard, process.Heard):
            assert heard.frames > 0
            assert len(heard.waveform) == 200


def test_the_decoder_is_in_no_other_process() -> None:
    """Seventy mebibytes that a server would start slower with, and whose holes would be the server's."""
    source = Path(quintet.__file__).parent
    for module, only in (("av", "process.py"), ("quintet.kernel.sound.process", "__main__.py")):
        importing = re.compile(rf"^\s*(import|from) {re.escape(module)}\b", re.MULTILINE)
        found = {path for path in source.rglob("*.py") if importing.search(path.read_text())}
        assert found == {source / "kernel" / "sound" / only}


def test_the_process_is_bounded() -> None:
    """What it may take is set before it sees a file; looked at from inside one that was started so."""
    import subprocess
    import sys

    said = subprocess.run(
        [
            sys.executable, "-c",
            """if True:
            import resource, sys
            from quintet.kernel.sound.process import limit_oneself
            limit_oneself()
            names = ("CPU", "AS", "FSIZE", "NOFILE", "CORE")
            print([resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names])
            print("litestar" in sys.modules)
            """,
        ],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    due = [(30, 30), (512 * 1024**2, 512 * 1024**2), (0, 0), (0, 0), (0, 0)]
    assert said.splitlines() == [str(due), "False"]
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY


@pytest.mark.parametrize("deadline", ["request", "upload"])
async def test_a_body_that_trickles_in_is_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch, deadline: str
) -> None:
    """By the deadline of a piece, and by that of the whole."""
    ada = await world.person("ada")
    traces, over = Traces(world), asyncio.Event()

    async def trickle() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF'
        while deadline == "upload" and not over.is_set():
            yield b"a"
            await look_again()
        await over.wait()
        yield b""

    short = msgspec.structs.replace(world.kernel.settings, **{f"{deadline}_deadline_seconds": 0.1})
    monkeypatch.setattr(world.kernel, "settings", short)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await ada.post(UPLOAD, content=trickle(), headers=headers)
    over.set()
    assert code_of(answer) == (408, "request_timeout")
    assert traces.new() == set()
    assert arriving.arriving_now(ada.id) == 0


async def test_who_hangs_up_leaves_nothing(live: World) -> None:
    ada = await live.person("ada")
    traces = Traces(live)
    _, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(
        f"POST {UPLOAD} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ada.access_token}\r\n"
        "Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
    )
    async with asyncio.timeout(10):
        while not arriving.arriving_now(ada.id):
            await look_again()
        writer.transport.abort()
        while arriving.arriving_now(ada.id):
            await look_again()
    assert traces.new() == set()


async def test_twenty_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person("ada")
    strict = msgspec.structs.replace(world.kernel.settings, limit_upload=Settings().limit_upload)
    monkeypatch.setattr(world.kernel, "settings", strict)
    codes = [(await upload(ada, b"no song")).status_code for _ in range(21)]
    assert codes == [415] * 20 + [429]


async def test_slow_uploads_have_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person("ada")
    traces = Traces(world)
    go_on = asyncio.Event()

    async def trickle() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        await go_on.wait()
        yield WAV + b"\r\n--x--\r\n"

    def send() -> asyncio.Task[Any]:
        return asyncio.create_task(
            ada.post(UPLOAD, content=trickle(), headers={"Content-Type": "multipart/form-data; boundary=x"})
        )

    monkeypatch.setattr(arriving, "MOST_OF_ONE", 3)
    slow = [send() for _ in range(3)]
    while arriving.arriving_now(ada.id) < 3:
        await look_again()
    assert code_of(await upload(ada, WAV)) == (429, "too_many_connections")
    ben = await world.person("ben")
    monkeypatch.setattr(arriving, "MOST_AT_ONCE", 3)
    assert code_of(await upload(ben, WAV)) == (503, "unavailable")
    monkeypatch.undo()
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*slow)] == [201] * 3
    assert arriving.arriving_now(ada.id) == 0
    assert len(traces.new()) == 3 * 3
