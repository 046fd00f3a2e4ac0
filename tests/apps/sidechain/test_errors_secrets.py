"""Secrets that plugins send by accident: in no table, in no answer, in no log line."""

import asyncio
import io
import json
import logging
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from uuid import uuid4

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apps.sidechain.reporting import BATCH, ERRORS, new_word
from tests.apps.sidechain.test_errors_rules import TELLING, contexts_with
from tests.world import World


def everything_written(world: World) -> str:
    """Every row of every table, as text."""
    tables = world.sql(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables"
        " where schemaname in ('sidechain', 'kernel') order by 1"
    )
    return "\n".join(str(world.sql(f"select t::text from {table} t")) for (table,) in tables)


async def test_a_planted_secret_is_nowhere(world: World) -> None:
    """Each in a message and anywhere in a context; then everything written, told and logged is searched."""
    ada = await world.person()
    mo = await world.person("mo", role="moderator")
    loop = asyncio.get_running_loop()
    planted: list[str] = []
    shown: list[str] = []

    async def send(context: dict[str, Any], message: str, key: str) -> None:
        report = {"source": "UI", "severity": "Info", "message": message, "context": context}
        answer = await ada.post(BATCH, json={"errors": [report] * 2}, headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        # What is refused is told with its place, not with what stood there.
        wrong = await ada.post(BATCH, json={"errors": [report, report | {"occurrences": "x"}]})
        assert wrong.status_code == 422
        shown.extend((answer.text, wrong.text))

    @settings(max_examples=25)
    @given(st.data(), st.sampled_from(TELLING))
    def plant(data: st.DataObject, telling: str) -> None:
        secret = f"s3cr3t-{uuid4().hex}"
        planted.append(secret)
        context = data.draw(contexts_with(secret))
        message = f"{new_word()} {telling.format(secret)}"
        asyncio.run_coroutine_threadsafe(send(context, message, str(uuid4())), loop).result(30)

    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    with structlog.testing.capture_logs() as logged, redirect_stdout(lines), redirect_stderr(lines):
        await asyncio.to_thread(plant)
        for person in (ada, mo):
            paths = ("?limit=100", "/stats", "/groups?limit=100", "/stats?scope=all")
            shown.extend([(await person.get(f"{ERRORS}{path}")).text for path in paths])
    logging.getLogger().removeHandler(handler)
    places = {
        "database": everything_written(world),
        "answers": "\n".join(shown),
        "logs": lines.getvalue() + json.dumps(logged, default=str),
    }
    assert "[masked]" in places["database"]
    assert "[masked]" in places["answers"]
    assert logged
    found = [(place, secret) for place, text in places.items() for secret in planted if secret in text]
    searched = sum(map(len, places.values()))
    print(f"{len(planted)} secrets planted, {searched} characters searched: {len(found)} found")
    assert found == []
