"""A receiver of webhooks: a real HTTP server that does what a test tells it to."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20.0
"""Seconds that a test waits for what has to come."""


@dataclass
class Received:
    """A message that came."""

    path: str
    headers: dict[str, str]
    content: bytes
    at: float

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def sequence(self) -> int:
        """The line that it tells of."""
        sequence: int = self.body["data"]["sequence"]
        return sequence


Behaviour = Callable[[BaseHTTPRequestHandler, Received], None]


def answering(status: int, **headers: str) -> Behaviour:
    """Answers with this status, and says a little."""

    def answer(handler: BaseHTTPRequestHandler, _: Received) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


class Hang:
    """Answers nothing, until it is let go; then it does something else, or goes away."""

    def __init__(self, then: Behaviour | None = None) -> None:
        self.over = threading.Event()
        self._then = then

    def __call__(self, handler: BaseHTTPRequestHandler, received: Received) -> None:
        self.over.wait(60)
        if self._then is None:
            handler.close_connection = True
        else:
            self._then(handler, received)


def trickle(handler: BaseHTTPRequestHandler, _: Received) -> None:
    """Answers a byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    for _again in range(600):
        handler.wfile.write(b".")
        time.sleep(0.1)


def break_off(handler: BaseHTTPRequestHandler, _: Received) -> None:
    """Closes the connection in the middle of an answer."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.close_connection = True


@dataclass
class Receiver:
    """What came, and how it is answered: by the next of ``behaviours``, and at last by a 200."""

    port: int = 0
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    behaviours: list[Behaviour] = field(default_factory=list)
    always: Behaviour = field(default_factory=lambda: answering(200))

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def sequences(self) -> list[int]:
        return [each.sequence for each in self.received if each.body["type"] != "ping"]

    def wait_for(self, number: int) -> list[Received]:
        """So many messages; fails when they do not come."""
        until(lambda: len(self.received) >= number)
        return list(self.received)


def until(condition: Callable[[], object]) -> None:
    """Waits for something that has to come true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on the loopback."""
    receiver = Receiver(scheme="https" if context else "http")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, content, time.monotonic())
            receiver.received.append(received)
            behave = receiver.behaviours.pop(0) if receiver.behaviours else receiver.always
            behave(self, received)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """The sender may have gone away."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        for behaviour in (receiver.always, *receiver.behaviours):
            if isinstance(behaviour, Hang):
                behaviour.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
