"""The arguments of fit, checked: what to train on, what to validate on, how many steps."""

from __future__ import annotations

import warnings
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distnet.comm import Communicator
from distnet.comm.scope import communicator, meeting, refuse_in_callback_of
from distnet.data.arrays import shuffled
from distnet.errors import ArgumentError
from distnet.network import Network
from distnet.training.inputs import naming, positive, unpack_validation, verbosity
from distnet.training.sources import ArraySource, Given, Source, check_end
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

    model: Network
    train: Source
    validation: Source | None
    options: FitOptions
    steps: int | None
    optimizer: Mapping[str, Json]


def plan(model: Network, x: Any, y: Any, options: FitOptions) -> Fit:
    """Check the arguments of ``fit``; build the model if it waits for its input shape.

    Raises:
        ArgumentError, DataError, ShapeError: see ``Model.fit``.
    """
    refuse_in_callback_of(model, "fit")
    with meeting("fit") as ranks:
        return _planned(model, x, y, options, ranks)


def _planned(model: Network, x: Any, y: Any, options: FitOptions, ranks: Communicator) -> Fit:
    positive(options.epochs, "epochs", least=0)
    positive(options.initial_epoch, "initial_epoch", least=0)
    verbosity(options.verbose)
    validates(0, options.validation_freq)
    for what in ("validation_steps", "validation_batch_size"):
        if getattr(options, what) is not None:
            positive(getattr(options, what), what)
    shuffled(1, 1, options.shuffle, 0, 0)
    given = Given(x, y, options.sample_weight, options.class_weight)
    if given.is_sequence or given.is_generator:
        if options.validation_split:
            raise ArgumentError("validation_split is for arrays. Pass validation_data beside a generator or sequence.")
        train: Source = given.source(model, ranks, 0, options.shuffle)
        return _fit(model, train, _validation(model, options, ranks, 32), options)
    data, held_out = given.arrays(model), None
    if options.validation_data is None and options.validation_split:
        data, held_out = data.split(options.validation_split)
        if options.class_weight is not None:
            held_out = replace(held_out, weight=(None,) * len(held_out.weight))
    size = _batch_size(options, data.rows)
    train = ArraySource(data, size, ranks, options.shuffle)
    train.check(model.dtype)
    if held_out is not None:
        validation: Source | None = ArraySource(held_out, options.validation_batch_size or size, ranks)
    else:
        validation = _validation(model, options, ranks, size)
    return _fit(model, train, validation, options)


def _fit(model: Network, train: Source, validation: Source | None, options: FitOptions) -> Fit:
    check_end(train, options.steps_per_epoch, "steps_per_epoch")
    steps = _steps(options, train.batches)
    return Fit(
        model, train, validation, options, steps, {} if model.optimizer is None else model.optimizer.get_config()
    )


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
        source.check(model.dtype)
    return source


def _batch_size(options: FitOptions, rows: int) -> int:
    if options.batch_size is not None:
        return positive(options.batch_size, "batch_size")
    if options.steps_per_epoch is not None:
        return -(-rows // positive(options.steps_per_epoch, "steps_per_epoch"))
    return 32


def validates(epoch: int, frequency: int | Container[int]) -> bool:
    """Whether an epoch is followed by a validation.

    Raises:
        ArgumentError: the frequency is none.
    """
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % positive(frequency, "validation_freq") == 0
    if isinstance(frequency, Container) and not isinstance(frequency, str):
        return epoch + 1 in frequency
    raise ArgumentError(f"validation_freq: expected an integer or a list of epochs, received {frequency!r}.")


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
