"""Marquee's edge for shared pictures."""

from typing import Final

from litestar.params import FromPath

from quintet.apps.marquee.pictures import actions, showing
from quintet.apps.marquee.pictures.model import Form, Picture, PictureNotFound, PictureRow
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, delete, get, put
from quintet.kernel.refusals import Unavailable

_TAG = "Marquee"
_PLACE = "/rankings/me/picture"
_MAX_AGE_SECONDS: Final = 10  # one that is withdrawn is gone from everywhere soon
_HEADERS = {
    # Opened as a page of its own, an SVG could run scripts here, in reach of everything that is ours.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",  # it is there to be shown anywhere
}


@put(_PLACE, access=Access.SIGNED_IN, tag=_TAG, status=201, summary="Share one's tier list as a picture")
async def share_list(request: Call) -> Answer[Picture]:
    """Give one's list a public address; 200 with the same one where it is shared already."""

    async def act(tx: Tx) -> Answer[Picture]:
        row, is_new = await actions.share_list(tx, request.actor)
        picture = _shown(request, row)
        return Answer(picture, status=201 if is_new else 200, location=picture.svg_url if is_new else None)

    return await request.write(act)


@get(_PLACE, access=Access.SIGNED_IN, tag=_TAG, refusals=(PictureNotFound,),
     summary="Where one's tier list is shared")  # fmt: skip
async def read_shared(request: Call) -> Answer[Picture]:
    """Answer the addresses of one's picture; 404 while the list is not shared."""
    async with request.kernel.database.statement() as tx:
        return Answer(_shown(request, await actions.picture_to_see(tx, request.actor)))


@delete(_PLACE, access=Access.SIGNED_IN, tag=_TAG, summary="Stop sharing one's tier list")
async def withdraw_picture(request: Call) -> Answer[None]:
    """Take the address back for good; sharing again makes another one."""

    async def act(tx: Tx) -> Answer[None]:
        await actions.withdraw(tx, request.actor)
        return Answer(None)

    return await request.write(act)


@get("/pictures/{picture_id:str}/tiers.svg", access=Access.PUBLIC, tag=_TAG, reads_token=False,
     refusals=(PictureNotFound, Unavailable), answers=("image/svg+xml",),
     summary="A shared tier list as SVG")  # fmt: skip
async def read_svg(request: Call, picture_id: FromPath[str]) -> Answer[bytes]:
    """Answer the list as it is now, drawn; self-contained, without scripts."""
    return await _drawn(request, picture_id, "svg", "image/svg+xml")


@get("/pictures/{picture_id:str}/tiers.png", access=Access.PUBLIC, tag=_TAG, reads_token=False,
     refusals=(PictureNotFound, Unavailable), answers=("image/png",),
     summary="A shared tier list as PNG")  # fmt: skip
async def read_png(request: Call, picture_id: FromPath[str]) -> Answer[bytes]:
    """Answer the list as it is now, drawn; 1,200 pixels wide."""
    return await _drawn(request, picture_id, "png", "image/png")


async def _drawn(request: Call, picture_id: str, form: Form, content_type: str) -> Answer[bytes]:
    hot = await showing.picture(request.kernel, picture_id, form)
    # Without `Room-Seq`: how often somebody's room was written to is nobody's business.
    return Answer(
        hot.body,
        etag=hot.etag,
        content_type=content_type,
        headers=_HEADERS,
        max_age_seconds=_MAX_AGE_SECONDS,
    )


def _shown(request: Call, row: PictureRow) -> Picture:
    base = f"{request.kernel.settings.issuer}/pictures/{row.id}/tiers"
    return Picture(row.id, f"{base}.svg", f"{base}.png", row.created_at)


PICTURE_ROUTES = (share_list, read_shared, withdraw_picture, read_svg, read_png)
