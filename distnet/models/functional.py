"""A model whose layers form a graph: several inputs, several outputs, shared layers, branches."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from distnet.errors import ArgumentError
from distnet.layers import InputLayer, Layer
from distnet.layers.base import register_layer
from distnet.layers.context import BuildContext
from distnet.layers.symbolic import KerasTensor, leaves
from distnet.models import functional_config, functional_reading
from distnet.models.model import Model
from distnet.models.tracing import Trace
from distnet.network import lay_out
from distnet.types import Json


@register_layer("Model")
class Functional(Model):
    """The model between some placeholders; ``Model(inputs, outputs)`` makes one.

    Args:
        inputs: placeholders of ``Input``: one, a list or a dict of them.
        outputs: placeholders that layers returned: one, a list or a dict of them.
        name: by default ``functional``, ``functional_1`` ...
        trainable: whether any of its layers is trained.

    Raises:
        ArgumentError: outputs that the inputs do not determine, or layers that share a name.

    Source: ``keras.Model``.
    """

    keras_module: ClassVar[str] = "keras.src.models.functional"
    """Where Keras 3 has the class."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name, True)
        self.structure = (inputs, outputs)
        self._inputs, self._outputs = self._checked(inputs, "inputs"), self._checked(outputs, "outputs")
        self.trace = Trace(self.name, self.inputs, self.outputs, _by_key(outputs))
        self.graph = self.trace.graph()
        computing = [layer for layer in self.graph.layers if not isinstance(layer, InputLayer)]
        if computing:
            self.dtype = computing[0].dtype
        for layer in computing:
            self.check_dtype(layer)
        self.built_shape = self.input_shape = _one_or_list(self.input_shapes)
        if not trainable:
            self.trainable = False  # True, the default, leaves layers that are frozen as they are
        lay_out(self)

    def _checked(self, structure: Any, what: str) -> list[KerasTensor]:
        found = list(leaves(structure))
        other = next((reprlib.repr(leaf) for leaf in found if not isinstance(leaf, KerasTensor)), None)
        if other or not found:
            raise ArgumentError(
                f"{self.name}: expected as {what} placeholders of Input(...), or what layers returned when they were "
                f"called on these; received {other or 'none'}."
            )
        return found

    @property
    def inputs(self) -> list[KerasTensor]:
        """The placeholders of the inputs."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The placeholders of the outputs."""
        return self._outputs

    @property
    def input(self) -> Any:
        """The placeholder of the input, or those of several as ``Model`` was given them."""
        return self.structure[0] if isinstance(self.structure[0], Mapping) else super().input

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """By name where ``Model`` was given a dict, else a list of several."""
        names = self.structure[1]
        return dict(zip(names, outputs, strict=True)) if isinstance(names, Mapping) else super().as_given(outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras's order, the entries among them."""
        return self.trace.layers

    @property
    def input_names(self) -> list[str]:
        """The keys of the inputs, or the names of the entries."""
        structure = self.structure[0]
        return list(structure) if isinstance(structure, Mapping) else super().input_names

    @property
    def output_names(self) -> list[str]:
        """The keys of the outputs, or the names of the layers that make them."""
        structure = self.structure[1]
        return list(structure) if isinstance(structure, Mapping) else super().output_names

    @property
    def has_named_outputs(self) -> bool:
        """Whether the outputs are a dict."""
        return isinstance(self.structure[1], Mapping)

    def build(self, input_shape: Any, ctx: BuildContext | None = None) -> None:
        """Nothing is left to build: the layers were built when they were called."""

    def compute_output_shape(self, shape: Any) -> Any:
        """Shape of the outputs for inputs of ``shape``; a list for several."""
        given = shape if isinstance(shape, list) else [shape]
        known = dict(zip(self.graph.inputs, given, strict=True))
        for node in self.graph.nodes:
            made = node.layer.compute_call_shape(_one_or_list([known[t] for t in node.inputs]), node.options)
            known.update(zip(node.outputs, made if isinstance(made, list) else [made], strict=True))
        return _one_or_list([known[t] for t in self.graph.outputs])

    def get_config(self) -> dict[str, Json]:
        """Name, layers and calls, in the form that Keras 2 and Keras 3 both read."""
        return functional_config.config_of(self.name, self.trainable, self.trace, self.structure)

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the model that ``get_config`` described, or Keras 2 or 3.

        Raises:
            ArgumentError: a graph with a cycle, or with layers that are called but not there.
        """
        inputs, outputs = functional_reading.rebuilt(config)
        made = cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))
        # Weights are saved in the order of the layers, for which Keras 3 counts operations that are none here.
        order = {entry.get("name"): i for i, entry in enumerate(config["layers"])}
        listed = sorted(made.layers, key=lambda layer: order.get(layer.name, len(order)))
        if listed != made.layers:
            made.trace.layers[:] = listed
            lay_out(made)
        return made

    def summary_rows(self) -> list[tuple[Layer, Any]]:
        """The layers with their output shapes."""
        shapes: dict[Layer, Any] = {t.call.layer: [t.shape] for t in self.inputs}
        for call in self.trace.calls:
            shapes.setdefault(call.layer, _one_or_list([t.shape for t in call.outputs]))
        return [(layer, shapes[layer]) for layer in self.layers]

    def connections(self) -> list[list[str]] | None:
        """For each layer what it is called on, as ``layer[call][output]``; None where the layers form a chain."""
        if self.trace.is_chain:
            return None
        sources: dict[Layer, list[str]] = {layer: [] for layer in self.layers}
        for call in self.trace.calls:
            sources[call.layer] += [f"{t.name}[{t.call.number}][{t.index}]" for t in call.inputs]
        return [sources[layer] for layer in self.layers]


def _one_or_list(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else list(items)


def _by_key(structure: Any) -> list[KerasTensor]:
    """The placeholders in Keras's order, which for a dict is that of its keys, however it was written."""
    return list(leaves(dict(sorted(structure.items())) if isinstance(structure, Mapping) else structure))
