"""The logs of every epoch as lines of a CSV file."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

from distnet.callbacks.base import STATE, Callback, Logs
from distnet.errors import ArgumentError
from distnet.paths import checked_path, written


@dataclass(eq=False)
class CSVLogger(Callback):
    """Writes a line for each epoch: the epoch, counted from 0, then the logs in the order of their keys.

    When training resumes, lines written after the checkpoint, whole or torn, are cut off first.

    Args:
        filename: path of the CSV file.
        separator: between the values.
        append: continue an existing file; its header is kept.

    Raises:
        ArgumentError: ``filename`` is no file name, or ``separator`` is not one character.
        CheckpointError: the file cannot be written.

    Source: ``keras.callbacks.CSVLogger``.
    """

    filename: str | os.PathLike[str]
    separator: str = ","
    append: bool = False
    keys: list[str] | None = field(default=None, init=False, repr=False, metadata=STATE)
    size_bytes: int | None = field(default=None, init=False, repr=False, metadata=STATE)
    """Length of the file; None before it is begun."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_path("CSVLogger: filename", self.filename)
        if not isinstance(self.separator, str) or len(self.separator) != 1:
            raise ArgumentError(f"CSVLogger: separator: expected one character, received {self.separator!r}.")

    def get_state(self) -> dict[str, Any]:
        """The file's keys and length; the file is synced to the disk first."""
        if self.size_bytes:
            with self._written(), open(self.filename, "rb") as file, suppress(OSError):  # a pipe or a device
                os.fsync(file.fileno())
        return super().get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue after the last line that the checkpoint knows of."""
        super().set_state(state)
        if self.size_bytes is not None:
            self._cut(self.size_bytes)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last training."""
        self.forget()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the file unless it is started; read the keys of an existing file that is continued."""
        if self.size_bytes is not None:
            return
        has_header = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        if has_header:
            with self._written(), open(self.filename, newline="", encoding="utf-8") as existing:
                self.keys = next(csv.reader(existing, delimiter=self.separator))[1:]
        self._write((), "a" if self.append else "w")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's line, after a header if the file has none."""
        self.on_epoch_begin(epoch)
        logs, header = logs or {}, []
        if self.keys is None:
            self.keys = sorted(logs)
            has_validation = any(key.startswith("val_") for key in self.keys)
            if not has_validation:
                self.keys += [f"val_{key}" for key in self.keys]
            header = [["epoch", *self.keys]]
        self._write([*header, [epoch, *(logs.get(key, "NA") for key in self.keys)]])

    def _cut(self, size_bytes: int) -> None:
        """Truncate the file to this length; warn if it is shorter."""
        there = os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
        if there < size_bytes:
            warnings.warn(
                f"CSVLogger: {os.fspath(self.filename)}: expected the {size_bytes} bytes that were written before the "
                f"checkpoint, found {there}: the lines of some epochs are missing.",
                stacklevel=2,
            )
        if there > size_bytes:
            with self._written():
                os.truncate(self.filename, size_bytes)
        if not there:
            self.keys = None

    def _write(self, lines: Iterable[Iterable[Any]], mode: str = "a") -> None:
        """Open the file, write lines, close it."""
        with self._written(), open(self.filename, mode, newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator, lineterminator="\n").writerows(lines)
            file.flush()
            self.size_bytes = os.fstat(file.fileno()).st_size

    def _written(self) -> AbstractContextManager[None]:
        return written("CSVLogger", self.filename)
