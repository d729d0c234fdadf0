"""What `regulars up` finds out before it starts anything."""

import io
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from deploy.errors import LocalError
from deploy.local.up import Running, up
from deploy.screen import Screen
from shared.clock import system_clock
from shared.settings import Settings


async def test_a_mail_server_without_a_sender_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    """Given a mail server, and nobody who writes; when everything is to start; then the reason is said at once, and
    neither database nor services are started for a worker that could only end again and again."""
    settings = Settings(home=tmp_path, smtp_url=SecretStr("smtp://127.0.0.1:8025"), mail_from=None)

    async def body(_: Running) -> None:
        raise AssertionError("nothing is started")

    shown = io.StringIO()
    with pytest.raises(LocalError, match="REGULARS_MAIL_FROM is not set"):
        await up(settings, Screen(Console(file=shown), system_clock), system_clock, body)

    assert "Starting" not in shown.getvalue()
    assert not (tmp_path / "postgres").exists()
