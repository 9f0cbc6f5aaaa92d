"""The arguments of fit, checked: what to train on, what to validate on, how many steps."""

from __future__ import annotations

import warnings
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distnet import config
from distnet.arguments import check_integer
from distnet.comm import Communicator
from distnet.comm.scope import communicator, meeting, refuse_in_callback_of
from distnet.data.arrays import check_shuffle, naming
from distnet.data.reading_ahead import ReadingAhead
from distnet.data.sources import ArraySource, Source
from distnet.errors import ArgumentError
from distnet.training.given import Given, check_end, compare_kinds
from distnet.training.inputs import at_most, rows_of_a_batch, unpack_validation, verbosity
from distnet.training.trained_model import TrainedModel
from distnet.types import Json


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
    reading: ReadingAhead = ReadingAhead()


@dataclass(frozen=True)
class Fit:
    """One call of ``fit``, its arguments checked.

    Args:
        model: built.
        train: batches to train on.
        validation: batches to validate on, or None.
        options: as given.
        steps: batches of an epoch; None for those of a generator, to its end.
        optimizer: its configuration, before a file or a callback changed it.
    """

    model: TrainedModel
    train: Source
    validation: Source | None
    options: FitOptions
    steps: int | None
    optimizer: Mapping[str, Json]


def plan(model: TrainedModel, x: Any, y: Any, options: FitOptions, resume: Any = None) -> Fit:
    """Check the arguments of ``fit``; build the model if it waits for its input shape.

    Args:
        resume: the file to go on from, or None.

    Raises:
        ArgumentError, DataError, ReplicaError, ShapeError: see ``Model.fit``.
    """
    refuse_in_callback_of(model, "fit")
    with meeting("fit") as ranks:
        planned = _planned(model, x, y, options, ranks)
    compare_kinds(ranks, "fit", x=x, validation_data=options.validation_data, resume=resume)
    return planned


def _planned(model: TrainedModel, x: Any, y: Any, options: FitOptions, ranks: Communicator) -> Fit:
    check_integer("epochs", options.epochs, 0)
    check_integer("initial_epoch", options.initial_epoch, 0)
    verbosity(options.verbose)
    validates(0, options.validation_freq)
    for what in ("validation_steps", "validation_batch_size"):
        if getattr(options, what) is not None:
            check_integer(what, getattr(options, what), 1)
    check_shuffle(options.shuffle)
    options = _limited(options)
    given = Given(x, y, options.sample_weight, options.class_weight, model.needs_targets, options.reading)
    if given.is_sequence or given.is_generator:
        if options.validation_split:
            raise ArgumentError("validation_split is for arrays. Pass validation_data beside a generator or sequence.")
        train: Source = given.source(model, ranks, None, options.shuffle)
        return _fit(model, train, _validation(model, options, ranks), options)
    data, held_out = given.arrays(model), None
    if options.validation_data is None and options.validation_split:
        data, held_out = data.split(options.validation_split)
        if options.class_weight is not None:
            held_out = replace(held_out, weight=(None,) * len(held_out.weight))
    size = rows_of_a_batch(options.batch_size, data.rows, options.steps_per_epoch, "steps_per_epoch")
    train = ArraySource(data, size, ranks, options.shuffle)
    train.check(model.dtype)
    if held_out is not None:
        rows = options.validation_batch_size or options.batch_size
        rows = rows_of_a_batch(rows, held_out.rows, options.validation_steps)
        validation: Source | None = ArraySource(held_out, rows, ranks)
    else:
        validation = _validation(model, options, ranks)
    return _fit(model, train, validation, options)


def _fit(model: TrainedModel, train: Source, validation: Source | None, options: FitOptions) -> Fit:
    check_end(train, options.steps_per_epoch, "steps_per_epoch")
    steps = _steps(options, train.batches)
    return Fit(model, train, validation, options, steps, {} if model.optimizer is None else model.optimizer.settings())


def _validation(model: TrainedModel, options: FitOptions, ranks: Communicator) -> Source | None:
    """The batches of ``validation_data``."""
    data = options.validation_data
    if data is None:
        return None
    given = Given(data, is_labelled=model.needs_targets)
    if not given.is_sequence and not given.is_generator:
        parts = (data, None, None)
        if model.needs_targets or (isinstance(data, list | tuple) and len(data) in (2, 3)):
            parts = unpack_validation(data)
        given = Given(*parts, is_labelled=model.needs_targets)
    with naming("validation_data"):
        rows = options.validation_batch_size or options.batch_size
        source = given.source(model, ranks, rows, steps=options.validation_steps)
        source.check(model.dtype)
    return source


def _limited(options: FitOptions) -> FitOptions:
    """The options, with the epochs and steps that ``config.set_max_epochs`` and ``set_max_steps_per_epoch`` allow."""
    epochs = at_most(config.max_epochs(), options.epochs, "epochs")
    steps = config.max_steps_per_epoch()
    if steps is None and epochs == options.epochs:
        return options
    return replace(
        options,
        epochs=options.epochs if epochs is None else epochs,
        steps_per_epoch=at_most(steps, options.steps_per_epoch, "steps_per_epoch"),
        validation_steps=at_most(steps, options.validation_steps),
    )


def validates(epoch: int, frequency: int | Container[int]) -> bool:
    """Whether an epoch is followed by a validation.

    Raises:
        ArgumentError: the frequency is none.
    """
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % check_integer("validation_freq", frequency, 1) == 0
    if isinstance(frequency, Container) and not isinstance(frequency, str):
        return epoch + 1 in frequency
    raise ArgumentError(f"validation_freq: expected an integer or a list of epochs, received {frequency!r}.")


def _steps(options: FitOptions, available: int | None) -> int | None:
    if options.steps_per_epoch is None:
        return available
    wanted = check_integer("steps_per_epoch", options.steps_per_epoch, 1)
    if available is None:
        return wanted
    if wanted > available and communicator().rank == 0:
        warnings.warn(
            f"steps_per_epoch={wanted}, but the data has only {available} batches: epochs have {available} steps.",
            stacklevel=4,
        )
    return min(wanted, available)
