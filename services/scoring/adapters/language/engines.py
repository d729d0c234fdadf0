"""Finds the sentiment engine that the setting names, and tries it before anything depends on it."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Final

from services.scoring.adapters.language.vader import Vader
from services.scoring.domain.language.read import SentimentEngine
from services.scoring.domain.language.reading import SENTIMENT_MAX, SENTIMENT_MIN

BUILT_IN: Final = "vader"
_TRIALS = ("I love it", "It arrived broken, and nobody answers.", "Übermorgen", "")


class EngineError(Exception):
    """REGULARS_SENTIMENT names no usable engine. The message is for the operator; the process must not start."""


def load_engine(setting: str) -> SentimentEngine:
    """The engine: `vader`, or what a callable at `package.module:callable` makes. Raises `EngineError`."""
    engine = Vader if setting == BUILT_IN else _factory(setting)
    try:
        made = engine()
    except Exception as error:
        raise EngineError(
            f"REGULARS_SENTIMENT: {setting} cannot be made: {type(error).__name__}: {error}"
        ) from error
    _try(setting, made)
    return made


def _factory(setting: str) -> Callable[[], SentimentEngine]:
    if ":" not in setting:
        raise EngineError(
            f"REGULARS_SENTIMENT is {setting!r}; it must be {BUILT_IN!r}, or name a callable that makes an engine,"
            " as package.module:callable."
        )
    try:
        factory = resolve_name(setting)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(
            f"REGULARS_SENTIMENT: {setting} cannot be found: {error}. Is the package installed beside Regulars?"
        ) from error
    if not callable(factory):
        raise EngineError(
            f"REGULARS_SENTIMENT: {setting} is a {type(factory).__name__}; it must be callable."
        )
    made: Callable[[], SentimentEngine] = factory
    return made


def _try(setting: str, engine: SentimentEngine) -> None:
    """An engine has a name, and says of a text an integer or None, the same each time."""
    name = getattr(engine, "name", None)
    if not isinstance(name, str) or not name:
        raise EngineError(
            f"REGULARS_SENTIMENT: {setting} makes an engine without a name (a text, with its version)."
        )
    for text in _TRIALS:
        try:
            first, second = engine.sentiment(text), engine.sentiment(text)
        except Exception as error:
            raise EngineError(
                f"REGULARS_SENTIMENT: {setting} fails on {text!r}: {type(error).__name__}: {error}"
            ) from error
        if first != second:
            raise EngineError(
                f"REGULARS_SENTIMENT: {setting} says {first!r}, then {second!r} of the same text."
            )
        if first is not None and not is_sentiment(first):
            raise EngineError(
                f"REGULARS_SENTIMENT: {setting} says {first!r}; it must be a whole number from {SENTIMENT_MIN} to"
                f" {SENTIMENT_MAX}, or None."
            )


def is_sentiment(value: object) -> bool:
    """Whether an engine may say so."""
    return isinstance(value, int) and not isinstance(value, bool) and SENTIMENT_MIN <= value <= SENTIMENT_MAX
