"""Documentation, readiness, and a database that is away."""

import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.ingest.main import create_app
from shared.contracts.catalogue import CATALOGUE
from shared.settings import Settings
from shared.vault.secret import SecretError
from tests.integration.ingest.conftest import Ingest, Start
from tests.support.events import order


async def test_openapi_describes_every_event_type(ingest: Ingest) -> None:
    """Given the API's description; then every type is in it, all references lead somewhere, and 202 is described."""
    answer = await ingest.client.get("/openapi.json")

    document = answer.json()
    operation = document["paths"]["/v1/events"]["post"]
    assert {"202", "400", "401", "403", "413", "415", "422", "503"} <= operation["responses"].keys()
    schemas = document["components"]["schemas"]
    titles = {each["title"] for each in schemas["Event"]["anyOf"]}
    assert titles == {*CATALOGUE, "x.*"}
    for reference in set(_references(answer.text)):
        assert reference in schemas, reference
    assert "\\\\Z" not in answer.text


def _references(text: str) -> list[str]:
    marker = '"$ref":"#/components/schemas/'
    return [part.partition('"')[0] for part in text.replace('"$ref": ', '"$ref":').split(marker)[1:]]


async def test_ready_when_all_is_well(ingest: Ingest) -> None:
    """Given a database that answers and the right secret; then ingest is ready."""
    answer = await ingest.client.get("/readyz")

    assert answer.status_code == 200, answer.text


async def test_wrong_secret_does_not_start(ingest: Ingest, settings: Settings) -> None:
    """Given a database set up with one secret; when ingest starts with another; then it refuses, and says why."""
    other = create_app(settings.model_copy(update={"secret": SecretStr("another-secret-" + "y" * 32)}))

    with pytest.raises(SecretError, match="not the secret"):
        async with other.router.lifespan_context(other):
            pass


def test_short_secret_does_not_start(settings: Settings) -> None:
    """Given a secret that is too short; then ingest does not start."""
    with pytest.raises(SecretError, match="32"):
        create_app(settings.model_copy(update={"secret": SecretStr("short")}))


async def test_database_away_is_said_within_five_seconds(
    start: Start, settings: Settings, tmp_path: Path
) -> None:
    """Given PostgreSQL away; then ingest starts, says that it is not ready, and answers 503 with Retry-After."""
    away = settings.model_copy(update={"database_url": f"postgresql://nobody@/nothing?host={tmp_path}"})
    async with start(away) as ingest:
        started = time.monotonic()
        answer = await ingest.post(order())
        assert time.monotonic() - started < 5
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"

        ready = await ingest.client.get("/readyz")
        assert ready.status_code == 503
        assert (await ingest.client.get("/livez")).status_code == 200


async def test_database_lost_on_the_way(ingest: Ingest) -> None:
    """Given connections that were cut under way; then at most a 503 comes of it, and then events are taken again."""
    await ingest.post(order(1))
    await ingest.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'regulars-ingest'"
    )

    statuses = []
    for number in range(2, 30):
        statuses.append((await ingest.post(order(number))).status_code)
        if statuses[-1] == 202:
            break

    assert statuses[-1] == 202
    assert set(statuses) <= {202, 503}
