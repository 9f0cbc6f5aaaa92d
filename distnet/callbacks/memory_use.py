"""What a model's arrays take of a rank's memory."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of the arrays that a model holds on one rank, by what they are for.

    Not counted are data, and what layers of your own make anew for each batch.

    Args:
        weights: trained ones and others.
        gradients: of the trained weights, with what is sent behind them.
        slots: of the optimizer, as far as this rank updates them, and what it computes in.
        activations: plans and what their layers keep from forward to backward, for the largest batch so far.
        between_layers: gradients that layers hand to each other in the backward pass, in memory used in turn.
        exchange: sums of this rank's slice, and weights that the ranks of a node share.
    """

    weights: int = 0
    gradients: int = 0
    slots: int = 0
    activations: int = 0
    between_layers: int = 0
    exchange: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        """In megabytes (1e6 bytes)."""
        parts = {field.name.replace("_", " "): getattr(self, field.name) for field in fields(self)}
        said = [f"{name} {number / 1e6:.2f}" for name, number in parts.items() if number]
        return f"{self.total / 1e6:.2f} MB: {', '.join(said)}"
