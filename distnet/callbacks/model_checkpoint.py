"""Saving the model while it trains."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, ClassVar

from distnet.arguments import check_frequency, whole_number
from distnet.callbacks import monitor as watching
from distnet.callbacks.base import STATE, Logs
from distnet.callbacks.console import say
from distnet.errors import ArgumentError
from distnet.logs import NamedLogs
from distnet.paths import checked_path, names_archive, names_keras_3


class _AnyLog(dict[str, float]):
    """Logs that have every key."""

    def __missing__(self, key: str) -> float:
        return 0.5


def _checked_pattern(filepath: object) -> str:
    """``filepath`` as a string, checked to be a format of the epoch, the batch and the logs' keys.

    Raises:
        ArgumentError: it is no path, or no valid format.
    """
    path = checked_path("ModelCheckpoint: filepath", filepath)
    try:
        path.format_map(_AnyLog(epoch=1, batch=1))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise ArgumentError(
            f"ModelCheckpoint: filepath {path!r} cannot be filled in: {error}. Write {{epoch}}, {{batch}} or a key of "
            "the logs, such as {val_loss:.2f}; a brace itself is written twice."
        ) from None
    return path


@dataclass(eq=False)
class ModelCheckpoint(watching.Monitoring):
    """Saves the model after every epoch, after a number of batches, or whenever a value improves.

    Args:
        filepath: path of the file, whose end says the format, as for ``Model.save`` and ``Model.save_weights``;
            ``{epoch}``, counted from 1, ``{batch}`` and the logs' keys are filled in.
        monitor: key of the logs.
        verbose: 1 prints what is saved and why.
        save_best_only: save only when ``monitor`` has improved.
        save_weights_only: save the weights alone.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric says.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: the value that the first save must improve on.
        keep: number of files to keep; the oldest is deleted once the newest is written. If the name is always the
            same, earlier files are called ``name.1.h5``, ``name.2.h5`` ... None keeps all files if their names differ,
            and one if not.
        period: Keras 2's: number of epochs between saves.

    The file is written while training goes on: see ``Model.save_checkpoint``.

    Raises:
        ArgumentError: ``save_freq``, ``period`` or ``keep`` is invalid, or ``filepath`` names a key that no log has, or
            says no format.

    Source: ``keras.callbacks.ModelCheckpoint``.
    """

    filepath: str | os.PathLike[str]
    monitor: str = "val_loss"
    verbose: int = 0
    save_best_only: bool = False
    save_weights_only: bool = False
    mode: str = "auto"
    save_freq: str | int = "epoch"
    initial_value_threshold: float | None = None
    keep: int | None = whole_number(None, least=1)
    period: int = whole_number(1, least=1)
    best: float | None = field(default=None, init=False, repr=False, metadata=STATE)
    batches: int = field(default=0, init=False, repr=False, metadata=STATE)
    epoch: int = field(default=0, init=False, repr=False, metadata=STATE)
    written: list[str] = field(default_factory=list, init=False, repr=False, metadata=STATE)

    runs_last: ClassVar[bool] = True
    is_passive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.save_freq = check_frequency("ModelCheckpoint: save_freq", self.save_freq, ["epoch"])
        self.filepath = _checked_pattern(self.filepath)
        check_end = names_keras_3 if self.save_weights_only else names_archive
        check_end("ModelCheckpoint: filepath", self.filepath)
        self.best = self.initial_value_threshold

    def get_state(self) -> dict[str, Any]:
        """The best value, the epoch, the batches and the files so far, if saving depends on them."""
        goes_by_these = self.save_best_only or self.save_freq != "epoch" or self.keep is not None
        return super().get_state() if goes_by_these else {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore the state; of the files, which will be deleted, only those whose names match ``filepath``."""
        super().set_state(state)
        parts = Formatter().parse(str(self.filepath))
        name = "".join(re.escape(text) + ("" if key is None else "[^/]*") for text, key, _, _ in parts)
        self.written = [path for path in self.written if re.fullmatch(name, path)]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check that it is known which way is better.

        Raises:
            ArgumentError: it is not known.
        """
        if self.save_best_only:
            _ = self.sign

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch, for the name of the file."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save every ``save_freq`` batches."""
        if self.save_freq == "epoch":
            return
        self.batches += 1
        if self.batches % int(self.save_freq) == 0:
            self._save(self.epoch, logs or {}, batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after every epoch, or every ``period``."""
        if self.save_freq == "epoch" and (epoch + 1) % self.period == 0:
            self._save(epoch, logs or {}, None)

    def _save(self, epoch: int, logs: Logs, batch: int | None) -> None:
        path = self._path(epoch, logs, batch)
        if self.save_best_only and not self._has_improved(path, epoch, logs):
            return
        if not self.save_best_only:
            self._report(f"saving model to {path}", epoch)
        retired = self._retired(path)
        versions = self.keep or 1 if path == self.filepath else 1
        self.model.save_checkpoint(path, self.save_weights_only, versions, retired)

    def _retired(self, path: str) -> list[str]:
        """The files with other names to delete once this one is written."""
        self.written = [*(written for written in self.written if written != path), path]
        if self.keep is None:
            return []
        retired, self.written = self.written[: -self.keep], self.written[-self.keep :]
        return retired

    def _has_improved(self, path: str, epoch: int, logs: Logs) -> bool:
        value = self.value(logs)
        if value is None:
            warnings.warn(
                watching.missing("ModelCheckpoint", self.monitor, logs) + " Saving all the same.", stacklevel=4
            )
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not watching.is_better(value, self.best, self.sign):
            self._report(f"{self.monitor} did not improve from {before}", epoch)
            return False
        self._report(f"{self.monitor} improved from {before} to {value:.5f}, saving model to {path}", epoch)
        self.best = value
        return True

    def _path(self, epoch: int, logs: Logs, batch: int | None) -> str:
        values = NamedLogs(logs)
        values.update({key: watching.number(value) for key, value in logs.items()})
        values.update({"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1})})
        try:
            return str(self.filepath).format_map(values)
        except KeyError as error:
            raise ArgumentError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is not among {sorted(values)}."
            ) from None

    def _report(self, text: str, epoch: int) -> None:
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: {text}")
