"""Where a placeholder comes from."""

from __future__ import annotations

from distnet.layers.engine.base import KerasTensor


def source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The placeholders made by ``Input`` from which a placeholder is computed.

    Source: ``keras.utils.get_source_inputs``.
    """
    sources, waiting, seen = [], [tensor], set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        inputs = current.call.inputs
        if not inputs:
            sources.append(current)
        waiting.extend(reversed(inputs))
    return sources
