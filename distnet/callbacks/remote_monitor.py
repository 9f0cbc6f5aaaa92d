"""The logs of every epoch sent to a server."""

from __future__ import annotations

import importlib
import json
import urllib.error
import urllib.parse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.callbacks.base import Callback, Logs

_PATIENCE_S = 10.0


@dataclass(eq=False)
class RemoteMonitor(Callback):
    """Sends each epoch's number and logs by HTTP POST; a server that cannot be reached is warned of.

    Args:
        root: address of the server.
        path: behind it.
        field: of the form that holds the JSON text.
        headers: of the request.
        send_as_json: whether the request's body is the JSON text itself.

    Source: ``keras.callbacks.RemoteMonitor``.
    """

    root: str = "http://localhost:9000"
    path: str = "/publish/epoch/end/"
    field: str = "data"
    headers: Mapping[str, str] | None = None
    send_as_json: bool = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send them."""
        values = {name: _plain(value) for name, value in (logs or {}).items()}
        text = json.dumps({"epoch": epoch, **values})
        if self.send_as_json:
            body, kind = text.encode(), "application/json"
        else:
            body, kind = urllib.parse.urlencode({self.field: text}).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        try:
            web = importlib.import_module("urllib.request")  # with OpenSSL: what does not send does without
            web.urlopen(web.Request(self.root + self.path, body, headers), timeout=_PATIENCE_S).close()
        except urllib.error.HTTPError:
            return  # an answer, as for Keras
        except (OSError, ValueError) as error:
            warnings.warn(f"RemoteMonitor: could not reach {self.root}: {error}.", stacklevel=2)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value
