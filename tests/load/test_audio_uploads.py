"""Uploads meant to cost much: many large ones at once, and little that lasts long."""

import array
import asyncio
import gc
import time
from pathlib import Path

import pytest
from tests.apps.sidechain.test_audio_hostile import wav_of
from tests.apps.sidechain.uploading import UPLOAD, Traces, stored, upload
from tests.apps.sounds import Coding, written
from tests.waiting import look_again
from tests.world import World, code_of

MEBIBYTES = 49
UPLOADS = 20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def send(world: World, token: str, content: bytes, half: asyncio.Barrier) -> bytes:
    """Send the one in two halves; all of them have sent the first before any sends the second."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    size = len(head) + len(content) + len(tail)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(
        f"POST {UPLOAD} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {size}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n\r\n".encode()
        + head
    )
    step, view = 64 * 1024, memoryview(content)
    for start in range(0, len(content), step):
        if start == len(content) // 2 // step * step:
            await half.wait()
        writer.write(view[start : start + step])
        await writer.drain()
    writer.write(tail)
    status = await reader.readline()
    while await reader.read(step):
        pass
    writer.close()
    return status.split(b" ")[1]


@pytest.mark.soak
async def test_memory_stays_flat_under_twenty_uploads(live: World) -> None:
    ada = await live.person("ada")
    content = wav_of(192_000, 8, 24, bytes(MEBIBYTES * 1024 * 1024 - 44))
    half = asyncio.Barrier(UPLOADS)
    assert await send(live, ada.access_token, content, asyncio.Barrier(1)) == b"201"  # so all is imported
    gc.collect()
    files, before, most, done = len(stored(live)), resident_bytes(), 0, asyncio.Event()

    async def watch() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, resident_bytes())
            await look_again()

    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(*(send(live, ada.access_token, content, half) for _ in range(UPLOADS)))
    done.set()
    await watching
    assert answers == [b"201"] * UPLOADS
    assert len(stored(live)) == files + UPLOADS
    grown = (most - before) / 1024**2
    print(f"{UPLOADS} uploads of {MEBIBYTES} MiB at once: memory grew by {grown:.0f} MiB at most")
    assert grown < 40


@pytest.mark.soak
async def test_a_bomb_costs_little(world: World) -> None:
    """Seven hours of silence in a few bytes each second: given up after the first."""
    ada = await world.person("ada")
    coding = Coding("bomb", "flac", "flac", "audio/flac", rate=44_100)
    second = array.array("f", bytes(4 * 2 * 44_100))
    bomb = written(coding, (second for _ in range(7 * 3600)))
    traces, started = Traces(world), time.monotonic()
    assert code_of(await upload(ada, bomb)) == (413, "too_large")
    assert traces.new() == set()
    print(f"{len(bomb):,} bytes of 7 hours: refused after {time.monotonic() - started:.1f} s")
