"""A specification of a model, made a model: the same way in distnet and in Keras.

A specification is JSON-like data::

    {"inputs": [{"row": [4, 3], "values": "real"}],
     "calls": [{"layer": "Dense", "options": {"units": 2}, "on": [0]}],
     "outputs": [1]}

Tensors have numbers: first the inputs, then what each call makes. A call names a layer's class and its options; or
``"again"``, the number of an earlier call whose layer it calls once more; or an operator between placeholders; or
``"model"``, a specification of its own. Objects among the options are ``{"make": "regularizers.L2", "with": {...}}``.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

Spec = Mapping[str, Any]

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
DTYPES = {"indices": "int32", "mask": "bool"}


def halved(epoch: int, rate: float) -> float:
    """A schedule for ``LearningRateScheduler``."""
    return rate / (1 + epoch)


FUNCTIONS = {"halved": halved}


def made(package: ModuleType, value: Any) -> Any:
    """An option's value: objects and functions for what stands for them."""
    if isinstance(value, Mapping) and "make" in value:
        kind: Any = package
        for part in value["make"].split("."):
            kind = getattr(kind, part)
        options = {key: made(package, option) for key, option in value["with"].items()}
        if package.__name__ == "keras" and "IoU" in value["make"]:
            options["dtype"] = "float64"  # else it counts in integers, and divides in float32
        return kind(**options)
    if isinstance(value, Mapping) and "function" in value:
        return FUNCTIONS[value["function"]]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [made(package, part) for part in value]
    return value


class Building:
    """The tensors and layers of a model that grows call by call.

    Args:
        package: ``distnet`` or ``keras``.
        inputs: of the specification.
    """

    def __init__(self, package: ModuleType, inputs: Sequence[Spec]) -> None:
        self.package = package
        self.layers: list[Any] = []
        self.inputs = [
            package.Input(tuple(given["row"]), name=f"x{i}", dtype=DTYPES.get(given["values"], "float64"))
            for i, given in enumerate(inputs)
        ]
        self.tensors: list[Any] = list(self.inputs)

    def add(self, call: Spec) -> list[Any]:
        """Make a call; the tensors that it makes."""
        on = [self.tensors[number] for number in call["on"]]
        outputs = self._called(call, on)
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        self.tensors += outputs
        return outputs

    def _called(self, call: Spec, on: list[Any]) -> Any:
        if call["layer"] in OPERATORS:
            self.layers.append(None)
            return OPERATORS[call["layer"]](*on, *([call["number"]] if "number" in call else []))
        layer = self.layers[call["again"]] if "again" in call else self.layer(call, len(self.layers))
        self.layers.append(layer)
        options = {key: self.tensors[number] for key, number in call.get("tensors", {}).items()}
        options |= call.get("arguments", {})
        if call["layer"] == "MultiHeadAttention":
            return layer(*on, **options)
        return layer(on if len(on) > 1 else on[0], **options)

    def layer(self, call: Spec, number: int) -> Any:
        """The layer that a call names."""
        if "model" in call:
            return model_of(self.package, call["model"], name=f"model_{number}")
        options = {key: made(self.package, value) for key, value in call["options"].items()}
        return getattr(self.package.layers, call["layer"])(**{"name": f"layer_{number}", **options})


def model_of(package: ModuleType, spec: Spec, name: str = "model") -> Any:
    """The model of a specification; a ``Sequential`` where it says so, of calls that form a chain."""
    if spec.get("kind") == "Sequential":
        entry = package.Input(
            tuple(spec["inputs"][0]["row"]), name="x0", dtype=DTYPES.get(spec["inputs"][0]["values"], "float64")
        )
        building = Building(package, [])
        return package.Sequential(
            [entry, *(building.layer(call, i) for i, call in enumerate(spec["calls"]))], name=name
        )
    building = Building(package, spec["inputs"])
    for call in spec["calls"]:
        building.add(call)
    inputs = building.inputs
    outputs = [building.tensors[number] for number in spec["outputs"]]
    return package.Model(
        inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0], name=name
    )
