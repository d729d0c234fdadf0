"""Whether this process works (`/livez`), can do its job (`/readyz`), and how its parts are (`/health`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import PlainTextResponse, Response

from shared.clock import Clock, system_clock

CHECK_TIMEOUT_S = 2.0
CACHE_S = 3.0
"""How long an answer is given again. Whoever probes more often costs the dependencies nothing."""

MEDIA_TYPE = "application/health+json"

log = structlog.get_logger()


class HealthResponse(Response):
    """What `/health` answers."""

    media_type = MEDIA_TYPE


class Degraded(str):
    """A check's answer when the process can still do its job, though not in the usual way (`warn`, stays ready)."""


Check = Callable[[], Awaitable[str | None]]
"""Looks at one dependency: None when it is well, `Degraded(reason)` when one can do without, a reason otherwise."""


def database_answers(engine: AsyncEngine) -> Check:
    """The check of a process that needs nothing of its database but that it answers."""

    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks said: per name the status (`pass`, `warn`, `fail`) and the reason."""

    at: datetime
    results: Mapping[str, tuple[str, str | None]]

    @property
    def status(self) -> str:
        """The worst of all."""
        statuses = {status for status, _ in self.results.values()}
        return "fail" if "fail" in statuses else "warn" if "warn" in statuses else "pass"

    @property
    def reasons(self) -> dict[str, str]:
        """Why the process is not ready."""
        return {name: reason or status for name, (status, reason) in self.results.items() if status == "fail"}


@dataclass
class Health:
    """The checks of one process, each bounded by `CHECK_TIMEOUT_S`, run together, their report cached for `CACHE_S`."""

    service: str
    version: str
    checks: Mapping[str, Check]
    clock: Clock = system_clock
    stopping: bool = False
    """Set while the process finishes its last requests: no new ones should be sent here."""
    _report: Report | None = field(default=None, init=False)
    _fresh_until: float = field(default=0.0, init=False)
    _running: "asyncio.Task[Report] | None" = field(default=None, init=False)

    async def report(self) -> Report:
        """The latest report, made anew when it is old. Callers at the same time share one round of checks."""
        if self._report is not None and asyncio.get_running_loop().time() < self._fresh_until:
            return self._report
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._check_all())
        return await asyncio.shield(self._running)

    async def _check_all(self) -> Report:
        names = list(self.checks)
        outcomes = await asyncio.gather(*(self._check(name) for name in names))
        report = Report(self.clock().astimezone(UTC), dict(zip(names, outcomes, strict=True)))
        before = None if self._report is None else self._report.status
        if before != report.status:
            log.info("health_changed", before=before, after=report.status, reasons=report.reasons)
        self._report = report
        self._fresh_until = asyncio.get_running_loop().time() + CACHE_S
        return report

    async def _check(self, name: str) -> tuple[str, str | None]:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                reason = await self.checks[name]()
        except TimeoutError:
            return "fail", f"no answer within {CHECK_TIMEOUT_S:g} s"
        except Exception as error:  # noqa: BLE001  # whatever a check raises is the news it brings
            return "fail", f"{type(error).__name__}"
        if reason is None:
            return "pass", None
        return ("warn" if isinstance(reason, Degraded) else "fail"), str(reason)


def health_routes(health: Health) -> APIRouter:
    """`/livez`, `/readyz`, `/health` and `/metrics`. None of them asks for a key: keep them off the internet."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez", summary="The process works")
    async def livez() -> Response:
        return _json({"status": "pass"}, 200, "application/json")

    @router.get(
        "/readyz",
        summary="The process can do its job",
        responses={
            503: {"description": "It cannot; `reasons` says why", "content": {"application/json": {}}}
        },
    )
    async def readyz() -> Response:
        if health.stopping:
            return _json({"status": "fail", "reasons": {"process": "stopping"}}, 503, "application/json")
        report = await health.report()
        ready = report.status != "fail"
        body = {"status": report.status, "reasons": report.reasons}
        return _json(body, 200 if ready else 503, "application/json")

    @router.get(
        "/health",
        summary="Each component",
        response_class=HealthResponse,
        responses={
            200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}},
            503: {
                "description": "A component fails",
                "content": {MEDIA_TYPE: {"schema": {"type": "object"}}},
            },
        },
    )
    async def components() -> Response:
        report = await health.report()
        return _json(_document(health, report), 503 if report.status == "fail" else 200, MEDIA_TYPE)

    @router.get("/metrics", summary="Prometheus metrics of this process", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def _document(health: Health, report: Report) -> dict[str, Any]:
    at = report.at.isoformat().replace("+00:00", "Z")
    checks = {
        name: [{"status": status, "time": at} | ({"output": reason} if reason else {})]
        for name, (status, reason) in report.results.items()
    }
    return {"status": report.status, "version": health.version, "serviceId": health.service, "checks": checks}


def _json(body: Mapping[str, Any], status: int, media_type: str) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "2"} if status == 503 else {})
    return Response(msgspec.json.encode(body), status, headers=headers, media_type=media_type)
