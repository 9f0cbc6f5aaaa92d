"""``compile``, what a model keeps from it, and what it has measured since."""

from __future__ import annotations

import warnings
from abc import ABC
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, NamedTuple

from distnet import config
from distnet.activations import Activation
from distnet.arguments import check_integer
from distnet.comm.scope import refuse_in_callback_of
from distnet.data.arrays import ArrayData
from distnet.errors import NotCompiledError
from distnet.layers.engine.structures import form_of, holds_tensors, leaves
from distnet.metrics import Metric
from distnet.models.composite import Composite
from distnet.models.keras_steps import KerasSteps, own_metrics
from distnet.models.optimizer_attribute import OptimizerAttribute
from distnet.old_names import takes_old_arguments
from distnet.optimizers import OPTIMIZERS
from distnet.registry import to_json
from distnet.training.compilation import Compilation, in_either_order, meaning_of, named_in_full
from distnet.training.kept_steps import KeptObjective
from distnet.training.objective import Objective
from distnet.training.outputs import Outputs, sample_weights, targets
from distnet.training.own_steps import OwnObjective
from distnet.types import Json, Shape


class _OfLosses(NamedTuple):
    """What the objective is made of besides losses, metrics and targets.

    Args:
        outputs: by their names.
        shapes: of the outputs.
        has_penalty: whether a layer has an activity regularizer.
        activations: that make the outputs.
        metrics: attributes of the model and of its layers.
    """

    outputs: Outputs
    shapes: list[Shape]
    has_penalty: bool
    activations: list[Activation | None]
    metrics: list[Metric]


class Compiled(KerasSteps, Composite, ABC):
    """The settings of ``compile`` and the metrics, as attributes of Keras's models."""

    set_by_training: ClassVar[frozenset[str]] = frozenset(
        {
            "batch_checks",
            "batch_steps",
            "fit_steps",
            "history",
            "store",
            "totals",
            "_form_of_targets",
            "_live",
            "_objective",
            "_training_state",
        }  # fmt: skip
    )
    run_eagerly: bool = False
    """As given to ``compile``: whether layers run anew in every step."""
    jit_compile: str | bool = "auto"
    """As given to ``compile``; ignored."""
    steps_per_execution: int = 1
    """As given to ``compile``; ignored."""
    optimizer = OptimizerAttribute()
    loss: object = None
    """As given to ``compile``."""
    stop_training: bool = False
    batch_steps: object = None
    """The steps of ``train_on_batch``, prepared."""
    fit_steps: object = None
    """The steps of the last ``fit``."""
    batch_checks: object = None
    """What ranks know of each other from their calls on batches."""
    totals: Any = None
    """The sums of the current or last epoch, evaluation or batch."""
    _compilation: Compilation | None = None
    _objective: object = None
    """Made last."""

    @takes_old_arguments("compile")
    @in_either_order
    def compile(
        self,
        optimizer: object = "rmsprop",
        loss: object = None,
        metrics: object = None,
        loss_weights: object = None,
        weighted_metrics: object = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Set the loss, the optimizer and the metrics.

        Args:
            optimizer: name, object or config; None for a model that is not trained.
            loss: name, object, function or config; a model that only predicts needs none.
            metrics: list of names, objects or functions; they ignore sample weights.
            loss_weights: factor of the loss. Keras 2 has metrics third and loss_weights fourth, Keras 3 the
                other way round: without names, either order is understood.
            weighted_metrics: as metrics, counted with sample weights.
            run_eagerly: whether layers run anew for every batch. Otherwise a batch of each size is computed once and
                then repeated, in which what a layer's ``call`` returns keeps its shape.
            steps_per_execution, jit_compile, auto_scale_loss: how Keras's backends execute; ignored.

        Raises:
            UnknownNameError: an optimizer, loss or metric does not exist.
            ArgumentError: an argument is not an optimizer, loss or metric.

        Source: ``keras.Model.compile``.
        """
        check_integer("compile: steps_per_execution", 1 if steps_per_execution is None else steps_per_execution, 1)
        refuse_in_callback_of(self, "compile")
        self.optimizer = OPTIMIZERS.optional(optimizer)
        self.loss = loss
        self._compilation = Compilation(loss, metrics, weighted_metrics, loss_weights)
        if self.built:
            self._compilation.log_keys(self.outputs_told)
        self.run_eagerly, self.jit_compile, self.steps_per_execution = run_eagerly, jit_compile, steps_per_execution
        self.batch_steps = self.fit_steps = self.totals = None
        self.stop_training = False

    @property
    def outputs_told(self) -> Outputs:
        """The names of the outputs, as ``compile`` and targets use them."""
        return self._outputs_told() if self.built else Outputs(0, ("output",))

    def _outputs_told(self) -> Outputs:
        form, names = self.structure[1], self.output_names
        is_single = isinstance(form, list | tuple) and len(form) == 1
        return Outputs.of(form[0] if is_single else form, names)

    @property
    def output_keys(self) -> list[str]:
        """The names of the outputs in ``compile``: the keys of a dict, else the names of their layers."""
        return self.outputs_told.keys

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self._compilation is not None

    @property
    def metrics_names(self) -> list[str]:
        """Keys of the loss and of the metrics, as ``evaluate`` returns them."""
        keys = self._compilation.log_keys(self.outputs_told) if self._compilation else ["loss"]
        return [*keys, *(metric.name for metric in own_metrics(self))]

    def direction_of(self, key: str) -> Literal["up", "down"] | None:
        """Whether a loss or metric is better "up" or "down"; None if that is unknown."""
        return None if self._compilation is None else self._compilation.direction_of(key, self.outputs_told)

    @property
    def metrics(self) -> list[Metric]:
        """The loss and the metrics, each with its key as ``name`` and the latest value as ``result()``.

        They are copies, which later batches do not change. None before the first batch.

        Source: ``keras.Model.metrics``.
        """
        if self.has_own("train") or self.has_own("test"):
            return self.live_metrics
        return [*([] if self.totals is None else self.totals.metrics()), *own_metrics(self)]

    def reset_metrics(self) -> None:
        """Reset the metrics' running means; ``fit``, ``evaluate`` and the steps on batches do so themselves.

        Source: ``keras.Model.reset_metrics``.
        """
        if self.has_own("train") or self.has_own("test"):
            for metric in self.metrics:
                metric.reset_state()
        elif self.totals is not None:
            self.totals.reset()

    @property
    def needs_targets(self) -> bool:
        """Whether ``fit`` and ``evaluate`` need targets: the loss of ``compile`` is of them."""
        has_own = self.has_own("train") or self.has_own("test")
        return not has_own and (self._compilation is None or self._compilation.loss is not None or not self.has_penalty)

    @property
    def data_forms(self) -> tuple[Any, Any]:
        """The lists, tuples and dicts of the inputs and of the targets."""
        return self.structure[0], self._form_of_targets

    _form_of_targets: Any = None

    def training_objective(self, data: ArrayData, is_known: bool = False) -> Any:
        """What ``fit`` minimizes and measures; see ``objective`` for ``is_known``."""
        return OwnObjective(self) if self.has_own("train") else self.objective(data, is_known)

    def evaluation_objective(self, data: ArrayData) -> Any:
        """What ``evaluate`` measures."""
        return OwnObjective(self) if self.has_own("test") else self.objective(data)

    def objective(self, data: ArrayData, is_known: bool = False) -> Objective:
        """Loss and metrics for these targets.

        Args:
            data: with the targets.
            is_known: whether targets of shapes like those before are not looked at again before the step meets them.

        Raises:
            NotCompiledError: ``compile`` was not called.
            DataError, ShapeError: the loss cannot learn from these targets.
        """
        if self._compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() before training or evaluating.")
        own, kept = self.walks.once(self, "what losses are of", self._of_losses), self._objective
        activations = [] if config.clips_crossentropy() else own.activations
        values = own.outputs, [y.shape[1:] for y in data.y], own.shapes, own.has_penalty, activations
        objects = [self._compilation, *own.metrics]
        if isinstance(kept, KeptObjective) and kept.suits(values, objects):
            if not is_known:
                kept.objective.check(data, own.shapes)
            kept.objective.told.clear()
            return kept.objective
        objective = self._compilation.objective(own.outputs, [y.shape for y in data.y], own.shapes, own.has_penalty)
        objective = replace(objective, kept=tuple(own.metrics))
        objective.check(data, own.shapes)
        objective = objective.on(activations) if activations else objective
        self._objective = KeptObjective(values, objects, objective)
        return objective

    def _of_losses(self) -> _OfLosses:
        shapes, activations = self.output_shapes, self.final_activations
        return _OfLosses(self._outputs_told(), shapes, self.has_penalty, activations, own_metrics(self))

    def targets_in_order(self, given: Any) -> list[Any]:
        """The targets that a caller passed, one for each output; None for an output without a loss.

        Raises:
            DataError, ShapeError: they do not match the outputs.
        """
        if not self.needs_targets:
            self._form_of_targets = form_of(given)
            return list(leaves(given, holds_tensors))
        outputs, optional = self.walks.once(self, "what targets are for", self._of_targets)
        return targets(outputs, given, optional)

    def _of_targets(self) -> tuple[Outputs, list[int]]:
        """The outputs, and the numbers of those that need no targets."""
        outputs = self.outputs_told
        return outputs, [] if self._compilation is None else self._compilation.without_loss(outputs)

    def weights_in_order(self, given: Any) -> list[Any]:
        """The sample weights that a caller passed, one for each output, or None.

        Raises:
            DataError, ShapeError: they do not match the outputs.
        """
        if not self.needs_targets:
            return list(leaves(given, holds_tensors))
        return sample_weights(self.outputs_told, given)

    @property
    def compile_settings(self) -> Mapping[str, Json] | None:
        """The ``training_config`` of this model's file, without the optimizer; None before ``compile``."""
        return None if self._compilation is None else self._compilation.to_json()

    def get_compile_config(self) -> dict[str, Json]:
        """The arguments of ``compile``, for ``compile_from_config``; empty before it.

        Source: ``keras.Model.get_compile_config``.
        """
        if self._compilation is None:
            return {}
        return {
            "optimizer": to_json(self.optimizer),
            **self._compilation.to_json(),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as a saved ``training_config`` says, or Keras 3's ``compile_config``."""
        optimizer = config.get("optimizer_config") or config.get("optimizer") or "rmsprop"
        settings = {key: config.get(key) for key in ("loss", "metrics", "loss_weights", "weighted_metrics")}
        for key in ("metrics", "weighted_metrics"):
            settings[key] = named_in_full(settings[key])
        if type(self).compile is not Compiled.compile:
            warnings.warn(
                f"{self.name}: has a compile() of its own, and is left uncompiled. Override compile_from_config().",
                stacklevel=3,
            )
            return
        self.compile(optimizer, **settings)
        if self._compilation is not None:
            self._compilation = replace(self._compilation, **meaning_of(config))
