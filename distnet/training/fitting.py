"""fit: epochs of global batches, the same result on any number of ranks."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np

from distnet import config
from distnet.callbacks import CallbackList, History, ProgbarLogger
from distnet.callbacks.console import say
from distnet.comm import Communicator
from distnet.comm.scope import communicator
from distnet.data.arrays import ArrayData, shuffled
from distnet.data.batch import Batch
from distnet.errors import ArgumentError
from distnet.network import Network, TrainingState
from distnet.parallel import replicas
from distnet.parallel.sharding import shard
from distnet.training.agreement import facts
from distnet.training.evaluation import run_evaluation
from distnet.training.hooks import Hooks
from distnet.training.inputs import labelled_data, naming, positive, unpack_validation, verbosity
from distnet.training.objective import Log, Objective, Totals
from distnet.training.steps import TrainingSteps


@dataclass(frozen=True)
class FitOptions:
    """The arguments of ``fit`` besides the data, as the user gave them. See ``Model.fit``."""

    batch_size: int | None = None
    epochs: int = 1
    verbose: str | int = "auto"
    callbacks: Sequence[Any] = ()
    validation_split: float = 0.0
    validation_data: Any = None
    shuffle: bool | str = True
    class_weight: Mapping[Any, float] | None = None
    sample_weight: Any = None
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    validation_batch_size: int | None = None
    validation_freq: int | Container[int] = 1


@dataclass
class Fit:
    """One call of ``fit``, its arguments checked.

    Args:
        model: built.
        train: rows to train on.
        validation: rows to validate on, or None.
        options: as given.
        batch_size: rows of a global batch.
        steps: batches of an epoch.
    """

    model: Network
    train: ArrayData
    validation: ArrayData | None
    options: FitOptions
    batch_size: int
    steps: int
    ranks: Communicator = field(default_factory=communicator)

    def resumed(self, state: TrainingState) -> Fit:
        """The same, from the epoch after the last one of ``state``."""
        first = state.epochs[-1] + 1 if state.epochs else self.options.initial_epoch
        return replace(self, options=replace(self.options, initial_epoch=first))

    def run(self, objective: Objective) -> History:
        """Train; return the record."""
        options, model = self.options, self.model
        verbose = verbosity(options.verbose)
        if self.validation is not None:
            with naming("validation_split" if options.validation_data is None else "validation_data"):
                model.objective(self.validation)
        self.ranks.meet("fit")
        steps = TrainingSteps(model, objective, self.ranks)
        replicas.compare(self.ranks, facts(model, self.train, self.validation, options, self.batch_size))
        replicas.broadcast_weights(self.ranks, model.variables)
        if verbose and self.ranks.size > 1 and self.ranks.rank == 0:
            _announce(self.ranks.size, self.ranks.blas_threads)
        self._begin_record()
        history = History()
        hooks = Hooks(self.ranks, model, CallbackList([*options.callbacks, ProgbarLogger(verbose)]))
        history.set_model(model)
        history.set_params({"verbose": verbose, "epochs": options.epochs, "steps": self.steps})
        hooks.attach(history.params)
        model.stop_training = False
        model.history = history
        hooks.call("on_train_begin")
        hooks.share()
        logs: dict[str, Any] = {}
        for epoch in range(options.initial_epoch, options.epochs):
            logs = self._epoch(epoch, steps, hooks)
            if model.stop_training:
                break
        steps.optimizer.finalize_variable_values(steps.store)
        hooks.call("on_train_end", logs)
        hooks.share()
        return history

    def _epoch(self, epoch: int, steps: TrainingSteps, hooks: Hooks) -> dict[str, Any]:
        model = self.model
        hooks.call("on_epoch_begin", epoch)
        hooks.share()
        totals = Totals(steps.objective)
        for i, batch in enumerate(self._batches(epoch)):
            if hooks.follows_batches:
                hooks.call("on_train_batch_begin", i)
                hooks.share_after_batch()
            result = steps.train(batch)
            model.stop_training = model.stop_training or result.stop
            totals.add(result.loss, batch.global_rows, result.metric_sums)
            if hooks.is_root:
                hooks.call("on_train_batch_end", i, totals.logs())
            hooks.share_after_batch()
            if model.stop_training:
                break
        logs: dict[str, Any] = totals.logs()
        if self.validation is not None and _validates(epoch, self.options.validation_freq):
            logs |= {f"val_{key}": value for key, value in self._validate(steps, hooks).items()}
        model.training_state.record(epoch, logs)
        recorded = set(logs)
        hooks.call("on_epoch_end", epoch, logs)
        logs = hooks.share(logs)
        model.training_state.amend(recorded, logs)
        if config.checks_replicas():
            replicas.compare_weights(self.ranks, steps.store.buffer)
        return logs

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """The global batches of an epoch.

        With fewer steps than the rows have batches, epochs go on where the last one stopped; which batches
        are an epoch's depends on its number alone, so that a resumed training meets the same ones.
        """
        share = partial(shard, rank=self.ranks.rank, size=self.ranks.size)
        passes = self.train.batches_per_epoch(self.batch_size)
        number, first = divmod(epoch * self.steps, passes)
        left = self.steps
        while left > 0:
            seed = self.model.training_state.seed
            order = shuffled(self.train.rows, self.batch_size, self.options.shuffle, seed, number)
            batches = min(left, passes - first)
            yield from islice(self.train.batches(self.batch_size, share, order, first), batches)
            left, number, first = left - batches, number + 1, 0

    def _validate(self, steps: TrainingSteps, hooks: Hooks) -> Mapping[str, Log]:
        data = self.validation
        if data is None:
            return {}
        size = self.options.validation_batch_size or self.batch_size
        batches = data.batches_per_epoch(size)
        if self.options.validation_steps is not None:
            batches = min(batches, self.options.validation_steps)
        return run_evaluation(steps, steps.objective, data, size, batches, hooks)

    def _begin_record(self) -> None:
        """A new record, unless this training goes on where the model's record ends."""
        state, first = self.model.training_state, self.options.initial_epoch
        goes_on = bool(first and state.epochs and state.epochs[-1] == first - 1)
        # Copies: the History of the training before keeps what it was.
        state.epochs = list(state.epochs) if goes_on else []
        state.history = {key: list(values) for key, values in state.history.items()} if goes_on else {}


def plan(model: Network, x: Any, y: Any, options: FitOptions) -> Fit:
    """Check the arguments of ``fit``; build the model if it waits for its input shape.

    Raises:
        ArgumentError, DataError, ShapeError: see ``Model.fit``.
    """
    positive(options.epochs, "epochs")
    positive(options.initial_epoch, "initial_epoch", least=0)
    verbosity(options.verbose)
    _validates(0, options.validation_freq)
    for what in ("validation_steps", "validation_batch_size"):
        if getattr(options, what) is not None:
            positive(getattr(options, what), what)
    train = labelled_data(model, x, y, options.sample_weight, options.class_weight)
    _check_finite(train)
    validation = None
    if options.validation_data is not None:
        x_val, y_val, weight = unpack_validation(options.validation_data)
        with naming("validation_data"):
            validation = labelled_data(model, x_val, y_val, weight)
            _check_finite(validation)
    elif options.validation_split:
        train, validation = train.split(options.validation_split)
        if options.class_weight is not None:
            validation = replace(validation, weight=(None,))
    batch_size = _batch_size(options, train.rows)
    shuffled(1, 1, options.shuffle, 0, 0)
    return Fit(model, train, validation, options, batch_size, _steps(options, train.batches_per_epoch(batch_size)))


def _check_finite(data: ArrayData) -> None:
    ranks = communicator()
    data.check_finite(shard(data.rows, ranks.rank, ranks.size))


def _batch_size(options: FitOptions, rows: int) -> int:
    if options.batch_size is not None:
        return positive(options.batch_size, "batch_size")
    if options.steps_per_epoch is not None:
        return -(-rows // positive(options.steps_per_epoch, "steps_per_epoch"))
    return 32


@cache
def _announce(size: int, blas_threads: int | None) -> None:
    """Say it once in a job, however often the model is fitted."""
    say(f"distnet: {size} ranks, {blas_threads} BLAS thread{'' if blas_threads == 1 else 's'} each")


def _steps(options: FitOptions, available: int) -> int:
    if options.steps_per_epoch is None:
        return available
    wanted = positive(options.steps_per_epoch, "steps_per_epoch")
    if wanted > available and communicator().rank == 0:
        warnings.warn(
            f"steps_per_epoch={wanted}, but the data has only {available} batches: epochs have {available} steps.",
            stacklevel=4,
        )
    return min(wanted, available)


def _validates(epoch: int, frequency: int | Container[int]) -> bool:
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % positive(frequency, "validation_freq") == 0
    if isinstance(frequency, Container) and not isinstance(frequency, str):
        return epoch + 1 in frequency
    raise ArgumentError(f"validation_freq: expected an integer or a list of epochs, received {frequency!r}.")
