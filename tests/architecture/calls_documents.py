"""How the routes of documents are called."""

from uuid import uuid4

from tests.architecture.calling import Made, Stage, Told, at
from tests.domains.documents.notes import have_notes, new_note
from tests.world import World


async def write_it(world: World, stage: Stage) -> None:
    """A note of Ada's, with an operation that nobody has undone."""
    have_notes(world)
    if "document" not in stage.ids:
        stage.ids["document"] = await new_note(world, stage.ada)
    stage.ids["operation"] = str(uuid4())
    world.sql(
        """
        with d as (
            update documents.documents set rev = rev + 1, content = 'x' || content where id = %s
            returning id, rev
        )
        insert into documents.operations (document_id, rev, op_id, user_id, op, removed, server_timestamp)
        select id, rev, %s, %s, '["x"]', '', rev from d
        """,
        stage.ids["document"],
        stage.ids["operation"],
        stage.ada.id,
    )


DOCUMENT = "/api/v1/documents/{document_id}"
HERE = "/api/v1/documents/{document}"
DOCUMENT_CALLS: dict[tuple[str, str], Told] = {
    ("GET", DOCUMENT): Told(at(HERE), others=404, before=write_it),
    ("GET", f"{DOCUMENT}/operations"): Told(at(f"{HERE}/operations"), others=404, before=write_it),
    ("GET", f"{DOCUMENT}/at/{{rev}}"): Told(at(f"{HERE}/at/1"), others=404, before=write_it),
    ("POST", f"{DOCUMENT}/undo"): Told(
        lambda stage: Made(
            f"/api/v1/documents/{stage.ids['document']}/undo", {"op_id": stage.ids["operation"]}
        ),
        others=404,
        before=write_it,
    ),
}
