"""What a layer computes, and its weights: all that a user's own layer overrides or inherits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

import numpy as np

from distnet import addresses
from distnet.activations import Activation
from distnet.arguments import check_fields
from distnet.errors import ArgumentError, NotBuiltError, ShapeError
from distnet.layers.engine.build_config import HasBuildConfig
from distnet.layers.engine.by_hand import InitialWeights, as_list, buildable
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.counted_attributes import CountsAttributes
from distnet.layers.engine.declared import as_shape, checked_name, dtype_name
from distnet.layers.engine.overriding import refuse_missing
from distnet.layers.engine.own_state import HasOwnState
from distnet.naming import path_within
from distnet.registry import BESIDE, LEFT_OUT, Configurable, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, ArrayLike, Json, Shape
from distnet.variables import Variable, assign_all, trainable_first


@dataclass(eq=False, kw_only=True)
class AbstractLayer(HasBuildConfig, HasOwnState, CountsAttributes, Configurable, ABC):
    """One function of a network, with its gradient.

    A layer of your own is a dataclass: its fields are its constructor and its saved configuration.
    It implements ``forward`` and ``backward`` and, where it has weights or changes the shape,
    ``build`` and ``compute_output_shape``. Nothing that one call computes may be kept on the layer:
    what backward needs is returned by forward (the layer may be called twice in one graph).

    Args:
        name: unique within a model; by default the class's name in snake case, numbered.
        trainable: whether the optimizer updates its weights.
        dtype: of its weights and results; the global ``floatx`` by default.
        activity_regularizer: adds a penalty of the layer's output, divided by the batch size.
        sums_activity: whether that penalty is left undivided, as in Keras before TensorFlow's.
        input_shape: shape of one row of the input, where the layer is a model's first.
        input_dim: the same for rows that are vectors.
        batch_input_shape: the same with the batch axis.
        autocast: whether a call turns floating point inputs into the layer's dtype.
        weights: arrays to start from, as ``set_weights`` takes them; on a layer, its variables.

    Source: ``keras.layers.Layer``.
    """

    name: str = cast(str, None)
    trainable: bool = True
    dtype: str = cast(str, None)
    activity_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    sums_activity: bool = field(default=False, metadata=BESIDE)
    input_shape: Shape | None = field(default=None, metadata=LEFT_OUT)
    input_dim: int | None = field(default=None, metadata=LEFT_OUT)
    batch_input_shape: Shape | None = field(default=None, metadata=LEFT_OUT)
    autocast: bool = field(default=True, metadata=LEFT_OUT)
    weights: InitialWeights = field(default=InitialWeights(), metadata=LEFT_OUT)

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs",)
    """Names of what the layer is called on, in order: Keras's names."""
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")
    """The dtypes it can have."""
    supports_masking: ClassVar[bool] = False
    """Whether time steps pass through one by one, so that the input's mask is the output's too."""
    makes_masks: ClassVar[bool] = False
    """Whether its output has a mask where its input has none."""
    passes_given_masks: ClassVar[bool] = True
    """Whether masks that a call is given take the place of the inputs' own also for the output."""
    couples_rows: ClassVar[bool] = False
    """Whether training computes with statistics of the batch."""
    taken_by_name: ClassVar[tuple[str, ...]] = ()
    """Arguments of all layers that this one takes by name alone, where others take them by position, too."""
    fixes_rows: ClassVar[bool] = False
    """Whether it is built for batches of one size."""
    takes_views: ClassVar[bool] = False
    """Whether ``forward`` and ``backward`` take arrays of any layout in memory, not contiguous ones alone."""
    takes_integers: ClassVar[bool] = False
    """Whether integer inputs are handed over as they are, not in the model's dtype."""
    repeats: ClassVar[bool] = False
    """Whether ``forward`` and ``backward`` do through ``ctx.do`` all that must be done again for another batch; see
    ``plan``."""
    takes_activations: ClassVar[bool] = False
    """Whether ``forward`` adds ``ctx.plus`` and applies the activation ``ctx.then``; ``backward`` takes the gradient
    behind them; where something was added, it returns a list: the gradients of the input and of that."""
    leaves_activations: ClassVar[bool] = False
    """Whether ``forward`` leaves out bias and activation if ``ctx.is_left``, and ``backward`` then the gradients."""
    takes_left: ClassVar[bool] = False
    """Whether it applies bias and activation that the layer before left, ``ctx.left``."""
    takes_layers: ClassVar[bool] = False
    """Whether its activation may be a layer with weights, a state or random numbers."""
    follows_call: ClassVar[bool] = True
    """Whether a class that defines ``call`` needs no ``forward``."""
    is_by_call: ClassVar[bool] = False
    """Whether ``call`` says what it computes."""
    take_call: ClassVar[Callable[[Any], None] | None] = None
    """Gives a class that defines ``call`` what follows from it; set by ``user_call``."""

    constructed: ClassVar[Any] = ((), {})
    """The constructor's arguments: the configuration of a user's class."""

    input_spec: ClassVar[Any] = None
    """What its inputs must be like: an ``InputSpec``, or a list of these; a class that defines ``call`` may set it."""

    row_rank: ClassVar[int | None] = None
    """Rank of an array that is one row, without the batch axis, where Keras's layer is called on such too."""

    keras_objects: ClassVar[Mapping[str, str]] = {}
    """For variables called ``part/kernel``: the part -> the attribute of Keras's layer that holds them."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse, by an ArgumentError, a class that has neither ``call`` nor ``forward`` and ``backward``."""
        refuse_missing(cls)
        made = super().__new__(cls)
        if cls.is_by_call:
            vars(made)["constructed"] = args, kwargs
        return made

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if AbstractLayer.take_call is not None:
            AbstractLayer.take_call(cls)
        if "build" in vars(cls):
            cls.build = buildable(cls.build)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        self.name = checked_name(self.name, type(self))
        self.dtype = dtype_name(self.dtype, self.name, self.dtypes)
        self.batch_input_shape = self._declared_shape()
        self._variables: list[Variable] = []
        self.activity_penalties: list[float] = []
        """What the activities of the last call by hand cost."""
        self.built_shape: Any = None
        self._check_activations()
        check_fields(self, self.name)
        self.validate()

    def _check_activations(self) -> None:
        for key, value in vars(self).items():
            if isinstance(value, Activation) and value.is_layer and not self.takes_layers:
                raise ArgumentError(
                    f"{self.name}: {key}: expected a function or a layer that is one, without weights, state, random "
                    f"numbers and activity_regularizer, received {value}. Use a function, and put the layer behind."
                )

    def validate(self) -> None:
        """Check and normalize what the fields' types and ranges leave open; ``ArgumentError`` names the layer."""

    def build(self, shape: Any, ctx: BuildContext) -> None:
        """Make the variables for inputs of ``shape`` (batch axis first, None); a list for several inputs.

        Users call it without ``ctx``: see ``by_hand.buildable``.
        """

    def build_activation(self, shape: Any, ctx: BuildContext) -> None:
        """Make the variables of an activation with weights, after ``build`` has made the layer's own."""

    def all_shapes(self, given: Any) -> Any:
        """The shapes that ``build`` needs, from those that a user gives, who may leave some out."""
        return given

    def compute_output_shape(self, shape: Any) -> Any:
        """Shape of the output for inputs of ``shape``; unknown extents are None.

        A layer of several inputs is given a list of shapes; one of several outputs gives a list.
        """
        return shape

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        """As ``compute_output_shape``, for a layer whose options decide what it returns."""
        return self.compute_output_shape(shape)

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """The output's mask, (N, T) bool or None, for inputs ``x`` and their mask; by default the same."""
        return mask if self.supports_masking else None

    def masked_axes(self, shape: Shape) -> Shape:
        """The extents of a mask for an input of ``shape``, in order; a mask may have only the first of them."""
        return shape

    def mask_after(self, x: Any, mask: Any, saved: Any) -> Any:
        """As ``compute_mask``, given what forward saved for ``x``."""
        return self.compute_mask(x, mask)

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The tensors that forward gets, and its options, for a call with these arguments.

        Raises:
            ArgumentError: arguments that the layer does not know.
        """
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        is_unknown = any(value is not None for key, value in named.items() if key not in ("training", "mask"))
        if is_unknown or len(args) >= len(self.call_arguments):
            raise ArgumentError(f"{self.name}: is called on its inputs alone, received also {args} {kwargs}.")
        tensors = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        options = {key: named[key] for key in ("training", "mask") if named.get(key) is not None}
        return tensors, options

    @abstractmethod
    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Any]:
        """The output, and whatever ``backward`` needs; ``x`` must not be written to.

        Several inputs come as a list; several outputs are returned as one.
        """

    @abstractmethod
    def backward(self, dy: Any, saved: Any, ctx: BackwardContext) -> Any:
        """Gradient of the input; those of the variables go to ``ctx``. ``dy`` must not be written to.

        A list of gradients for several inputs; None for an input that has none, such as integers, and for all where
        nobody needs them (``ctx.needs_input_gradient``).
        """

    def as_declared(self, number: int, rows: Array) -> Array:
        """Rows of input ``number``, cast to the dtype of a model's ``Input``; other layers take them as they are."""
        return rows

    def penalty(self, saved: Any) -> float:
        """What the layers within this one add to the loss for their activities, given what forward saved."""
        return 0.0

    @property
    def has_penalty(self) -> bool:
        """Whether layers within this one can add to the loss."""
        return False

    def in_form(self, outputs: Sequence[Any]) -> Any:
        """The outputs' placeholders, given in order, in the structure that a call returns."""
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """The same for arrays."""
        return self.in_form(outputs)

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        """Build for inputs of ``shape`` (a list for several inputs), unless that is done already.

        Args:
            shape: with the batch axis.
            ctx: makes the variables; a layer within another is handed that layer's ``ctx.within(name)``.

        Raises:
            ShapeError: the weights that exist are for another shape.
        """
        if self.built_shape is not None:
            if self.variables and _without_batch(self.built_shape) != _without_batch(shape):
                self.check_shape(shape)
            return
        if ctx is None:
            address = (addresses.job_seed(), "layer", addresses.next_build_index())
            ctx = BuildContext(path_within(self.name), np.dtype(self.dtype), address)
        self.build(shape, ctx)
        self._variables = ctx.variables
        self.build_activation(shape, ctx)
        self.built_shape = self.input_shape = shape
        initial = vars(self)["initial_weights"]
        if initial is not None:
            self.set_weights(as_list(initial))

    def shape_to_build(self, shape: Shape) -> Shape:
        """The shape of an input as it is built for: of any number of rows, unless a layer ``fixes_rows``."""
        return shape if self._keeps_rows() else (None, *shape[1:])

    def _keeps_rows(self) -> bool:
        return self.fixes_rows or any(layer._keeps_rows() for _, layer in self.inner_layers())

    def check_shape(self, shape: Any) -> None:
        """Fail unless the weights, made for ``built_shape``, fit inputs of ``shape`` too.

        Raises:
            ShapeError: they do not; by default, whenever the shapes differ.
        """
        raise ShapeError(
            f"{self.name}: has weights for inputs of shape {self.built_shape} and cannot take {shape}. "
            "Make another layer for them."
        )

    @abstractmethod
    def inner_layers(self) -> Iterable[tuple[str, AbstractLayer]]:
        """The layers within, each with the path of attributes by which Keras 3 reaches it from this one."""

    @property
    def depends_on_batch(self) -> bool:
        """Whether, without training too, what becomes of a row may depend on the batch that it is in."""
        return self.is_by_call or self.fixes_rows or any(layer.depends_on_batch for _, layer in self.inner_layers())

    @property
    def variables(self) -> list[Variable]:
        """All variables, in the order they were made."""
        return self._variables

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self.built_shape is not None

    @property
    def stored_twice(self) -> list[Variable]:
        """Variables of layers within that stand among its own, too, in Keras's files."""
        return []

    def all_weights(self) -> list[Variable]:
        """All variables, the trainable ones first: those of the attribute ``weights``."""
        return trainable_first(self.variables)

    @property
    def unfrozen_weights(self) -> list[Variable]:
        """The variables that training updates in a model around: as in Keras, each layer's own flag decides."""
        return [v for v in self.variables if v.trainable and self.trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training updates; none in a layer with ``trainable=False``."""
        return self.unfrozen_weights if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        return [v for v in self.variables if not (v.trainable and self.trainable)]

    @property
    def trainable_variables(self) -> list[Variable]:
        """Keras's other name of ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Keras's other name of ``non_trainable_weights``."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Copies of all weights, the trainable ones first."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Overwrite all weights, in the order of ``get_weights``.

        Raises:
            ShapeError: a wrong number of arrays, or an array of the wrong shape.
        """
        assign_all(self.name, self.weights, weights)

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            NotBuiltError: the layer has not seen an input shape.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: count_params needs the input shape. Build the model first.")
        return sum(v.size for v in self.variables)

    def activity_scale(self, rows: int) -> float:
        """What its activity penalty is multiplied by, for ``rows`` in the global batch."""
        return 1.0 if self.sums_activity else 1.0 / rows

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments as JSON; an activity regularizer only where there is one."""
        config = super().get_config()
        if self.activity_regularizer is None:
            del config["activity_regularizer"]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer that ``get_config`` described, by this Keras or an older one.

        Raises:
            ArgumentError: an unknown key.
        """
        return super().from_config(config)

    def _declared_shape(self) -> Shape | None:
        if self.batch_input_shape is not None:
            return as_shape(self.batch_input_shape, self.name)
        if self.input_shape is not None:
            return (None, *as_shape(self.input_shape, self.name))
        if self.input_dim is not None:
            return (None, *as_shape((self.input_dim,), self.name))
        return None


AbstractLayer.build = buildable(AbstractLayer.build)  # type: ignore[method-assign]


def _without_batch(shape: Any) -> Any:
    return [s[1:] for s in shape] if isinstance(shape, list) else shape[1:]
