"""Real Apache Kafka for tests (fixture `kafka`)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.server import KafkaServer, fetch_jars, free_port, missing


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """A Kafka of this test process: `bootstrap_servers`, `kill()`, `restart()`, `pause()`, `resume()`.

    Tests that ask for it are marked `kafka` and `xdist_group("kafka")`; each uses topics of its own. Without Java or
    Maven they are skipped on a laptop, and fail where `CI` is set.
    """
    if (reason := missing()) is not None:
        if os.environ.get("CI"):
            pytest.fail(f"the Kafka tests must run in CI, and cannot: {reason}")
        pytest.skip(f"no Kafka: {reason}")
    fetch_jars()
    folder = Path(tempfile.mkdtemp(prefix="regulars-kafka-"))
    server = KafkaServer(folder, free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
