"""Whether a model's result is decided by rounding.

A model can magnify rounding: an optimizer that divides a gradient that is 0 but for rounding by itself, a kink that the
last bit decides. So what differs is run a few times more, with weights, inputs and rates that are changed in their last
bits: where that moves a package's own result by a hundredth of the difference or more, the model decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from running import Run, apart

MAGNIFIED = 100
LAST_BITS = 4e-16
MAGNIFIABLE = ("prediction", "evaluated", "history", "weight", "file")


def is_ill_conditioned(run: Run, amount: float, by: float, seed: int | None = None) -> bool:
    """Whether a run's results move nearly by an amount when all that it starts from changes a little.

    Args:
        run: with its results.
        amount: by which it differs from another's.
        by: the relative change: in the last bits, or by a difference that is meant.
        seed: of the random numbers that it draws, if any.
    """
    return any(_moved_by(np.random.default_rng(i), run, by, seed) * MAGNIFIED > amount for i in range(3))


def _moved_by(rng: np.random.Generator, before: Run, by: float, seed: int | None) -> float:
    before.package.utils.clear_session()
    if seed is not None:
        before.package.utils.set_random_seed(seed)
    run = Run(before.package, _shaken(rng, by, before.spec))
    run.model.set_weights([_shaken(rng, by, w) for w in run.model.get_weights()])
    run.data.x = [_shaken(rng, by, x) for x in run.data.x]
    moved = run.everything()
    return max(apart(moved[name], before.results[name]) for name in moved if name.split()[0] in MAGNIFIABLE)


def _shaken(rng: np.random.Generator, by: float, value: Any) -> Any:
    """The same, with all its fractions changed by a part."""
    if isinstance(value, Mapping):
        return {key: _shaken(rng, by, part) for key, part in value.items()}
    if isinstance(value, list):
        return [_shaken(rng, by, part) for part in value]
    if isinstance(value, np.ndarray) and value.dtype == "float64":
        return value * (1 + by * rng.choice([-1, 1], value.shape))
    return value * (1 + by * rng.choice([-1, 1])) if isinstance(value, float) else value
