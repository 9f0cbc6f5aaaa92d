"""Attributes that Keras's layers have besides: what they are here, or why they are not."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from distnet.absent import because
from distnet.errors import AbsentError

REFUSED_MEMBERS: Mapping[str, str] = {
    **because("there are no quantized layers: leave it out.", "quantize quantized_build quantized_call enable_lora"),
    **because(
        "layers and optimizers keep their own state, and update it in place. Call the layer, or use fit or a loop.",
        "stateless_call stateless_compute_loss get_state_tree set_state_tree jax_state_sync",
    ),
    **because("nothing is recomputed: leave it out.", "rematerialized_call"),
    **because("it writes for other frameworks. Use save.", "export"),
}
"""Methods of Keras's layers and models -> why they are missing, and what to do instead."""


class KerasMembers(ABC):
    """Keras's further names of what a layer has, and its methods that are refused when they are called."""

    varies_in_shape: ClassVar[bool] = False
    """Whether the shape of its output depends on what its inputs hold."""

    data_dtype: str | None = None
    """Of a model's first input, where data tell it."""

    name: str
    dtype: str

    @property
    def output_dtype(self) -> str:
        """Of the placeholders that stand for its outputs."""
        return self.dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes in: that of its weights."""
        return self.dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of its weights."""
        return self.dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that its inputs are cast to."""
        return self.dtype


def _refusing(name: str, reason: str) -> Callable[..., NoReturn]:
    def refused(self: Any, *args: object, **kwargs: object) -> NoReturn:
        raise AbsentError(f"{self.name}.{name} is not in distnet: {reason}")

    refused.__name__, refused.__doc__ = name, f"Refused: {reason}"
    return refused


for _name, _reason in REFUSED_MEMBERS.items():
    setattr(KerasMembers, _name, _refusing(_name, _reason))
