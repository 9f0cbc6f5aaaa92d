"""Calls of a graph's layers as intervals of a timeline, while a training is profiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.models.node import CallFacts, Node
from distnet.timeline import BACKWARD, EVALUATION, FORWARD

RunsCall = Callable[..., Any]
"""Takes a call's facts, and what the layer is called on."""


def timed(run: RunsCall, nodes: Sequence[Node], ctx: ForwardContext | BackwardContext) -> RunsCall:
    """``run``, each of whose calls is an interval if a profile is made, live and in the plan's repetitions.

    Args:
        nodes: of the graph.
    """
    timeline = ctx.timeline
    if timeline is None:
        return run
    names, category = call_names(nodes), BACKWARD
    if isinstance(ctx, ForwardContext):
        category = FORWARD if ctx.is_recorded else EVALUATION

    def timed_run(call: CallFacts, *args: Any) -> Any:
        plan, name = ctx.plan, names[call.number]
        if plan is not None:
            plan.calls.append(partial(timeline.begin, name, category))
        timeline.begin(name, category)
        made = run(call, *args)
        timeline.end()
        if plan is not None:
            plan.calls.append(timeline.end)
        return made

    return timed_run


def call_names(nodes: Sequence[Node]) -> list[str]:
    """The name of each node's layer; where a layer is called more than once, with the number of the call."""
    total, calls, names = Counter(node.layer for node in nodes), Counter[Any](), []
    for node in nodes:
        calls[node.layer] += 1
        number = f" (call {calls[node.layer]})" if total[node.layer] > 1 else ""
        names.append(f"{node.layer.name}{number}")
    return names
