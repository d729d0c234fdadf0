"""A wire to the embedded PostgreSQL that a test can cut, as a network or a server would."""

import asyncio
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

SOCKET = ".s.PGSQL.5432"


class Wire:
    """Passes everything between clients in `folder` and the database; `cut` ends it, `mend` begins it again.

    Cut, connections are refused; `frozen`, they stay open and nothing comes back.
    """

    def __init__(self, database_url: str, folder: Path) -> None:
        real = make_url(database_url)
        self._target = Path(str(real.query["host"])) / SOCKET
        self._socket = folder / SOCKET
        self.url = real.set(query={"host": str(folder)}).render_as_string(hide_password=False)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def mend(self) -> None:
        """Let connections through."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._connect, self._socket)

    async def cut(self) -> None:
        """End every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._flowing.set()
        self._socket.unlink(missing_ok=True)
        for each in list(self._open):
            each.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing through, though connections stay."""
        self._flowing.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, far_writer))
                    both.create_task(self._pass(far_reader, writer))
            finally:
                far_writer.close()
        except (asyncio.CancelledError, OSError, ExceptionGroup):
            pass  # the test has cut it, or one side has gone
        finally:
            self._open.discard(task)
            writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._flowing.wait()
            sink.write(data)
            await sink.drain()
        with suppress(OSError):
            sink.close()
