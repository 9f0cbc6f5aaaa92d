"""What a layer cannot be made with, called on or given as weights: an error that names the layer."""

import numpy as np
import pytest

from distnet import Input, Model, Sequential, layers
from distnet.errors import ArgumentError, ShapeError

ROWS = np.ones((2, 4), "float32")
SEQUENCES = np.ones((2, 8, 3), "float32")
HALF = layers.Dropout(0.5, noise_shape=(None, 3), name="half")

CALLS = [
    (lambda: layers.Dense(2)([Input((4,)), Input((4,))]), ShapeError, "is called on one tensor, received a list of 2"),
    (lambda: layers.Dropout(0.5)([ROWS, ROWS]), ShapeError, "is called on one tensor, received a list of 2"),
    (lambda: layers.Dense(2)(None), ArgumentError, "expected a placeholder or an array of numbers, received None"),
    (lambda: layers.Dense(2)("abc"), ArgumentError, "an array of numbers, received 'abc'"),
    (lambda: layers.Dense(2)(3), ShapeError, "whose first axis is the batch, received 3"),
    (lambda: layers.Add()([]), ArgumentError, "received none"),
    (lambda: layers.Add()(Input((4,))), ArgumentError, "expected a list of inputs, received <KerasTensor"),
    (lambda: layers.Add()([Input((4,)), ROWS]), ArgumentError, "placeholders alone, or arrays alone, received also"),
    (lambda: layers.Add()([Input((4,)), "a"]), ArgumentError, "received also 'a'"),
    (lambda: layers.Add()([ROWS, np.ones((3, 4))]), ShapeError, "expected inputs of equally many rows"),
    (lambda: layers.Attention()([SEQUENCES, SEQUENCES[:1]]), ShapeError, "expected inputs of equally many rows"),
    (lambda: layers.LSTM(4)(SEQUENCES, mask=np.ones((2, 7))), ShapeError, r"expected a mask of .*received \(2, 7\)"),
    (lambda: layers.LSTM(4)(SEQUENCES, mask="a"), ShapeError, r"expected a mask of .*received \(\)"),
    (
        lambda: layers.LSTM(4)(SEQUENCES, initial_state=[np.ones((3, 4))] * 2),
        ShapeError,
        "expected inputs of equally many rows",
    ),
    (
        lambda: layers.MultiHeadAttention(2, 4)(SEQUENCES, SEQUENCES, attention_mask=np.ones((3, 3), bool)),
        ShapeError,
        r"expected an attention_mask that ends in \(8, 8\), received \(3, 3\)",
    ),
    (lambda: HALF(ROWS, training=True), ShapeError, r"half: noise_shape: expected extents of the input \(2, 4\)"),
    (lambda: np.asarray(Input((4,), name="x")), ArgumentError, "x: a placeholder holds no numbers"),
]

CONSTRUCTORS = [
    (lambda: layers.Dense(4, name="top_level_model_weights"), "which mean something else in a saved file"),
    (lambda: layers.Dense(4, name=".."), "which mean something else in a saved file"),
    (lambda: layers.Dense(4, name="a\0b"), "name must be a non-empty string"),
    (lambda: layers.Dense(4, dtype=3), "expected a dtype of .* received 3"),
    (lambda: layers.Dense(4, input_shape=3.5), "a shape holds non-negative integers and None, received 3.5"),
    (lambda: Input(shape=(-1,)), "a shape holds non-negative integers and None"),
    (lambda: Input(shape=(4,), batch_size=0), "batch_size: expected a positive integer, received 0"),
    (lambda: layers.Reshape("ab"), "target_shape: expected integers"),
    (lambda: layers.Reshape((2.0, 4)), "target_shape: expected integers"),
    (lambda: layers.Permute("ab"), "dims: expected integers"),
    (lambda: layers.Embedding(10, 4, input_length="a"), "input_length: a shape holds"),
    (lambda: layers.MultiHeadAttention(2, 4, output_shape="a"), "output_shape: expected integers"),
    (lambda: Model(Input((4,)), layers.Dense(2)), "expected as outputs placeholders .* received Dense"),
    (lambda: Sequential([Input((4,)), layers.Add()]), "add.*: expected a list of inputs"),
]


@pytest.mark.parametrize(("use", "error", "message"), CALLS, ids=[message for *_, message in CALLS])
def test_a_layer_says_what_it_cannot_be_called_on(use, error, message):
    with pytest.raises(error, match=message):
        use()


@pytest.mark.parametrize(("make", "message"), CONSTRUCTORS, ids=[message for _, message in CONSTRUCTORS])
def test_a_layer_says_what_it_cannot_be_made_with(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_what_is_no_placeholder_among_a_models_outputs_is_shown():
    x = Input((4,))
    with pytest.raises(ArgumentError, match="expected as outputs placeholders .* received 'b'"):
        Model(x, [layers.Dense(2)(x), "b"])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (None, ArgumentError, "set_weights expected a list of arrays, received None"),
        ("ab", ArgumentError, "set_weights expected a list of arrays, received 'ab'"),
        ([np.full((4, 2), 7.0)], ShapeError, "set_weights expected 2 arrays, received 1"),
        ([np.full((4, 2), 7.0), None], ArgumentError, r"d/bias: expected a value of shape \(2,\), received None"),
        ([np.full((4, 2), 7.0), ["a", "b"]], ArgumentError, "d/bias: expected a value .* received"),
        ([np.full((4, 2), 7.0), [1, [2]]], ShapeError, "d/bias: expected a value .* received uneven rows"),
        ([np.full((4, 2), 7.0), np.ones(2) + 1j], ArgumentError, "d/bias: expected a value"),
        ([np.full((4, 2), 7.0), np.ones(3)], ShapeError, r"d/bias: expected a value of shape \(2,\), received \(3,\)"),
    ],
    ids=str,
)
def test_weights_are_set_all_or_not_at_all(weights, error, message):
    layer = layers.Dense(2, name="d")
    before = [layer(ROWS), layer.get_weights()][1]
    with pytest.raises(error, match=message):
        layer.set_weights(weights)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_placeholders_are_added_and_scaled_as_in_keras():
    x, z = Input((3,)), Input((3,))
    outputs = [x + z, x - z, x * z, 2 * x + 1, 1 - x / 2, -x]
    a, b = np.array([[1.0, 2.0, 3.0]], "float32"), np.array([[5.0, 7.0, 11.0]], "float32")
    computed = Model([x, z], outputs).predict([a, b], verbose=0)
    for made, wanted in zip(computed, [a + b, a - b, a * b, 2 * a + 1, 1 - a / 2, -a], strict=True):
        np.testing.assert_array_equal(made, wanted)
