"""train_on_batch, test_on_batch and predict_on_batch: the caller draws the batches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from distnet.comm.scope import communicator, meeting, on_all_ranks, refuse_in_callback_of
from distnet.comm.shares import shard
from distnet.comm.threads import one_blas_thread
from distnet.data.arrays import ArrayData
from distnet.parallel import replicas
from distnet.parallel.realigning import realign
from distnet.training import evaluation
from distnet.training.agreement import alike_on_ranks, model_facts
from distnet.training.batch_checks import BatchChecks
from distnet.training.block_steps import training_steps
from distnet.training.given import Given
from distnet.training.inputs import labelled_data
from distnet.training.kept_inference import inference
from distnet.training.kept_steps import KeptSteps, suiting_everywhere
from distnet.training.objective import Log
from distnet.training.own_steps import OwnObjective, OwnSteps
from distnet.training.step import TrainingSteps
from distnet.training.trained_model import TrainedModel
from distnet.types import Array


@on_all_ranks()
@one_blas_thread()
def train_on_batch(
    model: TrainedModel, x: Any, y: Any, sample_weight: Any, class_weight: Mapping[Any, float] | None
) -> dict[str, Log]:
    """One step on one global batch, which every rank is given whole; loss and metrics of that batch."""
    refuse_in_callback_of(model, "train_on_batch")
    with meeting("train_on_batch") as ranks:
        data = labelled_data(model, x, y, sample_weight, class_weight)
        data.check_finite(shard(data.rows, ranks.rank, ranks.size), model.dtype)
    _checks(model).compare(ranks, model, data)
    steps = _prepared(model, data)
    totals = model.totals = steps.objective.totals()
    sums = steps.train(data.batch(None, 0, data.rows, partial(shard, rank=ranks.rank, size=ranks.size)))
    totals.add(sums.loss, data.rows, sums.measured)
    logs: dict[str, Log] = totals.logs()
    return logs


@on_all_ranks()
@one_blas_thread()
def test_on_batch(model: TrainedModel, x: Any, y: Any, sample_weight: Any) -> dict[str, Log]:
    """Loss and metrics of one global batch, which every rank is given whole."""
    with meeting("test_on_batch") as ranks:
        data = labelled_data(model, x, y, sample_weight)
        data.check_finite(shard(data.rows, ranks.rank, ranks.size), model.dtype)
    _checks(model).compare(ranks, model, data)
    realign(ranks, model)
    objective = model.evaluation_objective(data)
    batch = data.batch(None, 0, data.rows, partial(shard, rank=ranks.rank, size=ranks.size))
    with inference(model, ranks) as kept:
        steps, objective = kept.measuring(objective)
        totals = model.totals = objective.totals()
        loss, sums = steps.test(batch, objective)
    totals.add(loss, data.rows, sums)
    totals.reduce(ranks)
    totals.loss_rows += steps.regularization() * data.rows
    logs: dict[str, Log] = totals.logs()
    return logs


def predict_on_batch(model: TrainedModel, x: Any) -> list[Array]:
    """Each output for one global batch, which every rank is given whole, on every rank."""
    given, ranks = Given(x, is_labelled=False), communicator()
    if ranks.size > 1 or given.is_sequence or given.is_generator or evaluation.is_of_batches(model):
        return evaluation.predict(model, x, None, 0, 1, ())
    with on_all_ranks(), one_blas_thread():
        data = given.arrays(model)
        with inference(model, ranks) as kept:
            return [y.copy() for y in kept.steps.forward(data.x, places=range(data.rows))]


def _checks(model: TrainedModel) -> BatchChecks:
    """The model's, which it keeps from call to call."""
    if not isinstance(model.batch_checks, BatchChecks):
        model.batch_checks = BatchChecks()
    return model.batch_checks


def _prepared(model: TrainedModel, data: ArrayData) -> TrainingSteps | OwnSteps:
    """The steps of the last call, or new ones, before the first of which the ranks agree on the weights."""
    kept, ranks = model.batch_steps, communicator()
    is_apart = ranks.size > 1 and model.training_state.errors != ranks.errors
    if isinstance(kept, OwnSteps) and not is_apart and kept.communicator.size == ranks.size:
        return kept
    objective = model.training_objective(data, is_known=True)
    has_own = isinstance(objective, OwnObjective)
    suiting = None if has_own else suiting_everywhere(kept, model, objective, ranks, is_apart)
    if suiting is not None:
        return suiting.steps
    realign(ranks, model)
    replicas.compare(ranks, lambda: model_facts(model))
    steps: TrainingSteps | OwnSteps
    if has_own:
        steps = model.batch_steps = OwnSteps(model, ranks, objective)
    else:
        steps = training_steps(model, objective, ranks)
        model.batch_steps = KeptSteps(steps)
    replicas.agree_on_weights(ranks, alike_on_ranks(model))
    return steps
