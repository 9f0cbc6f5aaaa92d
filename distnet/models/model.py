"""The front door: compile, fit, evaluate, predict, save."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from distnet import saving
from distnet.callbacks import History
from distnet.callbacks.console import say
from distnet.callbacks.memory_use import MemoryUse
from distnet.callbacks.profiler import profiler_of
from distnet.comm.scope import communicator, on_all_ranks
from distnet.data.reading_ahead import ReadingAhead
from distnet.dialects.versions import KERAS_VERSION
from distnet.errors import ArgumentError, NotCompiledError
from distnet.layers import LAYERS
from distnet.layers.engine.overriding import IN_EVALUATION, IN_PREDICTION, IN_TRAINING, refuse_own
from distnet.layers.engine.structures import packed
from distnet.models.compiled import Compiled
from distnet.models.keras2_methods import Keras2Methods
from distnet.models.summary import summary_lines
from distnet.old_names import present_arguments, takes_old_arguments
from distnet.registry import custom_object_scope
from distnet.registry.constructors import constructor_arguments, taken
from distnet.training import batchwise, evaluation, fit_arguments
from distnet.training.inputs import as_list
from distnet.training.kept_inference import Shelf
from distnet.training.loop import Training
from distnet.training.memory import memory_use_of
from distnet.training.objective import Log, in_form
from distnet.training.resumption import restore_progress
from distnet.training_state import TrainingState
from distnet.types import Array, Json
from distnet.variables import VariableStore


class Model(Keras2Methods, Compiled, ABC):
    """Layers that are trained together: a ``Sequential``, or ``Model(inputs, outputs)``, a ``Functional``.

    Args:
        name: by default ``sequential``, ``sequential_1`` ...
        trainable: whether any of its layers is trained.

    Raises:
        ArgumentError: ``Model()`` without inputs and outputs, or a subclass with its own ``call``.

    Source: ``keras.Model``.
    """

    base_of_own: ClassVar[type]
    """What a user's subclass of ``Model`` derives from; set by ``subclassed``."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """``Model(inputs, outputs)`` makes a ``Functional``."""
        if cls is not Model:
            made = super().__new__(cls)
            vars(made)["constructed"] = args, kwargs
            return made
        if not args and not present_arguments("Model", kwargs).keys() >= {"inputs", "outputs"}:
            raise ArgumentError(
                "Model: expected Model(inputs, outputs), made of Input(...) and of layers called on it."
            )
        return cast(Self, object.__new__(cast(type, LAYERS.find("Functional"))))

    def __init_subclass__(cls, has_graph: bool = False, **kwargs: Any) -> None:
        """A user's class is a ``SubclassedModel``, which becomes a ``Functional`` if it is given inputs and outputs."""
        super().__init_subclass__(**kwargs)
        if not has_graph and Model in cls.__bases__:
            cls.__bases__ = tuple(Model.base_of_own if base is Model else base for base in cls.__bases__)

    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name, trainable)
        self.store: VariableStore | None = None
        self.optimizer = None
        self.history: History | None = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.batch_steps = self.fit_steps = self.loss = self.form_of_predictions = None
        self.kept_inference = Shelf()
        self._training_state: TrainingState | None = None

    @property
    def training_state(self) -> TrainingState:
        """How far training has come; its seed becomes the job's on first use."""
        if self._training_state is None:
            self._training_state = TrainingState()
        return self._training_state

    @training_state.setter
    def training_state(self, state: TrainingState) -> None:
        self._training_state = state

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Make the model from a configuration, with new weights; ``Model`` makes a ``Functional``.

        Source: ``keras.Model.from_config``.
        """
        kind = cast("type[Self]", LAYERS.find("Functional")) if cls is Model else cls
        with custom_object_scope(custom_objects):
            return kind.of_config(config)

    def get_config(self) -> dict[str, Json]:
        """The arguments of the user's constructor, with the name.

        Raises:
            ArgumentError: an argument has no JSON form.
        """
        return {"name": self.name, "trainable": self.trainable, **constructor_arguments(self, self.constructed)}

    @classmethod
    def of_arguments(cls, config: Mapping[str, Any]) -> Self:
        """Call the user's constructor with those entries of a configuration that it takes."""
        known = taken(cls, config)
        made = cls(**known)
        if "name" in config and "name" not in known:
            made.name = str(config["name"])
        return made

    @classmethod
    @abstractmethod
    def of_config(cls, config: Any) -> Self:
        """Make the model from a configuration."""

    @takes_old_arguments("fit")
    @on_all_ranks()
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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        profile: bool | str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for a number of epochs; every rank passes the same, whole data.

        Args:
            x, y: inputs and targets, (N, ...).
            batch_size: rows of a *global* batch, divided among the ranks; 32 by default.
            epochs: number of the last epoch, not of epochs to train: see ``initial_epoch``.
            verbose: 0 silent, 1 or ``"auto"`` a progress bar, 2 one line an epoch.
            callbacks: see ``distnet.callbacks``; they run on rank 0.
            validation_split: fraction of the rows, the last ones, to validate on.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, in place of the split.
            shuffle: True shuffles the rows at each epoch, ``"batch"`` whole batches, False nothing.
            class_weight: class number -> weight.
            sample_weight: weight of each row.
            initial_epoch: first epoch, counted from 0; the history begins with it.
            steps_per_epoch: batches of an epoch; by default as many as there are.
            validation_steps, validation_batch_size, validation_freq: the same for validation.
            resume: a file that ``save``, ``ModelCheckpoint`` or ``BackupAndRestore`` wrote while this model was
                trained: training continues there, even within an epoch, as if it had never stopped. A generator
                must start from its beginning: batches already trained on are drawn again and skipped.
            workers: with more than one, a thread makes the batches of a sequence, in order, while earlier ones train;
                so many threads do, where it is an iterator of ``ImageDataGenerator``, whose images have addresses.
                Generators are drawn from when their batch's turn comes.
            max_queue_size: most batches made ahead.
            use_multiprocessing: ignored: threads do it.
            profile: a file for a trace of what every rank does when, or True for a table alone: see
                ``distnet.callbacks.Profiler``.

        Returns:
            The history: losses and metrics of every epoch, over all ranks.

        Raises:
            NotCompiledError: ``compile`` was not called.
            ArgumentError, DataError, ShapeError: arguments or data that cannot be trained with.
            CheckpointError: ``resume`` names no file of this model, or one saved within an epoch of other batches.
            Preempted: the job was told to end, and its training is saved.
            ReplicaError: the ranks do not hold the same data, model or seed.

        Source: ``keras.Model.fit``.
        """
        if self._compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() before fit().")
        refuse_own(self, self.name, "trained", IN_TRAINING)
        options = fit_arguments.FitOptions(
            batch_size, epochs, verbose, [*as_list(callbacks), *profiler_of(profile)], validation_split,
            validation_data, shuffle, class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps,
            validation_batch_size, validation_freq, ReadingAhead(workers, max_queue_size),
        )  # fmt: skip
        plan = fit_arguments.plan(self, x, y, options, resume)
        objective = self.training_objective(plan.train.sample)
        resumption = restore_progress(self, options.callbacks, resume)
        return Training(plan, objective, resumption).run()

    @takes_old_arguments("evaluate")
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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Log | list[Log] | dict[str, Log]:
        """Loss and metrics over all rows, on every rank. See ``fit`` for the arguments.

        Returns:
            ``[loss, *metrics]``; only the loss if there are no metrics; a dict with ``return_dict``.

        Source: ``keras.Model.evaluate``.
        """
        refuse_own(self, self.name, "evaluated", IN_EVALUATION)
        logs = evaluation.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, as_list(callbacks))
        return in_form(logs, return_dict)

    def predict(
        self,
        x: object,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[object] | object | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for all rows, in order, on every rank; several in the form in which ``Model`` got its outputs.

        Source: ``keras.Model.predict``.
        """
        refuse_own(self, self.name, "asked", IN_PREDICTION)
        return self._predicted(evaluation.predict(self, x, batch_size, verbose, steps, as_list(callbacks)))

    def _predicted(self, outputs: list[Array]) -> Any:
        """Predictions in the form of the model's outputs."""
        return packed(self.form_of_predictions, outputs) if self.has_own("predict") else self.as_given(outputs)

    @takes_old_arguments("train_on_batch")
    def train_on_batch(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: bool = False,
        reset_metrics: bool = True,
    ) -> Log | list[Log] | dict[str, Log]:
        """Take one step on one global batch, which every rank passes whole; return its loss and metrics.

        Args:
            x, y, sample_weight, class_weight: as for ``fit``.
            return_dict: whether to return a dict by key.
            reset_metrics: Keras 2's; metrics are always those of this batch, as in Keras 3.

        Source: ``keras.Model.train_on_batch``.
        """
        refuse_own(self, self.name, "trained", IN_TRAINING)
        if not reset_metrics:
            raise ArgumentError("train_on_batch: reset_metrics=False is not supported. Average the batches' values.")
        return in_form(batchwise.train_on_batch(self, x, y, sample_weight, class_weight), return_dict)

    @takes_old_arguments("test_on_batch")
    def test_on_batch(
        self, x: object, y: object = None, sample_weight: object = None, return_dict: bool = False
    ) -> Log | list[Log] | dict[str, Log]:
        """Loss and metrics of one global batch, which every rank passes whole.

        Source: ``keras.Model.test_on_batch``.
        """
        refuse_own(self, self.name, "evaluated", IN_EVALUATION)
        return in_form(batchwise.test_on_batch(self, x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: object) -> Any:
        """The outputs for one batch, which every rank passes whole.

        Source: ``keras.Model.predict_on_batch``.
        """
        refuse_own(self, self.name, "asked", IN_PREDICTION)
        return self._predicted(batchwise.predict_on_batch(self, x))

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of weights; rank 0 prints.

        See ``distnet.models.summary.summary_lines`` for the arguments.

        A layer that waits for its input shape is shown as unbuilt.

        Source: ``keras.Model.summary`` of Keras 2.
        """
        if print_fn is not None and not callable(print_fn):
            raise ArgumentError(f"{self.name}: summary: print_fn: expected a function, received {print_fn!r:.100}.")
        lines = summary_lines(
            self, line_length, positions, expand_nested, show_trainable, layer_range, fits_terminal=print_fn is None
        )
        if communicator().rank == 0:
            for line in lines:
                (print_fn or say)(line)

    def memory_use(self) -> MemoryUse:
        """How many bytes the model's arrays take on this rank, after what has been called so far.

        After ``fit`` they include slots, and the plans of its steps with all activations, which are kept for the next
        ``fit``. ``str()`` of what is returned says megabytes. ``fit(profile=True)`` prints it, too.
        """
        return memory_use_of(self)

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON text, which every Keras reads.

        Args:
            options: passed to ``json.dumps``, for example ``indent=2``.

        Source: ``keras.Model.to_json``.
        """
        dialect = {"keras_version": KERAS_VERSION, "backend": "tensorflow"}
        return json.dumps({**cast(dict[str, Json], LAYERS.with_module(self.as_json())), **dialect}, **options)

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
        keras_optimizer: bool = False,
    ) -> None:
        """Write the whole model to one file: see ``distnet.models.save_model``.

        Raises:
            ArgumentError: the end of the name, or ``save_format``, says no format that can be written.
        """
        saving.save_model(self, filepath, overwrite, include_optimizer, keras_optimizer, save_format)

    def save_checkpoint(
        self, filepath: str | os.PathLike[str], weights_only: bool = False, keep: int = 1, retired: Sequence[str] = ()
    ) -> None:
        """Save the model in the background; the call returns once the state is copied.

        It is called within ``fit``, on rank 0. ``fit`` does not return, and no file is read or saved, before the
        file is complete. An error is raised at the next checkpoint, or at the end of ``fit``.

        Args:
            weights_only: whether to save like ``save_weights`` instead of ``save``.
            keep: number of files to keep, including this one: ``model.h5``, ``model.1.h5`` ...
            retired: files to delete once this one is complete.

        Raises:
            CheckpointError: the checkpoint before this one could not be written.
        """
        save = self.save_weights if weights_only else self.save
        save(saving.CheckpointPath(filepath, keep, retired))

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write only the weights: see ``distnet.saving.save_weights``."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Fill the weights from a file of weights or of a model: see ``distnet.saving.load_weights``."""
        saving.load_weights(self, filepath, skip_mismatch, by_name)
