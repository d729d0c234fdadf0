"""Small programs for tests: a head that every program needs, and what is wrong with the rest."""

from collections.abc import Set
from textwrap import dedent

from shared.program.faults import ProgramError, ProgramFault
from shared.program.model.program import Program
from shared.program.parse import load_program

HEAD = "name: Test\ncurrency: USD\ntime_zone: UTC\n"
"""Three lines, so that the body begins on line 4."""


def load(body: str) -> Program:
    """The program of the head and this body."""
    return load_program(HEAD + dedent(body).lstrip("\n"))


def faults(body: str, *, head: str = HEAD, retired_ids: Set[str] = frozenset()) -> tuple[ProgramFault, ...]:
    """All faults of the head and this body; none when it loads."""
    try:
        load_program(head + dedent(body).lstrip("\n"), retired_ids=retired_ids)
    except ProgramError as error:
        return error.errors
    return ()


def only_fault(body: str, *, head: str = HEAD, retired_ids: Set[str] = frozenset()) -> ProgramFault:
    """The one fault there is; fails when there is none or more than one."""
    found = faults(body, head=head, retired_ids=retired_ids)
    assert len(found) == 1, "\n".join(map(str, found)) or "no fault"
    return found[0]
