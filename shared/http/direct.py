"""Routes that go round the framework: the function gets the request as it is, and answers a ready response.

For the few routes that are called for every event or at every checkout (see the decision on hot paths). What FastAPI
would do with models, dependencies and exit stacks, such a function does by hand.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


async def read_body(receive: Receive) -> bytes:
    """The whole body. The edge of the service has bounded it, and hands it over in one piece."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


class DirectRoute(APIRoute):
    """A route whose function is called with the request and nothing around it."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = _directly(endpoint)


def _directly(endpoint: Endpoint) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)

    return app


class DirectRoutes:
    """Finds direct routes without parameters in their path by one look, where the framework would try one route after
    another, inside of handlers and exit stacks; whatever else is asked goes on to `app`.

    Errors are answered by the same `handlers` (by type) as there.
    """

    def __init__(
        self, app: ASGIApp, routes: Iterable[BaseRoute], handlers: Mapping[Any, Callable[..., Any]]
    ) -> None:
        self._app = app
        self._handlers = handlers
        self._routes = {
            (method, route.path): route
            for route in routes
            if isinstance(route, DirectRoute) and not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to a direct route, or pass it on."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive)
        try:
            response = await route.endpoint(request)
        except Exception as error:
            known = [kind for kind in type(error).__mro__ if kind in self._handlers]
            if not known:
                raise
            handler = self._handlers[known[0]]
            response = await handler(request, error)
        await response(scope, receive, send)
