"""The statements of players and of what they spoke of."""

from uuid import UUID

import msgspec

from quintet.apps.wigg.players.model import Player, PlayerId, ShownPlayer, UnmatchedMedium
from quintet.apps.wigg.players.payloads.event import Medium
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


class KnownMedium(msgspec.Struct, frozen=True):
    """A medium a player spoke of before."""

    id: UUID
    title_id: WorkId | None
    last_event: str
    position: int | None
    duration_seconds: float | None
    seen_at: Instant


async def player_of(tx: Tx, secret_hash: bytes) -> Player | None:
    """Whose webhook a secret is."""
    return await tx.maybe(Player, "select id, user_id from wigg.players where secret_hash = $1", secret_hash)


async def own_players(tx: Tx, user_id: UserId, most: int) -> list[ShownPlayer]:
    """A user's players, newest first."""
    return await tx.all(
        ShownPlayer,
        """
        select id, created_at from wigg.players where user_id = $1
        order by created_at desc, id desc
        limit $2
        """,
        user_id,
        most,
    )


async def count_players(tx: Tx, user_id: UserId) -> int:
    """How many players a user has."""
    return await tx.value("select count(*) from wigg.players where user_id = $1", user_id)


async def insert_player(tx: Tx, player_id: PlayerId, user_id: UserId, secret_hash: bytes) -> None:
    """Write a new player."""
    await tx.run(
        "insert into wigg.players (id, user_id, secret_hash, created_at) values ($1, $2, $3, $4)",
        player_id,
        user_id,
        secret_hash,
        tx.now,
    )


async def delete_player(tx: Tx, user_id: UserId, player_id: UUID) -> bool:
    """Remove a player of this user's; False where there is none."""
    return (await tx.run("delete from wigg.players where id = $1 and user_id = $2", player_id, user_id)) == 1


async def known_medium(tx: Tx, user_id: UserId, media_key: bytes) -> KnownMedium | None:
    """What is known of a medium."""
    return await tx.maybe(
        KnownMedium,
        """
        select id, title_id, last_event, position, duration_seconds, seen_at
        from wigg.player_media where user_id = $1 and media_key = $2
        """,
        user_id,
        media_key,
    )


async def own_medium_locked(tx: Tx, user_id: UserId, medium_id: UUID) -> KnownMedium | None:
    """A medium of this user's, locked until the transaction ends."""
    return await tx.maybe(
        KnownMedium,
        """
        select id, title_id, last_event, position, duration_seconds, seen_at
        from wigg.player_media where id = $2 and user_id = $1
        for no key update
        """,
        user_id,
        medium_id,
    )


async def keep_waiting(
    tx: Tx,
    medium_id: UUID,
    user_id: UserId,
    media_key: bytes,
    player: str,
    medium: Medium,
    duration_seconds: float | None,
    last_event: str,
    position: int | None,
) -> None:
    """Keep a medium that waits for its title, with what was told of it last."""
    await tx.send(
        """
        insert into wigg.player_media as m (id, user_id, media_key, player, kind, title, series, season,
                                            episode, year, duration_seconds, last_event, position, seen_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (user_id, media_key) do update
        set seen_at = excluded.seen_at, last_event = excluded.last_event,
            position = coalesce(excluded.position, m.position),
            duration_seconds = coalesce(excluded.duration_seconds, m.duration_seconds)
        """,
        medium_id,
        user_id,
        media_key,
        player,
        medium.kind,
        medium.title,
        medium.series,
        medium.season,
        medium.episode,
        medium.year,
        duration_seconds,
        last_event,
        position,
        tx.now,
    )


async def forget_medium(tx: Tx, medium_id: UUID) -> None:
    """A medium waits no more: the catalogue knows it by now."""
    await tx.send("delete from wigg.player_media where id = $1", medium_id)


async def bind_medium(tx: Tx, medium_id: UUID, title_id: WorkId) -> None:
    """Remember which title a medium is."""
    await tx.send("update wigg.player_media set title_id = $2 where id = $1", medium_id, title_id)


async def forget_oldest(tx: Tx, user_id: UserId, most: int, *, waiting: bool) -> None:
    """Remove the media beyond the newest `most` of those that wait, or of those that are bound."""
    await tx.send(
        """
        delete from wigg.player_media where id in (
            select id from wigg.player_media where user_id = $1 and (title_id is null) = $3
            order by seen_at desc, id desc
            offset $2
        )
        """,
        user_id,
        most,
        waiting,
    )


async def unmatched_media(tx: Tx, user_id: UserId, most: int) -> list[UnmatchedMedium]:
    """What waits for its title, newest first."""
    return await tx.all(
        _unmatched,
        """
        select id, player, title, kind, series, season, episode, year, duration_seconds, seen_at
        from wigg.player_media where user_id = $1 and (title_id is null)
        order by seen_at desc, id desc
        limit $2
        """,
        user_id,
        most,
    )


def _unmatched(
    id_: UUID,
    player: str,
    title: str,
    kind: str | None,
    series: str | None,
    season: int | None,
    episode: int | None,
    year: int | None,
    duration_seconds: float | None,
    seen_at: Instant,
) -> UnmatchedMedium:
    name = Medium(title, None, year, series, season, episode).name
    return UnmatchedMedium(
        id_, player, name, title, kind, series, season, episode, year, duration_seconds, seen_at
    )
