"""Who sees whom: oneself, never across a block, and of a private account only its followers."""

from uuid import UUID, uuid4

from tests.world import Person, World

from quintet.domains.social import block_between, can_see
from quintet.kernel.actor import UserId


async def sees(world: World, viewer: Person | None, owner: Person) -> bool:
    async with world.kernel.database.statement() as tx:
        return await can_see(tx, UserId(UUID(viewer.id)) if viewer else None, UserId(UUID(owner.id)))


async def test_who_sees_whom(world: World) -> None:
    ada, ben, cleo, dan = [await world.person(name) for name in ("ada", "ben", "cleo", "dan")]
    assert [await sees(world, one, ada) for one in (ada, ben, cleo, None)] == [True] * 4
    world.sql("insert into social.profiles (user_id, is_private) values (%s, true)", ada.id)
    world.sql("insert into social.follows values (%s, %s, now())", ben.id, ada.id)
    assert [await sees(world, one, ada) for one in (ada, ben, cleo, None)] == [True, True, False, False]
    world.sql("insert into social.blocks values (%s, %s, now())", cleo.id, dan.id)
    assert [await sees(world, *pair) for pair in ((cleo, dan), (dan, cleo))] == [False, False]
    assert await sees(world, cleo, ben)
    assert await sees(world, cleo, cleo)
    async with world.kernel.database.statement() as tx:
        cleo_id, dan_id, ben_id = (UserId(UUID(one.id)) for one in (cleo, dan, ben))
        assert await block_between(tx, cleo_id, dan_id)
        assert await block_between(tx, dan_id, cleo_id)
        assert not await block_between(tx, dan_id, ben_id)
        nobody = UserId(uuid4())
        assert not await can_see(tx, None, nobody)
        assert not await can_see(tx, nobody, nobody)
