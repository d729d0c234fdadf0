"""Reads a text file line by line: packed or not, in whatever encoding shops write."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from deploy.errors import LocalError

GZIP = b"\x1f\x8b"
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_BYTES_MAX = 4 * 1024 * 1024
FALLBACK = "cp1252"
"""How a line that is not UTF-8 is read: Windows' superset of Latin-1, which is what such files are in fact."""


class TextFile:
    """The file at `path`, to be read from its beginning to its end, once.

    Without `encoding` it is UTF-8 (UTF-16 where a byte order mark says so), and a line that is not falls back to
    Windows-1252; `foreign_lines` counts those.

    Raises:
        LocalError: The file cannot be read, or nobody knows the encoding.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.foreign_lines = 0
        self._path = path
        self._encoding = encoding
        try:
            if encoding is not None:
                codecs.lookup(encoding)
            self._file = path.open("rb")
            self.size = path.stat().st_size
            head = self._file.peek(2)[:2]
        except LookupError as error:
            raise LocalError(
                f"No such encoding: {encoding}. Common ones are utf-8, utf-16, latin-1."
            ) from error
        except OSError as error:
            raise LocalError(f"{path} cannot be read: {error.strerror}.") from error
        self._stream = cast("BinaryIO", gzip.GzipFile(fileobj=self._file) if head == GZIP else self._file)

    @property
    def descriptor(self) -> int:
        """Of the open file."""
        return self._file.fileno()

    @property
    def position(self) -> int:
        """How much has been read, in bytes of the file as it lies there."""
        return self._file.tell()

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def lines(self) -> Iterator[str]:
        """Each line with its end.

        Raises:
            LocalError: The file is damaged, or no text.
        """
        count = 0
        try:
            for line in self._decoded():
                count += 1
                yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise LocalError(f"{self._path} is damaged after line {count}: it cannot be unpacked.") from error
        except UnicodeDecodeError as error:
            raise LocalError(
                f"{self._path} is not in {error.encoding} after line {count}; --encoding says which one it is in."
            ) from error

    def _decoded(self) -> Iterator[str]:
        stream = io.BufferedReader(cast("io.RawIOBase", self._stream)) if self._packed else self._stream
        wide = cast("io.BufferedReader", stream).peek(2)[:2] in WIDE
        encoding = self._encoding or ("utf-16" if wide else None)
        if encoding is not None:
            name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
            text = io.TextIOWrapper(cast("io.BufferedReader", stream), name, newline="")
            try:
                yield from text
            finally:
                text.detach()  # the file is closed by `close`
            return
        first = True
        while line := stream.readline(LINE_BYTES_MAX):
            if len(line) == LINE_BYTES_MAX:
                raise LocalError(
                    f"{self._path} has a line of more than {LINE_BYTES_MAX:,} bytes: is it text?"
                )
            if first:
                line = line.removeprefix(codecs.BOM_UTF8)
                first = False
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self.foreign_lines += 1
                yield line.decode(FALLBACK, errors="replace")

    @property
    def _packed(self) -> bool:
        return self._stream is not self._file
