"""A layer that is a graph of layers: what every model is before it is trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from distnet.activations import Activation
from distnet.data.given_arrays import strings_in
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import InputLayer, Layer
from distnet.layers.engine import structures
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.calling import ranked
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.walks import Walks
from distnet.models.graph import Graph
from distnet.models.graph_tape import Tape
from distnet.models.last_uses import last_uses
from distnet.models.lent_nodes import define, on_lent_call
from distnet.models.matching import matched
from distnet.naming import snake_case
from distnet.types import STRING, Array, Json, Shape
from distnet.variables import Variable


class Composite(Layer, ABC):
    """A graph of layers, as one layer.

    Args:
        name: by default the class's name in snake case, numbered.
        trainable: whether any of its layers is trained.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "training", "mask")
    follows_call: ClassVar[bool] = False
    repeats: ClassVar[bool] = True
    is_graph: ClassVar[bool] = True
    """Whether it is a graph of calls, not what its ``call`` does."""

    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        self.graph = Graph((), (0,), (0,))
        self.walks = Walks()
        super().__init__(name=cast(str, name), trainable=trainable)

    @abstractmethod
    def build(self, input_shape: Shape, ctx: BuildContext | None = None) -> None:
        """Make the weights for inputs of this shape, batch axis first."""

    @property
    @abstractmethod
    def inputs(self) -> list[KerasTensor]:
        """The placeholders of the inputs."""

    @property
    @abstractmethod
    def outputs(self) -> list[KerasTensor]:
        """The placeholders of the outputs."""

    @property
    @abstractmethod
    def structure(self) -> tuple[Any, Any]:
        """The placeholders of inputs and outputs in the form in which they were passed: nested lists, tuples, dicts."""

    @property
    def input(self) -> Any:
        """The placeholders of the model's own inputs, whichever call of it, in the form in which they were passed."""
        return self.structure[0]

    @property
    def output(self) -> Any:
        """The placeholders of the model's own outputs, whichever call of it, in the form in which they were passed."""
        return self.structure[1]

    def in_form(self, outputs: Sequence[Any]) -> Any:
        """A flat list with a value for each output, in the form in which the outputs were passed."""
        return structures.packed(self.structure[1], outputs)

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """The same, with a list of one unwrapped.

        Source: ``keras.Functional.call``.
        """
        made = self.in_form(outputs)
        return made[0] if isinstance(made, list | tuple) and len(made) == 1 else made

    def in_order(self, inputs: Any) -> list[Any]:
        """The inputs that a caller passed, as a flat list.

        Args:
            inputs: nested lists, tuples and dicts like those of the model's inputs, or dicts by the inputs' names.

        Raises:
            ShapeError: the number of inputs is not the model's.
            DataError: a dict lacks some of the names.
        """
        return matched(self.name, self.structure[0], inputs)

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The inputs one after the other, and the options."""
        return super().bind(self.in_order(inputs), *args, **kwargs)

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        """The shapes of the outputs, in order, for inputs that may have an axis of 1 more or less."""
        given = shape if isinstance(shape, list) else [shape]
        given = [ranked(self.name, g, e) for g, e in zip(given, self.input_shapes, strict=True)]
        return self.compute_output_shape(given if len(given) > 1 else given[0])

    @property
    def input_shapes(self) -> list[Shape]:
        """Shape of each input, with the batch axis."""
        return [tensor.shape for tensor in self.inputs]

    @property
    def output_shapes(self) -> list[Shape]:
        """Shape of each output, with the batch axis."""
        return [tensor.shape for tensor in self.outputs]

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or the list of the outputs' shapes."""
        shapes = self.output_shapes
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_names(self) -> list[str]:
        """The keys of the inputs, or the names of the entries."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The keys of the outputs, or the names of the layers that make them."""
        return [tensor.name for tensor in self.outputs]

    @property
    def trainable(self) -> bool:
        """Whether training updates it; setting it sets that of every layer, as in Keras."""
        return self._is_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._is_trainable = bool(value)
        for layer in self.graph.layers:
            layer.trainable = bool(value)

    @abstractmethod
    def summary_rows(self) -> list[tuple[Layer, Shape | None]]:
        """The layers with their output shapes."""

    def connections(self) -> list[list[str]] | None:
        """For each layer its inputs, as ``layer[call][output]``; None if the layers form a chain."""
        return None

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the entry."""
        return list(self.graph.layers_without_entries)

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The layers by class, each class in the model's order."""
        before: Counter[str] = Counter()
        layers = []
        for layer in self.layers:
            name = snake_case(type(layer).__name__)
            layers.append((f"layers/{name}_{before[name]}" if before[name] else f"layers/{name}", layer))
            before[name] += 1
        return layers

    @property
    def own_variables(self) -> list[Variable]:
        """The model's variables that are none of its layers'."""
        return []

    @property
    def depends_on_batch(self) -> bool:
        """Whether a layer or an operation within mixes the rows of the batch."""
        return any(layer.depends_on_batch for layer in self.graph.layers)

    @property
    def variables(self) -> list[Variable]:
        """The variables of all layers, in Keras's order of the layers."""
        return _each_once(v for layer in self.layers for v in layer.variables)

    @property
    def unfrozen_weights(self) -> list[Variable]:
        """Those of all layers."""
        return _each_once(v for layer in self.layers for v in layer.unfrozen_weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.all_weights() if id(v) not in trained]

    def all_weights(self) -> list[Variable]:
        """All variables, layer by layer."""
        return _each_once(v for layer in self.layers for v in layer.weights)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer with this name or index.

        Raises:
            ArgumentError: there is no such layer.
        """
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        named = [layer for layer in self.layers if layer.name == name]
        if not named:
            raise ArgumentError(
                f"{self.name}: no layer is {name if index is None else f'number {index}'}. "
                f"Its layers: {[layer.name for layer in self.layers]}."
            )
        return named[0]

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Tape]:
        """The output for some rows, or the list of outputs, and the tape for ``backward``."""
        masks = ctx.mask if isinstance(ctx.mask, list) else [ctx.mask] * len(self.graph.inputs)
        given = x if isinstance(x, list) else [x]
        outputs, tape = self.graph.forward(self._ranked(given), ctx, masks if ctx.mask is not None else None)
        tape.given_shapes = [a.shape for a in given]
        return outputs if len(outputs) > 1 else outputs[0], tape

    def _ranked(self, x: Sequence[Array]) -> list[Array]:
        """The inputs with as many axes as the model's placeholders have."""
        shapes = [ranked(self.name, a.shape, s) for a, s in zip(x, self.input_shapes, strict=True)]
        return [
            a if len(s) == a.ndim else a.reshape(cast("tuple[int, ...]", s)) for a, s in zip(x, shapes, strict=True)
        ]

    def backward(self, dy: Any, saved: Tape, ctx: BackwardContext) -> Any:
        """Gradient of the input, or the list of the inputs' gradients."""
        made = self.graph.backward(saved, dy if isinstance(dy, list) else [dy], ctx)
        gradients = [d if d is None else d.reshape(s) for d, s in zip(made, saved.given_shapes, strict=True)]
        return gradients if len(gradients) > 1 else gradients[0]

    def on_tensors(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
        """The outputs for tensors: each layer within is called on them."""
        shapes = [(None, *t.shape[1:]) for t in tensors]
        self.build_once(shapes if len(shapes) > 1 else shapes[0])
        given = [ranked(self.name, t.shape, s) for t, s in zip(tensors, self.input_shapes, strict=True)]
        shaped = [t if len(s) == t.ndim else t.reshape(s) for t, s in zip(tensors, given, strict=True)]
        lent = on_lent_call(self, shaped)
        return self.graph.on_tensors(shaped, options.get("training")) if lent is None else lent

    def mask_after(self, x: Any, mask: Any, saved: Tape) -> Any:
        """The masks of the outputs, made by the layers within."""
        return saved.masks if any(made is not None for made in saved.masks) else None

    def penalty(self, saved: Tape) -> float:
        """The activity penalties of the layers within."""
        return saved.penalty

    @property
    def makes_masks(self) -> bool:  # type: ignore[override]
        """Whether a layer within makes masks."""
        return any(layer.makes_masks for _, layer in self.inner_layers())

    @property
    def has_penalty(self) -> bool:
        """Whether a layer within has an activity regularizer."""
        return any(layer.activity_regularizer is not None or layer.has_penalty for layer in self.graph.layers)

    @property
    def final_activations(self) -> list[Activation | None]:
        """For each output the activation that makes it, if its layer can leave that out; else None."""
        return self.graph.final_activations

    def input_takes_integers(self, number: int) -> bool:
        """Whether the layers that read input ``number`` take integers as they are."""
        return self.graph.takes_integers(number)

    def as_declared(self, number: int, rows: Array) -> Array:
        """Rows of input ``number`` in the dtype that its ``Input`` declares, if that is not the model's.

        Keras casts them, too: 3.7 becomes 3 in an integer input. A model built by its data declares nothing.
        """
        if not self.built:
            return rows
        declared = self.inputs[number].dtype
        return rows if declared in (*Layer.dtypes, STRING) else rows.astype(declared, copy=False)

    def input_takes_strings(self, number: int) -> bool:
        """Whether input ``number`` is one of strings."""
        return self.built and number < len(self.inputs) and self.inputs[number].dtype == STRING

    def as_strings(self, number: int, given: Any) -> Array | None:
        """What is given for input ``number``, if that is one of strings."""
        return strings_in(given, self.name) if self.input_takes_strings(number) else None

    def wiring(self) -> Json:
        """Which layer is called on what; the same on all ranks that train the same model."""
        return self.graph.wiring()

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Tape]:
        """The outputs for some rows, and the tape for ``backward_batch``."""
        return self.graph.forward(x, ctx)

    def backward_batch(self, tape: Tape, dy: Sequence[Array | None], ctx: BackwardContext) -> None:
        """Write every variable's gradient; 0 for a variable that no output depends on."""
        self._take_gradients(self.graph, tape, dy, ctx)

    def _take_gradients(self, graph: Graph, tape: Tape, dy: Sequence[Array | None], ctx: BackwardContext) -> None:
        ctx.needs_input_gradient = False
        if ctx.settle is not None:
            ctx.last_uses = ctx.workspaces.once((graph, "last uses"), lambda: last_uses(graph))
        graph.backward(tape, dy, ctx)
        # Layers that a callback took out of the model since the first batch are trained with no gradient.
        trained = ctx.workspaces.once((self, "trained variables"), lambda: [v for v in self.variables if v.is_trained])
        ctx.fill_unwritten(trained)

    def graph_in_mode(self, training: bool) -> Graph | None:
        """The graph that a batch runs through in this mode; None where no graph says what happens."""
        return self.graph

    def graph_takes(self, x: Sequence[Array]) -> bool:
        """Whether that graph is one for such inputs."""
        return True

    def build_on(self, inputs: Sequence[Array]) -> None:
        """Build the model for data."""
        self.data_dtype = STRING if inputs[0].dtype.kind == "O" else None
        self.build((None, *inputs[0].shape[1:]))

    def open_to(self, shapes: Sequence[Shape]) -> None:
        """Also accept inputs of these shapes, if the model took its own from data."""

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        """Build for inputs of ``shape``, or check that they fit the model as it is built.

        Raises:
            ShapeError: they do not.
        """
        if not self.built:
            self.build(shape)
            return
        given = shape if isinstance(shape, list) else [shape]
        self.open_to(given)
        if len(given) == len(self.input_shapes):
            given = [ranked(self.name, g, e) for g, e in zip(given, self.input_shapes, strict=True)]
        if not _all_fit(self.input_shapes, given):
            raise ShapeError(f"{self.name}: expected inputs of shapes {self.input_shapes}, received {given}.")

    def check_dtype(self, layer: Layer) -> None:
        """Fail unless ``layer`` computes in the model's dtype.

        Raises:
            ArgumentError: it does not.
        """
        if layer.dtype != self.dtype and not isinstance(layer, InputLayer):
            raise ArgumentError(
                f"{layer.name}: has dtype {layer.dtype} in a model of {self.dtype}. A model computes in one dtype."
            )


def _each_once(variables: Iterable[Variable]) -> list[Variable]:
    """Each once: a layer may be part of the model and of a model within it."""
    return list({id(variable): variable for variable in variables}.values())


def _all_fit(expected: Sequence[Shape], given: Sequence[Shape]) -> bool:
    """Whether shapes agree in every extent known in both."""
    return len(expected) == len(given) and all(
        len(e) == len(g) and all(a is None or b is None or a == b for a, b in zip(e[1:], g[1:], strict=True))
        for e, g in zip(expected, given, strict=True)
    )


define(Composite)
