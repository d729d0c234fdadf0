"""Hints for fields that a body does not have, where shapes lie in themselves too."""

from typing import Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from shared.http.shapes import Shape, with_hints


class Leaf(Shape):
    """An end, or another beginning."""

    colour: str = ""
    tree: "Tree | None" = None


class Tree(Shape):
    """A shape that lies in itself, by itself, in a list, and by way of another."""

    name: str = ""
    left: "Tree | None" = None
    branches: "list[list[Tree]]" = Field(default_factory=list)
    leaf: Leaf | None = None


def hints(shape: Any, body: Any) -> list[str]:
    """What is said of the body."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(shape).validate_python(body)
    errors = [{**each, "loc": ("body", *each["loc"])} for each in refused.value.errors()]
    return [each["msg"] for each in with_hints(errors, shape)]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"nam": "x"}, "Did you mean name?"),
        ({"left": {"left": {"branches": [[{"nam": "x"}]]}}}, "Did you mean name?"),
        ({"colour": "red"}, "it belongs at leaf.colour."),
        ({"leaf": {"name": "x"}}, "it belongs at name."),
        ({"leaf": {"tree": {"leaf": {"color": "red"}}}}, "Did you mean colour?"),
    ],
)
def test_a_shape_that_lies_in_itself_has_hints(body: Any, hint: str) -> None:
    """Given a shape that lies in itself; when a field is not known, however deep; then the hint comes, and at once."""
    assert [hint in said for said in hints(Tree, body)] == [True]


def test_a_list_of_such_shapes_has_hints() -> None:
    """Given a list as the body; then a field's place begins with the list."""
    assert "it belongs at [].leaf.colour." in hints(list[Tree], [{"colour": "red"}])[0]
