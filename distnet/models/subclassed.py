"""Models that define ``call``, or only methods of their own: subclasses of ``Model`` without inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from distnet.activations import Activation
from distnet.errors import ArgumentError, DistnetError, NotBuiltError
from distnet.layers import LAYERS, Layer
from distnet.layers.engine import trial
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.build_config import as_shapes
from distnet.layers.engine.call_arguments import is_tensor
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.declared import dtype_name
from distnet.layers.engine.structures import holds_tensors, is_nested, leaves, mapped, packed, slotted
from distnet.layers.engine.tracking import keras_order, own_variables
from distnet.layers.engine.user_call import ByCall
from distnet.models.functional import Functional
from distnet.models.graph import Graph
from distnet.models.graph_tape import Tape
from distnet.models.model import Model
from distnet.models.model_entries import dtype_of, entries_of, entry, mapped_arrays, opened
from distnet.models.written_graph import WrittenGraphs
from distnet.naming import snake_case
from distnet.old_names import present_arguments
from distnet.registry import custom_object_scope
from distnet.registry.constructors import is_like
from distnet.types import Array, Json, Shape
from distnet.variables import Variable, lay_out


class SubclassedModel(Model, has_graph=True):
    """A model whose layers are its attributes, called as its ``call`` says.

    ``class MyModel(Model)`` is one, unless its constructor hands inputs and outputs to ``super().__init__``: then it
    becomes a ``Functional``. It is built by its first call, by ``build(input_shape)``, or by the data of ``fit``.

    Args:
        name: by default the class's name in snake case, numbered.
        trainable: whether any of its layers is trained.
        dtype: of its weights.

    Source: ``keras.Model``.
    """

    keras_module: ClassVar[str] = "keras"
    is_graph: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or {"inputs", "outputs"} & present_arguments("Model", kwargs).keys():
            _become_functional(type(self))
            Functional.__init__(cast(Any, self), *args, **kwargs)
            return
        dtype = kwargs.pop("dtype", None)
        Model.__init__(self, **kwargs)
        del self.graph
        if dtype is not None:
            self.dtype = dtype_name(dtype, self.name, self.dtypes)
        self._entries: Any = None
        """The placeholders of the inputs, in the form in which the first call got them."""
        self._ends: Any = None
        self.written = WrittenGraphs()
        """What the text of ``call`` says, by mode."""
        self._data: Any = None
        """The placeholders of data that a step of the class's own is handed, where ``call`` takes others."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "calls" in vars(self) and self._entries is None:
            given = args[0] if args else next(iter(kwargs.values()), None)
            flat = list(leaves(given))
            if flat and all(map(is_tensor, flat)):
                self._meet(given)
        self._check_call()
        return ByCall.__call__(cast(Any, self), *args, **kwargs)

    def _check_call(self) -> None:
        if not self.defines_call:
            raise ArgumentError(f"{self.name}: expected a method call(self, inputs), received none, to call it by.")

    @property
    def defines_call(self) -> bool:
        """Whether the class has a ``call``."""
        return type(self).call is not Layer.call

    def build(self, shape: Any, ctx: BuildContext) -> None:  # type: ignore[override]
        """Nothing by itself: layers within are built when they are called."""

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        if self.built_shape is None:
            if self._entries is None:
                self._entries = entries_of(shape, self.dtype)
            ByCall.build_once(cast(Any, self), shape, ctx)
            if self.defines_call:
                self._ends = self._tried()
            lay_out(self)

    def build_on(self, inputs: Sequence[Array]) -> None:
        """Build for data whose form ``in_order`` has seen.

        A model whose own step is handed data that ``call`` does not take is built by what the step calls it on.
        """
        shapes = mapped(lambda entry: entry.shape, self._entries)
        try:
            self.build_once(shapes)
        except Exception:
            if not self.feeds_itself or any(inner.built for _, inner in self.inner_layers()):
                raise
            self._data, self._entries, self.built_shape = self._entries, None, None

    def build_on_placeholders(self, inputs: Any) -> None:
        """Build for inputs like these placeholders, in their structure."""
        self._meet(inputs)
        self.build_once(mapped(lambda entry: entry.shape, self._entries))

    def _meet(self, given: Any) -> None:
        """Learn the form, the shapes and the dtypes of the inputs."""
        self._entries = mapped(lambda leaf: entry((None, *leaf.shape[1:]), dtype_of(leaf, self.dtype)), given)

    def _tried(self) -> Any:
        """The placeholders of the outputs, which a trial of ``call`` gives."""
        inputs = self.inputs
        structure, _ = slotted(self._entries, lambda leaf: True)
        made = trial.specs(self, trial.Tried.on(inputs, ((structure,), {})))
        flat = list(leaves(made))
        names = ["output"] if len(flat) == 1 else [f"output_{i + 1}" for i in range(len(flat))]
        ends = [entry((None, *s.shape[1:]), s.dtype, name) for s, name in zip(flat, names, strict=True)]
        return packed(made, ends)

    @property
    def inputs(self) -> list[KerasTensor]:
        """Placeholders like the inputs of the first call.

        Raises:
            NotBuiltError: there was none yet.
        """
        return list(leaves(self.structure[0]))

    @property
    def outputs(self) -> list[KerasTensor]:
        """Placeholders like the outputs."""
        return list(leaves(self.structure[1]))

    @property
    def structure(self) -> tuple[Any, Any]:
        """Placeholders like inputs and outputs."""
        if self._entries is None:
            raise NotBuiltError(f"{self.name}: its inputs are not known yet. Call it on data, or call build().")
        if self._ends is None and self.defines_call and self.built and not self._is_trying:
            self._is_trying = True
            try:
                self._ends = self._tried()
            finally:
                self._is_trying = False
        return self._entries, [] if self._ends is None else self._ends

    _is_trying = False

    def in_form(self, outputs: Sequence[Any]) -> Any:
        form = self.structure[1] if self.built else None
        return packed(form, outputs) if form is not None else Layer.in_form(self, outputs)

    @property
    def is_called_on_other_data(self) -> bool:
        return self._data is not None

    @property
    def data_forms(self) -> tuple[Any, Any]:
        return super().data_forms if self._data is None else (self._data, self._form_of_targets)

    def in_order(self, inputs: Any) -> list[Any]:
        if self._data is not None:
            return list(leaves(inputs, holds_tensors))
        if self._entries is None:
            self._meet(mapped_arrays(inputs))
        if is_nested(self._entries) != holds_tensors(inputs):
            flat = list(leaves(inputs, holds_tensors))
            if len(flat) == len(self.inputs):
                return flat
        return super().in_order(inputs)

    def open_to(self, shapes: Sequence[Shape]) -> None:
        """Take inputs of these shapes, too: ``call`` decides whether they fit."""
        if self._entries is None or len(shapes) != len(self.inputs):
            return
        wider = [opened(own.shape, tuple(shape)) for own, shape in zip(self.inputs, shapes, strict=True)]
        if wider != [tuple(own.shape) for own in self.inputs]:
            dtypes = [own.dtype for own in self.inputs]
            made = [entry(shape, dtype) for shape, dtype in zip(wider, dtypes, strict=True)]
            before = self._entries, self._ends
            self._entries, self._ends = packed(self._entries, made), None
            if self.defines_call and self.built and not self._can_be_tried():
                self._entries, self._ends = before  # the data are refused, or for a step of the model's own

    def _can_be_tried(self) -> bool:
        try:
            return bool(self.structure)
        except Exception:  # a user's call may raise anything, and does so again on the data
            return False

    @property
    def final_activations(self) -> list[Activation | None]:
        """None: losses are taken of what ``call`` returns."""
        return [None for _ in self.outputs]

    @property
    def own_variables(self) -> list[Variable]:
        """The weights that the model itself has."""
        return own_variables(self)

    @property
    def depends_on_batch(self) -> bool:
        """Always: what ``call`` does with the rows is its own."""
        return True

    def input_takes_integers(self, number: int) -> bool:
        """Always: ``call`` gets them as they are."""
        return True

    def as_declared(self, number: int, rows: Array) -> Array:
        return rows

    def graph_in_mode(self, training: bool) -> Graph | None:
        """What the text of ``call`` says, where it is straight: that is planned; of another one each step runs anew."""
        if not self.defines_call or self._entries is None or self._data is not None:
            return None
        return self.written.of(self, self._entries, training)

    def graph_takes(self, x: Sequence[Array]) -> bool:
        return len(x) == len(self.inputs) and all(
            a.ndim == len(own.shape) and opened(own.shape, a.shape) == tuple(own.shape)
            and dtype_of(a, self.dtype) == own.dtype
            for a, own in zip(x, self.inputs, strict=True)
        )  # fmt: skip

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Tape]:
        self._check_call()
        if ctx.plan is not None:
            graph = self.graph_in_mode(bool(ctx.training))
            if graph is None:
                raise ArgumentError(
                    f"{self.name}: what its call refers to was changed while it ran. Compile the model with "
                    "run_eagerly=True."
                )
            y, tape = graph.forward(x, ctx)
            tape.graph = graph
            return y, tape
        structure, _ = slotted(self._entries, lambda leaf: True)
        before, ctx.options = ctx.options, {"arguments": ((structure,), {})}
        ctx.mask = None
        own = [a.copy() if ctx.workspaces.holds(a) else a for a in x]  # which the call may keep
        y, saved = ByCall.forward(cast(Any, self), own, ctx)
        ctx.options = before
        outputs = y if isinstance(y, list) else [y]
        masks = ByCall.mask_after(cast(Any, self), x, None, saved)
        each = masks if isinstance(masks, list) else [masks] * len(outputs)
        return outputs, Tape(ctx.global_rows, [saved], masks=each, penalty=ByCall.penalty(cast(Any, self), saved))

    def backward_batch(self, tape: Tape, dy: Sequence[Array | None], ctx: BackwardContext) -> None:
        if tape.graph is not None:
            self._take_gradients(tape.graph, tape, dy, ctx)
            return
        ctx.needs_input_gradient = False
        ByCall.backward(cast(Any, self), list(dy), tape.saved[0], ctx)
        for variable in self.variables:
            if variable.is_trained and id(variable) not in ctx.written:
                variable.grad.fill(0)

    @property
    def trainable(self) -> bool:
        """Whether training updates it; setting it sets that of every layer, as in Keras."""
        return self._is_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._is_trainable = bool(value)
        for layer in self.layers:
            layer.trainable = bool(value)

    @property
    def layers(self) -> list[Layer]:
        """The layers that are attributes, or in lists and dicts that are, in the order in which they became such."""
        return [layer for _, layer in self.inner_layers()] if "calls" in vars(self) else []

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The layers, each with the first of the attributes that hold it by the alphabet; ``layers`` is one of them.

        Source: ``keras.src.saving.saving_lib._walk_saveable``.
        """
        before: Counter[str] = Counter()
        placed = []
        for path, layer in ByCall.inner_layers(cast(Any, self)):
            name = snake_case(type(layer).__name__)
            number, before[name] = before[name], before[name] + 1
            listed = f"layers/{name}_{number}" if number else f"layers/{name}"
            placed.append((min(path, listed, key=keras_order), layer))
        return placed

    def summary_rows(self) -> list[tuple[Layer, Any]]:
        return [(layer, _shape_after(layer)) for layer in self.layers]

    def wiring(self) -> Json:
        return [[type(layer).__name__ for layer in self.layers], [list(v.shape) for v in self.weights]]

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the model was built for.

        Source: ``keras.Model.get_build_config``.
        """
        if self._entries is None:
            return None
        return {"input_shape": mapped(lambda entry: list(entry.shape), self._entries)}

    def as_json(self) -> Json:
        """Keras's ``{"class_name", "config"}``, with the shapes that the model was built for."""
        described = cast(dict[str, Json], super().as_json())
        built = self.get_build_config() if self.built else None
        return described if built is None else {**described, "build_config": built}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build the model as a saved one was built.

        Source: ``keras.Model.build_from_config``.
        """
        shape = config.get("input_shape")
        if shape is None and config.get("shapes_dict"):
            shape = next(iter(config["shapes_dict"].values()))
        if shape is not None and not self.built:
            self.build_once(as_shapes(shape))

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Make the model from a configuration: of the class's constructor, or of a functional model.

        Source: ``keras.Model.from_config``.
        """
        with custom_object_scope(custom_objects):
            if "input_layers" in config and is_like(cls, Functional):
                return cls.of_config(config)
            by_call: Any = vars(ByCall)["from_config"]
            return cast(Self, by_call.__func__(cls, config))

    @classmethod
    def of_config(cls, config: Any) -> Self:
        if "input_layers" in config and is_like(cls, Functional):
            _become_functional(cls)
            return cast(Self, cast(Any, cls).of_config(config))
        known = {key: _revived(value) for key, value in config.items()}
        return cls.of_arguments(known)


def _follow_call(cls: Any) -> None:
    """Give the class the methods that follow from a layer's ``call``, unless it has its own."""
    for name, value in vars(ByCall).items():
        if not name.startswith("_") and name not in vars(cls):
            setattr(cls, name, value)


_follow_call(SubclassedModel)
SubclassedModel.__abstractmethods__ = frozenset()
Model.base_of_own = SubclassedModel


def _become_functional(cls: type) -> None:
    """Put ``Functional`` in the place of ``SubclassedModel`` among the bases of a user's class.

    Source: ``keras.src.models.model.inject_functional_model_class``.
    """
    for base in cls.__mro__:
        if SubclassedModel in base.__bases__:
            if cast(Any, cls).call is not Layer.call:
                raise ArgumentError(
                    f"{cls.__name__}: has a call() of its own, and hands inputs and outputs to super().__init__(). "
                    "Leave out one of them."
                )
            base.__bases__ = tuple(Functional if b is SubclassedModel else b for b in base.__bases__)


def _shape_after(layer: Layer) -> Any:
    """The shape of a layer's output, where it is known."""
    if layer.calls:
        return layer.calls[0].outputs[0].shape
    if not layer.built:
        return None
    try:
        return layer.compute_output_shape(layer.built_shape)
    except (DistnetError, TypeError, ValueError):
        return None


def _revived(value: Any) -> Any:
    """A layer or model that was an argument of the constructor."""
    if isinstance(value, Mapping) and {"class_name", "config"} <= value.keys():
        try:
            return LAYERS.get(value)
        except DistnetError:
            return value
    return value
