"""Recurrent layers, layers around layers and attention: what the contract and the golden numbers do not say."""

import json

import numpy as np
import pytest

from distnet import config, layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import GRU, LSTM, Attention, Bidirectional, Dense, Input, MultiHeadAttention, SimpleRNN
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.models import Functional, Model, Sequential
from distnet.results import as_result
from layer_run import numerical_gradient, relative_error

ROWS, STEPS, FEATURES, UNITS = 3, 4, 2, 3


@pytest.fixture(autouse=True)
def _double():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def forward(model, x, training=True, **rows):
    work = Workspaces()
    ctx = ForwardContext(training, 1, 2, rows.get("first_row", 0), len(x[0]), work)
    return *model.graph.forward(x, ctx), work


def assert_gradients_are_right(model, x):
    y, tape, work = forward(model, x)
    dys = [np.cos(np.arange(part.size)).reshape(part.shape) for part in y]
    dxs = model.graph.backward(tape, dys, BackwardContext(work))

    def objective():
        outputs, tape, _ = forward(model, x)
        return sum(np.vdot(dy, part) for dy, part in zip(dys, outputs, strict=True)) + tape.penalty

    for part, dx in zip(x, dxs, strict=True):
        assert relative_error(dx, numerical_gradient(objective, part)) < 1e-6
    for variable in model.trainable_weights:
        assert relative_error(variable.grad, numerical_gradient(objective, variable.value)) < 1e-6, variable.path


# The constructors


@pytest.mark.parametrize("cls", [LSTM, GRU, SimpleRNN])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units: expected a positive integer, received 0"),
        ({"time_major": True}, "time_major"),
        ({"dropout": 1.5}, r"dropout: expected a number in \[0, 1\], received 1.5"),
        ({"recurrent_dropout": "much"}, "recurrent_dropout: expected a number"),
    ],
)
def test_a_recurrent_layer_refuses_what_it_cannot_do(cls, options, message):
    with pytest.raises(ArgumentError, match=message):
        cls(**{"units": 2, **options})


def test_options_of_how_other_backends_execute_change_nothing():
    plain, full = LSTM(2, name="a"), LSTM(2, name="a", unroll=True, use_cudnn=False, implementation=1)
    x = numbers(ROWS, STEPS, FEATURES)
    plain.build_once((None, STEPS, FEATURES))
    full.build_once((None, STEPS, FEATURES))
    full.set_weights(plain.get_weights())
    np.testing.assert_array_equal(plain(x), full(x))


def test_the_configuration_of_keras_2_is_read():
    old = {"units": 2, "implementation": 1, "time_major": False, "input_length": None, "recurrent_activation": "tanh"}
    assert LSTM.from_config(old).get_config()["recurrent_activation"] == "tanh"


# Known numbers


@pytest.mark.parametrize(
    ("cls", "options", "expected"),
    [
        (LSTM, {}, [0.6288687, 0.86899155, 0.9460773]),
        (LSTM, {"go_backwards": True}, [0.35622165, 0.74789524, 0.8872726]),
        (GRU, {}, [0.5217289, 0.6371659, 0.39384964]),
    ],
)
def test_keras_own_test_values(cls, options, expected):
    constants = {
        f"{part}_initializer": {"class_name": "Constant", "config": {"value": value}}
        for part, value in (("kernel", 0.01), ("recurrent", 0.02), ("bias", 0.03))
    }
    layer = cls(3, dtype="float32", **constants, **options)
    y = layer(np.arange(72).reshape(3, 6, 4))
    np.testing.assert_allclose(y, np.repeat(expected, 3).reshape(3, 3), rtol=1e-6)


def test_an_lstm_starts_with_open_forget_gates():
    layer = LSTM(2)
    layer.build_once((None, STEPS, FEATURES))
    np.testing.assert_array_equal(layer.bias.value, [0, 0, 1, 1, 0, 0, 0, 0])


# States, masks, dropout


@pytest.mark.parametrize("cls", [LSTM, GRU, SimpleRNN])
def test_a_sequence_in_two_halves_with_the_state_handed_over_is_the_whole(cls):
    layer = cls(UNITS, return_state=True)
    x = numbers(ROWS, 6, FEATURES)
    _, *state = layer(x[:, :2])
    for half, whole in zip(layer(x[:, 2:], initial_state=state), layer(x), strict=True):
        np.testing.assert_allclose(half, whole, rtol=1e-12)


@pytest.mark.parametrize("cls", [LSTM, GRU, SimpleRNN])
def test_steps_that_are_masked_might_as_well_not_be_there(cls):
    layer = cls(UNITS)
    x, mask = numbers(1, 5, FEATURES), np.array([[True, False, True, True, False]])
    np.testing.assert_allclose(layer(x, mask=mask), layer(x[:, mask[0]]), rtol=1e-12)


def test_a_mask_of_more_than_steps_is_refused():
    x = numbers(2, STEPS, FEATURES)
    with pytest.raises(ShapeError, match="a mask with one entry a step"):
        LSTM(UNITS)(x, mask=x > 0)
    images = numbers(2, STEPS, 3, FEATURES)
    with pytest.raises(ShapeError, match="a mask with one entry a step"):
        layers.ConvLSTM1D(2, 2)(layers.Masking()(images))


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_an_encoders_state_gives_a_decoder_its_gradient(cls):
    source, target = Input((STEPS, FEATURES)), Input((STEPS - 1, FEATURES))
    _, *state = cls(UNITS, return_state=True, recurrent_dropout=0.3)(source)
    decoded = cls(UNITS, return_sequences=True)(target, initial_state=state)
    model = Model([source, target], Dense(2)(decoded))
    assert_gradients_are_right(model, [numbers(ROWS, STEPS, FEATURES), numbers(ROWS, STEPS - 1, FEATURES, seed=1)])
    assert np.abs(model.layers[2].kernel.grad).max() > 0


def test_a_model_with_states_survives_json():
    source, target = Input((STEPS, FEATURES)), Input((STEPS - 1, FEATURES))
    _, *state = Bidirectional(LSTM(UNITS, return_state=True))(source)
    decoded = Bidirectional(LSTM(UNITS, return_sequences=True))(target, initial_state=state)
    seen = MultiHeadAttention(2, 2)(query=decoded, value=source, use_causal_mask=True)
    model = Model([source, target], seen)
    again = Functional.from_config(json.loads(model.to_json())["config"])
    again.set_weights(model.get_weights())
    x = [numbers(ROWS, STEPS, FEATURES), numbers(ROWS, STEPS - 1, FEATURES, seed=1)]
    np.testing.assert_array_equal(forward(again, x, False)[0][0], forward(model, x, False)[0][0])


def test_the_states_may_come_first_as_a_list_of_inputs_as_keras_2_writes_them():
    layer, x, state = GRU(UNITS), numbers(ROWS, STEPS, FEATURES), numbers(ROWS, UNITS)
    np.testing.assert_array_equal(layer([x, state]), layer(x, initial_state=state))


def test_recurrent_dropout_drops_the_same_units_at_every_step():
    layer = SimpleRNN(50, "linear", recurrent_dropout=0.5, use_bias=False, return_sequences=True)
    layer.build_once((None, 3, 1))
    layer.set_weights([np.ones((1, 50)), np.eye(50)])
    y, _ = layer.forward(np.ones((2, 3, 1)), ForwardContext(True, 1, 0, 0, 2, Workspaces()))
    factors = y[:, 1] - 1
    assert set(np.unique(factors)) == {0.0, 2.0}
    np.testing.assert_array_equal(y[:, 2], 1 + factors * y[:, 1])


@pytest.mark.parametrize("states", [1, 3])
def test_a_wrong_number_of_states_is_refused(states):
    with pytest.raises(ArgumentError, match=f"expected an initial_state of 2 arrays, received {states}"):
        LSTM(2)(numbers(ROWS, STEPS, FEATURES), initial_state=[numbers(ROWS, 2)] * states)


def test_inputs_and_states_of_the_wrong_shape_are_refused():
    with pytest.raises(ShapeError, match=r"expected sequences of shape \(N, T, features\), received \(None, 4\)"):
        Sequential([Input((4,)), LSTM(2)])
    with pytest.raises(ShapeError, match=r"expected initial states of shape \(N, 2\), received \(None, 3\)"):
        GRU(2)(numbers(ROWS, STEPS, FEATURES), initial_state=numbers(ROWS, 3))
    layer = GRU(2)
    layer(numbers(ROWS, STEPS, FEATURES))
    with pytest.raises(ShapeError, match="has weights for 2 features and cannot take inputs of 5"):
        layer(numbers(ROWS, STEPS, 5))


# Layers around layers


def test_two_directions_are_named_after_the_layer():
    layer = Bidirectional(LSTM(2, name="reader"), name="both")
    layer.build_once((None, STEPS, FEATURES))
    assert [v.path for v in layer.weights[::3]] == [
        "both/forward_reader/lstm_cell/kernel",
        "both/backward_reader/lstm_cell/kernel",
    ]
    assert layer.get_config()["layer"]["config"]["name"] == "reader"
    assert "backward_layer" not in layer.get_config()


def test_a_backward_layer_of_its_own_is_saved():
    layer = Bidirectional(LSTM(2), backward_layer=GRU(2, go_backwards=True))
    assert layer.get_config()["backward_layer"]["class_name"] == "GRU"


def test_both_directions_start_from_different_weights():
    layer = Bidirectional(LSTM(2))
    layer.build_once((None, STEPS, FEATURES))
    assert (layer.weights[0].value != layer.weights[3].value).all()


def test_initial_weights_are_set():
    first = Bidirectional(LSTM(2))
    first.build_once((None, STEPS, FEATURES))
    second = Bidirectional(LSTM(2), weights=first.get_weights())
    second.build_once((None, STEPS, FEATURES))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bidirectional(Dense(2)), "expected a recurrent layer such as LSTM"),
        (lambda: Bidirectional(LSTM(2), merge_mode="max"), "merge_mode must be one of"),
        (lambda: Bidirectional(LSTM(2, go_backwards=True)), "one layer must go forward and one backward"),
        (
            lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_sequences=True)),
            "both layers need the same return_sequences",
        ),
        (lambda: Bidirectional(LSTM(2, dtype="float32")), "has dtype float64, but the layer forward_lstm.* float32"),
        (lambda: Bidirectional(LSTM(2))(numbers(2, 3, 4), initial_state=[1, 2, 3]), "for each of two layers"),
        (
            lambda: layers.TimeDistributed(Sequential([Dense(1, activity_regularizer="l2")])),
            "activity regularizers deep within",
        ),
    ],
)
def test_a_wrapper_refuses_what_it_cannot_wrap(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_time_steps_need_an_axis():
    with pytest.raises(ShapeError, match=r"expected inputs of at least 3 axes, \(N, T, ...\), received \(None, 4\)"):
        layers.TimeDistributed(Dense(2))(Input((4,)))


def test_integers_reach_an_embedding_within():
    y = layers.TimeDistributed(layers.Embedding(5, 2))(np.array([[[1, 4], [0, 2]]]))
    assert y.shape == (1, 2, 2, 2)


def test_a_model_can_be_applied_to_every_step():
    inner = Sequential([Input((2,)), Dense(3, "tanh"), Dense(1)])
    x = numbers(ROWS, STEPS, 2)
    y = layers.TimeDistributed(inner)(x)
    np.testing.assert_allclose(y.reshape(-1, 1), inner.predict(x.reshape(-1, 2), verbose=0), rtol=1e-12)


@pytest.mark.parametrize("regularizer", [None, "l2"])
def test_penalties_on_activities_within_have_their_gradients(regularizer):
    entry = Input((STEPS, FEATURES))
    options = {"activity_regularizer": regularizer, "return_sequences": True}
    y = Bidirectional(GRU(2, **options), activity_regularizer="l1")(entry)
    y = layers.TimeDistributed(Dense(2, activity_regularizer=regularizer))(y)
    assert_gradients_are_right(Model(entry, y), [numbers(ROWS, STEPS, FEATURES)])


def test_freezing_a_wrapper_freezes_what_is_within_and_freezing_a_part_only_the_part():
    layer = Bidirectional(LSTM(2))
    model = Sequential([Input((STEPS, FEATURES)), layer, Dense(1)])
    layer.backward_layer.trainable = False
    assert [len(layer.trainable_weights), len(layer.non_trainable_weights)] == [3, 3]
    layer.trainable = False
    assert not layer.forward_layer.trainable
    assert [len(model.trainable_weights), len(layer.non_trainable_weights)] == [2, 6]
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(numbers(8, STEPS, FEATURES), numbers(8, 1), epochs=1, verbose=0)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# Attention


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Attention(score_mode="sum"), ArgumentError, "score_mode must be 'dot' or 'concat'"),
        (lambda: Attention(dropout=2), ArgumentError, r"dropout: expected a number in \[0, 1\]"),
        (lambda: Attention()(numbers(2, 3, 4)), ArgumentError, r"expected \[query, value\]"),
        (lambda: Attention()([numbers(2, 3, 4), numbers(2, 3, 5)]), ShapeError, "need the same last extent"),
        (lambda: Attention()([numbers(2, 3), numbers(2, 3)]), ShapeError, r"of shape \(N, T, D\)"),
        (lambda: MultiHeadAttention(0, 2), ArgumentError, "num_heads: expected a positive integer"),
        (
            lambda: MultiHeadAttention(2, 2, attention_axes="1"),
            ArgumentError,
            "attention_axes: expected None, an integer",
        ),
        (
            lambda: MultiHeadAttention(2, 2, attention_axes=()),
            ArgumentError,
            "attention_axes: expected None, an integer",
        ),
        (lambda: MultiHeadAttention(2, 2, attention_axes=0)(*[numbers(2, 3, 4)] * 2), ShapeError, "that of the rows"),
        (lambda: MultiHeadAttention(2, 2, attention_axes=(1, -3))(*[numbers(2, 3, 4, 5)] * 2), ShapeError, "different"),
        (lambda: MultiHeadAttention(2, 2, activity_regularizer="l2"), ArgumentError, "ActivityRegularization after"),
        (
            lambda: MultiHeadAttention(2, 2, attention_axes=2)(numbers(2, 3, 4, 5), numbers(2, 6, 4, 5)),
            ShapeError,
            "axes that are not attended",
        ),
        (
            lambda: MultiHeadAttention(2, 2)(*[numbers(2, 3, 4, 5)] * 2, use_causal_mask=True),
            ShapeError,
            "mask of the shape of the scores",
        ),
        (lambda: MultiHeadAttention(2, 2)(numbers(2, 3, 4)), ArgumentError, "received the query alone"),
        (lambda: MultiHeadAttention(2, 2)(numbers(2, 4), numbers(2, 4)), ShapeError, r"\(N, T, features\)"),
        (
            lambda: MultiHeadAttention(2, 2)(numbers(2, 3, 4), numbers(2, 3, 4), numbers(2, 5, 4)),
            ShapeError,
            "value and key need as many steps, received \\(3,\\) and \\(5,\\)",
        ),
        (
            lambda: MultiHeadAttention(2, 2)(Input((3, 4)), Input((3, 4)), attention_mask=np.ones((2, 3, 3))),
            ArgumentError,
            "within a model an attention_mask is an Input, or the same for all rows",
        ),
    ],
)
def test_attention_refuses_what_it_cannot_take(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_causal_attention_does_not_look_ahead():
    layer, x = MultiHeadAttention(2, 3), numbers(1, 5, 4)
    y = layer(x, x, use_causal_mask=True)
    changed = x.copy()
    changed[:, 3:] += 1
    np.testing.assert_array_equal(layer(changed, changed, use_causal_mask=True)[:, :3], y[:, :3])


def test_multi_head_weights_start_with_the_scale_of_a_matrix():
    layer = MultiHeadAttention(4, 8)
    layer.build_once([(None, 5, 32)] * 3)
    limit = np.sqrt(6 / (32 + 32))
    for variable in (layer.query_dense.kernel, layer.output_dense.kernel):
        assert 0.95 * limit < np.abs(variable.value).max() <= limit


def test_masks_of_the_inputs_reach_the_scores():
    layer, x = MultiHeadAttention(2, 3), numbers(2, 5, 4)
    mask = np.array([[True] * 5, [True, True, False, False, False]])
    _, scores = layer(as_result(x, mask), x, value_mask=mask, return_attention_scores=True)
    assert not scores[1, :, :, 2:].any()
    assert not scores[1, :, 2:].any()
    np.testing.assert_allclose(scores[0].sum(axis=-1), 1)


def test_a_transformer_block_has_right_gradients():
    entry = Input((STEPS, 4))
    x = layers.Masking(7.0)(entry)
    x = layers.add([x, MultiHeadAttention(2, 3, dropout=0.2)(x, x)])
    x = layers.LayerNormalization()(x)
    x = layers.add([x, Dense(4)(Dense(6, "gelu")(x))])
    model = Model(entry, layers.GlobalAveragePooling1D()(x))
    assert_gradients_of_input_are_right(model, numbers(ROWS, STEPS, 4))


def assert_gradients_of_input_are_right(model, x):
    (y,), tape, work = forward(model, [x])
    dy = np.cos(np.arange(y.size)).reshape(y.shape)
    (dx,) = model.graph.backward(tape, [dy], BackwardContext(work))
    assert relative_error(dx, numerical_gradient(lambda: np.vdot(dy, forward(model, [x])[0][0]), x)) < 1e-6
