"""Between a client and a PostgreSQL server: hands on what each says, and cuts the wire when told to."""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Wire:
    """A socket that leads to the server.

    cut_before: cut when the client next says this, without handing it on. cut_after: cut when the server next says
    this, without handing it on. then: called when the server's end is cut and the client's is not yet. down: nobody
    may connect.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.cut_before: bytes | None = None
        self.cut_after: bytes | None = None
        self.then: Callable[[], None] = lambda: None
        self.down = False
        self.cuts = 0
        self._cutting = threading.Lock()
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Cut everything."""
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._sockets += (client, server)
            for source, target in ((client, server), (server, client)):
                thread = threading.Thread(target=self._hand_on, args=(source, target, source is client))
                self._threads.append(thread)
                thread.start()

    def _hand_on(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while said := source.recv(1 << 20):
                mark = self.cut_before if from_client else self.cut_after
                if mark is not None and mark in said:
                    self.cut_before = self.cut_after = None
                    self.cuts += 1
                    with self._cutting:
                        (target if from_client else source).shutdown(socket.SHUT_RDWR)
                        self.then()
                    break
                target.sendall(said)
        with self._cutting:  # or the other direction would tell the client too early
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to the server of a url, and the url that leads through it."""
    [host] = parse_qs(urlsplit(url).query)["host"]
    with tempfile.TemporaryDirectory(prefix="w", dir="/tmp") as folder:  # short: the path of a socket has a limit
        wire = Wire(Path(folder), f"{host}/{SOCKET}")
        try:
            yield wire, url.replace(quote(host, safe=""), quote(folder, safe=""))
        finally:
            wire.close()
