"""The services, each a package that knows no other."""

from shared.garbage import look_seldom

look_seldom()
