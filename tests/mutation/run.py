"""Runs the tests under each mutant, in a process of its own that is forked from pytest's after all is loaded."""

import gc
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant, mutants

DOMAIN = "services.rewards.domain"
"""Where a module is that is not named in whole."""

WHOLE = ("services.", "shared.")
EXPLAINED = Path(__file__).parents[2] / "docs" / "mutation.md"
CPU_SECONDS_MAX = 5
"""What runs longer goes round in circles: as good as a failing test."""
MEMORY_BYTES_MAX = 4 << 30
MANY = 255
"""The highest exit code; it stands for any test from there on."""
QUICK = hypothesis.settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
"""Properties look at few examples, at the same ones each time, and do not look for smaller ones."""


class Mutation:
    """A pytest plugin that runs the tests first as they are, then under each mutant. `alive` are the mutants that no
    test noticed and nobody has explained."""

    def __init__(self, modules: Iterable[str], only: str) -> None:
        self.alive: list[Mutant] = []
        self._modules = [name if name.startswith(WHOLE) else f"{DOMAIN}.{name}" for name in modules]
        self._only = only

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        for item in session.items:
            test = getattr(item, "obj", None)
            test = getattr(test, "__func__", test)
            if hasattr(test, "hypothesis"):
                test._hypothesis_internal_use_settings = QUICK
        reached = _reached(session.items, self._modules)
        explained = {
            line.split("`")[1] for line in EXPLAINED.read_text().splitlines() if line.startswith("| `")
        }
        killed = known = 0
        gc.collect()
        gc.freeze()  # or each child would copy what its collector looks at
        for mutant in self._mutants():
            function = _function(import_module(mutant.module), mutant.function)
            tests = reached.get(function.__code__, [])
            if _killed(mutant, function, tests):
                killed += 1
            elif mutant.name in explained:
                known += 1
            else:
                self.alive.append(mutant)
                _say(f"alive: line {mutant.line}: {mutant.name}  [{len(tests)} tests]")
        _say(
            f"{killed + known + len(self.alive)} mutants: {killed} killed, {known} explained, {len(self.alive)} open"
        )
        return True

    def _mutants(self) -> Iterator[Mutant]:
        for module in self._modules:
            path = import_module(module).__file__
            assert path is not None
            for mutant in mutants(module, Path(path).read_text()):
                if self._only in mutant.name:
                    yield mutant


def _say(line: str) -> None:
    print(line, flush=True)


def _forget(modules: Iterable[str]) -> None:
    """Empty the caches of the modules' functions: what they keep was made by another test, or without the mutant."""
    for module in modules:
        for one in vars(import_module(module)).values():
            if hasattr(one, "cache_clear"):
                one.cache_clear()


def _reached(items: Iterable[pytest.Item], modules: Iterable[str]) -> dict[CodeType, list[pytest.Item]]:
    """Which tests run which code, the quickest first."""
    reached: dict[CodeType, list[tuple[float, int, pytest.Item]]] = defaultdict(list)
    calls: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls.add(frame.f_code)

    for number, item in enumerate(items):
        calls.clear()
        _forget(modules)
        start = time.process_time()
        sys.setprofile(note)
        try:
            if not _passes(item):
                pytest.exit(f"{item.nodeid} fails without any mutant", 2)
        finally:
            sys.setprofile(None)
        for code in calls:
            reached[code].append((time.process_time() - start, number, item))
    return {code: [item for _, _, item in sorted(tests)] for code, tests in reached.items()}


def _passes(item: pytest.Item) -> bool:
    """Run a test; one that takes nothing but its parameters without pytest around it, which takes longer than most."""
    if isinstance(item, pytest.Function) and not iscoroutinefunction(item.obj):
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if set(item.fixturenames) <= {*given, "request"}:
            try:
                item.obj(**given)
            except BaseException:  # noqa: BLE001  # pytest.fail and AssertionError as well as what a mutant breaks
                return False
            return True
    return all(not report.failed for report in runtestprotocol(item, log=False))


def _killed(mutant: Mutant, function: FunctionType, tests: list[pytest.Item]) -> bool:
    """Whether a test fails under the mutant. The one that did is moved to the front: it is the best guess for the next
    mutant of the function."""
    child = os.fork()
    if not child:
        os._exit(_first_to_fail(mutant, function, tests))
    status = os.waitpid(child, 0)[1]
    place = os.waitstatus_to_exitcode(status)
    if 0 < place < MANY:
        tests.insert(0, tests.pop(place - 1))
    return status != 0


def _first_to_fail(mutant: Mutant, function: FunctionType, tests: list[pytest.Item]) -> int:
    """The place of the first test that fails, from 1 on; 0: none does."""
    gc.disable()
    for limit, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS_MAX),
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    _become(mutant, function)
    _forget([mutant.module])
    return next((min(place, MANY) for place, test in enumerate(tests, 1) if not _passes(test)), 0)


def _become(mutant: Mutant, function: FunctionType) -> None:
    """Let the function have the mutant's code, wherever it has been imported to."""
    scope = function.__globals__
    function.__code__ = mutant.code
    function.__defaults__ = tuple(eval(one, scope) for one in mutant.defaults)  # the project's own code
    function.__kwdefaults__ = {name: eval(one, scope) for name, one in mutant.keyword_defaults.items()}


def _function(module: ModuleType, name: str) -> FunctionType:
    """The function itself, below what a class, a property or a cache has made of it."""
    found: object = module
    for part in name.split("."):
        found = found.__dict__[part]
    for wrapper in ("__wrapped__", "__func__", "fget"):
        found = getattr(found, wrapper, found)
    assert isinstance(found, FunctionType)
    return found
