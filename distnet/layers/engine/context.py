"""What a layer is handed while it builds, runs forward and runs backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np

from distnet import addresses, kernels
from distnet.allocation import awaited, check_memory
from distnet.constraints import CONSTRAINTS
from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels import Draw, Kernels, matrix_products
from distnet.kernels.readying import Call, readied_by, ready
from distnet.layers.engine.left_work import LeftWork
from distnet.layers.engine.numbered_variables import numbered
from distnet.layers.engine.plan import Plan, Planned
from distnet.layers.engine.workspaces import ShortLived
from distnet.layers.engine.workspaces import Workspaces as Workspaces
from distnet.naming import present_scope
from distnet.ops.present import Present, running
from distnet.ops.tensor import Rows
from distnet.regularizers import REGULARIZERS
from distnet.timeline import Timeline
from distnet.types import Array, DType
from distnet.variables import Variable

T = TypeVar("T")

Settle: TypeAlias = Callable[[Sequence[Variable]], None]
"""Is told, in the middle of the backward pass, of variables whose gradients are whole."""


@dataclass
class BuildContext:
    """Makes a layer's variables; each draws its initial weights from an address of its own.

    Args:
        path: the layer's name within its model.
        dtype: of the variables.
        address: seed and place of the layer, the same on every rank.
    """

    path: str
    dtype: DType
    address: tuple[int | str, ...]
    variables: list[Variable] = field(default_factory=list)

    def variable(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: object = "glorot_uniform",
        regularizer: object = None,
        constraint: object = None,
        trainable: bool = True,
        stored_as: str | None = None,
    ) -> Variable:
        """A new variable of the layer, such as a kernel, or a state.

        Args:
            name: ``"part/kernel"`` says of which part of the layer it is.
            shape: of the array; () for a number.
            initializer, regularizer, constraint: names, objects or functions, as layers' arguments are.
            trainable: whether it has a gradient; a layer's state has none.
            stored_as: its dtype in files, where that is another one than the layer's.
        """
        value = awaited(f"{self.path}/{name}", shape, self.dtype)
        if value is None:
            value = self._drawn(shape, INITIALIZERS.get(initializer))
        own = name.rpartition("/")[2]
        penalty, projection = REGULARIZERS.optional(regularizer), CONSTRAINTS.optional(constraint)
        scope = present_scope()
        made = numbered(
            Variable(own, f"{scope}{self.path}/{name}", value, trainable, False, penalty, projection, stored_as, scope)
        )
        self.variables.append(made)
        return made

    def weight(self, layer: object, part: str, shape: tuple[int, ...], name: str | None = None) -> Variable:
        """A new variable with the layer's ``{part}_initializer``, ``{part}_regularizer`` and ``{part}_constraint``.

        Args:
            layer: has these fields.
            part: such as ``"kernel"``.
            shape: of the array.
            name: as for ``variable``; by default ``part``.
        """
        of_part = (getattr(layer, f"{part}_{field}") for field in ("initializer", "regularizer", "constraint"))
        return self.variable(name or part, shape, *of_part)

    def _drawn(self, shape: tuple[int, ...], initializer: Initializer) -> Array:
        check_memory(self.path, shape, self.dtype)
        if initializer.seed is None:
            rng = addresses.generator(*self.address, "initializer", len(self.variables))
        else:
            rng = addresses.generator(initializer.seed, "initializer")
        return initializer.draw(shape, self.dtype, rng)

    def within(self, name: str) -> Self:
        """Makes the variables of a layer within the layer, with names, addresses and a list of their own."""
        return replace(self, path=f"{self.path}/{name}", address=(*self.address, name), variables=[])


def _one_rank(array: Array) -> None:
    """The sum over one rank: the array as it is."""


class Turn:
    """One call by hand: its place among those that draw random numbers, counted when it draws its first."""

    def __init__(self) -> None:
        self.penalties: list[tuple[Any, float]] = []
        """The layers whose activities are penalized, and the penalty of each call of them."""

    @cached_property
    def number(self) -> int:
        """The same on every rank."""
        return addresses.next_call_index()


@dataclass
class ForwardContext(Planned):
    """What forward may know: the mode, and where the rows at hand lie in the global batch.

    Args:
        training: whether dropout drops and statistics move; None in a call by hand that does not say: then only
            images are augmented, as in Keras.
        seed: first word of every address.
        step: number of the training step.
        first_row: index in the global batch of the first row at hand.
        global_rows: rows of the global batch.
        workspaces: memory used again at each step.
        sum_over_ranks: sums an array over all ranks, in place; for statistics of the global batch.
        call: which call of a layer in the graph this is; set by the graph.
        mask: (N, T) bool, true where a time step counts, or None; a list of these for several inputs;
            set by the graph.
        options: the call's arguments besides its inputs; set by the graph.
        turn: of a call by hand.
        logits: the outputs of a model, by number, of which the logits are to be kept; in a layer that
            ``leaves_logits``, whether it is to leave out its activation; set by the graph.
        is_recorded: whether ``backward`` may follow.
        wanted: the numbers of the inputs whose gradient may be wanted then; None for all; set by the graph.
        kernels: the kernels in use.
        is_spread: whether other ranks have the other rows of the global batch, and run the same step.
        plan: notes what is done, to be repeated.
        plus: what a layer which ``takes_activations`` is to add to its output, an array of the input's shape and dtype;
            set by the graph.
        then: the activation that it is to apply after that; set by the graph.
        is_left: whether a layer that ``leaves_activations`` is to leave out its bias and its activation, because the
            layer behind it applies them; set by the graph.
        left: what the layer before left to a layer that ``takes_left``; set by the graph.
        timeline: where each layer's call is to be an interval, if a profile is made.
    """

    training: bool | None
    seed: int
    step: int
    first_row: int
    global_rows: int
    workspaces: Workspaces
    sum_over_ranks: Callable[[Array], None] = _one_rank
    call: tuple[int, ...] = ()
    mask: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    turn: Turn | None = None
    logits: frozenset[int] = frozenset()
    is_recorded: bool = True
    wanted: frozenset[int] | None = None
    kernels: Kernels = field(default_factory=kernels.current)
    is_spread: bool = False
    plan: Plan | None = None
    plus: Array | None = None
    then: str = "linear"
    is_left: bool = False
    left: LeftWork | None = None
    timeline: Timeline | None = None

    def here(self) -> Any:
        """As in both directions; in a repetition its step is that step's."""
        own = super().here()
        if self.plan is not None:
            self.plan.contexts.append(own)
        return own

    def rows(self, count: int) -> Rows | None:
        """Which rows of the global batch the ``count`` rows at hand are; None where they are all of it."""
        return Rows(self.global_rows, self.first_row, count) if self.is_spread else None

    def running(self, count: int, purpose: str = "call") -> AbstractContextManager[Present]:
        """Within the block users' code runs on the ``count`` rows at hand."""
        return running(self.rows(count), self.step, partial(self._address, purpose, None))

    @property
    def augments(self) -> bool:
        """Whether images are to be changed."""
        return self.training is None or bool(self.training)

    def within(self, number: int, mask: Any = None) -> Self:
        """The context of layer ``number`` within this one, with memory and random numbers of its own."""
        return replace(
            self, call=(*self.call, number), mask=mask, options={}, logits=frozenset(), wanted=None, plus=None,
            then="linear", is_left=False, left=None,
        )  # fmt: skip

    def row_normals(self, purpose: str, rows: int, width: int, seed: int | None = None) -> Array:
        """(rows, width) float64 standard normal numbers for the rows at hand, the same on any number of ranks.

        Source: Box and Muller, 1958.
        """
        bits = self.row_bits(purpose, rows, 2 * width, seed)
        radius = np.sqrt(-2.0 * np.log((bits[:, :width] + 1.0) / 2.0**32))
        return np.asarray(radius * np.cos(bits[:, width:] * (2.0 * np.pi / 2.0**32)))

    def row_bits(self, purpose: str, rows: int, width: int, seed: int | None = None) -> Array:
        """(rows, width) uint32 random bits for the rows at hand, the same on any number of ranks."""
        return self.draw_row_bits(purpose, np.empty((rows, width), np.uint32), seed)

    def draw_row_bits(self, purpose: str, bits: Array, seed: int | None = None) -> Array:
        """Overwrite ``bits``, which is contiguous, with what ``row_bits`` gives, and return it."""
        key = addresses.key(*self._address(purpose, seed))
        return self.kernels.random_bits(key, self.step, self.first_row, bits)

    def draw(self, purpose: str, seed: int | None = None) -> Draw:
        """Where ``row_bits`` come from, for kernels that draw themselves."""
        return Draw(addresses.key(*self._address(purpose, seed)), self.step, self.first_row)

    def batch_bits(self, purpose: str, width: int, seed: int | None = None) -> Array:
        """(1, width) uint32 random bits that all rows of the global batch share."""
        return addresses.row_bits(self._address(purpose, seed), self.step, 0, 1, width)

    def _address(self, purpose: str, seed: int | None) -> tuple[int | str, ...]:
        by_hand = () if self.turn is None else ("by hand", self.turn.number)
        return (self.seed if seed is None else seed, purpose, *self.call, *by_hand)


@dataclass
class BackwardContext(Planned):
    """Takes the gradients of the variables; the first one of a step overwrites, later ones add.

    Args:
        workspaces: memory used again at each step.
        sum_over_ranks: sums an array over all ranks, in place.
        needs_input_gradient: whether anything upstream of the layer is trained; if not, ``backward`` returns None for
            every input; set by the graph.
        call: which call of a layer in the graph this is; set by the graph.
        options: the call's arguments besides its inputs; set by the graph.
        is_of_logits: whether the gradient is that of the output before the layer's activation; set by the graph.
        kernels: the kernels in use.
        plan: notes what is done, to be repeated.
        settle: if given, is told of the variables whose gradients are whole.
        last_uses: the variables that a call is the last one to use, by the call; set by the model.
        settled: those that ``settle`` was told of.
        timeline: where each layer's call is to be an interval, if a profile is made.
        short_lived: gives the memory of this call, instead of ``workspaces``; set by the graph.
    """

    workspaces: Workspaces
    sum_over_ranks: Callable[[Array], None] = _one_rank
    needs_input_gradient: bool = True
    call: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    written: set[int] = field(default_factory=set)
    is_of_logits: bool = False
    kernels: Kernels = field(default_factory=kernels.current)
    plan: Plan | None = None
    settle: Settle | None = None
    last_uses: Mapping[tuple[int, ...], Sequence[Variable]] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    timeline: Timeline | None = None
    short_lived: ShortLived | None = None

    def workspace(self, name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        """As in both directions; its content may be gone when the next call begins, unless that reads it."""
        return (self.short_lived or self.workspaces).get(self.call, name, shape, dtype)

    def here(self) -> Any:
        """As in both directions; what a noted call takes when it is repeated, nobody else gets."""
        return super().here() if self.short_lived is None else replace(self, plan=None, short_lived=None)

    def end_call(self) -> None:
        """Say which variables' gradients are whole, now that the call's layer has run; the graph calls it."""
        used = self.last_uses.get(self.call, ())
        if used and self.settle is not None:
            self.fill_unwritten(used)
            self.settled.update(map(id, used))
            self.do(self.settle, used)

    def fill_unwritten(self, variables: Sequence[Variable]) -> None:
        """Of variables that nothing gave a gradient it is 0."""
        for variable in variables:
            if id(variable) not in self.written and self._is_first(variable):
                self.do(variable.grad.fill, 0)

    def within(self, number: int) -> Self:
        """The context of layer ``number`` within this one; its gradients go to the same place."""
        return replace(self, call=(*self.call, number), options={}, is_of_logits=False)

    def add_product(self, variable: Variable | None, a: Array, b: Array) -> None:
        """``grad += a @ b``, straight into the flat gradient; a frozen or absent variable costs nothing.

        Shapes:
            a (I, N), b (N, O); the variable has I * O entries in any shape.
        """
        if variable is None or not variable.is_trained:
            return
        grad = variable.grad.reshape(len(a), b.shape[-1])
        if self._is_first(variable):
            self.do(matrix_products.multiply, a, b, out=grad)
        else:
            self._add(grad, matrix_products.multiply, a, b)

    def add_sum(self, variable: Variable | None, dy: Array, axis: int | tuple[int, ...]) -> None:
        """``grad += dy.sum(axis)``, straight into the flat gradient."""
        if variable is None or not variable.is_trained:
            return
        if axis == 0 and dy.flags.c_contiguous:
            self.add_made(variable, self.kernels.column_sums, dy.reshape(1, len(dy), math.prod(dy.shape[1:])))
        elif self._is_first(variable):
            self.do(np.add.reduce, dy, axis=axis, out=variable.grad)
        else:
            self._add(variable.grad, np.add.reduce, dy, axis=axis)

    def add_rows(self, variable: Variable | None, rows: Array, gradients: Array) -> None:
        """``grad[rows[i]] += gradients[i]`` for each i; rows may occur any number of times."""
        if variable is None or not variable.is_trained:
            return
        if self._is_first(variable):
            self.do(variable.grad.fill, 0)
        self.do(self.kernels.add_rows, variable.grad, rows, gradients)

    def add(self, variable: Variable | None, gradient: Array) -> None:
        """``grad += gradient``, which may be in ``memory_for`` the variable."""
        if variable is None or not variable.is_trained:
            return
        if self._is_first(variable):
            if gradient is not variable.grad:
                self.do(np.copyto, variable.grad, gradient)
        else:
            self.do(np.add, variable.grad, gradient, out=variable.grad)

    def memory_for(self, variable: Variable) -> Array | None:
        """Where its gradient may be written before it is added; None if a part of it is there already."""
        return None if id(variable) in self.written else variable.grad

    def add_nothing(self, variable: Variable) -> None:
        """``grad += 0``: of a variable that no result depends on this time."""
        if variable.is_trained and self._is_first(variable):
            self.do(variable.grad.fill, 0)

    def add_made(self, variable: Variable | None, function: Callable[..., Array], *args: Any) -> None:
        """``grad += function(*args)``, whose result has the variable's entries in any shape."""
        if variable is not None and variable.is_trained:
            self.do(_put if self._is_first(variable) else _put_on, variable.grad, function, *args)

    def _add(self, grad: Array, function: Callable[..., Array], *args: Any, **options: Any) -> None:
        """``grad += function(*args, **options)``."""
        added = self.workspace("added", grad.shape, grad.dtype)
        self.do(function, *args, **options, out=added)
        self.do(np.add, grad, added, out=grad)

    def _is_first(self, variable: Variable) -> bool:
        if id(variable) in self.settled:
            raise ArgumentError(
                f"{variable.path}: another layer than its own added to its gradient, which was already sent to the "
                "other nodes. Make the layers that share a weight one layer, or keep its layer as an attribute."
            )
        if id(variable) in self.written:
            return False
        self.written.add(id(variable))
        return True


def _ready_put(grad: Array, function: Callable[..., Array], *args: Any) -> Call | None:
    """With the function's call made ready."""
    if not grad.flags.c_contiguous:
        return None
    flat, make = grad.reshape(-1), ready(function, *args)

    def put() -> None:
        made = make()
        flat[...] = made if made.ndim == 1 else made.reshape(-1)

    return put


@readied_by(_ready_put)
def _put(grad: Array, function: Callable[..., Array], *args: Any) -> None:
    grad[...] = function(*args).reshape(grad.shape)


def _put_on(grad: Array, function: Callable[..., Array], *args: Any) -> None:
    grad += function(*args).reshape(grad.shape)
