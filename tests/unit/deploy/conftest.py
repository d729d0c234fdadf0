"""A data folder, a plan of the little service, and what the supervisor told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import ports
from deploy.local.home import Home
from deploy.local.processes.plan import ProcessPlan

MakePlan = Callable[..., ProcessPlan]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = Home(tmp_path / "home")
    folder.prepare()
    return folder


@pytest.fixture
def make_plan() -> MakePlan:
    def make(name: str = "little", mode: str = "") -> ProcessPlan:
        port = ports.any_free("127.0.0.1")
        return ProcessPlan(
            name=name,
            module="tests.unit.deploy.little_service",
            role="api",
            host="127.0.0.1",
            port=port,
            environment={**os.environ, "LITTLE_PORT": str(port), "LITTLE_MODE": mode},
        )

    return make
