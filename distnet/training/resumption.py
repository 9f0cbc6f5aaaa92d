"""Going on from a file as if training had never stopped, on all ranks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distnet import saving
from distnet.callbacks import CallbackList
from distnet.comm.fixed_blocks import fixed_blocks
from distnet.comm.scope import communicator
from distnet.errors import CheckpointError, DistnetError
from distnet.layers.engine.tracking import states_of_metrics
from distnet.naming import kept_files
from distnet.optimizers import Optimizer
from distnet.paths import checked_path, names_archive
from distnet.saving.examined_together import examined_together
from distnet.training.fit_arguments import Fit
from distnet.training.hooks import Hooks
from distnet.training.trained_model import TrainedModel
from distnet.training_state import CallbackRecord, Progress, TrainingState
from distnet.types import Json


@dataclass(frozen=True)
class Resumption:
    """A file that a training goes on from.

    Args:
        path: of the file.
        progress: where the training stood; None where it was not saved by ``fit``, but between epochs.
        metrics: those that are attributes of the model, or of layers within, with their states.
    """

    path: str
    progress: Progress | None
    metrics: Sequence[tuple[Any, Any]] = ()

    def save_now(self, model: TrainedModel) -> Callable[[], str]:
        """What saves the model in this file's place."""

        def save() -> str:
            model.save(self.path)
            return self.path

        return save

    def prepare(self, optimizer: Optimizer | None, facts: Mapping[str, Json], sums: int | None) -> None:
        """Set the optimizer as callbacks had set it, once it is sure that training can go on; see ``check``."""
        self.check(facts, sums)
        if optimizer is not None and self.progress is not None:
            self.check_optimizer(optimizer)
            optimizer.configure(self.progress.optimizer)

    def go_on(self, fit: Fit, hooks: Hooks) -> Collection[int]:
        """Let data and callbacks go on from where they were.

        Returns:
            The numbers of the callbacks on which the hook under way has yet to be called.
        """
        pending: Collection[int] = ()
        if self.progress is not None:
            if hooks.is_root:
                pending, is_complete = self.hand_out(hooks.callbacks)
                fit.model.stop_training |= self.progress.is_stopped and is_complete
            train, validation = self.progress.drawn
            fit.train.skip(train)
            if fit.validation is not None:
                fit.validation.skip(validation)
        return pending

    def check(self, facts: Mapping[str, Json], sums: int | None) -> None:
        """Fail unless training can go on as it would have: between epochs anything may change.

        Args:
            facts: what the place in an epoch depends on here.
            sums: number of the sums of what is measured here; None if that is not fixed.

        Raises:
            CheckpointError: names what differs.
        """
        progress = self.progress
        if progress is not None and not progress.is_whole:
            raise CheckpointError(
                f"{self.path}: was saved after an interruption within a step of epoch {progress.moment.epoch + 1}: "
                "weights and optimizer may be of different steps. Resume from a checkpoint, or load it and begin anew."
            )
        if progress is None or not progress.moment.is_within_epoch:
            return
        then, here = dict(progress.facts), dict(facts)
        if sums is not None:
            then["metrics"], here["metrics"] = f"{len(progress.sums)} sums", f"{sums} sums"
        for name in dict.fromkeys((*then, *here)):
            if then.get(name) != here.get(name):
                raise CheckpointError(
                    f"{self.path}: was saved within epoch {progress.moment.epoch + 1}, with {name} "
                    f"{then.get(name, 'unknown')}; here it is {here.get(name, 'unknown')}. Give fit the same to go on "
                    "within that epoch; only between epochs may it change."
                )

    def check_optimizer(self, optimizer: Optimizer) -> None:
        """Fail unless this optimizer has the settings that callbacks had changed.

        Raises:
            CheckpointError: it has no such options, or does not take these values.
        """
        changed = {} if self.progress is None else self.progress.optimizer
        try:
            optimizer.check_settings(changed)
        except (ArithmeticError, DistnetError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.path}: the optimizer cannot be configured as it was: {error}.") from error

    def hand_out(self, callbacks: CallbackList) -> tuple[list[int], bool]:
        """Give the callbacks their state, each known by its class and by its turn among those of one class.

        One that the file does not know begins afresh; a warning names one that is no longer there.

        Returns:
            The numbers of those that the hook under way has yet to be called on; whether all are still there.
        """
        records = [] if self.progress is None else list(self.progress.callbacks)
        pending = []
        for i, callback in enumerate(callbacks.callbacks):
            record = next((record for record in records if record.name == type(callback).__name__), None)
            if record is not None:
                records.remove(record)
                self._hand_over(callback, record)
                if record.is_pending:
                    pending.append(i)
        left = [record.name for record in records if record.state]
        if left:
            warnings.warn(
                f"{self.path}: holds the state of {', '.join(left)}, which is not among the callbacks any more: "
                "training goes on without it.",
                stacklevel=6,
            )
        return pending, not left

    def _hand_over(self, callback: Any, record: CallbackRecord) -> None:
        if not record.state:
            return
        if not hasattr(callback, "set_state"):
            raise CheckpointError(f"{self.path}: holds state of {record.name}, which has no set_state() to take it.")
        try:
            callback.set_state(record.state)
        except CheckpointError as error:
            raise CheckpointError(f"{self.path}: {error}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.path}: {record.name} cannot use its state: {error!r}.") from error


def note_shards(state: TrainingState, warns: bool) -> None:
    """Remember into how many fixed blocks the rows are divided; warn where a training goes on with another number.

    Args:
        state: of the training.
        warns: whether this rank is the one that warns.
    """
    blocks = fixed_blocks()
    if warns and state.step and state.shards not in (None, blocks):
        warnings.warn(
            f"this training took its {state.step} steps with reproducible_shards={state.shards} and goes on with "
            f"{blocks}: its last digits are no longer those that {state.shards} blocks give. Set "
            f"DataParallel(reproducible_shards={state.shards}) to go on with the same bits.",
            stacklevel=6,
        )
    state.shards = blocks


def restore_progress(
    model: TrainedModel, callbacks: Sequence[Any], path: str | os.PathLike[str] | None
) -> Resumption | None:
    """Give the model what a file holds; None where training begins anew.

    A backup that a callback keeps goes before ``path``: it is of a later moment.

    Args:
        path: that the user names, or None.

    Raises:
        CheckpointError: there is no such file, or no whole one, or it is not this training's.
    """
    fits = model.training_state.fits
    ranks = communicator()
    named = [c.resume_paths() for c in callbacks if hasattr(c, "resume_paths")] if ranks.rank == 0 else []
    backups = ranks.broadcast_object([path for paths in named for path in paths])
    try:
        restored = _restore_newest(model, backups) if backups else None
    except CheckpointError as error:
        raise CheckpointError(f"no backup can be resumed from: {error} Delete it to train afresh.") from error
    if restored is not None and model.training_state.fits > fits:
        raise CheckpointError(
            f"{restored}: belongs to a later call of fit, the {model.training_state.fits + 1}. of its model; this is "
            f"the {fits + 1}. Give each fit of a program a backup_dir of its own."
        )
    if restored is None and path is not None:
        named_path = checked_path("fit: resume", path)
        names_archive("fit: resume", named_path)  # where ``save_now`` will save
        restored = _restore_newest(model, ranks.broadcast_object(kept_files(named_path)) or [named_path])
    if restored is None:
        return None
    return Resumption(restored, model.training_state.progress, states_of_metrics(model))


def _restore_newest(model: TrainedModel, paths: Sequence[str]) -> str:
    """Restore the first of these files that every rank can read; warn of those before it; return its path.

    Raises:
        CheckpointError: there is no such file among them; says what is wrong with each.
    """
    ranks = communicator()
    failures: list[str] = []
    for path in paths:
        failure = None
        try:
            with examined_together(path, ranks):
                saving.restore_training(model, path)
        except CheckpointError as error:
            failure = str(error)
        failed = [told for told in ranks.allgather_object(failure) if told is not None]
        if not failed:
            if failures and ranks.rank == 0:
                warnings.warn(f"{' '.join(failures)} Training goes on from {path}.", stacklevel=5)
            return path
        failures += failed[:1]
    raise CheckpointError(" ".join(failures))
