"""The directed acyclic graph of a model's layers, run forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, Protocol, TypeGuard, cast

import numpy as np

from distnet.activations import Activation
from distnet.errors import ArgumentError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.input_layer import InputLayer
from distnet.layers.engine.plan import Planned, Standing, WholeCall, is_repeated
from distnet.layers.engine.user_call import call_of_node
from distnet.layers.operations import Operation
from distnet.models import fusing
from distnet.models.fusing import is_built_in
from distnet.models.graph_tape import Tape, saved_by
from distnet.models.node import CallFacts, Node, is_any, one_or_list
from distnet.models.timed_calls import timed
from distnet.types import Array, Json


def calls_of(layer: Layer) -> int:
    """The number of layer calls that one call of this layer makes, itself included."""
    if has_graph(layer):
        return 1 + layer.graph.calls
    return 1 + sum(calls_of(inner) for _, inner in layer.inner_layers())


class HasGraph(Protocol):
    """A layer that is a graph of layers."""

    graph: Graph


def has_graph(layer: object) -> TypeGuard[HasGraph]:
    """Whether it is one: ``isinstance`` takes a hundred times longer to tell, and every ``fit`` asks."""
    return hasattr(layer, "graph")


class Graph:
    """Layer calls in an order in which every input is made before it is used.

    Args:
        nodes: the calls, in that order.
        inputs: numbers of the tensors that the caller provides.
        outputs: numbers of the tensors that the caller gets.
        as_in_keras_2: whether a call's own ``training`` holds in every mode. In Keras 3 it holds where the caller
            names no mode: ``fit``, ``evaluate`` and ``predict`` name theirs.
        numbers: of the calls, by which their random numbers are drawn; by default those of the nodes.
    """

    def __init__(
        self, nodes: Sequence[Node], inputs: Sequence[int], outputs: Sequence[int], as_in_keras_2: bool = False,
        numbers: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self.nodes = tuple(nodes)
        self.numbers = tuple(range(len(nodes)) if numbers is None else numbers)
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.as_in_keras_2 = as_in_keras_2
        self.without_batch: str | None = None
        """A tensor whose first axis is not the batch, and the layer that reads it: ranks cannot share its rows."""

    @cached_property
    def calls(self) -> int:
        """The number of layer calls in one run, including those within models."""
        return sum(calls_of(node.layer) for node in self.nodes)

    @property
    def final_activations(self) -> list[Activation | None]:
        """For each output the activation that makes it, if its layer can leave that out; else None."""
        activations: list[Activation | None] = []
        for tensor in self.outputs:
            node = next((node for node in self.nodes if tensor in node.outputs), None)
            is_read = any(tensor in reader.inputs for reader in self.nodes)
            if node is None or is_read or self.outputs.count(tensor) > 1:
                activations.append(None)
            elif has_graph(node.layer):
                activations.append(node.layer.graph.final_activations[node.outputs.index(tensor)])
            else:
                is_plain = len(node.inputs) == 1 and node.options.keys() <= {"training"}
                activations.append(_final_activation(node.layer) if is_plain else None)
        return activations

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each once, in the order of their first call."""
        return tuple(dict.fromkeys(node.layer for node in self.nodes))

    @cached_property
    def layers_without_entries(self) -> tuple[Layer, ...]:
        """The layers that compute."""
        return tuple(layer for layer in self.layers if not isinstance(layer, InputLayer))

    @cached_property
    def _is_built_in(self) -> bool:
        """Whether no layer is of a user's class, who might keep gradients that a later call overwrites."""
        return all(map(_is_all_built_in, self.layers))

    @cached_property
    def can_be_lent(self) -> bool:
        """Whether a call within a user's step may be planned: see ``lent_calls``."""
        return self._is_built_in and self.without_batch is None and not any(map(_varies, self.layers))

    def _shares_memory(self, layer: Layer, saved: Any) -> bool:
        """Whether gradients that the layer makes may lie where earlier ones did: repetitions make them there, too."""
        return self._is_built_in and is_repeated(layer) and not isinstance(saved, WholeCall)

    def wiring(self) -> Json:
        """Which layer is called on what, and what operations compute, by numbers: automatic names may differ."""
        numbers = {layer: i for i, layer in enumerate(self.layers)}
        calls: list[Json] = []
        for node in self.nodes:
            inner = node.layer.graph.wiring() if has_graph(node.layer) else None
            computed = node.layer.described(node.options) if isinstance(node.layer, Operation) else inner
            called = {"layer": f"{numbers[node.layer]}, {type(node.layer).__name__}"}
            calls.append({**called, "inputs": node.inputs, "outputs": node.outputs, "computes": computed})
        return {"calls": calls, "inputs": self.inputs, "outputs": self.outputs}

    def takes_integers(self, number: int) -> bool:
        """Whether all layers that read input ``number`` take integers as they are."""
        readers = [node.layer for node in self.nodes if self.inputs[number] in node.inputs]
        return bool(readers) and all(layer.takes_integers for layer in readers)

    def forward(
        self, inputs: Sequence[Array], ctx: ForwardContext, masks: Sequence[Array | None] | None = None
    ) -> tuple[list[Array], Tape]:
        """The outputs, and the tape for ``backward``; the context is left as it was."""
        self._check_batch_axis(ctx)
        path, training, options, wanted, slopes = ctx.call, ctx.training, ctx.options, ctx.logits, ctx.wanted
        calls = ctx.workspaces.once(
            (self, path, training, wanted, slopes), lambda: self._facts_forward(path, training, wanted, slopes)
        )
        tensors = dict(zip(self.inputs, inputs, strict=True))
        known = dict(zip(self.inputs, masks, strict=True)) if masks else {}
        tape = Tape(ctx.global_rows, rows=ctx.rows(len(inputs[0])))
        ctx.do(tape.forget_penalties)
        run = timed(self._run, self.nodes, ctx)
        for call in calls:
            node, layer = call.node, call.node.layer
            ctx.call, ctx.options, ctx.training, ctx.logits = call.path, node.options, call.training, call.logits
            ctx.wanted = call.wanted
            x = one_or_list([_as_taken(layer, tensors[t], f"input {t}", ctx) for t in node.computed_from])
            ctx.mask, mask = node.masks(tensors, known, ctx)
            if call.behind is not None:
                fusing.hand_over(call.behind, self.nodes, x, tensors, call.number, tape, ctx)
            ctx.left = tape.left.get(call.number)
            y, saved = run(call, x, tape, ctx)
            ctx.plus, ctx.then, ctx.is_left, ctx.left = None, "linear", False, None
            if call.logits:
                y = self._with_logits(call, y, saved, tape, ctx)
            made = y if isinstance(y, list) else [y]
            tensors.update(zip(node.outputs, made, strict=True))
            made_masks = self._masks_after(layer, x, mask, tape, ctx)
            if made_masks is not None:
                each = made_masks if isinstance(made_masks, list) else [made_masks] * len(made)
                known.update(zip(node.outputs, each, strict=True))
            if call.has_penalty:
                ctx.do(tape.penalize, call.number, layer, made, ctx.turn)
            if len(made) > 1 or layer.activity_regularizer is not None:
                tape.outputs[call.number] = made
        ctx.call, ctx.training, ctx.options, ctx.logits, ctx.wanted = path, training, options, wanted, slopes
        tape.masks = [known.get(t) for t in self.outputs]
        return [ctx.contiguous(f"output {t}", tensors[t]) for t in self.outputs], tape

    def _check_batch_axis(self, ctx: ForwardContext) -> None:
        if ctx.is_spread and self.without_batch is not None:
            raise ArgumentError(
                f"expected tensors whose first axis is the batch, whose rows the ranks share; received "
                f"{self.without_batch}. Keep the batch axis first, or start one process."
            )

    def _run(self, call: CallFacts, x: Any, tape: Tape, ctx: ForwardContext) -> tuple[Any, Any]:
        """What a call makes and saves; the tape gets what ``backward`` is to be handed."""
        layer = call.node.layer
        if call.number in tape.done:
            tape.saved.append(None)
            return (x[tape.done[call.number]] if isinstance(x, list) else x), None
        if ctx.plan is not None and not _repeats(layer, is_any(ctx.mask)):
            whole = WholeCall(layer, ctx, ctx.plan)
            tape.saved.append(whole)
            y, saved = whole.forward(x)
        else:
            y, saved = layer.forward(x, ctx)
            tape.saved.append(saved)
        return y, saved

    @staticmethod
    def _masks_after(layer: Layer, x: Any, mask: Any, tape: Tape, ctx: ForwardContext) -> Any:
        """The masks of a call's outputs, the latest of the tape; in a plan they are made at each repetition."""
        kept = tape.saved[-1]
        made = layer.mask_after(x, mask, saved_by(kept))
        if ctx.plan is None or (is_built_in(layer) and (made is mask or made is None)):
            return made
        standing = Standing(made, f"{layer.name}: a mask")
        ctx.plan.note(lambda: standing.put(layer.mask_after(x, mask, saved_by(kept))), layer.mask_after)
        return standing.arrays

    def _facts_forward(
        self, path: tuple[int, ...], training: bool | None, wanted: frozenset[int], slopes: frozenset[int] | None
    ) -> list[CallFacts]:
        """The calls of a run forward in this mode that keeps the logits of these outputs."""
        calls, kept = self._facts(path), {self.outputs[number] for number in wanted}
        inputs = {tensor for i, tensor in enumerate(self.inputs) if slopes is None or i in slopes}
        behind = self._tensors_behind_variables(inputs)
        for i, call in enumerate(calls):
            own: bool | None = call.node.options.get("training")
            mode = own if own is not None and (training is None or self.as_in_keras_2) else training
            logits = frozenset(k for k, t in enumerate(call.node.outputs) if t in kept)
            places = frozenset(i for i, tensor in enumerate(call.node.computed_from) if tensor in behind)
            calls[i] = replace(call, training=mode, logits=logits, wanted=places)
        return calls

    def _facts(self, path: tuple[int, ...]) -> list[CallFacts]:
        trained = self._tensors_behind_variables(set())
        return [
            CallFacts(
                node, i, (*path, number), node.layer.activity_regularizer is not None or node.layer.has_penalty,
                behind=fusing.behind(self.nodes, self.outputs, trained, node),
            )
            for i, (number, node) in enumerate(zip(self.numbers, self.nodes, strict=True))
        ]  # fmt: skip

    def on_tensors(self, inputs: Sequence[Any], training: bool | None) -> list[Any]:
        """The outputs for tensors, which the layers are called on one after the other."""
        known = dict(zip(self.inputs, inputs, strict=True))
        for node in self.nodes:
            own = node.options.get("training")
            mode = own if own is not None and (training is None or self.as_in_keras_2) else training
            made = call_of_node(
                node.layer, [known[t] for t in node.computed_from], node.options, mode,
                None if node.given_mask is None else [None if i is None else known[node.inputs[i]] for i in
                                                      node.given_mask.places],
            )  # fmt: skip
            known.update(zip(node.outputs, made, strict=True))
        return [known[t] for t in self.outputs]

    def backward(
        self, tape: Tape, output_gradients: Sequence[Array | None], ctx: BackwardContext
    ) -> list[Array | None]:
        """Pass every variable its gradient, the last layer's first; return the gradients of the inputs.

        The gradient of an output whose logits the tape has is that of the logits. An input that nothing trained
        depends on, or that has no gradient, gets None, unless the context wants all.
        """
        path, options, wants_all = ctx.call, ctx.options, ctx.needs_input_gradient
        calls = ctx.workspaces.once((self, path, wants_all), lambda: self._facts_backward(path, wants_all))
        run = timed(_backward, self.nodes, ctx)
        short_lived, ctx.short_lived = ctx.short_lived, None
        if short_lived is not None:
            short_lived.begin()
        gradients: dict[int, Array] = {}
        for tensor, dy in zip(self.outputs, output_gradients, strict=True):
            _accumulate(gradients, tensor, dy, ctx)
        for call in calls:
            node, layer = call.node, call.node.layer
            parts = [gradients.pop(t, None) for t in node.outputs]
            if not call.has_penalty and all(p is None for p in parts):
                continue
            tensors = node.computed_from
            ctx.call, ctx.options = call.path, node.options
            ctx.needs_input_gradient = not call.wanted.isdisjoint(tensors)
            ctx.is_of_logits = call.number in tape.apart
            ctx.short_lived = short_lived if self._shares_memory(layer, tape.saved[call.number]) else None
            whole = (tape.of_logits if ctx.is_of_logits else tape.with_penalty)(call.number, layer, parts, ctx)
            dys = [p if p is None else _as_taken(layer, p, f"gradient {k}", ctx) for k, p in enumerate(whole)]
            if call.number in tape.done:
                dx = [dys[0] if i == tape.done[call.number] else None for i in range(len(tensors))]
            else:
                dx = run(call, one_or_list(dys), tape.saved[call.number], ctx)
            ctx.end_call()
            if call.wanted:
                tensors += call.added if call.number in tape.added else ()
                for tensor, part in zip(tensors, dx if isinstance(dx, list) else [dx], strict=True):
                    if tensor in call.wanted:
                        _accumulate(gradients, tensor, part, ctx)
            if short_lived is not None:
                short_lived.keep(gradients.values())
        ctx.short_lived = None
        ctx.call, ctx.options, ctx.needs_input_gradient, ctx.is_of_logits = path, options, wants_all, False
        return [ctx.contiguous(f"input gradient {t}", gradients[t]) if t in gradients else None for t in self.inputs]

    def _facts_backward(self, path: tuple[int, ...], wants_all: bool) -> list[CallFacts]:
        """The calls that the gradients of trained variables depend on, and of all inputs where they are wanted."""
        behind = self._tensors_behind_variables(set(self.inputs) if wants_all else set())
        calls = [call for call in reversed(self._facts(path)) if call.node.outputs[0] in behind]
        return [replace(call, wanted=behind.intersection((*call.node.computed_from, *call.added))) for call in calls]

    def _with_logits(self, call: CallFacts, y: Any, saved: Any, tape: Tape, ctx: ForwardContext) -> Any:
        """Keep the logits of a call's outputs; what the layer makes of them."""
        numbers = [self.outputs.index(call.node.outputs[k]) for k in sorted(call.logits)]
        if isinstance(saved, Tape):
            tape.keep_logits(numbers, saved)
            return y
        activation = cast("Activation", _final_activation(call.node.layer))
        tape.logits[numbers[0]] = y
        made = ctx.workspace("activated", y.shape, y.dtype)
        ctx.do(activation.forward, y, out=made)
        tape.apart[call.number] = activation, y if activation.saves_input else made
        return made

    def _tensors_behind_variables(self, inputs: set[int]) -> frozenset[int]:
        """The tensors that a variable being trained has a part in, or one of ``inputs``."""
        behind = set(inputs)
        for node in self.nodes:
            if any(v.is_trained for v in node.layer.variables) or behind.intersection(node.inputs):
                behind.update(node.outputs)
        return frozenset(behind)


def _final_activation(layer: Layer) -> Activation | None:
    """The activation that a layer's ``forward`` leaves out if the context says so; None if its class cannot."""
    if not _leaves_logits(type(layer)):
        return None
    return cast("Activation", getattr(layer, "elementary", None) or cast(Any, layer).activation)


@cache
def _leaves_logits(kind: type[Layer]) -> bool:
    owner = next(cls for cls in kind.__mro__ if "forward" in vars(cls))
    return bool(vars(owner).get("leaves_logits", False))


def _varies(layer: Layer) -> bool:
    """Whether a layer, or one within, has results of shapes that cannot be foreseen, or penalizes activities."""
    is_penalized = layer.activity_regularizer is not None or layer.has_penalty
    return layer.varies_in_shape or is_penalized or any(_varies(inner) for _, inner in layer.inner_layers())


def _is_all_built_in(layer: Layer) -> bool:
    return is_built_in(layer) and all(_is_all_built_in(inner) for _, inner in layer.inner_layers())


def _repeats(layer: Layer, is_masked: bool) -> bool:
    """Whether the layer notes itself what it does; what masks do to it may depend on their entries."""
    is_graph = has_graph(layer)
    return is_repeated(layer, is_graph) and (is_graph or not is_masked)


def _backward(call: CallFacts, dy: Any, saved: Any, ctx: BackwardContext) -> Any:
    """What the layer's ``backward`` returns; where a plan is made, noted there."""
    return saved.backward(dy, ctx) if isinstance(saved, WholeCall) else call.node.layer.backward(dy, saved, ctx)


def _as_taken(layer: Layer, a: Array, name: str, ctx: Planned) -> Array:
    """``a`` in a dtype and a layout that the layer takes; most layers want contiguous arrays of their dtype.

    Args:
        name: of the workspace, if it must be copied.
    """
    if a.dtype.kind != "f" and not layer.takes_integers:
        cast = ctx.workspace(name, a.shape, np.dtype(layer.dtype))
        ctx.do(np.copyto, cast, a, casting="unsafe")
        return cast
    return a if layer.takes_views else ctx.contiguous(name, a)


def _accumulate(gradients: dict[int, Array], tensor: int, gradient: Array | None, ctx: BackwardContext) -> None:
    """Add a consumer's gradient; the sum lies apart, since each part may be a layer's workspace."""
    if gradient is None:
        return
    before = gradients.get(tensor)
    if before is None:
        gradients[tensor] = gradient
        return
    dtype = np.result_type(before, gradient)
    gradients[tensor] = ctx.workspace(f"sum {tensor}", before.shape, dtype)
    ctx.do(np.add, before, gradient, out=gradients[tensor])
