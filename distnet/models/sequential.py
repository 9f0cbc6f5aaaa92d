"""A model of layers in sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from distnet.errors import ArgumentError, DistnetError, NotBuiltError, ShapeError
from distnet.layers import LAYERS, InputLayer, Layer
from distnet.layers.engine.base import KerasTensor, register_layer
from distnet.layers.engine.calling import ranked
from distnet.layers.engine.context import BuildContext
from distnet.layers.engine.structures import holds_tensors, leaves
from distnet.models.call_limit import check_calls
from distnet.models.graph import Graph, calls_of
from distnet.models.model import Model
from distnet.models.node import Node
from distnet.naming import is_within, path_within, scope, within
from distnet.registry import to_json
from distnet.registry.constructors import is_like
from distnet.types import Json, Shape
from distnet.variables import lay_out


@register_layer()
class Sequential(Model, has_graph=True):
    """Layers in sequence, each with one input and one output; if the first is a model, it may have several inputs.

    Args:
        layers: in order; the first may be an ``Input`` or carry ``input_shape=``. Without either the
            model is built when it first sees data.
        trainable: whether any of its layers is trained.
        name: by default ``sequential``, ``sequential_1`` ...

    Source: ``keras.Sequential``.
    """

    keras_module: ClassVar[str] = "keras"
    """The class's module in Keras 3."""

    def __init__(
        self, layers: Sequence[Layer | KerasTensor] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(name, trainable)
        self._entry: InputLayer | None = None
        self._is_open = False
        self._entries: list[InputLayer] = []
        self._made: list[KerasTensor] = []
        if layers is not None and not isinstance(layers, list | tuple):
            raise ArgumentError(f"{self.name}: expected a list of layers, received {layers!r}.")
        self._extend(layers or ())
        self._build_if_known()

    def add(self, layer: Layer | KerasTensor) -> None:
        """Append a layer.

        Raises:
            ArgumentError: it is not a layer, or its name is taken.
            ShapeError: it does not fit the layer before it.
        """
        self._extend([layer])
        self._build_if_known()

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises:
            ArgumentError: there is no such layer.
        """
        if not self.graph.nodes:
            raise ArgumentError(f"{self.name}: there is no layer to remove.")
        layer = self.graph.nodes[-1].layer
        self._chain([node.layer for node in self.graph.nodes[:-1]])
        self._made = self._made[: len(self.graph.nodes)]
        self._build_if_known()
        return layer

    def build(self, input_shape: Shape, ctx: BuildContext | None = None) -> None:
        """Make the weights for inputs of this shape, batch axis first.

        Raises:
            ShapeError: a layer does not fit the one before it.
        """
        if self._entry is None and not self._entries:
            self._entry = InputLayer(batch_input_shape=tuple(input_shape), dtype=self.data_dtype or self.input_dtype)
            self._is_open = True
        self._build_if_known()

    def open_to(self, shapes: Sequence[Shape]) -> None:
        """Let a model that took its shape from data accept other lengths: extents that differ become unknown.

        Raises:
            ShapeError: its layers cannot take them.
        """
        if not self._is_open or not self.built or len(shapes) != 1:
            return
        own = self.input_shapes[0]
        given = ranked(self.name, tuple(shapes[0]), own)
        if all(a is None or a == b for a, b in zip(own[1:], given[1:], strict=True)):
            return
        opened = (own[0], *(a if a == b else None for a, b in zip(own[1:], given[1:], strict=True)))
        before = self._made
        calls = {node.layer: list(node.layer.calls) for node in self.graph.nodes}
        entry = self._known_entry()
        self._entry = InputLayer(batch_input_shape=opened, dtype=entry.dtype)
        self._entry.name = entry.name
        try:
            for node, tensor in zip(self.graph.nodes, before, strict=True):
                node.layer.calls.remove(tensor.call)
            self._made = []
            self._call_layers()
        except DistnetError:
            self._entry, self._made = entry, before
            for layer, made in calls.items():
                layer.calls[:] = made
            raise ShapeError(
                f"{self.name}: expected rows of shape {own[1:]}, received {given[1:]}, which its layers cannot take."
            ) from None
        self.built_shape = self.input_shape = self.input_shapes[0]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The placeholder of the input; several if the first layer is a model of several inputs.

        Raises:
            NotBuiltError: the input shape is not known yet.
        """
        return [entry.output for entry in self._entries or [self._known_entry()]]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The placeholder of the output.

        Raises:
            NotBuiltError: the input shape is not known yet.
        """
        return [self._made[-1]] if self._made else self.inputs

    @property
    def structure(self) -> tuple[Any, Any]:
        """The placeholders of the input and of the output."""
        return self.inputs if self._entries else self.inputs[0], self.outputs[0]

    def in_order(self, inputs: Any) -> list[Any]:
        """The one input, even before its shape is known."""
        if self._entry is not None or self._entries:
            return super().in_order(inputs)
        tensors = list(leaves(inputs, holds_tensors))
        if len(tensors) != 1:
            raise ShapeError(f"{self.name}: expected 1 input array, received {len(tensors)}.")
        return tensors

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for inputs of ``shape``."""
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self) -> dict[str, Json]:
        """Name and layers, with the entry first: the form that every Keras reads."""
        entry = [] if self._entry is None else [self._entry]
        layers: dict[str, Json] = {
            "name": self.name,
            "layers": [to_json(layer) for layer in (*entry, *self.layers)],
        }
        return layers if is_like(type(self), Sequential) else {**super().get_config(), **layers}

    @classmethod
    def of_config(cls, config: Mapping[str, Json] | Sequence[Json]) -> Self:
        """Make the model from a configuration of distnet or Keras; up to Keras 2.2.2 a bare list."""
        known = config if isinstance(config, Mapping) else {"layers": config}
        layers = [LAYERS.get(entry) for entry in cast(Sequence[Json], known["layers"])]
        if not is_like(cls, Sequential):
            return cls._of_own_constructor(known, layers)
        name = cast("str | None", known.get("name"))
        check_calls(str(name), sum(map(calls_of, layers)))
        made = cls(layers, name=name)
        first = layers[0] if layers else None
        if not made.built and isinstance(first, Model) and first.built:
            made.build(cast(Shape, first.input_shape))  # Keras up to 2.3 says it of the innermost layer alone
        return made

    @classmethod
    def _of_own_constructor(cls, config: Mapping[str, Json], layers: Sequence[Layer]) -> Self:
        """A model whose constructor adds the layers itself, or else takes them from the configuration."""
        made = cls.of_arguments(config)
        if not made.layers:
            made._extend(layers)
            made._build_if_known()
        elif not made.built and layers and isinstance(layers[0], InputLayer):
            made.build(cast(Shape, layers[0].batch_input_shape))
        return made

    def summary_rows(self) -> list[tuple[Layer, Shape | None]]:
        """The layers with their output shapes; None where they are not known yet."""
        if self.built:
            return [(layer, tensor.shape) for layer, tensor in zip(self.layers, self._made, strict=True)]
        return [
            (layer, layer.compute_output_shape(layer.built_shape) if layer.built else None) for layer in self.layers
        ]

    def _extend(self, more: Sequence[Layer | KerasTensor]) -> None:
        layers = {node.layer.name: node.layer for node in self.graph.nodes}
        for layer in more:
            if isinstance(layer, KerasTensor):
                layer = layer.call.layer
            if not isinstance(layer, Layer):
                raise ArgumentError(
                    f"{self.name}: expected a layer, received {layer!r}. Pass an object, such as Dense(10)."
                )
            if layer.name in layers:
                raise ArgumentError(
                    f"{self.name}: the name {layer.name!r} is taken. The layers of a model need different names."
                )
            if not isinstance(layer, InputLayer):
                if not layers:
                    self._begin_with(layer)
                layers[layer.name] = layer
            elif self._entry is None and not layers:
                self._entry = layer
            else:
                raise ArgumentError(f"{self.name}: Input must come first and only once; {layer.name} does not.")
        self._chain(list(layers.values()))

    @property
    def input_dtype(self) -> str:
        """The dtype that its first layer takes: that of strings for one that takes nothing else."""
        nodes = self.graph.nodes
        return nodes[0].layer.input_dtype if nodes else self.dtype

    def _begin_with(self, layer: Layer) -> None:
        """Take the dtype from the first layer, and the shape of the input if the layer has it."""
        self.dtype = layer.dtype
        if self._entry is None and isinstance(layer, Model) and layer.built and len(layer.inputs) > 1:
            tensors = layer.inputs
            self._entries = [InputLayer(batch_input_shape=t.shape, dtype=t.dtype, name=t.name) for t in tensors]
        elif self._entry is None and layer.batch_input_shape is not None:
            self._entry = InputLayer(
                batch_input_shape=layer.batch_input_shape, dtype=self.input_dtype, name=f"{layer.name}_input"
            )

    def _chain(self, layers: Sequence[Layer]) -> None:
        entries = tuple(range(len(self._entries) or 1))
        ends = range(entries[-1], entries[-1] + len(layers))
        nodes = [
            Node(layer, (i,) if n else entries, (i + 1,)) for n, (layer, i) in enumerate(zip(layers, ends, strict=True))
        ]
        self.graph = Graph(nodes, entries, (entries[-1] + len(nodes),))

    def _build_if_known(self) -> None:
        if self._entry is None and not self._entries and len(self.graph.nodes) > 1:
            self._entry = _entry_of(self.graph.nodes[0].layer)
        if not self.graph.nodes or (self._entry is None and not self._entries):
            return
        self._call_layers()
        shape: Any = self.input_shapes if self._entries else self.input_shapes[0]
        self.built_shape = self.input_shape = shape
        lay_out(self)

    def _call_layers(self) -> None:
        """Call the layers on placeholders that were not called yet."""
        for node in self.graph.nodes[len(self._made) :]:
            self.check_dtype(node.layer)
            with within(path_within(self.name)) if is_within() else scope(self.name):
                called = node.layer(self.outputs if self._entries and not self._made else self.outputs[0])
            made = list(leaves(called))
            if len(made) > 1:
                raise ArgumentError(f"{node.layer.name}: has {len(made)} outputs; a Sequential model takes one.")
            self._made += made

    def _known_entry(self) -> InputLayer:
        if self._entry is None:
            raise NotBuiltError(
                f"{self.name}: its input shape is not known yet. Give the first layer input_shape=..., or call build()."
            )
        return self._entry


def _entry_of(first: Layer) -> InputLayer | None:
    """The entry that a first layer says: a model that knows its one input.

    Source: ``keras.Sequential``, for which such a model must have other layers behind it.
    """
    if not isinstance(first, Model) or not first.built or not hasattr(first, "graph") or len(first.inputs) != 1:
        return None
    return InputLayer(batch_input_shape=first.inputs[0].shape, dtype=first.inputs[0].dtype)
