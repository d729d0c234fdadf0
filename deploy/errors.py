"""What a person can put right: shown as a sentence, without a traceback."""


class LocalError(Exception):
    """A start that cannot go on; the message says what is wrong and what to do about it."""
