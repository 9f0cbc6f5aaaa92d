"""Methods that users override in Keras's layers and models, and that distnet does not call."""

from __future__ import annotations

from distnet.errors import ArgumentError

IN_TRAINING = ("make_train_function",)
IN_EVALUATION = ("make_test_function",)
IN_PREDICTION = ("make_predict_function",)


def refuse_own(owner: object, name: str, what: str, methods: tuple[str, ...]) -> None:
    """Fail if ``owner`` has one of these methods, which would be ignored.

    Args:
        owner: a layer, a model, or the class of one.
        name: of it.
        what: it cannot be, such as ``"trained"``.

    Raises:
        ArgumentError: names the method.
    """
    for method in methods:
        if hasattr(owner, method):
            raise ArgumentError(
                f"{name}: has a {method}() of its own, and cannot be {what}: that is how TensorFlow and JAX compile. "
                "Override train_step(), test_step() or predict_step()."
            )


def refuse_missing(cls: type) -> None:
    """Fail if a class lacks a method that every layer must have.

    Raises:
        ArgumentError: names the methods.
    """
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise ArgumentError(
            f"{cls.__name__}: expected the methods {missing}, or a call(self, inputs) over the functions of "
            "distnet.ops: every layer of your own has the ones or the other."
        )
