"""Files and modules that documents and docstrings name exist, so that a move cannot leave them behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREES = ("services", "shared", "deploy", "tests", "docs")

FILES = [
    path for tree in TREES for path in sorted((ROOT / tree).rglob("*")) if "__pycache__" not in path.parts
]
KNOWN = {path.relative_to(ROOT).as_posix() for path in FILES} | set(TREES)
ENDS = {"/".join(parts[at:]) for parts in (name.split("/") for name in KNOWN) for at in range(len(parts))}

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(path for path in FILES if path.suffix == ".md")]
CODE = [path for path in FILES if path.suffix == ".py"]

WHOLE = re.compile(rf"(?<![\w./<-])((?:{'|'.join(TREES)})/[\w./-]*\w)(?![\w*<{{])")
"""A path from the root, wherever it stands."""

SHORT = re.compile(r"`((?:[a-z]\w*/)*[a-z]\w*\.py)`")
"""A module by the end of its path, as in `domain/needs.py`."""

DOTTED = re.compile(rf"`((?:{'|'.join(TREES)})(?:\.\w+)+)`")
"""A module, or a name in one, as it is imported."""

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")


def missing(text: str) -> Iterator[str]:
    """The paths and modules in a text that do not exist."""
    yield from (name for name in WHOLE.findall(text) if not {name, f"{name}.py"} & KNOWN)
    yield from (name for name in SHORT.findall(text) if name not in ENDS)
    for name in DOTTED.findall(text):
        module = name.replace(".", "/")
        if not {module, f"{module}.py"} & KNOWN and not _holds(module.rpartition("/")):
            yield name


def _holds(name: tuple[str, str, str]) -> bool:
    """Whether the module has such a name."""
    places = (ROOT / f"{name[0]}.py", ROOT / name[0] / "__init__.py")
    return any(re.search(rf"\b{name[2]}\b", place.read_text()) for place in places if place.exists())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_what_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert list(missing(text)) == []
    assert [link for link in LINK.findall(text) if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("tree", ["services", "shared", "deploy", "tests"])
def test_docstrings_name_what_exists(tree: str) -> None:
    named = {
        path.relative_to(ROOT).as_posix(): list(missing(path.read_text(encoding="utf-8")))
        for path in CODE
        if path.relative_to(ROOT).parts[0] == tree
    }

    assert {path: names for path, names in named.items() if names} == {}
