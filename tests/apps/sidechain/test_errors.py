"""Reporting errors and reading them, through the front door."""

import gzip
import io
import json
import zlib
from typing import Any
from uuid import uuid4

import pytest
from tests.apps.sidechain.reporting import BATCH, entry, new_word, report, rows
from tests.world import World, code_of


async def test_a_report_is_recorded_and_read_back(world: World) -> None:
    ada = await world.person()
    sent = entry(context={"release": "2.4.1", "depth": {"a": [1e308, 10**30]}}, timestamp=1702569600)
    assert await report(ada, sent) == {"status": "recorded", "recorded": 1, "merged": 0}
    [row] = await rows(ada)
    assert row == {
        "id": row["id"],
        "user_id": ada.id,
        "source": "Audio",
        "severity": "Error",
        "message": "Buffer underrun",
        "context": sent["context"],
        "samples": [
            {
                "message": "Buffer underrun",
                "context": sent["context"],
                "timestamp": "2023-12-14T16:00:00.000Z",
                "seen_at": row["samples"][0]["seen_at"],
            }
        ],
        "occurrences": 1,
        "first_seen": row["created_at"],
        "last_seen": row["created_at"],
        "is_resolved": False,
        "reopened_at": None,
        "created_at": row["created_at"],
    }
    one = await ada.get(f"/api/v1/errors/{row['id']}")
    assert one.json() == row
    again = await ada.get(f"/api/v1/errors/{row['id']}", headers={"If-None-Match": one.headers["etag"]})
    assert again.status_code == 304


async def test_what_says_the_same_is_one_row(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    many = [
        entry(f"Upload {number} to 10.0.0.{number} failed", context={"n": number}, occurrences=number)
        for number in range(1, 8)
    ]
    assert (await report(ada, *many[:6]))["merged"] == 5
    assert await report(ada, many[6], entry("another")) == {"status": "recorded", "recorded": 2, "merged": 1}
    assert (await report(ben, many[0]))["merged"] == 0
    other, row = await rows(ada)
    if row["message"] == "another":  # both were seen in the same millisecond
        other, row = row, other
    assert other["message"] == "another"
    assert (row["message"], row["occurrences"]) == ("Upload 1 to 10.0.0.1 failed", sum(range(1, 8)))
    assert row["context"] == {"n": 7}
    assert [sample["context"]["n"] for sample in row["samples"]] == [1, 2, 3, 4, 5]
    # Another source or severity is another row.
    told = await report(ada, many[0] | {"source": "UI"}, many[0] | {"severity": "Info"}, many[0])
    assert (told["recorded"], told["merged"]) == (3, 1)


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"severity": "Fatal"}, "/errors/3/severity", "out_of_range"),
        ({"source": "audio"}, "/errors/3/source", "out_of_range"),
        ({"occurrences": 0}, "/errors/3/occurrences", "out_of_range"),
        ({"occurrences": 1_000_001}, "/errors/3/occurrences", "out_of_range"),
        ({"occurrences": 1.5}, "/errors/3/occurrences", "wrong_type"),
        ({"message": ""}, "/errors/3/message", "out_of_range"),
        ({"message": "a\0"}, "/errors/3/message", "invalid_text"),
        ({"message": "m" * 65_537}, "/errors/3/message", "too_long"),
        ({"context": []}, "/errors/3/context", "wrong_type"),
        ({"context": {"a": "c" * 9000}}, "/errors/3/context", "too_long"),
        ({"context": {"a": [[[[[[[[[[]]]]]]]]]]}}, "/errors/3/context", "out_of_range"),
        ({"timestamp": -1}, "/errors/3/timestamp", "out_of_range"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "/errors/3/timestamp", "out_of_range"),
        ({"timestamp": "2024-01-01T00:00:00"}, "/errors/3/timestamp", "wrong_type"),
        ({"timestamp": "yesterday"}, "/errors/3/timestamp", "wrong_type"),
        ({"level": 3}, "/errors/3/level", "unknown_field"),
    ],
)
async def test_one_bad_entry_refuses_all(
    world: World, wrong: dict[str, Any], pointer: str, code: str
) -> None:
    ada = await world.person()
    answer = await ada.post(BATCH, json={"errors": [entry(), entry(), entry(), entry() | wrong]})
    assert code_of(answer) == (422, "invalid_request")
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert await rows(ada) == []


async def test_a_batch_holds_one_to_a_hundred(world: World) -> None:
    ada = await world.person()
    for count, status in ((0, 422), (1, 200), (100, 200), (101, 422)):
        answer = await ada.post(BATCH, json={"errors": [entry()] * count})
        assert answer.status_code == status, answer.text
    [row] = await rows(ada)
    assert row["occurrences"] == 101


def packed(*entries: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps({"errors": entries}).encode())


GZIP = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


async def test_a_body_may_be_packed(world: World) -> None:
    ada = await world.person()
    for encoding in ("gzip", "x-gzip", " GZip "):
        headers = GZIP | {"Content-Encoding": encoding}
        answer = await ada.post(BATCH, content=packed(entry()), headers=headers)
        assert answer.json()["recorded"] == 1, answer.text
    answer = await ada.post(BATCH, json={"errors": [entry()]}, headers={"Content-Encoding": "identity"})
    assert answer.json()["merged"] == 1
    wrong = packed(entry(), entry() | {"severity": 7})
    answer = await ada.post(BATCH, content=wrong, headers=GZIP)
    assert answer.json()["errors"][0]["pointer"] == "/errors/1/severity"
    for encoding in ("br", "deflate", "zstd", "gzip, gzip", "nonsense"):
        answer = await ada.post(BATCH, content=packed(entry()), headers=GZIP | {"Content-Encoding": encoding})
        assert code_of(answer) == (415, "unsupported_media_type")
        assert answer.headers["accept-encoding"] == "gzip"
    answer = await ada.post(BATCH, content=packed(entry()), headers=GZIP | {"Content-Type": "text/plain"})
    assert code_of(answer) == (415, "unsupported_media_type")


async def test_a_broken_package_is_refused(world: World) -> None:
    ada = await world.person()
    whole = packed(entry())
    altered = bytearray(whole)
    altered[-6] ^= 1  # the checksum
    for body in (b"", b"\x1f\x8b", whole[:-1], whole[: len(whole) // 2], b"{}", bytes(altered), whole * 2):
        answer = await ada.post(BATCH, content=body, headers=GZIP)
        assert code_of(answer) == (400, "malformed_gzip"), body
    answer = await ada.post(BATCH, content=gzip.compress(b"{"), headers=GZIP)
    assert code_of(answer) == (400, "malformed_json")
    assert await rows(ada) == []


async def test_a_bomb_is_stopped_while_it_is_unpacked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person()
    unpacked_bytes: list[int] = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, wbits: int) -> None:
            self.real = real(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            plain = self.real.decompress(data, most)
            unpacked_bytes.append(len(plain))
            return plain

    monkeypatch.setattr("quintet.apps.sidechain.errors.unpacking.zlib.decompressobj", Watched)
    packer = zlib.compressobj(9, wbits=31)
    bomb = io.BytesIO()
    for _ in range(128):  # 128 MiB
        bomb.write(packer.compress(b" " * 1024 * 1024))
    bomb.write(packer.flush())
    assert len(bomb.getvalue()) < 1024 * 1024
    answer = await ada.post(BATCH, content=bomb.getvalue(), headers=GZIP)
    assert code_of(answer) == (413, "too_large")
    assert unpacked_bytes == [1024 * 1024 + 1]


async def test_a_key_has_one_effect(world: World) -> None:
    ada = await world.person()
    key = {"Idempotency-Key": str(uuid4())}
    for headers in (key, key, GZIP | key):  # the package is another body
        body: dict[str, Any] = (
            {"json": {"errors": [entry()]}} if headers is key else {"content": packed(entry())}
        )
        answer = await ada.post(BATCH, headers=headers, **body)
    assert code_of(answer) == (422, "idempotency_key_reused")
    [row] = await rows(ada)
    assert row["occurrences"] == 1


async def test_lists_are_narrowed_and_paged(world: World) -> None:
    ada = await world.person()
    words = ("100% lost", "snake_case", "a\\b", "Grüße", "plain")
    for number, word in enumerate(words):
        severity = ("Info", "Warning", "Error", "Critical", "Info")[number]
        await report(ada, entry(f"{word} went wrong", severity=severity, source=("UI", "Audio")[number % 2]))
    told = await rows(ada)
    assert [row["message"].split(" went")[0] for row in told] == list(reversed(words))
    for query, wanted in (
        ("?severity=Info", {"100% lost", "plain"}),
        ("?severity=Info&source=UI", {"100% lost", "plain"}),
        ("?source=Audio", {"snake_case", "Grüße"}),
        ("?q=0%25", {"100% lost"}),
        ("?q=_", {"snake_case"}),
        ("?q=%5C", {"a\\b"}),
        ("?q=GRÜ", {"Grüße"}),
        ("?q=WENT%20wrong", set(words)),
        ("?q=nowhere", set()),
        ("?resolved=true", set()),
        ("?resolved=false", set(words)),
        (f"?since={told[1]['last_seen']}", {"Grüße", "plain"}),
        (f"?since={told[0]['last_seen'].replace('Z', '%2B00:00')}", {"plain"}),
    ):
        assert {row["message"].split(" went")[0] for row in await rows(ada, query)} == wanted, query
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = (await ada.get(f"/api/v1/errors{query}")).json()
        seen += [row["id"] for row in page["items"]]
        query = page["next_cursor"] and f"?limit=2&cursor={page['next_cursor']}"
    assert seen == [row["id"] for row in told]
    page = (await ada.get("/api/v1/errors?limit=2")).json()
    answer = await ada.get(f"/api/v1/errors?limit=2&severity=Info&cursor={page['next_cursor']}")
    assert code_of(answer) == (400, "invalid_cursor")
    for query in ("severity=Fatal", "source=x", "resolved=x", "since=x", "since=2024-01-01T00:00:00", "q=",
                  "since=0001-01-01T00:00:00%2B14:00", f"q={'x' * 201}"):  # fmt: skip
        answer = await ada.get(f"/api/v1/errors?{query}")
        assert code_of(answer) == (422, "invalid_request"), query


async def test_resolving_and_coming_back(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    mo = await world.person("mo", role="moderator")
    await report(ada, entry())
    [row] = await rows(ada)
    path = f"/api/v1/errors/{row['id']}"
    for answer in (
        await ben.get(path),
        await ben.put(f"{path}/resolved"),
        await ben.get(f"/api/v1/errors/{uuid4()}"),
    ):
        assert code_of(answer) == (404, "not_found")
    resolved = (await ada.put(f"{path}/resolved")).json()
    assert resolved == row | {"is_resolved": True}
    assert (await ada.put(f"{path}/resolved", json={"resolved": True})).json() == resolved
    assert [one["id"] for one in await rows(ada, "?resolved=true")] == [row["id"]]
    assert (await report(ada, entry()))["merged"] == 1
    back = (await mo.get(path)).json()
    assert (back["is_resolved"], back["occurrences"]) == (False, 2)
    assert back["reopened_at"] == back["last_seen"]
    await mo.put(f"{path}/resolved", json={})
    reopened = (await mo.put(f"{path}/resolved", json={"resolved": False})).json()
    assert reopened["is_resolved"] is False
    assert reopened["reopened_at"] > back["reopened_at"]
    answer = await ada.put(f"{path}/resolved", json={"resolved": 1})
    assert answer.json()["errors"][0]["pointer"] == "/resolved"


async def test_groups_are_of_everybody(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    mo = await world.person("mo", role="moderator")
    word = new_word()
    froze = f"{word} froze at {{}}"
    await report(ada, entry(froze.format(1), context={"release": "1.0"}))
    await report(ben, entry(froze.format(2), occurrences=5))
    await report(ben, entry(froze.format(3)))
    assert code_of(await ada.get("/api/v1/errors/groups"))[0] == 403
    page = (await mo.get(f"/api/v1/errors/groups?q={word}&source=Audio&severity=Error&resolved=false")).json()
    [found] = page["items"]
    assert found == {
        "id": found["id"],
        "source": "Audio",
        "severity": "Error",
        "message": froze.format(1),
        "pattern": froze.format("<n>"),
        "users": 2,
        "occurrences": 7,
        "first_seen": found["first_seen"],
        "last_seen": found["last_seen"],
        "first_release": "1.0",
        "is_resolved": False,
        "reopened_at": None,
    }
    path = f"/api/v1/errors/groups/{found['id']}/resolved"
    assert code_of(await ada.put(path))[0] == 403
    assert (await mo.put(path)).json() == found | {"is_resolved": True}
    cleo = await world.person("cleo")
    assert (await report(cleo, entry(froze.format(9))))["merged"] == 0
    [row] = await rows(cleo)
    assert row["reopened_at"] == row["created_at"]  # new here, but it came back
    back = (await mo.put(path, json={"resolved": False})).json()
    assert (back["is_resolved"], back["reopened_at"]) == (False, row["created_at"])
    assert (back["users"], back["occurrences"]) == (found["users"] + 1, found["occurrences"] + 1)
    assert code_of(await mo.put(f"/api/v1/errors/groups/{uuid4()}/resolved"))[0] == 404


async def test_moderators_read_everybodys(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    mo = await world.person("mo", role="moderator")
    word = new_word()
    await report(ada, entry(word))
    await report(ben, entry(word))
    assert {row["user_id"] for row in await rows(mo, f"?q={word}")} == {ada.id, ben.id}
    assert {row["user_id"] for row in await rows(ada, f"?q={word}")} == {ada.id}
