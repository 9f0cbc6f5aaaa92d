"""Resuming after an interruption, without changing the program."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from distnet.arguments import check_frequency, whole_number
from distnet.callbacks.base import STATE, Callback, Logs
from distnet.callbacks.claimed_folder import Claim, claimed
from distnet.naming import kept_files
from distnet.paths import checked_path

_LATEST = "latest.h5"


@dataclass(eq=False)
class BackupAndRestore(Callback):
    """Backs up the training; the same program, started again, continues from the last backup.

    Training continues as if it had never stopped, even within an epoch and on another number of ranks: ``fit``
    restores weights, optimizer, history, random addresses and the state of all callbacks before it begins.

    On SIGTERM, or a signal named in ``DISTNET_STOP_SIGNALS``, the job is backed up at its next step and exits
    with code 75; ``launch/run.sh --max-restarts`` then starts it again.

    Args:
        backup_dir: folder for the backups of this training and of no other; all ranks must see it.
        save_freq: ``"epoch"``, or a number of batches.
        double_checkpoint: also keep the backup before the last, and use it if the last is damaged; like ``keep=2``.
        delete_checkpoint: delete the backup once training has ended.
        keep: number of backups to keep; training continues from the newest one that is whole.

    Raises:
        ArgumentError: ``backup_dir`` is no folder name, or ``save_freq`` or ``keep`` is invalid.

    Source: ``keras.callbacks.BackupAndRestore``.
    """

    backup_dir: str | os.PathLike[str]
    save_freq: str | int = "epoch"
    double_checkpoint: bool = False
    delete_checkpoint: bool = True
    keep: int = whole_number(1, least=1)
    batches: int = field(default=0, init=False, repr=False, metadata=STATE)

    runs_last: ClassVar[bool] = True
    is_passive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        folder = checked_path("BackupAndRestore: backup_dir", self.backup_dir, "a folder")
        self.save_freq = check_frequency("BackupAndRestore: save_freq", self.save_freq, ["epoch"])
        self._latest = os.path.join(folder, _LATEST)
        self._claim: Claim | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the folder for this training.

        Raises:
            CheckpointError: another job's training has it.
        """
        self._claim = self._claim or claimed(os.path.dirname(self._latest))

    def get_state(self) -> dict[str, Any]:
        """The number of batches counted so far."""
        return super().get_state() if self.save_freq != "epoch" else {}

    def save_now(self) -> str:
        """Back up now; return the path of the backup."""
        self._save()
        return self._latest

    def resume_paths(self) -> list[str]:
        """The existing backups, the latest first."""
        return kept_files(self._latest)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Back up every ``save_freq`` batches."""
        if self.save_freq == "epoch":
            return
        self.batches += 1
        if self.batches % int(self.save_freq) == 0:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Back up after every epoch."""
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Delete the backup, and the folder if nothing else is in it."""
        self._tell_of_another_job()
        self._claim = None
        if not self.delete_checkpoint:
            return
        for path in self.resume_paths():
            os.unlink(path)
        with suppress(OSError):
            os.rmdir(self.backup_dir)

    def _save(self) -> None:
        self._tell_of_another_job()
        self.model.save_checkpoint(self._latest, keep=max(self.keep, 1 + self.double_checkpoint))

    def _tell_of_another_job(self) -> None:
        who = None if self._claim is None else self._claim.told()
        if who is not None:
            warnings.warn(
                f"{self.backup_dir}: another job ({who}) wanted to back up its training here as well, and was refused. "
                "If it was started by mistake, nothing is to be done; else give it a folder of its own.",
                stacklevel=2,
            )
