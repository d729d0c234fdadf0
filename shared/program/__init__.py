"""The loyalty program: one YAML file, checked and turned into frozen types (see `docs/program.md`)."""

from importlib.resources import files


def default_program_text() -> str:
    """The program that Regulars ships with, as its file reads."""
    return files(__name__).joinpath("default.yaml").read_text(encoding="utf-8")
