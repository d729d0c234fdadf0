"""The version of this installation, as health documents and the command line tell it."""

from importlib.metadata import version

VERSION = version("regulars")
