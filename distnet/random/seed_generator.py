"""What a draw begins with: a seed, or a generator of seeds."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from distnet import addresses
from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.naming import unique_name
from distnet.ops.present import Address, present
from distnet.results import as_result
from distnet.types import Array, Json
from distnet.variables import Variable


class SeedGenerator:
    """Gives each draw another seed.

    Within steps of training the numbers follow from the step; elsewhere from how many draws there were, which is the
    second number of ``state``.

    Args:
        seed: an integer in [0, 2**32); by default one that follows from ``set_random_seed``.
        name: of the generator.

    Raises:
        ArgumentError: any other seed.

    Source: ``keras.random.SeedGenerator``.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (not is_integer(seed) or not 0 <= seed < 2**32):
            raise ArgumentError(f"SeedGenerator: expected as seed an integer in [0, 2**32), received {seed!r}.")
        self.name = name or unique_name("SeedGenerator")
        self._initial_seed = make_seed() if seed is None else int(seed)
        path = f"{self.name}/seed_generator_state"
        value = np.array([self._initial_seed, 0], np.uint32)
        self.state = Variable("seed_generator_state", path, value, trainable=False)

    def next(self, ordered: bool = True) -> Array:
        """The state, which moves on by one draw."""
        state = self.state.value.copy()
        self.state.assign(state + np.array([0, 1], np.uint32))
        result: Array = as_result(state)
        return result

    def get_config(self) -> dict[str, Json]:
        """The seed."""
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The generator that ``get_config`` described."""
        return cls(**config)


def make_seed() -> int:
    """A seed that follows from ``set_random_seed``, another one at each call, the same on every rank."""
    return addresses.key(addresses.job_seed(), "make_seed", addresses.next_call_index()) % 2**32


def address_of(seed: int | SeedGenerator | Array | None) -> Address:
    """Where the numbers of a draw are.

    Args:
        seed: an integer gives the same numbers at each draw, a generator others.

    Raises:
        ArgumentError: it is none.
    """
    run = present()
    if is_integer(seed):
        return "keras.random", int(seed)  # type: ignore[arg-type]
    if isinstance(seed, SeedGenerator | None):
        if run is not None:
            of_job, *place = run.address()
            first = of_job if seed is None else int(seed.state.value[0])
            return "keras.random", first, *place, run.step, run.next_draw()
        if seed is None:
            return "keras.random", addresses.job_seed(), addresses.next_call_index()
        return "keras.random", *(int(word) for word in seed.next())
    words = np.asarray(seed)
    if words.shape == (2,) and words.dtype.kind in "iu":
        return "keras.random", *(int(word) for word in words)
    raise ArgumentError(f"keras.random: expected as seed an integer, a SeedGenerator or None, received {seed!r:.80}.")
