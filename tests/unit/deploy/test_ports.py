"""Ports: found free, or refused with the name of their setting."""

import os
import socket

import pytest

from deploy import ports
from deploy.errors import LocalError
from deploy.local.processes.plan import with_free_ports
from shared.settings import Settings

HOST = "127.0.0.1"


def test_free_port_is_taken_as_it_is() -> None:
    port = ports.any_free(HOST)

    assert ports.require_free(HOST, port, "REGULARS_INGEST_PORT") == port
    assert ports.near(HOST, port - ports.WORKER_PORT_ABOVE_API) == port


def test_zero_asks_for_any_free_port() -> None:
    assert ports.require_free(HOST, 0, "REGULARS_INGEST_PORT") > 0


def test_ports_that_were_found_stay_free_of_connections_that_go_out() -> None:
    """Given the ports that systems give to those who connect; when several are looked for; then none of them is."""
    found = ports.several_free(HOST, 5)

    assert len(set(found)) == 5
    assert all(port in ports.LISTENING for port in found)


def test_where_all_are_taken_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(ports, "LISTENING", range(port, port + 1))
        monkeypatch.setattr(ports, "TRIES", 1)

        assert ports.any_free(HOST) not in {0, port}


def test_port_in_use_is_refused_with_its_owner_and_its_setting() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(LocalError, match=rf"Port {port} .*{os.getpid()}.*REGULARS_REWARDS_PORT"):
            with_free_ports(Settings(ingest_port=0, scoring_port=0, rewards_port=port))
        assert ports.near(HOST, port - ports.WORKER_PORT_ABOVE_API) != port


def test_services_without_a_port_get_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a system that hands out the same free port again, as it may; then each service still has its own."""
    again = ports.any_free(HOST)
    monkeypatch.setattr(ports, "require_free", lambda _host, port, _setting: port or again)

    found = with_free_ports(Settings(ingest_port=0, scoring_port=0, rewards_port=0))

    assert len({found.ingest_port, found.scoring_port, found.rewards_port}) == 3


def test_two_services_on_one_port_are_refused() -> None:
    port = ports.any_free(HOST)

    with pytest.raises(LocalError, match="REGULARS_INGEST_PORT and REGULARS_SCORING_PORT are both"):
        with_free_ports(Settings(ingest_port=port, scoring_port=port, rewards_port=0))


@pytest.mark.parametrize("host", ["256.1.1.1", "203.0.113.7"])
def test_host_that_is_not_this_machine_is_refused_by_its_setting(host: str) -> None:
    with pytest.raises(LocalError, match="REGULARS_HOST"):
        ports.require_free(host, 0, "REGULARS_INGEST_PORT")
