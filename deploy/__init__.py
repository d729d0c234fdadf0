"""Runs Regulars on one machine, and the command line."""

from shared.garbage import look_seldom

look_seldom()
