"""How seldom Python's collector looks for garbage."""

import gc

_THRESHOLDS = (50_000, 20, 50)
"""Allocations before the collector looks. An import, or a batch, makes thousands of objects that live as long as the
process, or as the batch: at the default of 700 the collector would walk them again and again, and find nothing."""


def look_seldom() -> None:
    """Let the collector look seldom: called before the first import, that is a fifth of the time to start."""
    gc.set_threshold(*_THRESHOLDS)


def keep_what_is_loaded() -> None:
    """What is loaded by now lives as long as the process, and the collector never walks it again."""
    gc.collect()
    gc.freeze()
