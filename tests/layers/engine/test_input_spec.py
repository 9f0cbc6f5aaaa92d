"""What a layer says of its inputs is checked when it is called, before and after it is built."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import InputSpec

A = np.zeros((2, 4), "float32")
INPUTS = [
    A, np.zeros((2, 5)), np.zeros((2, 4, 1), "float32"), np.zeros((2, 4), "int32"), np.zeros((2, 1), "float32"),
    np.zeros((3, 4, 4), "float32"), keras.Input((4,)), keras.Input((None,)), keras.Input((None, 1)),
    keras.Input((4,), dtype="int32"), keras.Input(batch_shape=(3, 4)),
]  # fmt: skip
ACCEPTED = [
    ({"ndim": 2}, "yyoyyoyyoyy"),
    ({"min_ndim": 2, "axes": {-1: 4}}, "yooyoyyyoyy"),
    ({"max_ndim": 3, "axes": {1: 4}}, "yoyyoyyyyyy"),
    ({"shape": (None, 4)}, "yooyooyyoyy"),
    ({"shape": (None, 4, 1), "allow_last_axis_squeeze": True}, "yoyyyyyyyyy"),
    ({"shape": (2, 4)}, "yooyooyyoyo"),
    ({"dtype": "float32"}, "yyyoyyyyyoy"),
    ({"dtype": "int32"}, "oooyooooo" + "yo"),
    ({"axes": {0: 2}}, "yyyyyoyyyyo"),
]
"""What Keras 3.15 accepts (y) and refuses (o)."""


class Specified(keras.layers.Layer):
    def __init__(self, spec, in_build=False):
        super().__init__()
        self.spec, self.in_build = spec, in_build
        if not in_build:
            self.input_spec = spec

    def build(self, input_shape):
        if self.in_build:
            self.input_spec = self.spec

    def call(self, x):
        return x if keras.ops.is_tensor(x) else keras.ops.add(*(x.values() if isinstance(x, dict) else x))


def is_accepted(spec, x, in_build):
    try:
        Specified(spec, in_build)(x)
    except ShapeError:
        return "o"
    return "y"


@pytest.mark.parametrize("in_build", [False, True])
@pytest.mark.parametrize(("spec", "expected"), ACCEPTED, ids=str)
def test_inputs_are_accepted_and_refused_as_in_keras(spec, expected, in_build):
    assert "".join(is_accepted(InputSpec(**spec), x, in_build) for x in INPUTS) == expected


def test_several_inputs_have_a_specification_each():
    vector, volume = InputSpec(ndim=2), InputSpec(ndim=3)
    Specified([vector, vector])([A, A])
    Specified([InputSpec(ndim=2, name="b"), InputSpec(ndim=2, name="a")])({"a": A, "b": A})
    with pytest.raises(ShapeError, match=r"input 1: its input_spec expects ndim=3, received shape \(2, 4\) of float32"):
        Specified([vector, volume])([A, A])
    with pytest.raises(ShapeError, match="expects 2 inputs, received 1"):
        Specified([vector, vector])(A)
    with pytest.raises(ShapeError, match="expects inputs named"):
        Specified([InputSpec(name="b")])({"a": A})


def test_a_specification_has_a_configuration_and_sound_axes():
    spec = keras.InputSpec(min_ndim=2, axes={"-1": 4}, dtype="float32")
    assert spec.axes == {-1: 4}
    assert InputSpec.from_config(spec.get_config()) == spec
    for wrong in ({"axes": {"a": 1}}, {"axes": "ab"}, {"ndim": 2, "axes": {2: 3}}):
        with pytest.raises(ArgumentError, match="InputSpec: axes"):
            InputSpec(**wrong)
