"""A plan: a step that is taken once and then repeated, as a flat list of calls on arrays that stay where they are.

While a plan is made, layers run as always. What they do through ``ctx.do`` is noted, with the arrays it reads and
writes: those are workspaces, weights and gradients, so that the same call on the next batch is the same computation.
A layer that does something else besides is one call of the plan, as a whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Protocol, cast

import numpy as np

from distnet.errors import ShapeError
from distnet.kernels.readying import ready
from distnet.layers.engine.buffers import buffers_within
from distnet.timeline import INSTRUCTION, Timeline
from distnet.types import Array, DType


class GivesWorkspaces(Protocol):
    """The workspaces of a training."""

    def get(self, call: tuple[int, ...], name: str, shape: tuple[int, ...], dtype: DType) -> Array: ...


class OneWay(Protocol):
    """A layer, as a plan sees it."""

    name: str

    def inner_layers(self) -> Iterable[Any]: ...

    def forward(self, x: Any, ctx: Any) -> tuple[Any, Any]: ...

    def backward(self, dy: Any, saved: Any, ctx: Any) -> Any: ...


class Plan:
    """The calls of a step, in order.

    Args:
        timeline: where each call is to be an interval, if a profile is made.
    """

    def __init__(self, timeline: Timeline | None = None) -> None:
        self.timeline = timeline
        self.calls: list[Callable[[], object]] = []
        self.contexts: list[Any] = []
        """What calls know of the step: its number is written there before each repetition."""
        self.standing: list[Standing] = []
        """Results of whole calls, which the plan holds besides workspaces."""

    def note(self, call: Callable[[], object], *made_of: Any) -> None:
        """Let each repetition make this call.

        Args:
            made_of: the function called and its arguments, by which a profile names the call.
        """
        if self.timeline is not None:
            call = self.timeline.timed(call, _name_of(*(made_of or [call])), INSTRUCTION)
        self.calls.append(call)

    def buffers(self) -> list[Array]:
        """The memory that its calls read and write: each array that owns some, once."""
        results = [a for standing in self.standing for a in standing.each if a is not None]
        return buffers_within([*self.calls, *results])

    def repeat(self, step: int = 0) -> None:
        """Make all calls again, on what now is in the arrays.

        Args:
            step: number of the training step.
        """
        for ctx in self.contexts:
            ctx.step = step
        for call in self.calls:
            call()


def _name_of(function: Callable[..., object], *args: Any) -> str:
    """Of an instruction: its function's, or of the one that this calls; ``add.reduce`` for ``np.add.reduce``."""
    name = getattr(function, "__name__", type(function).__name__)
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{owner.__name__}.{name}"
    inner = next((a for a in args[1:2] if callable(a)), None)
    return name.strip("_") if inner is None else _name_of(inner)


class Planned:
    """What the contexts of both directions do for a plan."""

    plan: Plan | None
    timeline: Timeline | None
    workspaces: GivesWorkspaces
    call: tuple[int, ...]

    def workspace(self, name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        """Memory for a result of this call, the same at each step; its content is arbitrary."""
        return self.workspaces.get(self.call, name, shape, dtype)

    def do(self, function: Callable[..., object], *args: Any, **options: Any) -> None:
        """Call the function, and once in each repetition of the step.

        Args:
            function: writes its results into arrays among its arguments, and depends on nothing else that changes.
            args, options: its arguments; arrays are workspaces, inputs, weights, gradients, or views of these.
        """
        if self.plan is None:
            function(*args, **options)
            return
        call = ready(function, *args, **options)
        call()
        self.plan.note(call, function, *args)

    def here(self) -> Any:
        """The context for a noted call that uses it: of this call, whichever is made when it is repeated."""
        return self if self.plan is None else replace(cast(Any, self), plan=None)

    def contiguous(self, name: str, a: Array) -> Array:
        """The array, or a copy of it in a workspace if it is not contiguous."""
        if a.flags.c_contiguous:
            return a
        copied = self.workspace(name, a.shape, a.dtype)
        self.do(np.copyto, copied, a)
        return copied


def is_repeated(layer: OneWay, has_graph: bool = False) -> bool:
    """Whether a layer does through ``ctx.do`` all that must be done again in a repetition.

    Args:
        layer: one that holds layers, such as an activation with weights, does not.
        has_graph: whether the layers that it holds are a graph, which is noted itself.
    """
    return _says_so(type(layer)) and (has_graph or not any(layer.inner_layers()))


@cache
def _says_so(kind: type) -> bool:
    """Whether the class says that it ``repeats``; a user's class behind it may override anything."""
    for cls in kind.__mro__:
        if "repeats" in vars(cls):
            return bool(vars(cls)["repeats"])
        if not cls.__module__.startswith("distnet."):
            return False
    return False


class OnceMore(ABC):
    """What a layer saved of a call that may be made again without the layer."""

    @abstractmethod
    def once_more(self) -> Callable[[], Any] | None:
        """What makes the call again, on what its inputs then hold, so that this is what it saved then.

        It gives the outputs, or None where the call could do something else by now. None where it always could.
        """


class WholeCall:
    """A layer's call that is repeated as a whole: its arrays may be others at each step.

    Args:
        layer: what is called.
        ctx: of the call.
        plan: notes it.
    """

    def __init__(self, layer: OneWay, ctx: Any, plan: Plan) -> None:
        self.layer, self.plan = layer, plan
        self.ctx = replace(ctx, plan=None)
        self.saved: Any = None
        plan.contexts.append(self.ctx)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The outputs, in memory where every repetition puts them, and what was saved this time."""
        y, self.saved = self.layer.forward(x, self.ctx)
        standing = Standing(y, f"{self.layer.name}: an output")
        self.plan.standing.append(standing)
        first = self.saved
        once_more = first.once_more() if isinstance(first, OnceMore) else None

        def again() -> None:
            made = None if once_more is None else once_more()
            if made is None:
                made, self.saved = self.layer.forward(x, self.ctx)
            else:
                self.saved = first
            standing.put(made)

        self.plan.note(again, self.layer.forward)
        return standing.arrays, self.saved

    def backward(self, dy: Any, ctx: Any) -> Any:
        """The gradients of the inputs, in memory where every repetition puts them.

        Every repetition writes those gradients of weights that the first run wrote.
        """
        own, before = replace(ctx, plan=None), frozenset(ctx.written)
        standing = Standing(
            self.layer.backward(dy, self.saved, own), f"{self.layer.name}: an input's gradient", is_gradient=True
        )
        after = frozenset(own.written)

        def again() -> None:
            own.written = set(before)
            standing.put(self.layer.backward(dy, self.saved, own))
            if own.written != after:
                raise _unlike(f"{self.layer.name}: backward", "gradients of the same weights", "those of others")

        if ctx.plan is not None:
            ctx.plan.standing.append(standing)
            ctx.plan.note(again, self.layer.backward)
        return standing.arrays


class Standing:
    """Copies of a layer's results, which later calls of a plan read where they are.

    Args:
        made: an array or None, or a list of these.
        name: what they are, for errors.
        is_gradient: whether None stands for zeros, where the first one was an array.
    """

    def __init__(self, made: Any, name: str, is_gradient: bool = False) -> None:
        self.name, self.is_gradient = name, is_gradient
        self.each = [None if a is None else np.array(a) for a in _as_list(made)]
        self.arrays = self.each if isinstance(made, list) else self.each[0]

    def put(self, made: Any) -> None:
        """Take the results of a repetition.

        Raises:
            ShapeError: they differ from the first ones in number, shape or dtype.
        """
        given = _as_list(made)
        if len(given) != len(self.each):
            raise _unlike(self.name, f"{len(self.each)} of them", f"{len(given)}")
        for a, place in zip(given, self.each, strict=True):
            if a is None and place is not None and self.is_gradient:
                place.fill(0)
            elif _kind(a) != _kind(place):
                raise _unlike(self.name, _described(place), _described(a))
            elif place is not None:
                np.copyto(place, a)


def _unlike(where: str, expected: str, received: str) -> ShapeError:
    return ShapeError(
        f"{where}: expected {expected}, as in the first step with a batch of this shape; received {received}. "
        "A step is taken once and then repeated. If what a layer returns changes from step to step, compile the model "
        "with run_eagerly=True, or compute both and choose with ops.where."
    )


def _kind(a: Any) -> object:
    return None if a is None else (a.shape, a.dtype)


def _described(a: Any) -> str:
    return "none" if a is None else f"one of shape {a.shape} and dtype {a.dtype}"


def _as_list(made: Any) -> Sequence[Any]:
    return made if isinstance(made, list) else [made]
