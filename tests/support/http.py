"""A service of shared.http with a few routes that tests poke at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict

from deploy.ports import any_free
from shared.http.app import create_app
from shared.http.health import Check, Health
from shared.http.types import CustomerRef, IdempotencyKey, Instant, PointsAmount, ShortText
from shared.process import serve_until
from shared.telemetry.logs import configure


class Line(BaseModel):
    """A part of a body, to have a place inside it."""

    sku: ShortText
    points: PointsAmount


class Spending(BaseModel):
    """A body with one field of each kind."""

    model_config = ConfigDict(extra="forbid")

    customer: ShortText
    points: PointsAmount
    lines: list[Line] = []
    note: dict[str, Any] = {}


def service(checks: dict[str, Check] | None = None, deadline_s: float = 4.0) -> FastAPI:
    """An application with routes `/spend`, `/at`, `/customers/{customer}` and `/keyed`; logs as in production."""
    configure("trial", "info")
    app = create_app(
        service="trial",
        title="Trial",
        description="For tests.",
        health=Health("trial", "1.2.3", checks or {}),
        deadline_s=deadline_s,
    )

    @app.post("/spend", status_code=201)
    async def spend(body: Spending) -> dict[str, int]:
        return {"spent": body.points}

    @app.get("/at")
    async def at(moment: Annotated[Instant, Query()]) -> dict[str, str]:
        return {"moment": moment.isoformat()}

    @app.get("/customers/{customer}")
    async def customer(customer: CustomerRef) -> dict[str, str | int]:
        return {"customer": customer, "length": len(customer)}

    @app.post("/keyed")
    async def keyed(idempotency_key: IdempotencyKey) -> dict[str, str]:
        return {"key": idempotency_key}

    @app.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return app


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to the application without a network."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://trial") as client:
            yield client


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    return any_free("127.0.0.1")


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application behind a real server; stopped gracefully at the end."""
    port, stop = free_port(), asyncio.Event()
    server = asyncio.create_task(serve_until(app, "127.0.0.1", port, stop))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            while not server.done():
                try:
                    await client.get("/livez")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
            yield client
    finally:
        stop.set()
        await server
