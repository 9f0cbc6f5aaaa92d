"""A small stand-in of a dataset, and a server on the loopback interface that hands it out, well or badly."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distnet.datasets.fetch import RemoteFile

SHAPES: dict[str, tuple[int, ...]] = {"x_train": (6, 4, 4), "y_train": (6,), "x_test": (2, 4, 4), "y_test": (2,)}


def _archive() -> bytes:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {name: rng.integers(0, 256, shape, dtype=np.uint8) for name, shape in SHAPES.items()}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@dataclass
class Server:
    """Hands out ``content``, or ``others`` by name; ``requests`` counts what was asked for."""

    content: bytes
    others: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def remote(self, path: str = "ok.npz") -> RemoteFile:
        return RemoteFile("small", f"{self.url}/{path}", self.sha256)

    def hand_out(self, name: str, content: bytes, algorithm: str = "sha256") -> RemoteFile:
        """Another file, and where to find it."""
        self.others[name] = content
        return RemoteFile("small", f"{self.url}/{name}", hashlib.new(algorithm, content).hexdigest())


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(_archive())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            body = state.others.get(self.path[1:], state.content)
            if self.path == "/missing.npz":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.path == "/stalled.npz":
                time.sleep(1.0)
            elif self.path == "/truncated.npz":
                self.wfile.write(body[:100])
            elif self.path == "/corrupt.npz":
                self.wfile.write(bytes(len(body)))
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, no settings of the user's, and no proxy for the loopback interface."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("DISTNET_DATA", raising=False)
    monkeypatch.delenv("DISTNET_HOME", raising=False)
    return tmp_path
