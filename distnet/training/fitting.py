"""fit: epochs of global batches, the same result on any number of ranks."""

from __future__ import annotations

import warnings
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from distnet import config
from distnet.callbacks import CallbackList, History, ProgbarLogger
from distnet.callbacks.console import say
from distnet.comm import Communicator
from distnet.comm.scope import communicator
from distnet.data.arrays import ArrayData, shuffled
from distnet.errors import ArgumentError
from distnet.network import Network, TrainingState
from distnet.parallel import replicas
from distnet.parallel.sharding import shard
from distnet.saving import background
from distnet.training.agreement import facts
from distnet.training.evaluation import count_batches, run_evaluation
from distnet.training.hooks import Hooks
from distnet.training.inputs import naming, positive, unpack_validation, verbosity
from distnet.training.objective import Log, Objective, Totals
from distnet.training.sources import ArraySource, Given, Source
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
        train: batches to train on.
        validation: batches to validate on, or None.
        options: as given.
        steps: batches of an epoch; None for those of a generator, to its end.
        is_resumed: whether this goes on where a file ends.
    """

    model: Network
    train: Source
    validation: Source | None
    options: FitOptions
    steps: int | None
    is_resumed: bool = False
    ranks: Communicator = field(default_factory=communicator)

    def resumed(self, state: TrainingState) -> Fit:
        """The same, from the epoch after the last one of ``state``."""
        first = state.epochs[-1] + 1 if state.epochs else self.options.initial_epoch
        return replace(self, options=replace(self.options, initial_epoch=first), is_resumed=True)

    def run(self, objective: Objective) -> History:
        """Train; return the record, once the checkpoints stand."""
        try:
            return self._train(objective)
        finally:
            background.finish()

    def _train(self, objective: Objective) -> History:
        options, model = self.options, self.model
        verbose = verbosity(options.verbose)
        self._check_validation()
        steps = TrainingSteps(model, objective, self.ranks)
        replicas.compare(self.ranks, facts(model, self.train, self.validation, options, self.steps))
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
        if self.is_resumed:
            hooks.call("on_train_resume")
        hooks.share()
        has_ended = self.is_resumed and model.stop_training
        logs: dict[str, Any] = {}
        for epoch in range(options.initial_epoch, options.initial_epoch if has_ended else options.epochs):
            logs = self._epoch(epoch, steps, hooks) or logs
            if model.stop_training:
                break
        steps.optimizer.finalize_variable_values(steps.store)
        background.finish()  # callbacks may now delete or read what they wrote
        hooks.call("on_train_end", logs)
        background.finish()
        hooks.share()
        return history

    def _epoch(self, epoch: int, steps: TrainingSteps, hooks: Hooks) -> dict[str, Any]:
        model = self.model
        hooks.call("on_epoch_begin", epoch)
        hooks.share()
        totals = Totals(steps.objective)
        made = 0
        for i, batch in enumerate(self.train.epoch(epoch, self.steps, model.training_state.seed)):
            made = i + 1
            if hooks.follows_batches:
                hooks.call("on_train_batch_begin", i)
                hooks.share_after_batch()
            result = steps.train(batch)
            model.stop_training = model.stop_training or result.stop
            totals.add(result.loss, batch.global_rows, result.sums)
            if hooks.is_root:
                hooks.call("on_train_batch_end", i, totals.logs())
            hooks.share_after_batch()
            if model.stop_training:
                break
        self._notice_the_end(made)
        if not made:
            return {}
        logs: dict[str, Any] = totals.logs()
        if self.validation is not None and _validates(epoch, self.options.validation_freq):
            logs |= {f"val_{key}": value for key, value in self._validate(steps, hooks).items()}
        model.training_state.record(epoch, logs)
        hooks.call("on_epoch_end", epoch, logs)
        logs = hooks.share(logs)
        model.training_state.record(epoch, logs)  # anew, with what callbacks added
        if config.checks_replicas():
            replicas.compare_weights(self.ranks, steps.store.buffer)
        return logs

    def _check_validation(self) -> None:
        """Refuse targets that the loss cannot measure now, not after the first epoch."""
        if self.validation is not None:
            with naming("validation_split" if self.options.validation_data is None else "validation_data"):
                self.model.objective(self.validation.sample)

    def _notice_the_end(self, made: int) -> None:
        """Stop, with a warning, where the data ended before the epoch; a generator's first epoch sets its length.

        Source: ``keras.Model.fit``.
        """
        if self.steps is None and made:
            self.steps = made
        elif made < (self.steps or 1) and not self.model.stop_training:
            self.model.stop_training = True
            if self.ranks.rank == 0:
                warnings.warn(
                    f"The data ran out after {made} of {self.steps} steps of the epoch: training stops. Give a "
                    "generator that yields steps_per_epoch * epochs batches.",
                    stacklevel=5,
                )

    def _validate(self, steps: TrainingSteps, hooks: Hooks) -> Mapping[str, Log]:
        if self.validation is None:
            return {}
        batches = count_batches(self.validation, self.options.validation_steps, "validation_steps")
        return run_evaluation(steps, steps.objective, self.validation, batches, hooks)

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
    ranks = communicator()
    ranks.meet("fit")
    positive(options.epochs, "epochs")
    positive(options.initial_epoch, "initial_epoch", least=0)
    verbosity(options.verbose)
    _validates(0, options.validation_freq)
    for what in ("validation_steps", "validation_batch_size"):
        if getattr(options, what) is not None:
            positive(getattr(options, what), what)
    shuffled(1, 1, options.shuffle, 0, 0)
    given = Given(x, y, options.sample_weight, options.class_weight)
    if given.is_sequence or given.is_generator:
        if options.validation_split:
            raise ArgumentError("validation_split is for arrays. Pass validation_data beside a generator or sequence.")
        train: Source = given.source(model, ranks, 0, options.shuffle)
        return Fit(model, train, _validation(model, options, ranks, 32), options, _steps(options, train.batches))
    data, held_out = given.arrays(model), None
    if options.validation_data is None and options.validation_split:
        data, held_out = data.split(options.validation_split)
        if options.class_weight is not None:
            held_out = replace(held_out, weight=(None,) * len(held_out.weight))
    _check_finite(data)
    size = _batch_size(options, data.rows)
    train = ArraySource(data, size, ranks, options.shuffle)
    if held_out is not None:
        validation: Source | None = ArraySource(held_out, options.validation_batch_size or size, ranks)
    else:
        validation = _validation(model, options, ranks, size)
    return Fit(model, train, validation, options, _steps(options, train.batches))


def _validation(model: Network, options: FitOptions, ranks: Communicator, batch_size: int) -> Source | None:
    """The batches of ``validation_data``."""
    data = options.validation_data
    if data is None:
        return None
    given = Given(data)
    if not given.is_sequence and not given.is_generator:
        given = Given(*unpack_validation(data))
    with naming("validation_data"):
        source = given.source(model, ranks, options.validation_batch_size or batch_size)
        _check_finite(source.sample)
    return source


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


def _steps(options: FitOptions, available: int | None) -> int | None:
    if options.steps_per_epoch is None:
        return available
    wanted = positive(options.steps_per_epoch, "steps_per_epoch")
    if available is None:
        return wanted
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
