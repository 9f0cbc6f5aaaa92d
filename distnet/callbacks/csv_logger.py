"""The logs of every epoch as lines of a CSV file."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from typing import Any

from distnet.callbacks.base import Callback, Logs


@dataclass(eq=False)
class CSVLogger(Callback):
    """Writes a line for each epoch: its number from 0, then the logs in the order of their keys.

    Args:
        filename: of the CSV file.
        separator: between the values.
        append: continue an existing file; its header is kept.

    Source: ``keras.callbacks.CSVLogger``.
    """

    filename: str | os.PathLike[str]
    separator: str = ","
    append: bool = False

    def __post_init__(self) -> None:
        self._file: Any = None
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file; read the keys of one that is continued."""
        has_header = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._keys = None
        if has_header:
            with open(self.filename, newline="", encoding="utf-8") as existing:
                self._keys = next(csv.reader(existing, delimiter=self.separator))[1:]
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's line, after the header where there is none yet."""
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        if self._keys is None:
            self._keys = sorted(logs)
            has_validation = any(key.startswith("val_") for key in self._keys)
            if not has_validation:
                self._keys += [f"val_{key}" for key in self._keys]
            writer.writerow(["epoch", *self._keys])
        writer.writerow([epoch, *(logs.get(key, "NA") for key in self._keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self._file.close()
        self._file = None
