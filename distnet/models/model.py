"""The front door: compile, fit, evaluate, predict, save."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from distnet import comm, random
from distnet.callbacks import History
from distnet.callbacks.console import say
from distnet.comm.scope import communicator
from distnet.data.arrays import ArrayData
from distnet.errors import ArgumentError, NotBuiltError, NotCompiledError
from distnet.layers import InputLayer, Layer
from distnet.layers.context import BackwardContext, BuildContext, ForwardContext
from distnet.models.graph import Graph, Tape
from distnet.models.summary import summary_lines
from distnet.network import TrainingState
from distnet.optimizers import OPTIMIZERS, Optimizer
from distnet.saving import KERAS_VERSION, load_weights, restore_training, save_model, save_weights
from distnet.training import batchwise, evaluation, fitting
from distnet.training.compilation import Compilation, compilation
from distnet.training.objective import Log, Objective
from distnet.types import Array, Json, Shape
from distnet.variables import Variable, VariableStore


class Model(Layer, ABC):
    """Layers that are trained together. Made by ``Sequential``.

    Args:
        name: by default ``sequential``, ``sequential_1`` ...
        trainable: whether any of its layers is trained.

    Source: ``keras.Model``.
    """

    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        self.graph = Graph((), (0,), (0,))
        super().__init__(name=cast(str, name), trainable=trainable)
        self.store: VariableStore | None = None
        self.optimizer: Optimizer | None = None
        self.history: History | None = None
        self.stop_training = False
        self.batch_steps: object = None
        self._compilation: Compilation | None = None
        self._training_state: TrainingState | None = None
        self._index: int | None = None

    @abstractmethod
    def build(self, input_shape: Shape, ctx: BuildContext | None = None) -> None:
        """Make the weights for inputs of this shape, batch axis first."""

    @property
    @abstractmethod
    def input_shapes(self) -> list[Shape]:
        """Shape of each input, with the batch axis."""

    @property
    @abstractmethod
    def output_shapes(self) -> list[Shape]:
        """Shape of each output, with the batch axis."""

    @abstractmethod
    def summary_rows(self) -> list[tuple[Layer, Shape | None]]:
        """The layers with their output shapes."""

    @property
    def trainable(self) -> bool:
        """Whether training updates it; setting it sets that of every layer, as in Keras."""
        return self._is_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._is_trainable = bool(value)
        for layer in self.graph.layers:
            layer.trainable = bool(value)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the entry."""
        return [layer for layer in self.graph.layers if not isinstance(layer, InputLayer)]

    @property
    def variables(self) -> list[Variable]:
        """The variables of all layers, in order."""
        return [v for layer in self.graph.layers for v in layer.variables]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training updates."""
        return [v for layer in self.graph.layers for v in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        return [v for layer in self.graph.layers for v in layer.non_trainable_weights]

    @property
    def weights(self) -> list[Variable]:
        """All variables, layer by layer."""
        return [v for layer in self.graph.layers for v in layer.weights]

    @property
    def training_state(self) -> TrainingState:
        """How far training has come; its seed is the job's when first asked for."""
        if self._training_state is None:
            self._training_state = TrainingState()
        return self._training_state

    @training_state.setter
    def training_state(self, state: TrainingState) -> None:
        self._training_state = state

    @property
    def metrics_names(self) -> list[str]:
        """Keys of the loss and of the metrics, as ``evaluate`` returns them."""
        return ["loss", *(self._compilation.metric_keys if self._compilation else ())]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place.

        Raises:
            ArgumentError: there is none.
        """
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        found = [layer for layer in self.layers if layer.name == name]
        if not found:
            raise ArgumentError(
                f"{self.name}: no layer is {name if index is None else f'number {index}'}. "
                f"Its layers: {[layer.name for layer in self.layers]}."
            )
        return found[0]

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
        """Say what to minimize, how, and what to measure.

        Args:
            optimizer: name, object or config.
            loss: name, object, function or config; a model that only predicts needs none.
            metrics: list of names, objects or functions; they ignore sample weights.
            loss_weights: factor of the loss.
            weighted_metrics: as metrics, counted with sample weights.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: how Keras's backends execute;
                taken so that scripts run, without effect here.

        Raises:
            UnknownNameError: an optimizer, loss or metric that does not exist.

        Source: ``keras.Model.compile``.
        """
        self.optimizer = OPTIMIZERS.get(optimizer)
        self._compilation = compilation(loss, metrics, weighted_metrics, loss_weights)
        self.batch_steps = None
        self.stop_training = False

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as a saved ``training_config`` says."""
        loss_weights = config.get("loss_weights")
        self.compile(
            OPTIMIZERS.get(config["optimizer_config"]),
            config.get("loss"),
            config.get("metrics"),
            loss_weights,
            config.get("weighted_metrics"),
        )

    @property
    def compile_settings(self) -> Mapping[str, Json] | None:
        """The ``training_config`` of this model's file, without the optimizer; None before ``compile``."""
        return None if self._compilation is None else self._compilation.to_json()

    def objective(self, data: ArrayData) -> Objective:
        """Loss and metrics for these targets.

        Raises:
            NotCompiledError: before ``compile``.
            DataError, ShapeError: targets that the loss cannot learn from.
        """
        if self._compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() before training or evaluating.")
        output = self.output_shapes[0]
        objective = self._compilation.objective(data.y[0].shape, output)
        shape = (data.rows, *(extent or 1 for extent in output[1:]))
        if None not in output[1:]:
            objective.losses[0].validate(data.y[0], np.broadcast_to(np.float32(0.5), shape))
        return objective

    def fit(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[object] | object | None = None,
        validation_split: float = 0.0,
        validation_data: object = None,
        shuffle: bool | str = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: object = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for a number of epochs; every rank calls it with the same, whole data.

        Args:
            x, y: inputs and targets, (N, ...).
            batch_size: rows of a *global* batch, shared out among the ranks; 32 by default.
            epochs: number of the last epoch, not of epochs to train: see ``initial_epoch``.
            verbose: 0 silent, 1 or ``"auto"`` a progress bar, 2 one line an epoch.
            callbacks: see ``distnet.callbacks``; they run on rank 0.
            validation_split: fraction of the rows, the last ones, to validate on.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, in place of the split.
            shuffle: True shuffles the rows at each epoch, ``"batch"`` whole batches, False nothing.
            class_weight: class number -> weight.
            sample_weight: weight of each row.
            initial_epoch: epoch to begin with; an earlier training's record is continued from there.
            steps_per_epoch: batches of an epoch; by default as many as the rows fill.
            validation_steps, validation_batch_size, validation_freq: the same for validation.
            resume: a file that ``save`` or ``ModelCheckpoint`` wrote while this model was trained:
                training goes on after its last epoch, as if it had never stopped.

        Returns:
            The history: losses and metrics of every epoch, over all ranks.

        Raises:
            NotCompiledError: before ``compile``.
            ArgumentError, DataError, ShapeError: arguments or data that cannot be trained with.
            CheckpointError: ``resume`` names no file of this model.
            ReplicaError: the ranks do not hold the same data, model or seed.

        Source: ``keras.Model.fit``.
        """
        if self._compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() before fit().")
        options = fitting.FitOptions(
            batch_size, epochs, verbose, _as_list(callbacks), validation_split, validation_data, shuffle, class_weight,
            sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq,
        )  # fmt: skip
        plan = fitting.plan(self, x, y, options)
        if resume is not None:
            restore_training(self, resume)
            plan = plan.resumed(self.training_state)
        objective = self.objective(plan.train)
        return plan.run(objective)

    def evaluate(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: object = None,
        steps: int | None = None,
        callbacks: Sequence[object] | object | None = None,
        return_dict: bool = False,
    ) -> Log | list[Log] | dict[str, Log]:
        """Loss and metrics over all rows: every rank gets them.

        Returns:
            ``[loss, *metrics]``; the loss alone where there are no metrics; a dict with ``return_dict``.

        Source: ``keras.Model.evaluate``.
        """
        logs = evaluation.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, _as_list(callbacks))
        return _in_form(logs, return_dict)

    def predict(
        self,
        x: object,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[object] | object | None = None,
    ) -> Array:
        """The outputs for all rows, in order: every rank gets all of them.

        Source: ``keras.Model.predict``.
        """
        return evaluation.predict(self, x, batch_size, verbose, steps, _as_list(callbacks))

    def train_on_batch(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: bool = False,
    ) -> Log | list[Log] | dict[str, Log]:
        """One step on one global batch, which every rank passes whole; its loss and metrics.

        Source: ``keras.Model.train_on_batch``.
        """
        return _in_form(batchwise.train_on_batch(self, x, y, sample_weight, class_weight), return_dict)

    def test_on_batch(
        self, x: object, y: object = None, sample_weight: object = None, return_dict: bool = False
    ) -> Log | list[Log] | dict[str, Log]:
        """Loss and metrics of one global batch, which every rank passes whole.

        Source: ``keras.Model.test_on_batch``.
        """
        return _in_form(batchwise.test_on_batch(self, x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: object) -> Array:
        """The outputs for one batch, which every rank passes whole.

        Source: ``keras.Model.predict_on_batch``.
        """
        return self.predict(x, verbose=0)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of weights; rank 0 prints.

        Raises:
            NotBuiltError: the input shape is not known yet.

        Source: ``keras.Model.summary`` of Keras 2.
        """
        if not self.built:
            raise NotBuiltError(
                f"{self.name}: summary needs the input shape. Give the first layer input_shape=..., or call build()."
            )
        lines = summary_lines(self.name, self.summary_rows(), line_length, positions)
        if communicator().rank == 0:
            for line in lines:
                (print_fn or say)(line)

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON text that Keras 2 and Keras 3 both read.

        Args:
            options: passed to ``json.dumps``, for example ``indent=2``.

        Source: ``keras.Model.to_json``.
        """
        dialect = {"module": "keras", "registered_name": None, "keras_version": KERAS_VERSION, "backend": "tensorflow"}
        return json.dumps({**cast(dict[str, Json], self.as_json()), **dialect}, **options)

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write the whole model to one HDF5 file: see ``distnet.models.save_model``."""
        save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone, in Keras's legacy HDF5 layout: see ``distnet.saving.save_weights``."""
        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Fill the weights from a file that ``save_weights`` or ``save`` wrote, here or in Keras."""
        load_weights(self, filepath)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Tape]:
        """The output for some rows, and the tape for ``backward``."""
        (y,), tape = self.graph.forward([x], ctx)
        return y, tape

    def backward(self, dy: Array, saved: Tape, ctx: BackwardContext) -> Array:
        """Gradient of the input, where ``ctx`` asks for it."""
        return self.graph.backward(saved, [dy], ctx).get(self.graph.inputs[0], dy)

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Tape]:
        """The outputs for some rows, and the tape for ``backward_batch``."""
        return self.graph.forward(x, ctx)

    def backward_batch(self, tape: Tape, dy: Sequence[Array], ctx: BackwardContext) -> None:
        """Write every variable's gradient; a variable without a part in the outputs gets 0."""
        ctx.needs_input_gradient = False
        self.graph.backward(tape, dy, ctx)
        for variable in self.variables:
            if variable.is_trained and id(variable) not in ctx.written:
                variable.grad.fill(0)

    def _build_layers(self, shape: Shape) -> list[Shape]:
        """Build the layers of the graph one by one; return their output shapes.

        Raises:
            ArgumentError: a layer computes in another dtype than the model.
            ShapeError: a layer cannot take what the one before it gives.
        """
        comm.world()
        if self._index is None:
            self._index = random.next_model_index()
        shapes = {self.graph.inputs[0]: shape}
        for i, node in enumerate(self.graph.nodes):
            layer, given = node.layer, shapes[node.inputs[0]]
            if layer.dtype != self.dtype:
                raise ArgumentError(
                    f"{layer.name}: has dtype {layer.dtype} in a model of {self.dtype}. A model computes in one dtype."
                )
            layer.build_once(given, random.job_seed(), ("model", self._index, i))
            shapes[node.output] = layer.compute_output_shape(given)
        return [shapes[node.output] for node in self.graph.nodes]


def _as_list(callbacks: Sequence[object] | object | None) -> list[object]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def _in_form(logs: dict[str, Log], return_dict: bool) -> Log | list[Log] | dict[str, Log]:
    """Logs in the form that Keras returns them."""
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
