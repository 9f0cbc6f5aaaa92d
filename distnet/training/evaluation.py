"""evaluate and predict: every rank takes its rows, every rank gets the whole answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from distnet.callbacks import CallbackList, ProgbarLogger
from distnet.comm import Communicator
from distnet.comm.scope import communicator
from distnet.data.arrays import ArrayData
from distnet.network import Network
from distnet.parallel import replicas
from distnet.parallel.sharding import shard
from distnet.training.agreement import data_facts, model_facts
from distnet.training.hooks import Hooks
from distnet.training.inputs import array_data, labelled_data, positive, verbosity
from distnet.training.objective import Log, Objective, Totals, over_all_ranks
from distnet.training.steps import Steps
from distnet.types import Array


def evaluate(
    model: Network,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: str | int,
    sample_weight: Any,
    steps: int | None,
    callbacks: Sequence[Any],
) -> dict[str, Log]:
    """Loss and metrics over all rows, by key. See ``Model.evaluate``."""
    ranks = communicator()
    ranks.meet("evaluate")
    data = labelled_data(model, x, y, sample_weight)
    size = positive(32 if batch_size is None else batch_size, "batch_size")
    data.check_finite(shard(data.rows, ranks.rank, ranks.size))
    objective = model.objective(data)
    _agree(ranks, model, data, size, steps)
    batches = data.batches_per_epoch(size)
    if steps is not None:
        batches = min(batches, positive(steps, "steps"))
    hooks = _hooks(ranks, model, callbacks, verbose, batches)
    return run_evaluation(Steps(model, ranks), objective, data, size, batches, hooks)


def run_evaluation(
    steps: Steps, objective: Objective, data: ArrayData, batch_size: int, batches: int, hooks: Hooks
) -> dict[str, Log]:
    """Sum loss and metrics over ``batches`` global batches.

    One message at the end carries the sums, unless a callback wants to see them after each batch.
    """
    ranks = steps.communicator
    totals = Totals(objective)
    hooks.call("on_test_begin")
    hooks.share()
    parts = data.batches(batch_size, partial(shard, rank=ranks.rank, size=ranks.size))
    for i, batch in enumerate(islice(parts, batches)):
        hooks.call("on_test_batch_begin", i)
        hooks.share_after_test_batch()
        loss, metric_sums = steps.test(batch, objective)
        if hooks.follows_test_batches:
            loss, metric_sums = over_all_ranks(ranks, loss, metric_sums)
        totals.add(loss, batch.global_rows, metric_sums)
        if hooks.is_root:
            is_global = ranks.size == 1 or hooks.follows_test_batches
            hooks.call("on_test_batch_end", i, totals.logs() if is_global else {})
        hooks.share_after_test_batch()
    if not hooks.follows_test_batches:
        totals.reduce(ranks)
    totals.loss_rows += steps.regularization() * totals.rows
    logs = totals.logs()
    hooks.call("on_test_end", logs)
    hooks.share()
    return logs


def predict(
    model: Network, x: Any, batch_size: int | None, verbose: str | int, steps: int | None, callbacks: Sequence[Any]
) -> Array:
    """The outputs for all rows, in order, on every rank. See ``Model.predict``."""
    ranks = communicator()
    ranks.meet("predict")
    data = array_data(model, x, None)
    size = positive(32 if batch_size is None else batch_size, "batch_size")
    _agree(ranks, model, data, size, steps)
    rows = data.rows if steps is None else min(data.rows, positive(steps, "steps") * size)
    mine = shard(rows, ranks.rank, ranks.size)
    batches = -(-(mine.stop - mine.start) // size)
    hooks = _hooks(ranks, model, callbacks, verbose, batches)
    return ranks.allgather_rows(_predict_rows(Steps(model, ranks), data, mine, size, hooks))


def _agree(ranks: Communicator, model: Network, data: ArrayData, batch_size: int, steps: int | None) -> None:
    """Fail unless every rank asks the same of the same model; give every rank the weights of rank 0."""
    if ranks.size > 1:
        replicas.compare(ranks, {**model_facts(model), **data_facts(data, batch_size=batch_size, steps=steps)})
        replicas.broadcast_weights(ranks, model.variables)


def _hooks(ranks: Communicator, model: Network, callbacks: Sequence[Any], verbose: str | int, steps: int) -> Hooks:
    """The callbacks with a progress line, attached."""
    display = ProgbarLogger(verbosity(verbose))
    hooks = Hooks(ranks, model, CallbackList([*callbacks, display]))
    hooks.attach({"verbose": display.verbose, "epochs": 1, "steps": steps})
    return hooks


def _predict_rows(steps: Steps, data: ArrayData, rows: slice, batch_size: int, hooks: Hooks) -> Array:
    """The outputs for some rows; their array is made once the first batch shows its shape."""
    hooks.call("on_predict_begin")
    hooks.share()
    outputs: list[Array] = []
    for i, start in enumerate(range(rows.start, max(rows.stop, rows.start + 1), batch_size)):
        hooks.call("on_predict_batch_begin", i)
        part = slice(start, min(start + batch_size, rows.stop))
        (y,), _ = steps.forward([a[part] for a in data.x])
        outputs.append(y.copy())
        hooks.call("on_predict_batch_end", i, {})
    hooks.call("on_predict_end", {})
    return np.concatenate(outputs)
