"""The table of differences from Keras that are meant: each with its condition and its reason."""

from __future__ import annotations

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
        is_nan_in_keras: whether Keras's results of this kind have a nan.
    """

    spec: Spec
    kind: str
    detail: str
    amount: float
    is_nan_in_keras: bool

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
        is_passed_on: whether steps of training pass it on to other numbers, and may magnify it there.
    """

    name: str
    reason: str
    condition: Callable[[Case], bool]
    is_passed_on: bool = False


def calls_of(spec: Spec) -> Iterator[Spec]:
    """All calls, those within models among them."""
    for call in spec["calls"]:
        yield call
        if "model" in call:
            yield from calls_of(call["model"])


def _is_frozen_at_once(call: Spec) -> bool:
    return call["layer"] in WITHIN_KERAS and call.get("options", {}).get("trainable") is False


WITH_NORMS = (
    *("UnitNormalization", "OrthogonalRegularizer", "'normalize': True"),
    *("'loss': 'cosine_similarity'", "losses.CosineSimilarity"),
)
GATED = {"LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "Bidirectional", "TimeDistributed"}
ATTENTIONS = {"Attention", "AdditiveAttention", "MultiHeadAttention"}
WITHIN_KERAS = {"MultiHeadAttention", "GroupQueryAttention", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
"""Layers whose weights belong to layers within in Keras, which their constructors make without their ``trainable``."""

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
        "weights of rows",
        "Keras lays weights (N,) along the last axis of a loss (N, T): it refuses, or where N equals T takes steps for "
        "rows. distnet weighs rows. The referee hands Keras weights (N, 1), so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "digits of attention",
        "Keras adds -1e9 to masked scores, which leaves 7 digits of them, and these decide where all keys are masked; "
        "on JAX it takes the softmax of attention with a causal mask alone in float32. Steps of training magnify it.",
        lambda case: bool(case.layers & ATTENTIONS) and case.amount < 1e-5 and case.kind not in ("mask", "keys"),
        is_passed_on=True,
    ),
    Intended(
        "masks that MultiHeadAttention deletes",
        "Keras 3's MultiHeadAttention takes the masks away from the tensors that it is called on, so that layers and "
        "losses behind a residual connection count padding. distnet keeps them, as tf_keras does. The referee puts "
        "them back, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "activity_regularizer of SimpleRNN",
        "Keras 3 takes it and forgets it; distnet adds its penalty, as tf_keras does. The referee hands it on, so that "
        "no difference is left.",
        lambda case: False,
    ),
    Intended(
        "trainable=False of attention with heads and of ConvLSTM",
        "Keras trains their weights all the same: they belong to layers within, which the constructor's flag does not "
        "reach. Those of distnet have no layers within, and are frozen.",
        lambda case: (
            any(_is_frozen_at_once(call) for call in calls_of(case.spec))
            and case.kind in ("evaluated", "history", "weight")
        ),
    ),
    Intended(
        "EinsumDense with an ellipsis for several axes",
        "Keras declares these axes in reverse order, and computes them in order. The referee makes targets of the "
        "shapes that are computed, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "penalties of a layer that is called twice",
        "Keras on JAX trains with the penalty of a layer's last call alone; Keras elsewhere, and distnet, add up all. "
        "The referee lets JAX add them up, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "zero_output_for_mask of unrolled layers",
        "Keras on JAX forgets it where unroll=True; Keras on TensorFlow, and distnet, heed it. The referee lets JAX "
        "not unroll then, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "the derivative of |x| at 0",
        "1 on JAX; 0 on TensorFlow and PyTorch, and here. The referee gives JAX 0, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "masks of what JAX gives back as it is",
        "A Reshape or Permute that changes nothing is on JAX the same array, with its mask; elsewhere, and here, these "
        "layers drop masks. The referee copies the array, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "weights of IoU",
        "Keras cuts weights to integers, with a warning, unless it is told a dtype; distnet counts them as they are. "
        "The referee tells Keras float64, so that no difference is left.",
        lambda case: False,
    ),
    Intended(
        "IoU with a weight for each row",
        "Keras wants a weight for each entry of targets with more axes, and refuses a row's; distnet spreads it.",
        lambda case: (
            case.kind == "Keras refuses"
            and "Incompatible types for broadcasting" in case.detail
            and "IoU" in str(case.training)
        ),
    ),
    Intended(
        "IoU in float32",
        "Keras divides IoU's counts in float32, whatever floatx and dtype say.",
        lambda case: case.amount < 1e-6 and case.kind in ("evaluated", "history") and "IoU" in str(case.training),
    ),
    Intended(
        "sparsemax",
        "Keras's sums more than the support; distnet's is the projection onto the simplex of Martins and Astudillo "
        "(2016). The referee does not draw it.",
        lambda case: False,
    ),
    Intended(
        "mask= of layers whose call has none",
        "Keras 3 refuses it; distnet takes it as the input's mask, as tf_keras does.",
        lambda case: case.kind == "Keras refuses" and "unexpected keyword argument 'mask'" in case.detail,
    ),
    Intended(
        "HDF5 files that Keras cannot write",
        "Two weights of an optimizer have one name, or a layer's config cannot be copied.",
        lambda case: (
            case.kind == "Keras refuses"
            and case.training.get("file") in ("h5", "weights.h5")
            and ("name already exists" in case.detail or "cannot pickle" in case.detail)
        ),
    ),
    Intended(
        "RMSNormalization over axes that are not the last",
        "Keras multiplies its scale along the last axis, whichever the axis is; distnet refuses.",
        lambda case: case.kind == "distnet refuses" and "along which Keras scales" in case.detail,
    ),
    Intended(
        "gates that are all but closed",
        "Recurrent layers compute a sigmoid by tanh, to 1e-16. Of one that is near 1e-13 three digits are left, which "
        "an optimizer that divides a gradient by its own size shows.",
        lambda case: (
            bool(case.layers & GATED) and case.amount < 1e-6 and case.kind in ("evaluated", "history", "weight")
        ),
    ),
    Intended(
        "norms of zeros",
        "The gradients of Keras's UnitNormalization, Dot(normalize=True), cosine similarity and OrthogonalRegularizer "
        "are nan there, and so are all weights after them; distnet's are finite.",
        lambda case: case.is_nan_in_keras and any(name in str(case.spec) for name in WITH_NORMS),
    ),
    Intended(
        "recurrent layers behind masks of positions",
        "A Masking of images masks the positions of each row. Keras's ConvLSTM broadcasts that mask where it happens "
        "to fit, and fails where it does not; distnet refuses.",
        lambda case: case.kind == "distnet refuses" and "a mask with one entry a step" in case.detail,
    ),
    Intended(
        "glu of layers",
        "It halves an axis, which Keras's shapes do not know; distnet refuses it as a layer's activation.",
        lambda case: case.kind == "distnet refuses" and "It cannot be a layer's activation" in case.detail,
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
