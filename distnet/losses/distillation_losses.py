"""How far a student's outputs are from its teacher's: what a ``Distiller`` minimizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from distnet import ops, tree
from distnet.errors import ArgumentError
from distnet.losses.divergence import KLDivergence
from distnet.losses.loss_names import deserialize, get, serialize
from distnet.registry import Registry
from distnet.types import Json


class DistillationLoss:
    """Base of losses between a teacher's and a student's outputs; yours defines ``compute_loss``.

    Source: ``keras.distillation.DistillationLoss``.
    """

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, one number for the batch.

        Args:
            teacher_outputs: a tensor, or a structure of tensors.
            student_outputs: the student's, in the same form.
            kwargs: for losses of your own.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method compute_loss, received none.")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs of different forms.

        Raises:
            ArgumentError: the forms differ.
        """
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models that this loss cannot compare; by default none."""


DISTILLATION_LOSSES: Registry[DistillationLoss] = Registry(
    "distillation loss", DistillationLoss, module="keras.distillation"
)


class _OfOutputs(DistillationLoss):
    """A loss, or a structure of losses, of outputs of the same structure.

    Args:
        loss: names or losses; None passes over an output.
    """

    def __init__(self, loss: Any) -> None:
        self.loss = tree.map_structure(get, loss)
        if all(one is None for one in tree.flatten(self.loss)):
            raise ArgumentError(
                f"{type(self).__name__}: loss: expected at least one that is not None, received {loss!r}."
            )

    def get_config(self) -> dict[str, Json]:
        """The losses."""
        return {"loss": tree.map_structure(lambda one: None if one is None else serialize(one), self.loss)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from what ``get_config`` gave, here or in Keras."""
        return cls(**{**config, "loss": _losses_of(config["loss"])})

    def _sum(self, mean_of: Callable[[Any, Any, Any], Any], teacher_outputs: Any, student_outputs: Any) -> Any:
        """The losses of all outputs, added up."""

        def each(loss: Any, of_teacher: Any, of_student: Any) -> Any:
            return 0.0 if loss is None else mean_of(loss, of_teacher, of_student)

        means = tree.flatten(tree.map_structure(each, self.loss, teacher_outputs, student_outputs))
        total = means[0]
        for mean in means[1:]:
            total = total + mean
        return total


def _losses_of(described: Any) -> Any:
    """Losses from a structure of names and descriptions."""
    if isinstance(described, list | tuple):
        return [_losses_of(one) for one in described]
    if isinstance(described, Mapping) and "class_name" not in described:
        return {key: _losses_of(one) for key, one in described.items()}
    return None if described is None else deserialize(described)


@DISTILLATION_LOSSES.register()
class FeatureDistillation(_OfOutputs):
    """A loss of what a layer of the teacher and a layer of the student give.

    Args:
        loss: a name, loss or function, or a structure of them like the layers' outputs; None passes over an output.
        teacher_layer_name: of the teacher's layer; by default its last outputs.
        student_layer_name: of the student's layer; by default its last outputs.

    Raises:
        ArgumentError: all losses are None.

    Source: ``keras.distillation.FeatureDistillation``; Romero et al., "FitNets", arXiv:1412.6550.
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ) -> None:
        super().__init__(loss)
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models without the layers.

        Raises:
            ArgumentError: a model has no layer of that name, or defines ``call``, so that its layers' outputs are not
                known.
        """
        names = {"teacher": self.teacher_layer_name, "student": self.student_layer_name}
        if names["teacher"] is None and names["student"] is None:
            return
        for role, model in (("teacher", teacher), ("student", student)):
            if not getattr(model, "is_graph", False):
                raise ArgumentError(
                    f"FeatureDistillation: {role} {model.name}: expected a Functional or Sequential model, of whose "
                    "layers the outputs are known, received one that defines call. Leave out the layers' names."
                )
            if names[role] is not None:
                model.get_layer(name=names[role])

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs whose form is not that of the losses.

        Raises:
            ArgumentError: the forms differ.
        """
        super().validate_outputs(teacher_outputs, student_outputs)
        tree.assert_same_structure(self.loss, teacher_outputs)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses' means over the batch."""

        def mean_of(loss: Any, of_teacher: Any, of_student: Any) -> Any:
            return ops.mean(loss(of_teacher, of_student))

        return self._sum(mean_of, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments."""
        names: dict[str, Json] = {
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }
        return super().get_config() | names


@DISTILLATION_LOSSES.register()
class LogitsDistillation(_OfOutputs):
    r"""A loss of the teacher's and the student's logits, each divided by a temperature `T`.

    With ``KLDivergence()`` it is `T^2 KL(softmax(t / T) || softmax(s / T))`. As in Keras, the *name*
    ``"kl_divergence"``, which is the default, means a function, which is applied to `t / T` and `s / T` as they are.

    Args:
        temperature: above 0; a higher one makes softer distributions.
        loss: a name, loss or function, or a structure of them like the models' outputs; None passes over an output.

    Raises:
        ArgumentError: all losses are None, or the temperature is not a number above 0.

    Source: ``keras.distillation.LogitsDistillation``; Hinton et al., arXiv:1503.02531.
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        super().__init__(loss)
        if not isinstance(temperature, int | float) or not temperature > 0:
            raise ArgumentError(
                f"LogitsDistillation: temperature: expected a number above 0, received {temperature!r}."
            )
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses' means over the batch."""

        def mean_of(loss: Any, of_teacher: Any, of_student: Any) -> Any:
            logits = ops.divide(of_teacher, self.temperature), ops.divide(of_student, self.temperature)
            if not isinstance(loss, KLDivergence):
                return ops.mean(loss(*logits))
            return ops.mean(loss(*(ops.softmax(one, axis=-1) for one in logits))) * self.temperature**2

        return self._sum(mean_of, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments."""
        return {"temperature": self.temperature, **super().get_config()}
