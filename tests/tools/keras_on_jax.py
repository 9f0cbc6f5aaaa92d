"""What Keras does on JAX alone, or by mistake, mended: so that the referee has fewer differences to excuse.

Each of these has an entry in ``intended_differences``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras.src import backend, tree
from keras.src.backend.jax import numpy as jax_numpy
from keras.src.backend.jax import trainer

from running import as_list


def mend() -> None:
    """Let Keras on JAX compute as it does elsewhere; once in a process."""
    trainer.JAXTrainer.compute_loss_and_updates = _with_masks(trainer.JAXTrainer.compute_loss_and_updates)
    trainer.JAXTrainer._update_metrics_variables = _given_masks(trainer.JAXTrainer._update_metrics_variables)
    keras.Layer.stateless_call = _as_one_call(keras.Layer.stateless_call)
    keras.Layer.__call__ = _dropping_masks(keras.Layer.__call__)
    keras.layers.MultiHeadAttention.call = _keeping_masks(keras.layers.MultiHeadAttention.call)
    keras.layers.SimpleRNN.__init__ = _keeping_its_regularizer(keras.layers.SimpleRNN.__init__)
    jax_numpy.absolute = _absolute
    backend.rnn = _heeding_zero_output_for_mask(backend.rnn)


def _with_masks(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return the outputs' masks beside the outputs: JAX forgets what is attached to them."""

    def with_masks(self: Any, *args: Any, **options: Any) -> Any:
        loss, (unscaled, y, others, metrics) = compute(self, *args, **options)
        masks = [backend.get_keras_mask(part) for part in as_list(y)]
        return loss, (unscaled, (y, masks), others, metrics)

    return with_masks


def _given_masks(update: Callable[..., Any]) -> Callable[..., Any]:
    """Count metrics in ``fit`` behind masks, as ``evaluate`` does."""

    def given_masks(self: Any, metrics: Any, loss: Any, x: Any, y_true: Any, y: Any, weight: Any) -> Any:
        for part, mask in zip(as_list(y[0]), y[1], strict=True):
            if mask is not None:
                backend.set_keras_mask(part, mask)
        return update(self, metrics, loss, x, y_true, y[0], weight)

    return given_masks


def _as_one_call(stateless_call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a model's call be the outermost one: else each call of a layer begins by forgetting its last penalty."""

    @functools.wraps(stateless_call)
    def as_one_call(self: Any, *args: Any, **options: Any) -> Any:
        self._get_call_context().training = options.get("training")
        try:
            return stateless_call(self, *args, **options)
        finally:
            self._maybe_reset_call_context()

    return as_one_call


def _dropping_masks(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a layer that drops masks drop them also where JAX gives its input back as it is: a Reshape to the same."""

    @functools.wraps(call)
    def dropping_masks(self: Any, *args: Any, **options: Any) -> Any:
        outputs = call(self, *args, **options)
        if self.supports_masking or isinstance(self, keras.Model):
            return outputs
        given = {id(part) for part in tree.flatten((args, options))}
        return tree.map_structure(lambda part: jax_numpy.copy(part) if id(part) in given else part, outputs)

    return dropping_masks


def _keeping_masks(call: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the masks of what ``MultiHeadAttention`` is called on to the other layers that read it."""

    @functools.wraps(call)
    def keeping_masks(self: Any, query: Any, value: Any, key: Any = None, **options: Any) -> Any:
        given = [part for part in (query, value, key) if part is not None]
        masks = [backend.get_keras_mask(part) for part in given]
        outputs = call(self, query, value, key, **options)
        for part, mask in zip(given, masks, strict=True):
            if mask is not None:
                backend.set_keras_mask(part, mask)
        return outputs

    return keeping_masks


def _keeping_its_regularizer(begin: Callable[..., None]) -> Callable[..., None]:
    """Let ``SimpleRNN`` have the ``activity_regularizer`` that it takes."""

    def keeping_its_regularizer(self: Any, units: int, **options: Any) -> None:
        begin(self, units, **options)
        self.activity_regularizer = keras.regularizers.get(options.get("activity_regularizer"))

    return keeping_its_regularizer


def _absolute(x: Any) -> Any:
    """Of which the derivative at 0 is 0, as on TensorFlow and PyTorch; JAX's is 1."""
    x = backend.convert_to_tensor(x)
    return x * jax_numpy.sign(x)


def _heeding_zero_output_for_mask(rnn: Callable[..., Any]) -> Callable[..., Any]:
    """Let unrolled layers heed ``zero_output_for_mask`` as others do."""

    @functools.wraps(rnn)
    def heeding_zero_output_for_mask(*args: Any, **options: Any) -> Any:
        is_forgotten = options.get("zero_output_for_mask") and options.get("mask") is not None
        return rnn(*args, **{**options, "unroll": options.get("unroll", False) and not is_forgotten})

    return heeding_zero_output_for_mask
