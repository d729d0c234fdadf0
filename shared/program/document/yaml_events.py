"""The events of a YAML text: ruamel's own, with what it does again and again done once.

Half of the time in which a program is read goes into ruamel's questions to itself: where its parts are, and whether it
has read far enough. Neither answer changes before it moves on.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

_BREAKS = frozenset("\n\r\x85\u2028\u2029\ufeff")
"""Characters after which lines and columns count otherwise."""


class _Reader(Reader):
    def forward(self, length: int = 1) -> None:
        """Move on; within a line, in one step."""
        start = self.pointer
        if start + length + 1 >= len(self.buffer):
            self.update(length + 1)
            start = self.pointer
        if _BREAKS.isdisjoint(self.buffer[start : start + length]):
            self.pointer += length
            self.index += length
            self.column += length
        else:
            super().forward(length)


class _Scanner(Scanner):
    _enough_at = -1
    """So many tokens were taken when it was found that the next one is known."""
    flow_level = 0  # asked for at each character: kept beside the list that it counts

    @cached_property
    def reader(self) -> Any:
        """Where the characters are."""
        return self.loader.reader

    def reset_scanner(self) -> None:
        """Begin anew."""
        self._enough_at = -1
        self.flow_level = 0
        super().reset_scanner()

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803
        """A bracket opens."""
        super().fetch_flow_collection_start(TokenClass, to_push)
        self.flow_level = len(self.flow_context)

    def fetch_flow_collection_end(self, TokenClass: Any) -> None:  # noqa: N803
        """A bracket closes."""
        super().fetch_flow_collection_end(TokenClass)
        self.flow_level = len(self.flow_context)

    def check_token(self, *choices: Any) -> bool:
        """Whether the next token is one of these; without any, whether there is one."""
        if self._enough_at != self.tokens_taken or not self.tokens:
            while self.need_more_tokens():
                self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def need_more_tokens(self) -> bool:
        """Whether more must be read before the next token is known; once it is, it stays so until it is taken."""
        if self._enough_at == self.tokens_taken and self.tokens:
            return False
        if super().need_more_tokens():
            return True
        self._enough_at = self.tokens_taken if self.tokens else -1
        return False


class _Parser(Parser):
    @cached_property
    def scanner(self) -> Any:
        """Where the tokens are."""
        return self.loader.scanner

    @cached_property
    def resolver(self) -> Any:
        """What plain values mean."""
        return self.loader.resolver


def yaml_events(text: str) -> Iterator[Any]:
    """What the parser finds, one after the other. Raises what ruamel raises, while they are taken."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Reader, yaml.Scanner, yaml.Parser = _Reader, _Scanner, _Parser
    events: Iterator[Any] = yaml.parse(text)
    return events
