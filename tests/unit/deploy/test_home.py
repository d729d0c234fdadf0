"""The data folder: one owner at a time, one secret for ever."""

import os
import stat
from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.local.home import Home, write_atomically


def test_secret_is_made_once_and_only_its_owner_may_read_it(home: Home) -> None:
    first = home.secret()

    assert len(first) >= 32
    assert Home(home.folder).secret() == first
    assert stat.S_IMODE(home.secret_file.stat().st_mode) == 0o600


def test_empty_secret_is_refused_rather_than_replaced(home: Home) -> None:
    home.secret_file.write_text("\n")

    with pytest.raises(LocalError, match="is empty"):
        home.secret()
    assert home.secret_file.read_text() == "\n"


def test_second_owner_is_refused_and_told_who_the_first_is(home: Home) -> None:
    with (
        home.locked(),
        pytest.raises(LocalError, match=rf"already runs on .*process {os.getpid()}\)"),
        Home(home.folder).locked(),
    ):
        pass
    with Home(home.folder).locked():
        pass


def test_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(LocalError, match="REGULARS_HOME"):
        Home(tmp_path / "file" / "home").prepare()


def test_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    write_atomically(path, "old", mode=0o600)

    def fail(_descriptor: int) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        write_atomically(path, "new", mode=0o600)

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]
