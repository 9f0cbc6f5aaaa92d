"""Loops over the time steps of recurrent cells, forward and backward, compiled whole.

Arrays are those of ``distnet.layers.recurrent.time_steps``: gates (T, N, G U), states (T + 1, N, U). An array without
entries stands for None. Weights are padded with columns of zeros to whole register blocks.
"""

from __future__ import annotations

from typing import Any

from distnet.kernels import vector_code, vector_math
from distnet.kernels.compiling import Loop, compiled
from distnet.kernels.vector_math import sigmoid, tanh
from distnet.types import Array

at: Any = vector_code.at
tile: Any = vector_code.tile

_CHAIN = 1024
"""The most products that are added up in single precision before a sum is added to others."""


def _compiled(function: Loop) -> Loop:
    return compiled(function, vector_code.__file__, vector_math.__file__, fastmath=("contract",))


@_compiled
def _hold(state: Array, after: Array) -> None:
    for k in range(state.size):
        after[k] = state[k]


@_compiled
def _multiply(
    x: Array, w: Array, padded: Array, out: Array, table: Array, size: int, rows: Any, columns: Any
) -> None:  # fmt: skip
    """``out = x w``, in blocks of as many rows and registers of ``size`` numbers as the tuples are long.

    Shapes:
        x (N, K); w (K, W) with W a multiple of the block; padded (rows of a block, K); out: (N, W), or the rows of a
        block if these are more.
    """
    block, strip, width = len(rows), len(columns) * size, w.shape[1]
    if x.shape[0] < block:
        for n in range(x.shape[0]):
            _hold(x[n], padded[n])
        x = padded
    count, steps = x.shape
    for start in range(0, steps, _CHAIN):
        for column in range(0, width, strip):
            for n in range(0, count, block):
                first = min(n, count - block)
                tile(
                    rows, columns, rows[:2], (), at(out, first * width + column), width, n - first, size,
                    at(x, first * steps + start), steps, 1, at(table, 0), 1, min(_CHAIN, steps - start),
                    at(w, start * width + column), width, start,
                )  # fmt: skip


@_compiled
def _feed(h: Array, factors: Array, fed: Array) -> None:
    for n in range(factors.shape[0]):
        before, factor, after = h[n], factors[n], fed[n]
        for k in range(factor.size):
            after[k] = before[k] * factor[k]


@_compiled
def _gate(y: Array, bias: Array, product: Array) -> None:
    for k in range(y.size):
        y[k] = sigmoid(y[k] + bias[k] + product[k])


@_compiled
def _enter(y: Array, bias: Array, product: Array) -> None:
    for k in range(y.size):
        y[k] = tanh(y[k] + bias[k] + product[k])


@_compiled
def _carry(dh: Array, product: Array, factors: Array, n: int) -> None:
    """Let the gradient of a row's output be what came through the product."""
    if factors.size:
        factor = factors[n]
        for k in range(dh.size):
            dh[k] = product[k] * factor[k]
    else:
        for k in range(dh.size):
            dh[k] = product[k]


@_compiled
def _add(dh: Array, dy: Array) -> None:
    for k in range(dh.size):
        dh[k] += dy[k]


@_compiled
def _lstm_row(y: Array, bias: Array, product: Array, h: Array, before: Array, after: Array, squashed: Array) -> None:
    """One row of a step; y (4 U) has the inputs' part of i, f, g, o, and then their values."""
    u = h.size
    _gate(y[: 2 * u], bias[: 2 * u], product[: 2 * u])
    _enter(y[2 * u : 3 * u], bias[2 * u : 3 * u], product[2 * u : 3 * u])
    _gate(y[3 * u :], bias[3 * u :], product[3 * u : 4 * u])
    i, f, g, o = y[:u], y[u : 2 * u], y[2 * u : 3 * u], y[3 * u :]
    for k in range(u):
        after[k] = f[k] * before[k] + i[k] * g[k]
    for k in range(u):
        squashed[k] = tanh(after[k])
    for k in range(u):
        h[k] = o[k] * squashed[k]


@_compiled
def _lstm_row_back(y: Array, dh: Array, dc: Array, before: Array, squashed: Array, dz: Array) -> None:
    u = dh.size
    one = y.dtype.type(1)
    i, f, g, o = y[:u], y[u : 2 * u], y[2 * u : 3 * u], y[3 * u :]
    di, df, dg, do = dz[:u], dz[u : 2 * u], dz[2 * u : 3 * u], dz[3 * u :]
    for k in range(u):
        do[k] = dh[k] * squashed[k] * o[k] * (one - o[k])
        dc[k] += dh[k] * o[k] * (one - squashed[k] * squashed[k])
    for k in range(u):
        di[k] = dc[k] * g[k] * i[k] * (one - i[k])
        dg[k] = dc[k] * i[k] * (one - g[k] * g[k])
    for k in range(u):
        df[k] = dc[k] * before[k] * f[k] * (one - f[k])
        dc[k] *= f[k]


@_compiled
def lstm(
    z: Array, bias: Array, w: Array, h: Array, c: Array, squashed: Array, factors: Array, fed: Array, skipped: Array,
    padded: Array, product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of an LSTM; ``fed`` is h but for its last step where there are no factors."""
    for t in range(z.shape[0]):
        _feed(h[t][first:stop], factors[first:stop], fed[t][first:stop])
        _multiply(fed[t][first:stop], w, padded, product, table, size, rows, columns)
        for n in range(first, stop):
            _lstm_row(z[t, n], bias, product[n - first], h[t + 1, n], c[t, n], c[t + 1, n], squashed[t, n])
            if skipped.size and skipped[t, n, 0]:
                _hold(h[t, n], h[t + 1, n])
                _hold(c[t, n], c[t + 1, n])


@_compiled
def lstm_back(
    y: Array, dy: Array, w: Array, c: Array, squashed: Array, factors: Array, skipped: Array, dh: Array, dc: Array,
    dz: Array, padded: Array, product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of an LSTM backward; ``w`` is the transposed kernel, ``dy`` (N, T, U) in the order of the steps."""
    for t in range(y.shape[0] - 1, -1, -1):
        for n in range(first, stop):
            if dy.size:
                _add(dh[n], dy[n, t])
            if skipped.size and skipped[t, n, 0]:
                dz[t, n, :] = 0
            else:
                _lstm_row_back(y[t, n], dh[n], dc[n], c[t, n], squashed[t, n], dz[t, n])
        _multiply(dz[t][first:stop], w, padded, product, table, size, rows, columns)
        for n in range(first, stop):
            if not (skipped.size and skipped[t, n, 0]):
                _carry(dh[n], product[n - first], factors, n)


@_compiled
def _gru_row(
    y: Array, bias: Array, inner_bias: Array, product: Array, inner: Array, before: Array, after: Array
) -> None:
    """One row of a step whose reset gate acts on the product; y (3 U) has the inputs' part of z, r, g."""
    u = before.size
    _gate(y[: 2 * u], bias[: 2 * u], product[: 2 * u])
    keep, reset, g = y[:u], y[u : 2 * u], y[2 * u :]
    of_inputs, of_inner, part = bias[2 * u :], product[2 * u : 3 * u], inner[2 * u :]
    for k in range(u):
        part[k] = of_inner[k] + inner_bias[k]
    for k in range(u):
        g[k] = tanh(g[k] + of_inputs[k] + reset[k] * part[k])
    for k in range(u):
        after[k] = g[k] + keep[k] * (before[k] - g[k])


@_compiled
def _gru_row_back(y: Array, dh: Array, before: Array, inner: Array, dz: Array, dinner: Array) -> None:
    """Leaves the direct part of the gradient of the previous output in ``dh``."""
    u = before.size
    one = y.dtype.type(1)
    keep, reset, g, part = y[:u], y[u : 2 * u], y[2 * u :], inner[2 * u :]
    dkeep, dreset, dnew = dz[:u], dz[u : 2 * u], dz[2 * u :]
    for k in range(u):
        dkeep[k] = dh[k] * (before[k] - g[k]) * keep[k] * (one - keep[k])
        dnew[k] = dh[k] * (one - keep[k]) * (one - g[k] * g[k])
        dh[k] *= keep[k]
    for k in range(u):
        dreset[k] = dnew[k] * part[k] * reset[k] * (one - reset[k])
    _hold(dz[: 2 * u], dinner[: 2 * u])
    through = dinner[2 * u :]
    for k in range(u):
        through[k] = dnew[k] * reset[k]


@_compiled
def gru(
    z: Array, bias: Array, inner_bias: Array, w: Array, h: Array, inner: Array, factors: Array, fed: Array,
    skipped: Array, padded: Array, product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of a GRU whose reset gate acts on the product."""
    for t in range(z.shape[0]):
        _feed(h[t][first:stop], factors[first:stop], fed[t][first:stop])
        _multiply(fed[t][first:stop], w, padded, product, table, size, rows, columns)
        for n in range(first, stop):
            _gru_row(z[t, n], bias, inner_bias, product[n - first], inner[t, n], h[t, n], h[t + 1, n])
            if skipped.size and skipped[t, n, 0]:
                _hold(h[t, n], h[t + 1, n])


@_compiled
def gru_back(
    y: Array, dy: Array, w: Array, h: Array, inner: Array, factors: Array, skipped: Array, dh: Array, dz: Array,
    dinner: Array, padded: Array, product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of such a GRU backward."""
    for t in range(y.shape[0] - 1, -1, -1):
        for n in range(first, stop):
            if dy.size:
                _add(dh[n], dy[n, t])
            if skipped.size and skipped[t, n, 0]:
                dz[t, n, :] = 0
                dinner[t, n, :] = 0
            else:
                _gru_row_back(y[t, n], dh[n], h[t, n], inner[t, n], dz[t, n], dinner[t, n])
        _multiply(dinner[t][first:stop], w, padded, product, table, size, rows, columns)
        if factors.size:
            _feed(product, factors[first:stop], product)
        for n in range(first, stop):
            if not (skipped.size and skipped[t, n, 0]):
                _add(dh[n], product[n - first])


@_compiled
def simple(
    z: Array, bias: Array, w: Array, h: Array, factors: Array, fed: Array, skipped: Array, padded: Array,
    product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of a cell without gates."""
    for t in range(z.shape[0]):
        _feed(h[t][first:stop], factors[first:stop], fed[t][first:stop])
        _multiply(fed[t][first:stop], w, padded, product, table, size, rows, columns)
        for n in range(first, stop):
            _enter(z[t, n], bias, product[n - first])
            _hold(h[t, n] if skipped.size and skipped[t, n, 0] else z[t, n], h[t + 1, n])


@_compiled
def simple_back(
    y: Array, dy: Array, w: Array, factors: Array, skipped: Array, dh: Array, dz: Array, padded: Array,
    product: Array, table: Array, size: int, rows: Any, columns: Any,
    first: int, stop: int,
) -> None:  # fmt: skip
    """All steps of such a cell backward."""
    one = y.dtype.type(1)
    for t in range(y.shape[0] - 1, -1, -1):
        for n in range(first, stop):
            if dy.size:
                _add(dh[n], dy[n, t])
            if skipped.size and skipped[t, n, 0]:
                dz[t, n, :] = 0
            else:
                value, d, after = y[t, n], dh[n], dz[t, n]
                for k in range(value.size):
                    after[k] = d[k] * (one - value[k] * value[k])
        _multiply(dz[t][first:stop], w, padded, product, table, size, rows, columns)
        for n in range(first, stop):
            if not (skipped.size and skipped[t, n, 0]):
                _carry(dh[n], product[n - first], factors, n)
