"""What the documentation says of keys and problems."""

from typing import Annotated

from fastapi import Depends

from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.http.openapi import REF, problem_responses
from tests.support.http import Spending, client_of, service


async def test_the_bearer_key_and_the_problems_are_documented() -> None:
    """Given a route that needs a key; when the document is read; then scheme, 401, 403 and problems are in it."""
    app = service()

    @app.get("/guarded", responses=problem_responses(404))
    async def guarded(principal: Annotated[Principal, Depends(require(Scope.REWARDS_READ))]) -> str:
        return principal.key_id

    async with client_of(app) as client:
        document = (await client.get("/openapi.json")).json()

    operation = document["paths"]["/guarded"]["get"]
    assert operation["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for status in ("401", "403", "404", "503"):
        content = operation["responses"][status]["content"]
        assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


async def test_validation_errors_are_documented_as_problems() -> None:
    """Given a route with a body; when the document is read; then 422 is a problem, not FastAPI's own shape."""
    async with client_of(service()) as client:
        document = (await client.get("/openapi.json")).json()

    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "application/problem+json" in document["paths"]["/spend"]["post"]["responses"]["422"]["content"]


async def test_what_any_body_may_be_refused_with_is_documented() -> None:
    """Given a route with a body that describes it by hand; when the document is read; then 400, 408, 413 and 415 are
    problems there, and the definitions within the body's schema are where its references lead."""
    app = service()
    schema = Spending.model_json_schema(ref_template=REF)

    @app.post(
        "/by-hand", openapi_extra={"requestBody": {"content": {"application/json": {"schema": schema}}}}
    )
    async def by_hand() -> str:
        return "read"

    async with client_of(app) as client:
        document = (await client.get("/openapi.json")).json()

    operation = document["paths"]["/by-hand"]["post"]
    for status in ("400", "408", "413", "415", "422"):
        assert "application/problem+json" in operation["responses"][status]["content"]
    described = operation["requestBody"]["content"]["application/json"]["schema"]
    assert described["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/Line"}
    assert "Line" in document["components"]["schemas"]
    assert "$defs" not in described


async def test_the_documentation_is_served() -> None:
    """Given a service; when /docs is asked for; then it is there."""
    async with client_of(service()) as client:
        assert (await client.get("/docs")).status_code == 200
