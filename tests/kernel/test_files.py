"""Files: kept whole or not at all, read by whoever was told where, swept when nobody names them any more."""

import asyncio
import io
import random
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.conftest import serving, settings_for_tests
from tests.kernel.bucket import Bucket
from tests.world import Person, World, code_of

from quintet.doctor import examine
from quintet.kernel.database import Tx
from quintet.kernel.files import serving as file_serving
from quintet.kernel.files.keeping import Arrival, Files, Kept
from quintet.kernel.files.storage import Storage
from quintet.kernel.files.sweeping import MOST_AT_ONCE, sweep_some
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import Unavailable
from quintet.settings import BadSetting, load_settings

CONTENT = random.Random(5).randbytes(1_000_003)


@pytest.fixture(scope="module")
async def ada(world: World) -> Person:
    return await world.person("ada")


def arrival(content: bytes = CONTENT) -> Arrival:
    return Arrival(io.BytesIO(content), len(content), b"\x5e" * 32)


async def put(world: World, owner: Person, content: bytes = CONTENT, kind: str = "audio/wav") -> UUID:
    """Keep a file; its id."""
    files = world.kernel.files
    kept = await files.put(arrival(content))

    async def act(tx: Tx) -> None:
        await files.add(tx, kept, kind, UUID(owner.id))

    await world.kernel.database.transact(act)
    return kept.id


async def remove(world: World, file_id: UUID) -> None:
    async def act(tx: Tx) -> None:
        await world.kernel.files.remove(tx, [file_id])

    await world.kernel.database.transact(act)


def path_of(world: World, file_id: UUID) -> str:
    return world.kernel.files.address(file_id, world.kernel.clock.now()).removeprefix(
        world.kernel.settings.issuer
    )


def bytes_of(world: World, file_id: UUID) -> Path:
    return world.kernel.settings.data / "files" / file_id.hex[-2:] / file_id.hex


async def test_a_file_comes_back_as_it_went_in(world: World, ada: Person) -> None:
    file_id = await put(world, ada)
    path = path_of(world, file_id)
    read = await world.get(path)
    assert (read.status_code, read.content) == (200, CONTENT)
    told = read.headers
    assert told["content-type"] == "audio/wav"
    assert told["content-length"] == str(len(CONTENT))
    assert told["accept-ranges"] == "bytes"
    assert told["content-disposition"] == "inline"
    assert told["cache-control"] == "private, max-age=3600"
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-request-id"]
    unchanged = await world.get(path, headers={"If-None-Match": told["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = await world.http.head(path, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(CONTENT)), told["etag"])
    strange = await put(world, ada, b"<script>", "text/html")
    assert (await world.get(path_of(world, strange))).headers["content-disposition"] == "attachment"
    empty = await world.get(path_of(world, await put(world, ada, b"")))
    assert (empty.status_code, empty.content, empty.headers["content-length"]) == (200, b"", "0")
    assert bytes_of(world, file_id).read_bytes() == CONTENT


async def test_parts_are_those_asked_for(world: World, ada: Person) -> None:
    path = path_of(world, await put(world, ada))
    size = len(CONTENT)
    etag = (await world.http.head(path)).headers["etag"]
    for asked, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, size),
        ("bytes=262143-262145", 262143, 262146),
        ("bytes=-3", size - 3, size),
        (f"bytes=-{size * 2}", 0, size),
        (f"bytes={size - 1}-{size * 9}", size - 1, size),
    ):
        read = await world.get(path, headers={"Range": asked, "If-Range": etag})
        assert (read.status_code, read.content) == (206, CONTENT[start:stop])
        assert read.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert read.headers["content-length"] == str(stop - start)
    for asked in ("bytes=5-4", "bytes=0-1,4-5", "lines=0-1", "bytes=x"):
        assert (await world.get(path, headers={"Range": asked})).status_code == 200
    assert (await world.get(path, headers={"Range": "bytes=0-1", "If-Range": '"old"'})).status_code == 200
    for asked in (f"bytes={size}-", "bytes=-0"):
        refused = await world.get(path, headers={"Range": asked})
        assert code_of(refused) == (416, "range_not_satisfiable")
        assert refused.headers["content-range"] == f"bytes */{size}"


async def test_an_address_is_good_as_it_is_and_for_its_time(world: World, ada: Person) -> None:
    file_id = await put(world, ada, b"x")
    path = path_of(world, file_id)
    bare, _, query = path.partition("?")
    missing = (await world.get(path_of(world, uuid4()))).json()
    other = path_of(world, await put(world, ada, b"y")).partition("?")[0]
    for changed in (
        bare, f"{bare}?{query.partition('&')[0]}", f"{bare}?{query.partition('&')[2]}", path + "A", path[:-1],
        f"{other}?{query}", path.replace("expires=", "expires=1"), f"/files/x?{query}", path.upper().replace(
        "/FILES/", "/files/"), f"{bare}?expires=é&signature=ü", f"{path}&expires=1&signature=x",
    ):  # fmt: skip
        refused = await world.get(changed)
        told = refused.json()
        assert (refused.status_code, told | {"request_id": missing["request_id"]}) == (404, missing), changed
    aside = Files(world.kernel.database, world.kernel.files.storage, world.kernel.secrets, "")
    past = world.kernel.clock.now() - timedelta(hours=8)
    assert code_of(await world.get(aside.address(file_id, type(world.kernel.clock.now()).at(past)))) == (
        410,
        "link_expired",
    )
    assert (await world.get(path)).content == b"x"
    await remove(world, file_id)
    assert code_of(await world.get(path)) == (404, "not_found")


async def test_what_is_removed_is_swept(world: World, ada: Person) -> None:
    file_id = await put(world, ada)
    await remove(world, file_id)
    assert bytes_of(world, file_id).exists()
    while await sweep_some(world.kernel):
        pass
    assert not bytes_of(world, file_id).exists()
    assert world.sql("select 1 from kernel.file_leftovers where file_id = %s", file_id) == []


async def test_a_crash_on_the_way_in_leaves_only_what_is_swept(world: World, ada: Person) -> None:
    files = world.kernel.files
    kept = await files.put(arrival())

    async def fail(tx: Tx) -> None:
        await files.add(tx, kept, "audio/wav", UUID(ada.id))
        raise KeyError

    with pytest.raises(KeyError):
        await world.kernel.database.transact(fail)
    await sweep_some(world.kernel)
    assert bytes_of(world, kept.id).exists(), "it may still be on its way"
    world.sql("update kernel.file_leftovers set due_at = now() where file_id = %s", kept.id)
    while await sweep_some(world.kernel):
        pass
    assert not bytes_of(world, kept.id).exists()

    async def act(tx: Tx) -> None:
        await files.add(tx, kept, "audio/wav", UUID(ada.id))

    with pytest.raises(Unavailable):  # too late: its bytes are gone
        await world.kernel.database.transact(act)


async def test_a_sweep_that_is_killed_is_taken_up_again(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = await put(world, ada)
    await remove(world, file_id)

    async def die(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(Storage, "remove", die)
    with pytest.raises(Unavailable):
        await sweep_some(world.kernel)
    monkeypatch.undo()
    [(doomed, later)] = world.sql(
        "select is_doomed, due_at > now() from kernel.file_leftovers where file_id = %s", file_id
    )
    assert (doomed, later) == (True, True)
    world.sql("update kernel.file_leftovers set due_at = now() where file_id = %s", file_id)
    await sweep_some(world.kernel)
    assert not bytes_of(world, file_id).exists()


async def test_many_sweep_at_once_and_none_twice(world: World) -> None:
    ids = [new_id() for _ in range(MOST_AT_ONCE + 30)]
    world.sql(
        "insert into kernel.file_leftovers select id, now(), true from unnest(%s::uuid[]) as due(id)", ids
    )
    counts = await asyncio.gather(*(sweep_some(world.kernel) for _ in range(4)))
    assert sum(counts) == len(ids)
    assert max(counts) == MOST_AT_ONCE


async def test_discarding_never_takes_a_file(world: World, ada: Person) -> None:
    file_id = await put(world, ada)
    await world.kernel.files.discard(Kept(file_id, 1, b""))
    assert (await world.get(path_of(world, file_id))).status_code == 200
    spare = await world.kernel.files.put(arrival())
    await world.kernel.files.discard(spare)
    assert not bytes_of(world, spare.id).exists()
    assert world.sql("select 1 from kernel.file_leftovers where file_id = %s", spare.id) == []


async def test_bytes_that_are_missing_are_a_404_and_a_storage_that_fails_a_503(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = await put(world, ada)
    bytes_of(world, file_id).unlink()
    assert code_of(await world.get(path_of(world, file_id))) == (404, "not_found")
    blocked = Storage("", Path("/dev/null"))
    with pytest.raises(Unavailable):
        await blocked.put(new_id(), io.BytesIO(b"x"))
    monkeypatch.setattr(world.kernel.files, "storage", blocked)
    assert code_of(await world.get(path_of(world, file_id))) == (503, "unavailable")


async def test_who_does_not_read_is_let_go(live: World, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who stands still loses the place, one who hangs up ends the reading: it is closed."""
    path = path_of(live, await put(live, ada, CONTENT * 30))
    read: list[int] = []
    closed = asyncio.Event()
    chunks = Storage.read

    async def count(self: Storage, file_id: UUID, start: int, stop: int) -> Any:
        source = await chunks(self, file_id, start, stop)

        async def counted() -> AsyncGenerator[bytes]:
            try:
                async for chunk in source:
                    read.append(len(chunk))
                    yield chunk
            finally:
                closed.set()

        return counted()

    monkeypatch.setattr(Storage, "read", count)
    for seconds, hangs_up in ((0.2, False), (60.0, True)):
        monkeypatch.setattr(file_serving, "CHUNK_SECONDS", seconds)
        read.clear()
        closed.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port, limit=1000)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        if hangs_up:
            writer.transport.abort()
        async with asyncio.timeout(10):
            await closed.wait()
        assert sum(read) < len(CONTENT) * 30
        writer.close()


async def test_files_can_lie_in_a_bucket(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bucket().running() as bucket:
        for name, value in {
            "AWS_ENDPOINT_URL": bucket.url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "eu-north-1",
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        async with serving(settings_for_tests(QUINTET_STORAGE_URL="s3://music/sounds"), dsn) as world:
            ada = await world.person("ada")
            small, large = await put(world, ada), await put(world, ada, CONTENT * 8)
            assert {name.partition("/")[0] for name in bucket.objects} == {"sounds"}
            assert bucket.multiparts == 1
            for file_id, content in ((small, CONTENT), (large, CONTENT * 8)):
                path = path_of(world, file_id)
                assert (await world.get(path)).content == content
                part = await world.get(path, headers={"Range": "bytes=500000-700000"})
                assert (part.status_code, part.content) == (206, content[500_000:700_001])
                await remove(world, file_id)
            while await sweep_some(world.kernel):
                pass
            assert bucket.objects == {}
            bucket.is_away = True
            with pytest.raises(Unavailable):
                await world.kernel.files.put(arrival())


def test_the_doctor_tries_the_storage(dsn: str, tmp_path: Path) -> None:
    def said(settings: Any) -> tuple[bool, str]:
        [finding] = [one for one in examine(settings, dsn) if one.what == "storage"]
        return finding.good, finding.said

    fine, where = said(load_settings({"QUINTET_DATA": str(tmp_path)}, dotenv=None))
    assert fine
    assert where.endswith("files")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    good, remedy = said(load_settings({"QUINTET_DATA": "/dev/null"}, dotenv=None))
    assert not good
    assert "QUINTET_DATA" in remedy


def test_settings_say_where() -> None:
    for url in ("s3:/bucket", "bucket", "ftp://a/b", "http://a/b", "s3://"):
        with pytest.raises(BadSetting, match="QUINTET_STORAGE_URL"):
            load_settings({"QUINTET_STORAGE_URL": url}, dotenv=None)
