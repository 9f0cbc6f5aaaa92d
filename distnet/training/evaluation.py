"""evaluate and predict: every rank takes its rows, every rank gets the whole answer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from distnet import config
from distnet.arguments import check_integer
from distnet.callbacks import CallbackList, ProgbarLogger
from distnet.comm import Communicator
from distnet.comm.fixed_blocks import fixed_blocks
from distnet.comm.scope import communicator, meeting, on_all_ranks
from distnet.comm.shares import shard
from distnet.comm.threads import one_blas_thread
from distnet.data.arrays import ArrayData, naming
from distnet.data.batch import Batch
from distnet.data.sources import ArraySource, Source
from distnet.errors import DataError
from distnet.kernels import compiling_notice
from distnet.parallel import replicas
from distnet.parallel.data_checksums import compare_data
from distnet.parallel.realigning import realign
from distnet.parallel.step_checks import BatchLog
from distnet.training.agreement import alike_on_ranks, data_facts, model_facts
from distnet.training.fit_arguments import Fit, validates
from distnet.training.forward_steps import Steps
from distnet.training.given import Given, check_end, compare_kinds
from distnet.training.hooks import Hooks
from distnet.training.inputs import at_most, rows_of_a_batch, verbosity
from distnet.training.kept_inference import inference
from distnet.training.objective import Log, Objective, over_all_ranks
from distnet.training.own_steps import OwnSteps
from distnet.training.predictions import Predictions
from distnet.training.step import TrainingSteps
from distnet.training.trained_model import TrainedModel
from distnet.types import Array


@on_all_ranks()
def evaluate(
    model: TrainedModel,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: str | int,
    sample_weight: Any,
    steps: int | None,
    callbacks: Sequence[Any],
) -> dict[str, Log]:
    """Loss and metrics over all rows, by key. See ``Model.evaluate``."""
    with meeting("evaluate") as ranks:
        steps = at_most(config.max_steps_per_epoch(), steps, "steps")
        source = Given(x, y, sample_weight, is_labelled=model.needs_targets).source(
            model, ranks, batch_size, steps=steps
        )
        source.check(model.dtype)
    compare_kinds(ranks, "evaluate", x=x)
    objective = model.evaluation_objective(source.sample)
    _agree(ranks, model, source.sample, batch_size, steps)
    batches = count_batches(source, steps, "steps")
    hooks = _hooks(ranks, model, callbacks, verbose, batches)
    with inference(model, ranks) as kept:
        kept.steps.forget_draws()
        logs = run_evaluation(*kept.measuring(objective), source, batches, hooks)
    hooks.share_kept()
    if not logs:
        raise _run_dry(batches)
    return logs


def count_batches(source: Source, wanted: int | None, what: str) -> int | None:
    """How many batches to take: as many as are wanted, at most all; None for a generator that is read to its end."""
    check_end(source, wanted, what)
    if wanted is None:
        return source.batches
    wanted = check_integer(what, wanted, 1)
    return wanted if source.batches is None else min(wanted, source.batches)


def _batches(source: Source, wanted: int | None) -> Iterator[Batch]:
    """The batches to evaluate or predict; warns where a generator ends before the last."""
    made = 0
    for batch in source.epoch(0, wanted):
        made += 1
        yield batch
    if 0 < made < (wanted or 0) and communicator().rank == 0:
        warnings.warn(f"The data ran out after {made} of {wanted} steps: the result is of these.", stacklevel=5)


def _run_dry(wanted: int | None) -> DataError:
    return DataError(f"expected {wanted or 'some'} batches, received none: the generator has run dry.")


@one_blas_thread()
def run_evaluation(
    steps: Steps, objective: Objective, source: Source, batches: int | None, hooks: Hooks
) -> dict[str, Log]:
    """Sum loss and metrics over ``batches`` global batches, or all, or until ``stop_evaluating``; {} if there is none.

    One message at the end carries the sums, unless a callback wants to see them after each batch.
    """
    ranks = steps.communicator
    totals = steps.model.totals = objective.totals()
    steps.model.stop_evaluating = False
    hooks.call("on_test_begin")
    hooks.share()
    acts = hooks.is_root and hooks.callbacks.acts_in_test_batches
    log = BatchLog(ranks)
    for i, batch in enumerate(_batches(source, batches)):
        log.add(batch.checksums)
        if acts:
            hooks.call("on_test_batch_begin", i)
        hooks.share_after_test_batch()
        loss, sums = steps.test(batch, objective)
        if hooks.follows_test_batches:
            loss, sums = over_all_ranks(ranks, loss, sums)
        totals.add(loss, batch.global_rows, sums)
        if acts:
            is_global = ranks.size == 1 or hooks.follows_test_batches
            hooks.call("on_test_batch_end", i, totals.logs() if is_global else {})
        hooks.share_after_test_batch()
        if steps.model.stop_evaluating:
            break
    log.compare(steps.drawn)
    if totals.rows and not hooks.follows_test_batches:
        totals.reduce(ranks)
    totals.loss_rows += steps.regularization() * totals.rows
    logs = totals.logs() if totals.rows else {}
    hooks.call("on_test_end", logs)
    hooks.share()
    return logs


def check_validation(fit: Fit) -> None:
    """Refuse targets that the loss cannot measure now, not after the first epoch."""
    if fit.validation is not None:
        count_batches(fit.validation, fit.options.validation_steps, "validation_steps")
        with naming("validation_split" if fit.options.validation_data is None else "validation_data"):
            fit.model.evaluation_objective(fit.validation.sample)


def validate(fit: Fit, steps: TrainingSteps | OwnSteps, hooks: Hooks, epoch: int) -> dict[str, Log]:
    """Loss and metrics of the validation data after an epoch, by key; {} where the epoch is not validated."""
    source, options = fit.validation, fit.options
    if source is None or not validates(epoch, options.validation_freq):
        return {}
    batches = count_batches(source, options.validation_steps, "validation_steps")
    objective = steps.evaluated or fit.model.evaluation_objective(source.sample)
    logs = run_evaluation(steps, objective, source, batches, hooks)
    if not logs and steps.communicator.rank == 0:
        warnings.warn(
            f"The validation data ran out: epoch {epoch + 1} is not validated. Give a generator that "
            "yields validation_steps * epochs batches, or one that never ends and validation_steps.",
            stacklevel=5,
        )
    return {f"val_{key}": value for key, value in logs.items()}


@on_all_ranks()
def predict(
    model: TrainedModel, x: Any, batch_size: int | None, verbose: str | int, steps: int | None, callbacks: Sequence[Any]
) -> list[Array]:
    """Each output for all rows, in order, on every rank. See ``Model.predict``."""
    given = Given(x, is_labelled=False)
    has_batches = given.is_sequence or given.is_generator
    with meeting("predict") as ranks:
        steps = at_most(config.max_steps_per_epoch(), steps, "steps")
        data = None if has_batches else given.arrays(model)
        size = rows_of_a_batch(batch_size, 0 if data is None else data.rows, steps)
    compare_kinds(ranks, "predict", x=x)
    if data is None:
        source = given.source(model, ranks, None)
        batches = count_batches(source, steps, "steps")
        _agree(ranks, model, source.sample, size, steps)
        return _predict_batches(model, source, batches, _hooks(ranks, model, callbacks, verbose, batches))
    _agree(ranks, model, data, size, steps)
    rows = data.rows if steps is None else min(data.rows, check_integer("steps", steps, 1) * size)
    # Callbacks count, and may stop at, batches of all ranks.
    if is_of_batches(model) or (callbacks and CallbackList(callbacks).follows_predict_batches):
        rows_in_order = ArraySource(data, size, ranks)
        batches = count_batches(rows_in_order, steps, "steps")
        hooks = _hooks(ranks, model, callbacks, verbose, batches)
        return _predict_batches(model, rows_in_order, batches, hooks, rows)
    mine = shard(rows, ranks.rank, ranks.size)
    hooks = _hooks(ranks, model, callbacks, verbose, -(-(mine.stop - mine.start) // size))
    with inference(model, ranks) as kept:
        outputs = _predict_rows(kept.steps, data, mine, size, hooks)
    return [_all_rows(ranks, y) for y in outputs]


def is_of_batches(model: TrainedModel) -> bool:
    """Whether a prediction must be made of whole batches, each by all ranks.

    A user's call may compute with rows of the whole batch; a stateful layer's rows go on in the next batch. Fixed
    blocks are those of a batch of all ranks, too.
    """
    depends_on_batch = model.walks.once(model, "depends on batch", lambda: model.depends_on_batch)
    return depends_on_batch or model.has_own("predict") or fixed_blocks() is not None


def _all_rows(ranks: Communicator, rows: Array) -> Array:
    """The rows of all ranks; strings are sent as objects."""
    if rows.dtype.kind != "O":
        return ranks.allgather_rows(rows)
    return np.concatenate(ranks.allgather_object(rows))


def _predict_batches(
    model: TrainedModel, source: Source, batches: int | None, hooks: Hooks, rows: int | None = None
) -> list[Array]:
    """Each output for batches until ``stop_predicting``; every batch is gathered from all ranks.

    Args:
        rows: of all batches; None if that is unknown.

    Raises:
        DataError: there is none.
    """
    ranks, outputs = hooks.communicator, Predictions(rows)
    model.stop_predicting = False
    hooks.call("on_predict_begin")
    hooks.share()
    log = BatchLog(ranks)
    with one_blas_thread(), inference(model, ranks) as kept:
        kept.steps.forget_draws()
        own = OwnSteps(model, ranks) if model.has_own("predict") else None
        for i, batch in enumerate(_batches(source, batches)):
            log.add(batch.checksums)
            hooks.call("on_predict_batch_begin", i)
            hooks.share_after_predict_batch()
            if own is not None:
                made = outputs.take(own.predict(batch), batch.global_rows)
            else:
                y = kept.steps.forward(batch.x, batch.first_row, batch.places, batch.global_rows)
                made = outputs.take([_all_rows(ranks, part) for part in y], batch.global_rows)
            hooks.call("on_predict_batch_end", i, {"outputs": model.as_given(made) if own is None else made})
            hooks.share_after_predict_batch()
            if model.stop_predicting:
                break
    log.compare((own or kept.steps).drawn)
    hooks.call("on_predict_end", {})
    hooks.share()
    hooks.share_kept()
    if not outputs:
        raise _run_dry(batches)
    return outputs.arrays()


def _agree(
    ranks: Communicator, model: TrainedModel, data: ArrayData, batch_size: int | None, steps: int | None
) -> None:
    """Fail unless every rank asks the same of the same model; give every rank the weights of rank 0."""
    if ranks.size > 1:
        realign(ranks, model)
        replicas.compare(ranks, lambda: {**model_facts(model), **data_facts(data, batch_size=batch_size, steps=steps)})
        compare_data(ranks, data.named())
        replicas.agree_on_weights(ranks, alike_on_ranks(model))


def _hooks(
    ranks: Communicator, model: TrainedModel, callbacks: Sequence[Any], verbose: str | int, steps: int | None
) -> Hooks:
    """The callbacks, with a progress line unless it is silent, attached."""
    verbose = verbosity(verbose)
    compiling_notice.listen(None)
    hooks = Hooks(ranks, model, CallbackList([*callbacks, ProgbarLogger(verbose)] if verbose else callbacks))
    hooks.attach({"verbose": verbose, "epochs": 1, "steps": steps})
    return hooks


@one_blas_thread()
def _predict_rows(steps: Steps, data: ArrayData, rows: slice, batch_size: int, hooks: Hooks) -> list[Array]:
    """Each output for some rows."""
    hooks.call("on_predict_begin")
    hooks.share()
    outputs = Predictions(rows.stop - rows.start)
    acts = hooks.is_root and hooks.callbacks.acts_in_predict_batches
    for i, start in enumerate(range(rows.start, max(rows.stop, rows.start + 1), batch_size)):
        if acts:
            hooks.call("on_predict_batch_begin", i)
        part = slice(start, min(start + batch_size, rows.stop))
        y = steps.forward([a[part] for a in data.x], places=range(data.rows)[part])
        outputs.take(y, part.stop - part.start)
        if acts:
            hooks.call("on_predict_batch_end", i, {})
    hooks.call("on_predict_end", {})
    hooks.share()
    hooks.share_kept()
    return outputs.arrays()
