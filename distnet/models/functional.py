"""A model whose layers form a graph: several inputs, several outputs, shared layers, branches."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Self

from distnet.dialects import graph_writing, operation_config
from distnet.errors import ArgumentError
from distnet.layers import InputLayer, Layer
from distnet.layers.engine.added_metrics import check_aggregation
from distnet.layers.engine.base import KerasTensor, register_layer
from distnet.layers.engine.context import BuildContext
from distnet.layers.engine.structures import leaves
from distnet.layers.operations import Operation
from distnet.metrics import Mean
from distnet.models.added_loss import AddedLoss
from distnet.models.added_metric import AddedMetric
from distnet.models.composite import Composite
from distnet.models.graph import Graph
from distnet.models.model import Model
from distnet.models.rebuilding import rebuilt
from distnet.models.tracing import Trace, between
from distnet.old_names import takes_old_arguments
from distnet.registry.constructors import is_like
from distnet.types import Json
from distnet.variables import lay_out


@register_layer("Model")
class Functional(Model, has_graph=True):
    """The model from input placeholders to output placeholders; ``Model(inputs, outputs)`` makes one.

    Args:
        inputs: placeholders, even from within another model: one, or nested lists, tuples and dicts of them.
        outputs: placeholders that layers returned, in the same forms.
        name: by default ``functional``, ``functional_1`` ...
        trainable: whether any of its layers is trained.

    Raises:
        ArgumentError: the outputs depend on other inputs, too, or layers share a name.

    Source: ``keras.Model``.
    """

    keras_module: ClassVar[str] = "keras.src.models.functional"
    """The class's module in Keras 3."""
    SETTINGS_BESIDE: ClassVar[tuple[str, ...]] = ("as_in_keras_2", "added_ends")
    """As in ``Graph``, and below; saved next to the configuration, where Keras ignores them."""

    @takes_old_arguments("Model")
    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name, trainable)
        self._check(inputs, "inputs")
        self._check(outputs, "outputs")
        self._structure = between(self.name, inputs, outputs)
        self._inputs, self._outputs = (list(leaves(part)) for part in self._structure)
        self.trace = Trace(self.name, self.inputs, self.outputs)
        self.graph = self.trace.graph()
        self._added_ends: list[KerasTensor] = []
        self._added_metrics: dict[str, Mean] = {}
        computing = [layer for layer in self.graph.layers if not isinstance(layer, InputLayer)]
        if computing:
            self.dtype = computing[0].dtype
        for layer in computing:
            self.check_dtype(layer)
        self.built_shape = self.input_shape = _one_or_list(self.input_shapes)
        lay_out(self)

    def add_loss(self, loss: KerasTensor) -> None:
        """Add a number that is computed from the model's tensors to what ``fit`` minimizes.

        It is saved with the model for distnet; Keras 3, which has no such method, loads the model without it.

        Raises:
            ArgumentError: it is no placeholder, or depends on layers that the model's outputs do not.
            ShapeError: it is not one number.

        Source: ``keras.Model.add_loss`` of Keras 2.
        """
        self._end_in("add_loss", AddedLoss(), loss)

    def add_metric(self, value: KerasTensor, name: str | None = None, aggregation: str | None = None) -> None:
        """Average what is computed from the model's tensors over the batches, under a name in the logs.

        It is saved as ``add_loss`` says.

        Args:
            value: a number, or numbers whose mean counts.
            name: the key.
            aggregation: "mean".

        Raises:
            ArgumentError: it is no placeholder, depends on layers that the model's outputs do not, or has no name.

        Source: ``keras.Model.add_metric`` of Keras 2.
        """
        check_aggregation(self.name, aggregation)
        if not name or name in self._added_metrics:
            raise ArgumentError(f"{self.name}.add_metric: expected a new name, received {name!r}.")
        metric = Mean(name=name)
        self._end_in("add_metric", AddedMetric(metric), value)
        self._added_metrics[name] = metric

    def _end_in(self, method: str, layer: Layer, tensor: Any) -> None:
        """Call the layer on a tensor of the model whenever the model is run.

        Raises:
            ArgumentError: it is none.
        """
        if not isinstance(tensor, KerasTensor):
            raise ArgumentError(f"{self.name}.{method}: expected a tensor of the model, received {tensor!r:.100}.")
        ends = [*self._added_ends, layer(tensor)]
        whole = Trace(self.name, self.inputs, [*self.outputs, *ends])
        others = [
            layer.name
            for layer in whole.layers
            if layer not in self.trace.layers and not isinstance(layer, Operation | AddedLoss | AddedMetric)
        ]
        if others:
            raise ArgumentError(
                f"{self.name}.{method}: expected a tensor of the model's layers, received one that depends also on "
                f"{others}. Make them part of the model's outputs."
            )
        self._added_ends = ends
        graph = whole.graph()
        self.graph = Graph(graph.nodes, graph.inputs, graph.outputs[: len(self.outputs)], self.graph.as_in_keras_2)

    @property
    def added_ends(self) -> list[tuple[str | None, KerasTensor]]:
        """The tensors that are added to the loss, or, under a name, to the metrics."""
        layers = [(end.call.layer, end.call.inputs[0]) for end in self._added_ends]
        return [(layer.metric.name if isinstance(layer, AddedMetric) else None, tensor) for layer, tensor in layers]

    @property
    def whole_trace(self) -> Trace:
        """The trace, with the operations that lead to these tensors alone behind it."""
        if not self._added_ends:
            return self.trace
        whole = Trace(self.name, self.inputs, [*self.outputs, *(tensor for _, tensor in self.added_ends)])
        known = self.trace.layers
        whole.layers[:] = [*known, *(layer for layer in whole.layers if layer not in known)]
        return whole

    def add_ends(self, ends: Iterable[tuple[str | None, Any]]) -> None:
        """Add what ``added_ends`` of a model with the same calls lists."""
        for name, tensor in ends:
            if name is None:
                self.add_loss(tensor)
            else:
                self.add_metric(tensor, name)

    def _check(self, structure: Any, what: str) -> None:
        tensors = [] if structure is None else list(leaves(structure))
        other = next((reprlib.repr(leaf) for leaf in tensors if not isinstance(leaf, KerasTensor)), None)
        if other or not tensors:
            raise ArgumentError(
                f"{self.name}: expected as {what} placeholders of Input(...), or what layers returned when they were "
                f"called on these; received {other or 'none'}."
            )

    @property
    def inputs(self) -> list[KerasTensor]:
        """The placeholders of the inputs."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The placeholders of the outputs."""
        return self._outputs

    @property
    def structure(self) -> tuple[Any, Any]:
        """The placeholders of inputs and outputs, as ``Model`` was given them."""
        return self._structure

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras's order, the entries among them; operations such as ``a + b`` are none."""
        return [layer for layer in self.trace.layers if not _is_operation(type(layer))]

    def build(self, input_shape: Any, ctx: BuildContext | None = None) -> None:
        """Nothing is left to build: the layers were built when they were called."""

    def compute_output_shape(self, shape: Any) -> Any:
        """Shape of the outputs for inputs of ``shape``; a list for several."""
        given = shape if isinstance(shape, list) else [shape]
        known = dict(zip(self.graph.inputs, given, strict=True))
        for node in self.graph.nodes:
            made = node.layer.compute_call_shape(_one_or_list([known[t] for t in node.computed_from]), node.options)
            known.update(zip(node.outputs, made if isinstance(made, list) else [made], strict=True))
        return _one_or_list([known[t] for t in self.graph.outputs])

    def get_config(self) -> dict[str, Json]:
        """Name, layers and calls, in a form that every Keras reads.

        Of a class with a constructor of its own, what that was called with.
        """
        if not is_like(type(self), Functional):
            return super().get_config()
        with operation_config.called_as(self.calls):
            models = {layer for layer in self.layers if isinstance(layer, Composite) and layer.is_graph}
            config = graph_writing.config_of(
                self.name, self.trainable, self.whole_trace, self.structure, models, self.added_ends
            )
        return {**config, "as_in_keras_2": True} if self.graph.as_in_keras_2 else config

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the model from a configuration that ``get_config``, here or in Keras, wrote.

        Raises:
            ArgumentError: the graph has a cycle, or calls layers that do not exist.
        """
        if "input_layers" not in config or not is_like(cls, Functional):
            return cls.of_arguments(config)
        inputs, outputs, ends = rebuilt(config)
        made = cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))
        made.graph.as_in_keras_2 = bool(config.get("as_in_keras_2"))
        # Weights are saved in the order of the layers, for which Keras 3 counts operations that are none here.
        order = {entry.get("name"): i for i, entry in enumerate(config["layers"])}
        listed = sorted(made.trace.layers, key=lambda layer: order.get(layer.name, len(order)))
        if listed != made.trace.layers:
            made.trace.layers[:] = listed
            lay_out(made)
        made.add_ends(ends)
        return made

    def summary_rows(self) -> list[tuple[Layer, Any]]:
        """The layers with their output shapes."""
        shapes: dict[Layer, Any] = {t.call.layer: [t.shape] for t in self.inputs}
        for call in self.trace.numbered_calls():
            shapes.setdefault(call.layer, _one_or_list([t.shape for t in call.outputs]))
        return [(layer, shapes[layer]) for layer in self.trace.layers]

    def connections(self) -> list[list[str]] | None:
        """For each layer its inputs, as ``layer[call][output]``; None if the layers form a chain."""
        if self.trace.is_chain:
            return None
        sources: dict[Layer, list[str]] = {layer: [] for layer in self.trace.layers}
        for call in self.trace.numbered_calls():
            sources[call.layer] += [f"{t.name}[{t.call.number}][{t.index}]" for t in call.inputs]
        return [sources[layer] for layer in self.trace.layers]


@cache
def _is_operation(kind: type) -> bool:
    """Asked for every layer, several times in a ``fit``; an abstract class takes its time to tell."""
    return issubclass(kind, Operation)


def _one_or_list(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else list(items)
