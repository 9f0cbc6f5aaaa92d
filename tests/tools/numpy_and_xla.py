"""Run by a Python that has JAX: NumPy, in XLA's place, computes the same functions and gradients to 1e-12."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import jaxpr_in_numpy


def reshaped(x: jax.Array) -> list[jax.Array]:
    a, b = jnp.split(x, 2, axis=1)
    padded = lax.pad(x, 0.5, ((1, 0, 0), (0, 2, 1)))
    return [jnp.stack([a, b], 1), *jnp.unstack(x, axis=0), padded, jnp.flip(x, 1), x[None, :, 1:3], x.T, x[:, ::2]]


def elementary(x: jax.Array) -> list[jax.Array]:
    curves = [lax.erf, lax.erfc, jnp.tanh, jax.nn.sigmoid, jax.nn.gelu, jnp.sin, jnp.abs, jax.nn.softplus]
    return [*(curve(x) for curve in curves), x % 0.7, x**3, x**-2, jnp.where(x > 0, x, 0.1 * x), jnp.clip(x, -1, 0.5)]


def reduced(x: jax.Array) -> list[jax.Array]:
    sums = [jnp.sum(x, 0), jnp.max(x, 1), jnp.prod(x, 1), jnp.cumsum(x, 1), jax.nn.softmax(x), jax.nn.logsumexp(x, 0)]
    return [*sums, jnp.argmax(x, -1), jnp.argmin(x, 0), jnp.sort(x, -1), jnp.any(x > 1), jnp.all(x > -9, 0)]


def contracted(x: jax.Array) -> list[jax.Array]:
    y = jnp.stack([x, 2 * x, x + 1])
    return [x @ x.T, jnp.einsum("bij,bkj->bik", y, y), jnp.tensordot(y, x, ((1, 2), (0, 1)))]


def looped(x: jax.Array) -> list[jax.Array]:
    def step(carry: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.tanh(carry + row), carry * row

    forwards, backwards = (lax.scan(step, x[0], x, reverse=reverse) for reverse in (False, True))
    return [*forwards, *backwards, lax.cond(x[0, 0] > 0, lambda: x, lambda: -x)]


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    x = np.random.default_rng(0).standard_normal((3, 4))
    for function in (reshaped, elementary, reduced, contracted, looped):

        def total(x: jax.Array, function=function) -> jax.Array:
            return sum(jnp.sum(jnp.cos(y) * 1.3) for y in function(x) if y.dtype == jnp.float64)

        for made in (function, jax.grad(total)):
            expected, computed = (jax.tree.leaves(run(made)(x)) for run in (jax.jit, jaxpr_in_numpy.jit))
            for a, b in zip(expected, computed, strict=True):
                assert np.shape(a) == np.shape(b)
                assert a.dtype == np.asarray(b).dtype
                np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12)
    print("NumPy computes what XLA computes")


if __name__ == "__main__":
    main()
