"""The containers' description agrees with the code: nothing in it names what does not exist."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from shared.http.app import create_app
from shared.http.health import Health
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ("ingest", "scoring", "rewards")
PROCESSES = [f"{service}-{role}" for service in SERVICES for role in ("api", "worker")] + [
    "deliveries-worker"
]
OURS = [*PROCESSES, "migrate"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return found


def setting_names() -> set[str]:
    """Every environment variable that the code reads."""
    return {
        str(field.validation_alias or f"REGULARS_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }


async def is_answered(path: str) -> bool:
    """Whether every process of ours answers `path`."""
    app = create_app(service="any", title="Any", description="Any", health=Health("any", "0", {}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://any") as client:
        return (await client.get(path)).status_code == httpx.codes.OK


def own_port(compose: dict[str, Any], process: str) -> int:
    service, role = process.split("-")
    name = "REGULARS_WORKER_PORT" if role == "worker" else f"REGULARS_{service.upper()}_PORT"
    return int(compose["services"][process]["environment"][name])


def test_every_process_and_what_it_stands_on_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"kafka", "postgres", *OURS}


@pytest.mark.parametrize("name", OURS)
def test_command_is_a_module_that_exists(compose: dict[str, Any], name: str) -> None:
    python, flag, module, *rest = compose["services"][name]["command"]

    assert (python, flag) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None
    if name != "migrate":
        service, role = name.split("-")
        assert (module, rest) == (f"services.{service}.main", [role])


@pytest.mark.parametrize("name", OURS)
def test_every_setting_exists_in_the_code(compose: dict[str, Any], name: str) -> None:
    environment = compose["services"][name]["environment"]

    assert set(environment) <= setting_names()
    assert {"REGULARS_SECRET", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"} <= set(environment)


def test_what_the_example_file_offers_reaches_the_worker_that_sends(compose: dict[str, Any]) -> None:
    """Given the names in `.env.example`; when they are set; then each is read by somebody, and those of messages by the
    worker of deliveries."""
    offered = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    services = compose["services"]
    passed = {name for process in OURS for name in services[process]["environment"]}

    assert offered - {"POSTGRES_PASSWORD"} <= passed
    providers = {
        f"REGULARS_{name.upper()}"
        for name in Settings.model_fields
        if name.endswith(("_url", "_secret", "mail_from", "tracking")) and name != "database_url"
    }
    assert providers <= set(services["deliveries-worker"]["environment"])
    assert providers <= offered | {"REGULARS_SMS_SECRET"}


@pytest.mark.parametrize("name", OURS)
def test_start_is_refused_without_the_secret(compose: dict[str, Any], name: str) -> None:
    environment = compose["services"][name]["environment"]

    assert environment["REGULARS_SECRET"].startswith("${REGULARS_SECRET:?")
    assert ":${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


@pytest.mark.parametrize("service", SERVICES)
def test_api_is_published_where_the_settings_put_it(compose: dict[str, Any], service: str) -> None:
    default = Settings.model_fields[f"{service}_port"].default
    process = f"{service}-api"

    assert own_port(compose, process) == default
    assert compose["services"][process]["ports"] == [
        f"127.0.0.1:${{REGULARS_{service.upper()}_PORT:-{default}}}:{default}"
    ]


@pytest.mark.parametrize("process", PROCESSES)
async def test_health_check_asks_a_path_that_is_answered_on_the_port_of_the_process(
    compose: dict[str, Any], process: str
) -> None:
    command, python, flag, module, url = compose["services"][process]["healthcheck"]["test"]
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/\w+)", url)

    assert (command, python, flag) == ("CMD", "python", "-m")
    assert importlib.util.find_spec(module) is not None
    assert found is not None
    assert int(found[1]) == own_port(compose, process)
    assert await is_answered(found[2])
    assert not await is_answered("/no-such-path")


def test_only_what_is_described_is_waited_for_and_mounted(compose: dict[str, Any]) -> None:
    names = set(compose["services"])
    for service in compose["services"].values():
        waits = service.get("depends_on", {})
        assert set(waits) <= names
        for other, how in waits.items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in compose["services"][other]
    mounted = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"]) == {"kafka-data", "postgres-data"}


def test_services_find_kafka_and_postgres_under_the_names_of_their_containers(
    compose: dict[str, Any],
) -> None:
    environment = compose["services"]["ingest-api"]["environment"]
    kafka = compose["services"]["kafka"]["environment"]
    postgres = compose["services"]["postgres"]["environment"]

    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{environment['KAFKA_BOOTSTRAP_SERVERS']}"
    assert environment["DATABASE_URL"].endswith(f"@postgres:5432/{postgres['POSTGRES_DB']}")
    assert environment["DATABASE_URL"].startswith(f"postgresql://{postgres['POSTGRES_USER']}:")


def instructions() -> Iterator[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, lines joined, comments left out."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")
    ]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, rest = line.strip().split(None, 1)
            yield word, rest


def test_image_copies_what_exists_and_what_the_context_lets_in() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [shlex.split(rest) for word, rest in instructions() if word == "COPY" and "--from" not in rest]

    sources = {source for *several, _ in copied for source in several}
    assert sources == {"requirements.txt", "shared", "services", "deploy"}
    assert sources <= let_in
    assert all((ROOT / source).exists() for source in sources)


def test_image_runs_a_module_of_ours_as_an_ordinary_user_with_a_health_check() -> None:
    by_word = dict(instructions())
    command = YAML(typ="safe").load(by_word["CMD"])

    assert importlib.util.find_spec(command[2]) is not None
    assert by_word["USER"] == "regulars"
    assert "deploy.probe" in by_word["HEALTHCHECK"]
    assert "--require-hashes" in " ".join(rest for word, rest in instructions() if word == "RUN")


def test_lock_files_carry_hashes_and_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        content = (ROOT / name).read_text()
        pins = re.findall(r"^[\w.-]+==", content, re.MULTILINE)
        assert len(pins) > 20
        assert len(re.findall(r"^[\w.-]+==.*\\\n    --hash=sha256:", content, re.MULTILINE)) == len(pins)
        assert "://" not in content
        assert "index-url" not in content
