"""What loops of the user's compare: models, layers and losses that a tape saw called, and the weights.

It rides in the message that sums the gradients: checksums, of which the ranks are told the facts only where they
differ. Settings are described when they are first seen, when an argument of a layer was set, and, for what changes in
place, at steps 8, 64, 512 and so on. Weights are compared in part at each step, and whole at steps 1, 2, 4 to 64 and
every 64th.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from distnet import addresses, config
from distnet.assignments import settings
from distnet.checksums import checksum
from distnet.comm import Communicator
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.ops.present import present
from distnet.ops.tape import unfollowed
from distnet.parallel import replicas
from distnet.registry import describing, to_json, users_code_of
from distnet.training.agreement import anonymous, architecture_of
from distnet.training.set_alone import layers_of
from distnet.types import Array, Json
from distnet.variables import Variable

_EVERY = 64
"""After so many steps all weights are compared."""
_ENTRIES = 1024
"""Of weights, looked at in a step: over many steps all."""
_MOST_KEPT = 256
"""Descriptions of so many objects are kept, before those of objects that are gone are dropped."""


class _Described:
    """What is known of one object: a checksum of its description, and when it was made."""

    def __init__(self, called: Any, steps: int) -> None:
        self.object = weakref.ref(called)
        self.agreed: int | None = None
        """The checksum at which the ranks found that they differ in nothing that counts."""
        self.changes = 0
        self.describe(called, steps)

    def describe(self, called: Any, steps: int) -> None:
        self.settings, self.steps = settings(), steps
        self.checksum = zlib.crc32(replicas.as_text({"": _description(called)}).encode())

    def told(self, called: Any, steps: int) -> int:
        """The checksum, of now where the object may have changed; 0 for what the ranks have agreed on."""
        if settings() != self.settings:
            self.changes += 1
        is_due = settings() != self.settings and self.changes & (self.changes - 1) == 0
        if is_due or steps >= 8 * self.steps:
            self.describe(called, steps)
        return 0 if self.checksum == self.agreed else self.checksum


class TapeChecks:
    """What one thread of a rank knows of its tapes."""

    def __init__(self) -> None:
        self._steps = 0
        self._described: dict[int, _Described] = {}

    def tell(self, called: Sequence[Any], sources: Sequence[Any]) -> tuple[int, tuple[int, int]]:
        """Checksums of the settings of what was called; of a part of the weights, and of all, or 0."""
        self._steps += 1
        run = present()
        step = self._steps if run is None else run.step + 1
        is_new = False
        each: list[object] = [_of_program()]
        for one in called:
            known = self._described.get(id(one))
            if known is None or known.object() is not one:
                known = self._described[id(one)] = self._first(one)
                is_new = True
            each.append(known.told(one, self._steps))
        is_whole = is_new or step % _EVERY == 0 or (step & (step - 1) == 0 and step < _EVERY)
        of_weights = _of_weights(called, sources, step, is_whole) if config.checks_replicas() else (0, 0)
        return zlib.crc32(repr(each).encode()), of_weights

    def _first(self, called: Any) -> _Described:
        if len(self._described) > _MOST_KEPT:
            self._described = {key: each for key, each in self._described.items() if each.object() is not None}
        return _Described(called, self._steps)

    def compare_settings(self, ranks: Communicator, called: Sequence[Any]) -> None:
        """Fail unless what was called computes the same on every rank; every rank calls it.

        Raises:
            ReplicaError: it does not; the message names the part that differs, and the ranks.
        """
        replicas.compare(ranks, lambda: _facts(called))
        for one in called:
            known = self._described[id(one)]
            known.describe(one, self._steps)
            known.agreed = known.checksum

    def differing(self, ranks: Communicator, called: Sequence[Any], sources: Sequence[Any]) -> str | None:
        """The path of the first weight that differs between ranks; None if all are equal. Every rank calls it."""
        weights = _weights(called, sources)
        told = ranks.allgather_object((self._steps, [checksum(v.value) for v in weights]))
        self._steps = max(steps for steps, _ in told)  # an error that was caught can have left them apart
        for variable, *sums in zip(weights, *(each for _, each in told), strict=False):
            if len(set(sums)) > 1:
                return str(variable.path)
        return None


def _of_program() -> dict[str, object]:
    return {"the settings": config.compared(), "the seed": addresses.job_seed()}


def _facts(called: Sequence[Any]) -> dict[str, object]:
    layers = [one for one in called if isinstance(one, AbstractLayer)]
    losses = [one for one in called if not isinstance(one, AbstractLayer)]
    return {
        **_of_program(),
        "the models and layers": {f"{_kind(one)} {i}": _description(one) for i, one in enumerate(layers)},
        "the losses": {f"loss {i}": _description(one) for i, one in enumerate(losses)},
    }


def _kind(called: Any) -> str:
    return "model" if hasattr(called, "wiring") else "layer"


def _description(called: Any) -> Json:
    """What a model, layer or loss computes: arguments, wiring and users' code."""
    with describing(), unfollowed():
        if not isinstance(called, AbstractLayer):
            written: Json = anonymous(to_json(called))
            return written
        layers: Mapping[str, Json] = {
            f"layer {i}": anonymous(architecture_of(part)) for i, part in enumerate(layers_of(called))
        }
        wiring = called.wiring() if hasattr(called, "wiring") else None
        return {**layers, "wiring": wiring, "code": users_code_of(called)}


def _weights(called: Sequence[Any], sources: Sequence[Any]) -> list[Variable]:
    """The variables that gradients are taken of, and the weights of what was called, each once."""
    own = [v for one in called if isinstance(one, AbstractLayer) for v in one.weights]
    return list({id(v): v for v in (*sources, *own) if isinstance(v, Variable)}.values())


def _of_weights(called: Sequence[Any], sources: Sequence[Any], step: int, is_whole: bool) -> tuple[int, int]:
    """Checksums of a part of the sources, and of all weights, if they are wanted."""
    part = _of_part([source.value for source in sources if isinstance(source, Variable)], step)
    if not is_whole:
        return part, 0
    return part, zlib.crc32(repr([checksum(v.value) for v in _weights(called, sources)]).encode())


def _of_part(values: Sequence[Array], step: int) -> int:
    """A checksum of as many entries as are looked at in a step, others in each: of small models all."""
    if not values:
        return 0
    turn, first = divmod(step, len(values))
    start, left, part = turn * _ENTRIES % max(1, values[first].size), _ENTRIES, 0
    for value in (*values[first:], *values[:first]):
        part = checksum(value.reshape(-1)[start : start + left], part)
        start, left = 0, left - min(left, value.size - start)
        if not left:
            break
    return part
