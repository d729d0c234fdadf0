"""Tests. `make test` runs them all."""

from shared.garbage import look_seldom

look_seldom()
