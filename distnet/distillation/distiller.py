"""A model that trains a student on targets and on what its teacher gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from distnet import losses, ops, tree
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import register_layer
from distnet.losses.distillation_losses import DistillationLoss
from distnet.metrics import Mean
from distnet.models import Functional, Model, Sequential
from distnet.models.subclassed import SubclassedModel
from distnet.registry import custom_object_scope
from distnet.saving import deserialize_keras_object, serialize_keras_object
from distnet.types import Json

_LAST = "final_output"


@register_layer()
class Distiller(SubclassedModel, has_graph=True):
    """Trains a student: `w L(y, s) + (1 - w) sum_i w_i D_i(t, s)`, where the teacher's `t` is not trained.

    ``student`` is the trained model. Logs have ``student_loss``, ``distillation_loss`` and ``total_loss``. Sample
    weights, and losses that layers add, are not used.

    Args:
        teacher: a model, which is frozen.
        student: a model with inputs and outputs of the same shapes and dtypes.
        distillation_losses: `D`, one or several.
        distillation_loss_weights: `w_i`, by default 1; of a single loss that is not in a list it is 1.
        student_loss_weight: `w`, from 0 to 1.
        name: its name.
        kwargs: ``trainable``, ``dtype``.

    Raises:
        ArgumentError: an argument is out of range, or a loss cannot compare the models.
        ShapeError: the models' inputs or outputs differ.

    Source: ``keras.distillation.Distiller``.
    """

    keras_module: ClassVar[str] = "keras.distillation"

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_models(self.name, teacher, student)
        if not isinstance(student_loss_weight, int | float) or not 0 <= student_loss_weight <= 1:
            raise ArgumentError(
                f"{self.name}: student_loss_weight: expected a number from 0 to 1, received {student_loss_weight!r}."
            )
        self.teacher, self.student, self.student_loss_weight = teacher, student, student_loss_weight
        self.distillation_losses, self.distillation_loss_weights = _weighted(
            self.name, distillation_losses, distillation_loss_weights
        )
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self._teacher_feature_extractor = self._extractor(teacher, "teacher_layer_name")
        self._student_feature_extractor = self._extractor(student, "student_layer_name")
        self.teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")
        if student.built and teacher.built:  # Keras saves it before it was called
            self.build_on_placeholders(student.structure[0])

    def compile(self, optimizer: object = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Set the optimizer, the student's loss and its metrics.

        Args:
            optimizer: of the student's weights.
            loss: `L`: a name, loss or function, or a structure of them like the outputs.
            metrics: list of them.
            kwargs: as those of ``Model.compile``.

        Raises:
            ArgumentError: there is no loss, or ``metrics`` is no list.
        """
        if loss is None:
            raise ArgumentError(f"{self.name}: compile: expected the student's loss, received None.")
        if metrics is not None and not isinstance(metrics, list | tuple):
            raise ArgumentError(f"{self.name}: compile: metrics: expected a list, received {metrics!r:.100}.")
        self._student_loss = tree.map_structure(losses.get, loss)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the student gives."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of a batch, which the three trackers count."""
        if y_pred is None:
            y_pred = self(x, training=training)
        weight = self.student_loss_weight
        of_student = self._loss_of_student(y, y_pred) if weight > 0 and y is not None else 0.0
        of_teacher = self._loss_of_distillation(x, y_pred) if weight < 1 else 0.0
        total = weight * of_student + (1.0 - weight) * of_teacher
        self.student_loss_tracker.update_state(of_student)
        self.distillation_loss_tracker.update_state(of_teacher)
        self.total_loss_tracker.update_state(total)
        return total

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype,
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Make it from what ``get_config`` gave, here or in Keras."""
        with custom_object_scope(custom_objects):
            made = {key: deserialize_keras_object(value) for key, value in config.items()}
        return cls(**made)

    def _loss_of_student(self, y: Any, y_pred: Any) -> Any:
        values = tree.map_structure(lambda loss, a, b: loss(a, b), self._student_loss, y, y_pred)
        total: Any = 0.0
        for value in tree.flatten(values):
            total = total + value
        return ops.mean(total) if len(getattr(total, "shape", ())) else total

    def _loss_of_distillation(self, x: Any, y_pred: Any) -> Any:
        teacher, student = self._teacher_feature_extractor, self._student_feature_extractor
        of_teacher = {_LAST: self.teacher(x, training=False)} if teacher is None else teacher(x, training=False)
        of_student = {_LAST: y_pred} if student is None else student(x, training=True)
        total: Any = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            theirs, ours = of_teacher[_LAST], y_pred
            if getattr(loss, "teacher_layer_name", None) is not None:
                theirs = of_teacher[cast(Any, loss).teacher_layer_name]
                ours = of_student[cast(Any, loss).student_layer_name or _LAST]
            loss.validate_outputs(theirs, ours)
            value = loss.compute_loss(theirs, ours)
            if len(getattr(value, "shape", ())):
                raise ShapeError(
                    f"{self.name}: {type(loss).__name__}.compute_loss: expected one number, received shape "
                    f"{value.shape}."
                )
            total = total + weight * value
        return total

    def _extractor(self, model: Model, key: str) -> Model | None:
        """A model that gives the last outputs, and those of the layers that losses name."""
        names = {name for loss in self.distillation_losses if (name := getattr(loss, key, None))}
        if not names:
            return None
        last = model.layers[-1].output if isinstance(model, Sequential) else cast(Any, model).output
        outputs = {_LAST: last, **{name: model.get_layer(name=name).output for name in sorted(names)}}
        return Functional(cast(Any, model).inputs, outputs, name=f"{model.name}_multi_feature_extractor")


def _weighted(
    where: str, given: DistillationLoss | Sequence[DistillationLoss], weights: Sequence[float] | None
) -> tuple[list[DistillationLoss], list[float]]:
    """The losses and their weights."""
    if isinstance(given, DistillationLoss):
        return [given], [1.0]
    if not isinstance(given, list | tuple):
        raise ArgumentError(f"{where}: distillation_losses: expected one or a list, received {given!r:.100}.")
    used = [1.0] * len(given) if weights is None else list(weights)
    if len(used) != len(given):
        raise ArgumentError(
            f"{where}: distillation_loss_weights: expected {len(given)}, one for each loss, received {len(used)}."
        )
    return list(given), used


def _check_models(where: str, teacher: Model, student: Model) -> None:
    """Refuse what are no models, or models whose known inputs or outputs differ."""
    for role, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, Model):
            raise ArgumentError(f"{where}: {role}: expected a model, received {model!r:.100}.")
    if not (getattr(teacher, "is_graph", False) and getattr(student, "is_graph", False)):
        return
    for what in ("inputs", "outputs"):
        ends = getattr(teacher, what), getattr(student, what)
        if len(ends[0]) != len(ends[1]):
            raise ShapeError(f"{where}: {what}: teacher has {len(ends[0])}, student {len(ends[1])}. Expected as many.")
        for a, b in zip(*ends, strict=True):
            known = [(i, j) for i, j in zip(a.shape, b.shape, strict=False) if i is not None and j is not None]
            if len(a.shape) != len(b.shape) or any(i != j for i, j in known) or a.dtype != b.dtype:
                raise ShapeError(
                    f"{where}: {what}: teacher has {a.shape} of {a.dtype}, student {b.shape} of {b.dtype}. "
                    "Expected the same."
                )
