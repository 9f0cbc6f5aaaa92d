"""What a user's ``call`` must not do is refused with the layer's name and the remedy."""

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import ArgumentError


def layer_of(call):
    return type("Mine", (keras.layers.Layer,), {"call": call})(name="mine")


def in_place(self, x):
    x[:, 0] = 0
    return x


WRONG = {
    "NumPy": (lambda self, x: np.sin(x), r"mine: in call: numpy\.sin was called on a tensor .* Use ops\.sin"),
    "asarray": (lambda self, x: np.asarray(x) * 2, r"a function of NumPy's was called on a tensor"),
    "in place": (in_place, r"cannot be changed in place.*ops\.slice_update"),
    "if": (lambda self, x: x if ops.sum(x) > 0 else -x, r"neither true nor false here.*ops\.cond"),
    "float": (lambda self, x: x * float(ops.mean(x)), r"no number of Python's here"),
    "a shape of the entries": (lambda self, x: ops.nonzero(x)[0], r"a tensor whose shape depends on the entries"),
    "a list of rows": (lambda self, x: [x] * len(x), r"as many tensors as the batch has rows"),
    "nothing": (lambda self, x: None, r"call returned None. Expected a tensor"),
    "an array": (lambda self, x: np.zeros((2, 3)), r"call returned ndarray. Expected a tensor"),
    "a number": (lambda self, x: 3.0, r"call returned float. Expected a tensor"),
}


@pytest.mark.parametrize("case", WRONG)
def test_it_is_refused_where_the_layer_is_called(case):
    call, message = WRONG[case]
    with pytest.raises(ArgumentError, match=message) as raised:
        layer_of(call)(keras.Input((4,)))
    assert str(raised.value).startswith("mine: ")


def test_what_python_raises_says_where():
    with pytest.raises(AttributeError) as raised:
        layer_of(lambda self, x: ops.matmul(x, self.kernel))(keras.Input((4,)))
    assert raised.value.__notes__ == ["This came from mine: in the call() of Mine."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"other": 1}, "unexpected keyword argument 'other'"), ({"y": 1}, "unexpected keyword argument 'y'")],
)
def test_unknown_arguments(arguments, message):
    with pytest.raises(ArgumentError, match=rf"mine: call\(x\): .*{message}"):
        layer_of(lambda self, x: x)(keras.Input((4,)), **arguments)


def test_an_unknown_extent_of_a_weight():
    class Mine(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=input_shape[1:])

        def call(self, x):
            return x * self.w

    with pytest.raises(ArgumentError, match=r"mine: add_weight: expected a shape whose extents are all known"):
        Mine(name="mine")(keras.Input((None, 3)))


def test_a_constructor_that_forgets_super():
    class Mine(keras.layers.Layer):
        def __init__(self):
            self.units = 3

        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match=r"Mine: its __init__ must call super\(\).__init__\(\) first"):
        Mine()(keras.Input((4,)))


def test_a_weight_without_gradient_is_told_once():
    class Mine(keras.layers.Layer):
        def build(self, input_shape):
            self.used = self.add_weight(shape=(4, 2), name="used")
            self.idle = self.add_weight(shape=(3,), name="idle")

        def call(self, x):
            return ops.matmul(x, self.used)

    model = keras.Sequential([keras.Input((4,)), Mine(name="mine")])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"mine: no gradient flows to .*idle'"):
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)  # warnings are errors
