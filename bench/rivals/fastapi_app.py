"""The rival: WIGG's three busiest calls as FastAPI, SQLAlchemy 2 ORM and Pydantic teach to write them.

Sync routes with a `Session` dependency, as in FastAPI's own chapter on SQL databases (SQLAlchemy's asyncio
part needs greenlet, which is not installed here). Own tables in the schema `rival`, indexed for these
queries; curves are aggregated by the database when they are read. No rate limits and no log lines: what it
leaves out is in its favour.

    python -m bench.rivals.fastapi_app PORT, with RIVAL_DATABASE and RIVAL_SECRET in the environment
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    case,
    create_engine,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

ALGORITHM, AUDIENCE = "HS256", "rival"
SECRET = os.environ.get("RIVAL_SECRET", "")
SCORES = (0, 2, 3, 4)
MERGE_WITHIN_PCT = 1.0


class Base(DeclarativeBase):
    """All tables, in a schema of their own."""

    metadata = MetaData(schema="rival")


class User(Base):
    """Somebody with an account."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)


class Title(Base):
    """A film."""

    __tablename__ = "titles"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    kind: Mapped[str]
    total_length_seconds: Mapped[float | None] = mapped_column(Double)


class Wigg(Base):
    """A mark."""

    __tablename__ = "wiggs"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    title_id: Mapped[str] = mapped_column(ForeignKey(Title.id, ondelete="cascade"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="cascade"))
    position_pct: Mapped[float] = mapped_column(Double)
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    note: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("wiggs_own", user_id, title_id), Index("wiggs_title", title_id))


class Event(Base):
    """What happened, for whoever listens."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title_id: Mapped[str] = mapped_column(index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class KeptAnswer(Base):
    """The answer to a request, by its Idempotency-Key."""

    __tablename__ = "idempotency_keys"
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="cascade"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SegmentOut(BaseModel):
    """One segment of a curve."""

    index: int
    start_pct: float
    end_pct: float
    mean_score: float | None
    user_score: float | None
    sample_size: int


class ProgressOut(BaseModel):
    """A curve."""

    title_id: str
    total_length_seconds: float | None
    total_length_percent: int = 100
    segments: list[SegmentOut]


class WiggIn(BaseModel):
    """A mark as sent."""

    model_config = ConfigDict(extra="forbid")

    position_pct: float = Field(ge=0, le=100)
    rating: int | None = Field(default=None, ge=0, le=3)
    note: str | None = Field(default=None, max_length=2000)


class WiggOut(BaseModel):
    """A mark as told."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    position_pct: float
    rating: int | None
    note: str | None
    created_at: datetime


def make_engine() -> Any:
    """As many connections as the bench has clients."""
    return create_engine(os.environ["RIVAL_DATABASE"], pool_size=16, max_overflow=0)


make_session = sessionmaker(expire_on_commit=False)


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with make_session() as session:
        yield session


Db = Annotated[Session, Depends(get_session)]
bearer = HTTPBearer()


def get_user(db: Db, given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> User:
    """Whose token it is."""
    try:
        claims = jwt.decode(given.credentials, SECRET, algorithms=[ALGORITHM], audience=AUDIENCE)
    except jwt.PyJWTError as error:
        raise HTTPException(401, "invalid token") from error
    user = db.get(User, UUID(claims["sub"]))
    if user is None:
        raise HTTPException(401, "invalid token")
    return user


CurrentUser = Annotated[User, Depends(get_user)]
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Whether it runs."""
    return {"status": "alive"}


@app.get("/titles/{title_id}/progress")
def read_progress(title_id: str, db: Db, segments: Annotated[int, Query(ge=12, le=40)] = 20) -> ProgressOut:
    """The mean, over people, of each person's mean in each segment."""
    title = db.get(Title, title_id)
    if title is None:
        raise HTTPException(404, "no such title")
    segment = func.least(func.floor(Wigg.position_pct * segments / 100), segments - 1)
    score = case(*((Wigg.rating == rating, value) for rating, value in enumerate(SCORES)), else_=2)
    voices = (
        select(segment.label("segment"), func.avg(score).label("voice"))
        .where(Wigg.title_id == title_id)
        .group_by(segment, Wigg.user_id)
        .subquery()
    )
    means = select(voices.c.segment, func.avg(voices.c.voice), func.count()).group_by(voices.c.segment)
    found = {int(index): (mean, count) for index, mean, count in db.execute(means)}
    return ProgressOut(
        title_id=title.id,
        total_length_seconds=title.total_length_seconds,
        segments=[
            SegmentOut(
                index=index,
                start_pct=index * 100 / segments,
                end_pct=(index + 1) * 100 / segments,
                mean_score=round(float(found[index][0]), 2) if index in found else None,
                user_score=None,
                sample_size=found[index][1] if index in found else 0,
            )
            for index in range(segments)
        ],
    )


@app.post("/titles/{title_id}/wiggs", status_code=201)
def place_wigg(
    title_id: str,
    mark: WiggIn,
    db: Db,
    user: CurrentUser,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> WiggOut:
    """Place a mark; one within 1 % of one's own is merged into it."""
    if idempotency_key is not None:
        kept = db.get(KeptAnswer, (user.id, idempotency_key))
        if kept is not None:
            response.headers["Idempotent-Replayed"] = "true"
            return WiggOut.model_validate(kept.body)
    if db.get(Title, title_id) is None:
        raise HTTPException(404, "no such title")
    now = datetime.now(UTC)
    wigg = db.scalars(
        select(Wigg)
        .where(
            Wigg.user_id == user.id,
            Wigg.title_id == title_id,
            func.abs(Wigg.position_pct - mark.position_pct) < MERGE_WITHIN_PCT,
        )
        .order_by(func.abs(Wigg.position_pct - mark.position_pct), Wigg.created_at)
        .limit(1)
        .with_for_update()
    ).first()
    event = "wigg_placed" if wigg is None else "wigg_moved"
    if wigg is None:
        wigg = Wigg(id=uuid4(), title_id=title_id, user_id=user.id, created_at=now)
        db.add(wigg)
    wigg.position_pct, wigg.updated_at = mark.position_pct, now
    wigg.rating = mark.rating if mark.rating is not None else wigg.rating
    wigg.note = mark.note if mark.note is not None else wigg.note
    told = WiggOut.model_validate(wigg)
    body = {
        "type": event,
        "user_id": str(user.id),
        "title_id": title_id,
        "wigg_id": str(wigg.id),
        "position_pct": wigg.position_pct,
        "rating": wigg.rating,
    }
    db.add(Event(title_id=title_id, body=body, created_at=now))
    if idempotency_key is not None:
        answer = told.model_dump(mode="json")
        db.add(KeptAnswer(user_id=user.id, key=idempotency_key, body=answer, created_at=now))
    db.commit()
    return told


if __name__ == "__main__":
    make_session.configure(bind=make_engine())
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
        log_level="warning",
    )  # fmt: skip
