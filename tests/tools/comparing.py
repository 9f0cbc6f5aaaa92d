"""Runs a specification in distnet and in Keras on JAX, and says in what the two differ.

Keras runs as it is: its trainer, its gradients by JAX. Only the elementary operations of a step are computed by NumPy
(``jaxpr_in_numpy``), unless ``is_compiled`` asks for XLA.

Tolerance: 1e-10 in units of an array's largest entry, or of 1 where that is less. float64 carries 1e-16; a step of
these small models adds up a few hundred numbers, and six steps pass on what the first rounded. What differs more is
counted as ill-conditioned where either package's own result moves nearly so far (``conditioning``).
"""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras.src import backend
from keras.src.backend.common import dtypes
from keras.src.backend.jax import trainer
from keras.src.initializers import constant_initializers, random_initializers

import distnet
import jaxpr_in_numpy
import keras_on_jax
from building import Spec
from conditioning import LAST_BITS, MAGNIFIABLE, is_ill_conditioned
from distnet.errors import DistnetError
from distnet.layers.engine.context import ForwardContext, Workspaces
from intended_differences import INTENDED, Case, Intended
from running import Array, Results, Run, apart, as_list, one_or_list

TOLERANCE = 1e-10
RANDOM_INITIALIZERS = (
    *(random_initializers.RandomNormal, random_initializers.TruncatedNormal, random_initializers.RandomUniform),
    *(random_initializers.VarianceScaling, random_initializers.Orthogonal),
)
COMPILED_JIT = trainer.jit
ORDER = ("keys", "mask", "prediction", "evaluated", "history", "weight", "file")


def set_up(is_compiled: bool = False) -> None:
    """Make both packages compute in float64, and Keras without compiling."""
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else Keras's ops.mean computes in float32
    keras.config.set_floatx("float64")
    keras.config.disable_traceback_filtering()
    distnet.config.set_floatx("float64")
    if hasattr(distnet.config, "set_clip_crossentropy"):  # versions before it always clipped
        distnet.config.set_clip_crossentropy(True)  # as on JAX
    for initializer in RANDOM_INITIALIZERS:
        initializer.__call__ = lambda self, shape, dtype=None: np.zeros(shape)  # not to compile what is overwritten
    for initializer, value in ((constant_initializers.Zeros, 0), (constant_initializers.Ones, 1)):
        initializer.__call__ = lambda self, shape, dtype=None, value=value: np.full(shape, value, dtype or "float64")
    trainer.jit = COMPILED_JIT if is_compiled else jaxpr_in_numpy.jit
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    keras_on_jax.mend()
    gc.collect()
    gc.freeze()
    gc.disable()  # it would walk all that JAX traced, over and over


@dataclass(frozen=True)
class Outcome:
    """How a specification fared.

    Args:
        kind: ``"same"``, ``"both refuse"``, ``"ill-conditioned"``, ``"intended: ..."`` or what differs first.
        detail: the message of an error, or the name of what differs.
        amount: how much.
    """

    kind: str
    detail: str = ""
    amount: float = 0.0

    @property
    def is_difference(self) -> bool:
        return self.kind not in ("same", "both refuse", "ill-conditioned") and not self.kind.startswith("intended")


def outcome_of(spec: Spec) -> Outcome:
    """Run a specification in both packages, and compare."""
    distnet.utils.clear_session()  # names count from the beginning, whatever was drawn
    with tempfile.TemporaryDirectory() as folder:
        ours, our_error = _attempt(distnet, spec, in_distnet, Path(folder))
        theirs, their_error = _attempt(keras, spec, in_keras, Path(folder))
        keras.utils.clear_session(free_memory=False)  # which would take longer than all the rest
        outcomes = _of_errors(our_error, their_error)
        if not outcomes and ours is not None and theirs is not None:
            outcomes = _of_files(ours, theirs, Path(folder)) or differences(ours.results, theirs.results)
    judged = [(outcome, _excuse(spec, outcome, theirs)) for outcome in outcomes]
    excused = [(outcome, entry) for outcome, entry in judged if entry is not None]
    left = [outcome for outcome, entry in judged if entry is None]
    if not left:
        return next((replace(outcome, kind=f"intended: {entry.name}") for outcome, entry in excused), Outcome("same"))
    amount = max(outcome.amount for outcome in left)
    by = next((outcome.amount for outcome, entry in excused if entry.is_passed_on), LAST_BITS)
    if left[0].kind in MAGNIFIABLE and any(run and is_ill_conditioned(run, amount, by) for run in (ours, theirs)):
        return replace(left[0], kind="ill-conditioned")
    return left[0]


def _excuse(spec: Spec, outcome: Outcome, theirs: Run | None) -> Intended | None:
    """The entry that says why this is meant, if one does."""
    if not outcome.is_difference:
        return None
    numbers = {} if theirs is None else theirs.results
    is_nan_in_keras = any(np.isnan(value).any() for name, value in numbers.items() if name.startswith(outcome.kind))
    case = Case(spec, outcome.kind, outcome.detail, outcome.amount, is_nan_in_keras)
    return next((entry for entry in INTENDED if entry.condition(case)), None)


def _attempt(package: Any, spec: Spec, forward: Any, folder: Path) -> tuple[Run | None, str]:
    """A run, or the error that ended it."""
    try:
        run = Run(package, spec, forward)
        run.everything(folder)
    except Exception as error:
        if package is distnet and not isinstance(error, DistnetError):
            return None, f"crash: {type(error).__name__}: {error}"
        return None, f"{type(error).__name__}: {error}"
    return run, ""


def _of_errors(ours: str, theirs: str) -> list[Outcome]:
    if ours.startswith("crash"):
        return [Outcome("distnet crashes", ours)]
    if ours and theirs:
        return [Outcome("both refuse", f"{ours} | {theirs}")]
    if ours or theirs:
        return [Outcome("distnet refuses", ours) if ours else Outcome("Keras refuses", theirs)]
    return []


def differences(ours: Results, theirs: Results) -> list[Outcome]:
    """All differences, in the order in which one follows from another."""
    if ours.keys() != theirs.keys():
        only_ours, only_theirs = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())
        return [Outcome("keys", f"distnet {only_ours}, Keras {only_theirs}")]
    amounts = {name: apart(ours[name], theirs[name]) for name in theirs}
    differing = [name for name, amount in amounts.items() if not amount <= TOLERANCE]
    differing.sort(key=lambda name: ORDER.index(name.split()[0]))
    return [Outcome(name.split()[0], name, amounts[name]) for name in differing]


def _of_files(ours: Run, theirs: Run, folder: Path) -> list[Outcome]:
    """Let each package predict from the other's file; an error, where Keras can open its own."""
    name = ours.spec.get("training", {}).get("file")
    if name is None:
        return []
    for key, writer, reader in (("file of distnet", ours, theirs), ("file of Keras", theirs, ours)):
        try:
            predicted = reader.opened(folder / f"{writer.package.__name__}.{name}")
        except Exception as error:
            return [Outcome("file", f"{key}: {error}")] if _opens_its_own(theirs, folder / f"keras.{name}") else []
        ours.results[key] = predicted
        own = writer.model.predict(one_or_list(writer.data.x), verbose=0)
        theirs.results[key] = np.asarray(as_list(own)[0], "float64")
    return []


def _opens_its_own(run: Run, path: Path) -> bool:
    try:
        run.opened(path)
    except Exception:
        return False
    return True


def in_distnet(model: Any, x: list[Array]) -> tuple[Any, list[Array | None]]:
    """What a model predicts, batch by batch, and its outputs' masks."""
    inputs = [part if part.dtype.kind in "iu" else part.astype("float64") for part in x]
    _, tape = model.graph.forward(inputs, ForwardContext(False, 0, 0, 0, len(x[0]), Workspaces()))
    return model.predict(one_or_list(x), batch_size=4, verbose=0), list(tape.masks)


def in_keras(model: Any, x: list[Array]) -> tuple[Any, list[Array | None]]:
    """What a model predicts, and its outputs' masks: traced together, for tracing takes the most time."""

    def forward(trainable: Any, others: Any, given: Any) -> Any:
        outputs, _ = model.stateless_call(trainable, others, given, training=False)
        return outputs, [backend.get_keras_mask(output) for output in as_list(outputs)]

    variables = [[v.value for v in part] for part in (model.trainable_variables, model.non_trainable_variables)]
    outputs, masks = trainer.jit(forward)(*variables, one_or_list(x))
    return outputs, masks
