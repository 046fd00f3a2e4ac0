"""The statistics of the last hours, complete: every severity, source and hour is there, zeros too.

Invariant: severities, sources and hours each add up to the same occurrences.
"""

from collections.abc import Iterable
from typing import Final

from quintet.apps.sidechain.errors import stats_queries as queries
from quintet.apps.sidechain.errors.model import SEVERITIES, SOURCES, Hour, Statistics, Tally, TopMessage
from quintet.apps.sidechain.errors.rules import hours_until
from quintet.apps.sidechain.errors.stats_queries import Fact
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx

MOST_MESSAGES: Final = 10


async def own_statistics(tx: Tx, user_id: UserId, hours: int) -> Statistics:
    """What one user's reports of the last hours come to."""
    asked = hours_until(tx.now, hours)
    facts = await queries.own_facts(tx, user_id, asked[0], MOST_MESSAGES)
    return statistics_of(facts, asked, await queries.own_new_since_release(tx, user_id))


async def all_statistics(tx: Tx, hours: int) -> Statistics:
    """What everybody's reports of the last hours come to."""
    asked = hours_until(tx.now, hours)
    facts = await queries.all_facts(tx, asked[0], MOST_MESSAGES)
    return statistics_of(facts, asked, await queries.all_new_since_release(tx))


def statistics_of(facts: Iterable[Fact], hours: list[Instant], new_since_release: int | None) -> Statistics:
    """Figures as the statistics tell them."""
    told = list(facts)
    cells = [fact for fact in told if fact.kind == "cell"]
    by_hour = {fact.hour: fact.occurrences for fact in told if fact.kind == "hour"}
    return Statistics(
        by_severity={one: _tally(cell for cell in cells if cell.severity == one) for one in SEVERITIES},
        by_source={one: _tally(cell for cell in cells if cell.source == one) for one in SOURCES},
        top_messages=[
            TopMessage(fact.message, fact.occurrences)
            for fact in told
            if fact.kind == "message" and fact.message is not None
        ],
        hourly=[Hour(hour, by_hour.get(hour, 0)) for hour in hours],
        affected_users=sum(fact.rows for fact in told if fact.kind == "users"),
        new_since_release=new_since_release,
    )


def _tally(cells: Iterable[Fact]) -> Tally:
    counted = list(cells)
    return Tally(sum(cell.rows for cell in counted), sum(cell.occurrences for cell in counted))
