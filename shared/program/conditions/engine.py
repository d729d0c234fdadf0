"""The CEL engine, without its command line.

`import cel` also imports a shell with prompts and colours, more than a second of every process's start for nothing.
An empty module in its place while the engine is imported spares that.
"""

import sys
from types import ModuleType

_SHELL = "cel.cli"
_spared = _SHELL not in sys.modules
if _spared:
    sys.modules[_SHELL] = ModuleType(_SHELL)

import cel  # noqa: E402  # after its command line has been put aside

if _spared:
    del sys.modules[_SHELL]

Context = cel.Context
Program = cel.Program
compile_cel = cel.compile
