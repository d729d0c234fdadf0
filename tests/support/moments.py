"""Every route of a service heeds `?at=`, or refuses it."""

import re

import httpx

MOMENT = "2026-06-01T12:00:00Z"


async def heeding_at(client: httpx.AsyncClient, key: str, lacking: str) -> set[str]:
    """Methods and paths that are declared to heed `at`, of all that `/openapi.json` tells. Every other operation
    under `/v1/` has refused it to `key` with a problem that says what to ask instead, whatever else was wrong; who
    sent no key, or one that is `lacking` its scope, has heard of that alone."""
    heeding, refused = set(), 0
    for path, operations in (await client.get("/openapi.json")).json()["paths"].items():
        for method, operation in operations.items():
            if any(one["name"] == "at" and one["in"] == "query" for one in operation.get("parameters", ())):
                heeding.add(f"{method} {path}")
                continue
            if not path.startswith("/v1/"):
                continue
            url = re.sub(r"{\w+}", "00000000-0000-4000-8000-000000000000", path)
            for sent, status in (("", 401), (f"Bearer {lacking}", 403), (f"Bearer {key}", 422)):
                headers = {"Authorization": sent}
                answer = await client.request(method, url, params={"at": MOMENT}, json={}, headers=headers)
                asked = f"{method} {path}: {answer.status_code} {answer.text}"
                assert answer.status_code == status, asked
            (error,) = answer.json()["errors"]
            assert (error["code"], error["parameter"]) == ("not_as_of", "at"), asked
            assert "GET /v1/customers/{customer}" in error["detail"] or "state=all" in error["detail"], asked
            refused += 1
    assert refused > 5
    return heeding
