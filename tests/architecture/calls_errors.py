"""How the routes of error tracking are called."""

from tests.architecture.calling import Made, Stage, Told, at
from tests.world import World

ERRORS = "/api/v1/errors"
BATCH = {"errors": [{"source": "Audio", "severity": "Error", "message": "Seen by every caller"}]}


async def report_once(world: World, stage: Stage) -> None:
    """A report of Ada's, and its group."""
    if "error" in stage.ids:
        return
    answer = await stage.ada.post(f"{ERRORS}/batch", json=BATCH)
    assert answer.status_code == 200, answer.text
    [(error_id, group_id)] = world.sql(
        "select id, group_id from sidechain.errors where user_id = %s limit 1", stage.ada.id
    )
    stage.ids |= {"error": str(error_id), "error_group": str(group_id)}


ERROR_CALLS: dict[tuple[str, str], Told] = {
    ("POST", f"{ERRORS}/batch"): Told(
        lambda _: Made(
            f"{ERRORS}/batch", {"errors": [{"source": "UI", "severity": "Info", "message": "hello"}]}
        )
    ),
    ("GET", ERRORS): Told(at(ERRORS)),
    ("GET", f"{ERRORS}/stats"): Told(at(f"{ERRORS}/stats")),
    ("GET", f"{ERRORS}/{{error_id}}"): Told(
        at(f"{ERRORS}/{{error}}"), others=404, staff=200, before=report_once
    ),
    ("PUT", f"{ERRORS}/{{error_id}}/resolved"): Told(
        at(f"{ERRORS}/{{error}}/resolved"), others=404, staff=200, before=report_once
    ),
    ("GET", f"{ERRORS}/groups"): Told(at(f"{ERRORS}/groups")),
    ("PUT", f"{ERRORS}/groups/{{group_id}}/resolved"): Told(
        at(f"{ERRORS}/groups/{{error_group}}/resolved"), before=report_once
    ),
}
