"""Reads from the text of a user's ``call`` which layers it calls, on what: the text is run on placeholders.

So what a model of straight text does is known as that of a functional model is, as long as all that the text refers
to is the same: it may be planned. A text is straight that calls built layers, other methods of its class and functions
of ``distnet.ops`` on its tensors, with constants; whose loops and branches are over constants, lists of layers and the
mode; and whose layers are distnet's own, or have straight text themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from distnet import addresses, naming
from distnet.errors import DistnetError
from distnet.layers import Layer
from distnet.layers.engine.base import Call, KerasTensor
from distnet.layers.engine.call_arguments import signature_of, takes_masks
from distnet.layers.engine.function_text import NotStraight
from distnet.layers.engine.inline import has_own_mask
from distnet.layers.engine.own_calls import as_node
from distnet.layers.engine.straight_text import StraightText, is_function
from distnet.layers.engine.structures import leaves, mapped
from distnet.layers.engine.text_run import TextRun, is_operand
from distnet.layers.engine.trial import Spec
from distnet.layers.engine.user_call import ByCall
from distnet.layers.operations import Operation
from distnet.models.fusing import is_built_in

_WRONG_CALL = (DistnetError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a text raises that is wrong: the call itself will say it."""


class LayersText(TextRun):
    """What the text of a layer's ``call`` makes of placeholders; the layers within are built.

    Attributes:
        calls: of layers and functions, in the text's order.
        numbers: of the calls, by which their random numbers are drawn, as when the call itself runs; functions draw
            none, and have negative ones.
        returned: by the call, in its structure.

    Args:
        layer: whose ``call`` it is.
        args, kwargs: of the call.
        training: the mode.

    Raises:
        NotStraight: it may do something else the next time.
    """

    def __init__(self, layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any], training: bool) -> None:
        super().__init__()
        self.layer, self.training = layer, training
        self.calls: list[Call] = []
        self.numbers: list[int] = []
        given = self._arguments(args, kwargs)
        try:
            self.returned = self.run(layer, "call", args, given)
        except _WRONG_CALL:
            raise NotStraight from None
        self._check_tensors(self.returned)

    def _arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, as a call in this mode gets them: see ``inline.run``."""
        names = list(signature_of(self.layer).parameters)
        given = {key: value for key, value in kwargs.items() if key in names or key not in ("training", "mask")}
        masks = [name for name in names if name == "mask" or name.endswith("_mask")]
        is_masked = any(tensor.may_be_masked for tensor in _placeholders(args, kwargs))
        if has_own_mask(self.layer) or (is_masked and (masks or self.layer.supports_masking)):
            raise NotStraight
        if masks not in ([], ["mask"]) or given.get("mask") is not None or "training" in names[: len(args)]:
            raise NotStraight
        return {**given, "training": self.training} if "training" in names else given

    def called(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(function, Layer):
            return self._of_layer(function, tuple(args), kwargs)
        if not is_function(function) or not all(map(is_operand, kwargs.values())):
            raise NotStraight
        return self.operated(lambda *operands: function(*operands, **kwargs), args)

    def operated(self, function: Callable[..., Any], operands: Sequence[Any]) -> Any:
        if not all(map(is_operand, operands)):
            raise NotStraight
        made = function(*operands)
        self._check_tensors(made)
        call: Call = next(leaves(made)).call
        operation = call.layer
        if not isinstance(operation, Operation) or operation.dtype != self.layer.dtype:
            raise NotStraight
        if operation.arguments.get("dtype", self.layer.dtype) != self.layer.dtype:
            raise NotStraight  # a graph has one dtype of floating point
        self._take(call, -1 - len(self.calls))
        return made

    def _of_layer(self, layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        is_usual = type(layer).__call__.__module__.startswith("distnet.") and "call" not in vars(layer)
        if not is_usual or not layer.built or layer.dtype != self.layer.dtype or kwargs.get("mask") is not None:
            raise NotStraight
        if not all(map(is_operand, (*args, *kwargs.values()))):
            raise NotStraight
        if _is_users(layer):
            made = self._of_users(layer, args, kwargs)
        elif is_built_in(layer) and all(is_built_in(inner) and not _is_users(inner) for inner in _all_within(layer)):
            made = layer(*args, **kwargs)
        else:
            raise NotStraight
        self._check_tensors(made)
        self._take(next(leaves(made)).call, sum(number >= 0 for number in self.numbers))
        return made

    def _of_users(self, layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What a user's layer gives, whose text is straight, too."""
        training = kwargs.get("training")
        try:
            inner = LayersText(layer, args, kwargs, self.training if training is None else bool(training))
        except NotStraight:
            tensors = _placeholders(args, kwargs)
            is_plain = len(args) == len(tensors) and not kwargs.keys() - {"training"}
            if not is_plain or takes_masks(layer) or has_own_mask(layer):
                raise
            self.references.add(StraightText(layer, len(tensors)).references)
            return layer(*args, **kwargs)
        self.references.add(inner.references)
        return as_node(layer, args, kwargs, mapped(lambda t: Spec(t.shape, t.dtype, t.may_be_masked), inner.returned))

    def _take(self, call: Call, number: int) -> None:
        self.calls.append(call)
        self.numbers.append(number)

    def _check_tensors(self, made: Any) -> None:
        if not all(isinstance(leaf, KerasTensor) and leaf.has_rows for leaf in leaves(made)):
            raise NotStraight


def _placeholders(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[KerasTensor]:
    return [leaf for leaf in leaves((list(args), dict(kwargs))) if isinstance(leaf, KerasTensor)]


def _is_users(layer: Any) -> bool:
    """Whether it is a layer whose ``call`` says what it computes."""
    return type(layer).forward is ByCall.forward


def _all_within(layer: Any) -> Iterator[Any]:
    """The layers within a layer, those within these, and so on."""
    for _, inner in layer.inner_layers():
        yield inner
        yield from _all_within(inner)


@contextmanager
def as_if_uncalled(layer: Any) -> Iterator[None]:
    """Within the block layers are called on placeholders, of which nothing remains: no calls, names and numbers."""
    layers = list({id(inner): inner for inner in (layer, *_all_within(layer))}.values())
    before = [(inner, len(inner.calls), vars(inner).get("_form"), "_form" in vars(inner)) for inner in layers]
    try:
        with naming.uncounted(), addresses.builds_uncounted():
            yield
    finally:
        for inner, calls, form, has_form in before:
            del inner.calls[calls:]
            vars(inner).pop("_form", None)
            vars(inner).update({"_form": form} if has_form else {})
