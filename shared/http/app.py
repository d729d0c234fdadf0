"""Makes the HTTP application of a service: its edge, its errors, its health."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from shared.http.access import AccessLog
from shared.http.boundary import DEADLINE_S, Boundary
from shared.http.handlers import install_handlers
from shared.http.health import Health, health_routes
from shared.http.openapi import install_openapi

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    health: Health,
    lifespan: Lifespan | None = None,
    deadline_s: float = DEADLINE_S,
) -> FastAPI:
    """An application without routes of its own besides health, metrics and documentation.

    Every error it answers is a problem document; a request that takes longer than `deadline_s` is answered 503
    (a route that may take longer calls `extend_deadline`). `app.state.health` is `health`; a service with keys sets
    `app.state.guard` in its lifespan.
    """
    access = AccessLog(service, enabled=logging.getLogger().isEnabledFor(logging.INFO))

    @asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            access.flush()

    app = FastAPI(
        title=title,
        description=description,
        version=health.version,
        lifespan=whole_life,
        redirect_slashes=False,  # a redirected POST is sent again without its body by many clients
        swagger_ui_parameters={"persistAuthorization": False},
    )
    app.state.health = health
    app.add_middleware(Boundary, access=access, deadline_s=deadline_s)
    install_handlers(app)
    install_openapi(app)
    app.include_router(health_routes(health))
    return app
