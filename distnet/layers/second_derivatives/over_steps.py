"""Definitions of recurrent layers and their cells: one time step after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from distnet import ops
from distnet.layers.engine.context import ForwardContext
from distnet.layers.recurrent.base import Recurrent, Run
from distnet.layers.recurrent.cells import BuiltInCell
from distnet.layers.recurrent.conv_lstm import ConvLSTM
from distnet.layers.recurrent.gru import GRU
from distnet.layers.recurrent.lstm import LSTM
from distnet.layers.recurrent.simple_rnn import SimpleRNN
from distnet.layers.second_derivatives.base import beside, defines
from distnet.types import Array

Product: TypeAlias = Callable[[Any, Any], Any]
"""``(states, kernel)``: a product with the recurrent kernel, or some of its columns."""
Step: TypeAlias = Callable[[Any, Any, list[Any], Any, Product], list[Any]]
"""``(layer, the inputs' part of the gates, states, the output as the gates receive it, product) -> new states``."""


def _plain_step(layer: Any, z: Any, states: list[Any], fed: Any, product: Product) -> list[Any]:
    return [layer.activation(z + product(fed, layer.recurrent_kernel))]


def _lstm_step(layer: Any, z: Any, states: list[Any], fed: Any, product: Product) -> list[Any]:
    a, s = layer.activation, layer.recurrent_activation
    i, f, g, o = _columns(z + product(fed, layer.recurrent_kernel), 4)
    c = s(f) * states[1] + s(i) * a(g)
    return [s(o) * a(c), c]


def _gru_step(layer: Any, z: Any, states: list[Any], fed: Any, product: Product) -> list[Any]:
    a, s, u = layer.activation, layer.recurrent_activation, layer.units
    kernel = ops.convert_to_tensor(layer.recurrent_kernel)
    of_keep, of_reset, of_new = _columns(z, 3)
    if layer.reset_after:
        keep, reset, new = _columns(product(fed, kernel), 3)
        if layer.bias is not None:
            new = new + layer.bias[1, 2 * u :]
        new = s(of_reset + reset) * new
    else:
        keep, reset = _columns(product(fed, kernel[:, : 2 * u]), 2)
        new = product(s(of_reset + reset) * fed, kernel[:, 2 * u :])
    g, kept = a(of_new + new), s(of_keep + keep)
    return [g + kept * (states[0] - g)]


def _columns(z: Any, count: int) -> list[Any]:
    return list(ops.split(z, count, axis=-1))


@defines(SimpleRNN)
def _plain(layer: SimpleRNN, inputs: Sequence[Any], ctx: ForwardContext, saved: Run) -> Any:
    return _over_time(layer, inputs, saved, _plain_step)


@defines(LSTM)
def _lstm(layer: LSTM, inputs: Sequence[Any], ctx: ForwardContext, saved: Run) -> Any:
    return _over_time(layer, inputs, saved, _lstm_step)


@defines(GRU)
def _gru(layer: GRU, inputs: Sequence[Any], ctx: ForwardContext, saved: Run) -> Any:
    return _over_time(layer, inputs, saved, _gru_step)


@defines(BuiltInCell)
def _cell(layer: BuiltInCell, inputs: Sequence[Any], ctx: ForwardContext, saved: Run) -> Any:
    step = {SimpleRNN: _plain_step, LSTM: _lstm_step, GRU: _gru_step}[layer.layer_class]
    return _over_time(layer.one_step, [ops.expand_dims(inputs[0], 1), *inputs[1:]], saved, step)


def _over_time(layer: Any, inputs: Sequence[Any], run: Run, step: Step) -> Any:
    x, *given = inputs
    if run.factors is not None:
        x = x * ops.expand_dims(beside(x, run.factors), 1)
    z = ops.matmul(x, layer.kernel)
    if layer.bias is not None:
        z = z + _input_bias(layer)
    states = given or [beside(x, state[0]) for state in run.steps.states]
    factors = None if run.steps.factors is None else beside(x, run.steps.factors)
    return _all_steps(layer, z, states, factors, run.skipped, lambda z, h, fed: step(layer, z, h, fed, ops.matmul))


def _input_bias(layer: Any) -> Any:
    """What the inputs' part of the gates begins with: of a ``GRU`` that resets after the product, both biases."""
    if layer.bias.value.ndim == 1:
        return ops.convert_to_tensor(layer.bias)
    both = 2 * layer.units
    return ops.concatenate([layer.bias[0, :both] + layer.bias[1, :both], layer.bias[0, both:]], 0)


def _all_steps(
    layer: Recurrent, z: Any, states: list[Any], factors: Any, skipped: Array | None,
    step: Callable[[Any, list[Any], Any], list[Any]],
) -> Any:  # fmt: skip
    """The layer's outputs; ``z`` (N, T, ...) is the inputs' part of the gates."""
    count, outputs = z.shape[1], []
    for t in range(count):
        of_step = z[:, count - 1 - t if layer.go_backwards else t]
        made = step(of_step, states, states[0] if factors is None else states[0] * factors)
        y = made[0]
        if skipped is not None:
            skips = beside(z, skipped[t])
            made = [ops.where(skips, old, new) for old, new in zip(states, made, strict=True)]
            y = ops.where(skips, 0.0, made[0]) if layer.zero_output_for_mask else made[0]
        states = made
        outputs.append(y)
    y = ops.stack(outputs, axis=1) if layer.return_sequences else outputs[-1]
    return [y, *states] if layer.return_state else y


@defines(ConvLSTM)
def _convolved(layer: ConvLSTM, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    run, _ = saved
    x, *given = [_channels_last(layer, tensor) for tensor in inputs]
    if run.factors is not None:
        x = x * ops.expand_dims(beside(x, run.factors), 1)
    parts = []
    for t in range(x.shape[1]):
        z = ops.conv(x[:, t], layer.kernel, layer.strides, layer.padding, "channels_last", layer.dilation_rate)
        parts.append(z if layer.bias is None else z + layer.bias)
    z, rows = ops.stack(parts, axis=1), len(x.value)
    of_states = (rows, *z.shape[2:-1], layer.filters)
    states = given or [beside(x, state[0].reshape(of_states)) for state in run.steps.states]
    factors = None if run.steps.factors is None else beside(x, run.steps.factors.reshape(of_states))
    skipped = None if run.skipped is None else run.skipped.reshape(len(run.skipped), *of_states[:-1], 1)

    def product(h: Any, kernel: Any) -> Any:
        return ops.conv(h, kernel, 1, "same", "channels_last")

    made = _all_steps(layer, z, states, factors, skipped, lambda z, h, fed: _lstm_step(layer, z, h, fed, product))
    outputs = [_in_format(layer, part) for part in (made if layer.return_state else [made])]
    return outputs if layer.return_state else outputs[0]


def _channels_last(layer: ConvLSTM, x: Any) -> Any:
    """Sequences (N, T, ..., C) or states (N, ..., C)."""
    return ops.moveaxis(x, x.ndim - 1 - layer.rank, -1) if layer.data_format == "channels_first" else x


def _in_format(layer: ConvLSTM, x: Any) -> Any:
    return ops.moveaxis(x, -1, x.ndim - 1 - layer.rank) if layer.data_format == "channels_first" else x
