"""Policies of dtypes, of which each is one dtype: that of weights and of what is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from distnet import config
from distnet.absent import because, names_elsewhere
from distnet.errors import AbsentError, ArgumentError
from distnet.types import Json

_PLAIN = ("float32", "float64")
_QUANTIZED = "weights are not quantized: leave it out."

__getattr__ = names_elsewhere(
    __name__,
    absent={
        **because(_QUANTIZED, "AWQDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy"),
        **because(_QUANTIZED, "QuantizedFloat8DTypePolicy"),
        **because("a layer's dtype is given where the layer is made: dtype=.", "DTypePolicyMap"),
    },
)


class DTypePolicy:
    """The dtype of a layer, ``"float32"`` or ``"float64"``; by default the global one.

    Args:
        name: of the dtype; None for ``floatx``.
        source_name: has no effect.

    Raises:
        AbsentError: it mixes dtypes, or is of half precision, which NumPy computes too slowly to train in.

    Source: ``keras.DTypePolicy``.
    """

    quantization_mode = None

    def __init__(self, name: str | None = None, source_name: str | None = None) -> None:
        chosen = config.floatx() if name is None else name
        if not isinstance(chosen, str):
            raise ArgumentError(f"DTypePolicy: expected the name of a dtype, received {name!r}.")
        if chosen not in _PLAIN:
            raise AbsentError(
                f"DTypePolicy: {chosen!r} is not in distnet, only {', '.join(_PLAIN)}: there is no mixed precision, "
                "and NumPy computes too slowly in half precision to train in it. Leave it out."
            )
        self._name = chosen

    @property
    def name(self) -> str:
        """Its dtype's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype in which layers compute."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return self._name

    def get_config(self) -> dict[str, Json]:
        """Its name."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The policy of a configuration."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other.name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


FloatDTypePolicy = DTypePolicy
"""Keras's name for policies that are not quantized."""


def get(identifier: object) -> DTypePolicy:
    """The policy of a name, a configuration, or None for the global one.

    Raises:
        ArgumentError: it is none of these.
        AbsentError: see ``DTypePolicy``.

    Source: ``keras.dtype_policies.get``.
    """
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if identifier is None or isinstance(identifier, str):
        return DTypePolicy(identifier)
    raise ArgumentError(f"dtype_policies.get: expected a name, a configuration or a policy, received {identifier!r}.")


def serialize(dtype_policy: DTypePolicy) -> dict[str, Json]:
    """Its configuration, with its class.

    Source: ``keras.dtype_policies.serialize``.
    """
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """The policy of what ``serialize`` gives.

    Raises:
        ArgumentError: it is something else.
        AbsentError: see ``DTypePolicy``.

    Source: ``keras.dtype_policies.deserialize``.
    """
    if config.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy"):
        raise ArgumentError(f"dtype_policies.deserialize: expected a DTypePolicy, received {dict(config)!r}.")
    return DTypePolicy.from_config(config.get("config", {}))
