"""The table of differences from Keras that are meant: each with its condition and its reason."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A specification that fared differently.

    Args:
        spec: the specification.
        kind, detail, amount: of the ``Outcome``.
        is_masked: whether an output has a mask in distnet.
    """

    spec: Spec
    kind: str
    detail: str
    amount: float
    is_masked: bool

    @property
    def layers(self) -> set[str]:
        """Names of the classes of its layers."""
        return {call["layer"] for call in calls_of(self.spec)}

    @property
    def training(self) -> Spec:
        """How it is trained; empty where it is not."""
        training: Spec = self.spec.get("training", {})
        return training


@dataclass(frozen=True)
class Intended:
    """A difference that is meant.

    Args:
        name: short, for the summary.
        reason: why distnet does not do as Keras does.
        condition: whether a case is of this kind.
    """

    name: str
    reason: str
    condition: Callable[[Case], bool]


def calls_of(spec: Spec) -> Iterator[Spec]:
    """All calls, those within models among them."""
    for call in spec["calls"]:
        yield call
        if "model" in call:
            yield from calls_of(call["model"])


def _of_simple_rnn(call: Spec) -> bool:
    return call["layer"] == "SimpleRNN" and "activity_regularizer" in call.get("options", {})


def _shares_with_attention(spec: Spec) -> bool:
    """Whether another call reads what a ``MultiHeadAttention`` is called on."""
    readers = collections.Counter(tensor for call in spec["calls"] for tensor in set(call["on"]))
    calls = [call for call in spec["calls"] if call["layer"] == "MultiHeadAttention"]
    is_here = any(readers[tensor] > 1 for call in calls for tensor in call["on"])
    return is_here or any(_shares_with_attention(call["model"]) for call in spec["calls"] if "model" in call)


def _makes_masks(spec: Spec) -> bool:
    """Whether a layer of the model makes a mask."""
    return any(call["layer"] == "Masking" or call.get("options", {}).get("mask_zero") for call in calls_of(spec))


ATTENTIONS = {"Attention", "AdditiveAttention", "MultiHeadAttention"}

INTENDED: list[Intended] = [
    Intended(
        "crossentropy from clipped probabilities",
        "distnet computes crossentropy behind sigmoid and softmax from logits. The referee asks it for Keras's clipped "
        "value, by config.set_clip_crossentropy, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "masks of metrics in fit",
        "Keras on JAX forgets the outputs' masks for the metrics of fit, and there alone. The referee hands them back, "
        "so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "names of metrics",
        "Keras numbers metric objects by how many a process has made: auc, auc_1. distnet's names depend on the model "
        "alone. The referee names all objects, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "weights of rows behind a mask",
        "Keras multiplies weights (N,) with a mask (N, T): it refuses, or where N equals T takes steps for rows. "
        "distnet weighs rows.",
        lambda case: (
            (case.kind in ("evaluated", "history", "weight") and case.is_masked or "broadcast" in case.detail)
            and (case.training.get("sample_weight") == "rows" or "class_weight" in case.training)
        ),
    ),
    Intended(
        "attention of which every key is masked",
        "Keras adds -1e9 to the scores, which leaves 7 digits of them; where all keys are masked, these decide.",
        lambda case: bool(case.layers & ATTENTIONS) and case.amount < 1e-6 and case.kind not in ("mask", "keys"),
    ),
    Intended(
        "masks that MultiHeadAttention deletes",
        "Keras 3's MultiHeadAttention takes the masks away from the tensors that it is called on, so that layers and "
        "losses behind a residual connection count padding. distnet keeps them, as tf_keras does.",
        lambda case: _makes_masks(case.spec) and _shares_with_attention(case.spec) and case.kind != "keys",
    ),
    Intended(
        "activity_regularizer of SimpleRNN",
        "Keras 3 takes it and forgets it; distnet adds its penalty, as tf_keras does.",
        lambda case: (
            any(_of_simple_rnn(call) for call in calls_of(case.spec)) and case.kind not in ("mask", "prediction")
        ),
    ),
    Intended(
        "IoU in float32",
        "Keras divides IoU's counts in float32, whatever floatx says.",
        lambda case: case.amount < 1e-6 and case.kind in ("evaluated", "history") and "IoU" in str(case.training),
    ),
    Intended(
        "weights for the one value of a batch",
        "Dice and Tversky have one value for a whole batch, which no row's weight belongs to. Keras multiplies all the "
        "same; distnet refuses.",
        lambda case: case.kind == "distnet refuses" and "expected no sample weights" in case.detail,
    ),
    Intended(
        "Softmax behind a mask of steps",
        "Keras wants a mask of as many axes as the input has; distnet applies one of fewer axes to whole steps.",
        lambda case: case.kind == "Keras refuses" and "The `mask` must be broadcastable" in case.detail,
    ),
]
