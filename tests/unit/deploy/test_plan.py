"""Which processes are started, and what they are told."""

from pydantic import SecretStr

from deploy.local.defaults import PARTITIONS_EMBEDDED, with_partitions, with_secret
from deploy.local.home import Home
from deploy.local.processes.plan import process_plans, with_free_ports
from shared.settings import Settings


def complete(settings: Settings, home: Home) -> Settings:
    known = {
        "database_url": "postgresql://postgres@/regulars?host=/x",
        "api_key": SecretStr("never-handed-on-123"),
    }
    return with_secret(with_partitions(with_free_ports(settings.model_copy(update=known))), home)


def any_ports(**more: object) -> Settings:
    return Settings.model_validate({"ingest_port": 0, "scoring_port": 0, "rewards_port": 0, **more})


def test_streams_in_postgresql_need_no_worker_of_ingest(home: Home) -> None:
    plans = process_plans(complete(any_ports(), home), home)

    assert [plan.name for plan in plans] == [
        "deliveries-worker", "rewards-worker", "rewards-api", "scoring-worker", "scoring-api", "ingest-api",
    ]  # fmt: skip
    assert len({plan.port for plan in plans}) == len(plans)


def test_kafka_that_is_named_after_the_settings_were_read_reaches_every_process(home: Home) -> None:
    settings = any_ports()
    assert not settings.on_kafka

    with_kafka = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:9092"})
    plans = process_plans(complete(with_kafka, home), home)

    assert "ingest-worker" in {plan.name for plan in plans}
    assert {plan.environment["KAFKA_BOOTSTRAP_SERVERS"] for plan in plans} == {"127.0.0.1:9092"}
    assert {plan.environment["REGULARS_PARTITIONS"] for plan in plans} == {"32"}


def test_processes_are_told_everything_but_the_api_key(home: Home) -> None:
    for plan in process_plans(complete(any_ports(), home), home):
        told = plan.environment
        assert told["REGULARS_SECRET"] == home.secret()
        assert told["DATABASE_URL"].startswith("postgresql://")
        assert told["REGULARS_PARTITIONS"] == str(PARTITIONS_EMBEDDED)
        assert "never-handed-on-123" not in told.values()
        assert told.get("REGULARS_WORKER_PORT") == (str(plan.port) if plan.role == "worker" else None)
        assert home.secret() not in repr(plan)


def test_partitions_that_are_set_are_kept(home: Home) -> None:
    assert with_partitions(any_ports(partitions=9)).partitions == 9
