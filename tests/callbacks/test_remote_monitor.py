"""Logs sent to a server."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from distnet.callbacks import RemoteMonitor


@pytest.fixture
def server():
    """A server on this machine, and the requests it gets."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, self.headers["Content-Type"], self.headers.get("X-Key"), body.decode()))
            self.send_response(404 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *args):
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    thread.join()
    server.server_close()


def test_logs_are_sent_as_a_form_or_as_json(server):
    root, requests = server
    logs = {"loss": np.float32(0.5), "lr": np.array(0.25), "name": "x"}
    RemoteMonitor(root).on_epoch_end(0, logs)
    RemoteMonitor(root, "/there/", headers={"X-Key": "k"}, send_as_json=True).on_epoch_end(3, logs)
    (path, kind, key, form), (other_path, other_kind, other_key, text) = requests
    assert (path, kind, key) == ("/publish/epoch/end/", "application/x-www-form-urlencoded", None)
    assert json.loads(urllib.parse.parse_qs(form)["data"][0]) == {"epoch": 0, "loss": 0.5, "lr": 0.25, "name": "x"}
    assert (other_path, other_kind, other_key) == ("/there/", "application/json", "k")
    assert json.loads(text) == {"epoch": 3, "loss": 0.5, "lr": 0.25, "name": "x"}


def test_a_server_that_answers_with_an_error_has_been_reached(server):
    root, requests = server
    RemoteMonitor(root, "/broken").on_epoch_end(0)
    assert len(requests) == 1


def test_a_server_that_is_not_there_is_warned_of():
    with pytest.warns(UserWarning, match="could not reach http://127.0.0.1:9"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {})
