"""What `/openapi.json` says beyond what FastAPI derives: the bearer key and the problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.http.problems import MEDIA_TYPE

_TITLES = {
    400: "The body cannot be read",
    401: "No key, or one that is not valid",
    403: "The key lacks a scope",
    404: "Nothing is there",
    408: "The body did not arrive in time",
    409: "The state of things does not allow it",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request is not valid; `errors` says where",
    429: "Too often; try again after `Retry-After` seconds",
    503: "A dependency is away; try again after `Retry-After` seconds",
}

_OF_BODIES = (400, 408, 413, 415)
"""What every body may be refused with before it is looked into."""

REF = "#/components/schemas/{model}"
"""The template of references in schemas that a route describes by hand; its definitions are put there."""

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details. `code` is stable; `errors` points into the request.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid_request"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["invalid_request"]},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "parameter": {"type": "string", "description": "Path or query parameter, or header"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: documents that these statuses answer with a problem document."""
    return {status: _response(_TITLES.get(status, "Refused")) for status in statuses}


def _response(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def install_openapi(app: FastAPI) -> None:
    """Describe problems instead of FastAPI's own error shape, and the bearer key, in the application's OpenAPI."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = _finish(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = _PROBLEM
    components.setdefault("securitySchemes", {})["bearer"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key with the scope that the call needs.",
    }
    for path in document.get("paths", {}).values():
        for operation in path.values():
            responses = operation.get("responses", {})
            if "HTTPValidationError" in str(responses.get("422", "")):
                responses["422"] = _response(_TITLES[422])
            statuses = [422]
            if operation.get("security"):
                statuses += [401, 403, 503]
            if "requestBody" in operation:
                statuses += _OF_BODIES
                for media in operation["requestBody"]["content"].values():
                    schemas.update(media["schema"].pop("$defs", {}))
            for status, response in problem_responses(*statuses).items():
                responses.setdefault(str(status), response)
    return document
