"""The loyalty program: one YAML file, checked and turned into frozen types (see `docs/program.md`).

`parse.load_program` reads the file (`document`, `sections`) and gives the `model`: its `conditions`, over what
`vocabulary` names, and its templates of messages (`templating`) are checked and ready to be asked. `describing` says it
in plain words, `versions` keeps its texts, and `values` is what all of them write with.
"""

from importlib.resources import files
from pathlib import Path


def program_text(file: Path | None) -> str:
    """The program in this file; without one, the program that Regulars ships with."""
    return default_program_text() if file is None else file.read_text(encoding="utf-8")


def default_program_text() -> str:
    """The program that Regulars ships with, as its file reads."""
    return files(__name__).joinpath("default.yaml").read_text(encoding="utf-8")
