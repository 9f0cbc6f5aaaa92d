"""fit, evaluate and predict beyond Keras's numbers: forms of data, shuffling, what they leave behind."""

import numpy as np
import pytest

import distnet as keras
from distnet import layers

rng = np.random.default_rng(0)
X = rng.standard_normal((30, 4)).astype("float32")
LABELS = (X[:, 0] > 0).astype("int64")


def make(loss="binary_crossentropy", metrics=("accuracy",), stack=(), optimizer="adam"):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([layers.Input(shape=(4,)), *stack, layers.Dense(1, "sigmoid")])
    model.compile(optimizer, loss, list(metrics))
    return model


def trained(x=X, y=LABELS, model=None, **options):
    model = model or make()
    history = model.fit(x, y, **{"batch_size": 8, "epochs": 3, "verbose": 0, **options})
    return history.history, model.get_weights()


def assert_equal(a, b):
    assert a[0] == b[0]
    for w, v in zip(a[1], b[1], strict=True):
        np.testing.assert_array_equal(w, v)


class Frame:
    """What distnet knows of a data frame."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return self.values


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.tolist(), LABELS.tolist()),
        (X, LABELS[:, None]),
        (X, LABELS.astype("float32")),
        (X, LABELS.astype(bool)),
        (X.astype("float64"), LABELS),
        (np.asfortranarray(X), LABELS),
        (Frame(X), Frame(LABELS)),
        ([X], [LABELS]),
    ],
    ids=["lists", "column", "float", "bool", "float64", "fortran", "frame", "list of one"],
)
def test_equal_numbers_in_any_form_train_alike(x, y):
    assert_equal(trained(x, y), trained())


def test_images_of_bytes_are_cast_batch_by_batch():
    images = rng.integers(0, 256, (30, 4)).astype("uint8")
    assert_equal(trained(images), trained(images.astype("float32")))


def test_a_model_that_learns_separates_what_can_be_separated():
    optimizer = keras.optimizers.Adam(0.01)
    history, _ = trained(model=make(stack=[layers.Dense(16, "relu")], optimizer=optimizer), epochs=60, batch_size=5)
    assert history["accuracy"][-1] > 0.95
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_equal_seeds_train_alike_and_others_do_not():
    stack = [layers.Dropout(0.3)]
    first, again = trained(model=make(stack=stack)), trained(model=make(stack=[layers.Dropout(0.3)]))
    assert_equal(first, again)
    model = make(stack=[layers.Dropout(0.3)])
    keras.utils.set_random_seed(3)
    other = keras.Sequential([layers.Input(shape=(4,)), layers.Dropout(0.3), layers.Dense(1, "sigmoid")])
    other.compile("adam", "binary_crossentropy", ["accuracy"])
    other.set_weights(model.get_weights())
    assert trained(model=other)[0] != first[0]


def test_shuffling_changes_the_order_but_not_the_rows():
    in_order, shuffled = trained(shuffle=False), trained(shuffle=True)
    assert in_order[0] != shuffled[0]
    whole = [trained(shuffle=s, batch_size=30)[0]["loss"] for s in (False, True, "batch")]
    np.testing.assert_allclose(whole[1], whole[0], rtol=1e-6)
    assert whole[2] == whole[0]


def test_fewer_steps_go_through_all_rows_in_turn():
    class Sum(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.optimizer.iterations)

    seen = []
    history, _ = trained(steps_per_epoch=3, callbacks=[Sum()], epochs=4)
    assert len(history["loss"]) == 4
    assert seen == list(range(1, 13))


def test_more_steps_than_batches_are_said_to_be_too_many():
    with pytest.warns(UserWarning, match="steps_per_epoch=9, but the data has only 4 batches"):
        history, _ = trained(steps_per_epoch=9)
    assert len(history["loss"]) == 3


def test_predicting_gives_every_row_in_order_whatever_the_batch_size():
    model = make(stack=[layers.Dense(3, "tanh")])
    whole = model.predict(X, batch_size=30, verbose=0)
    for size in (1, 7, 100):
        np.testing.assert_allclose(model.predict(X, batch_size=size, verbose=0), whole, rtol=1e-6)
    assert whole.dtype == np.float32


def test_a_prediction_stays_what_it_was():
    model = make()
    first = model.predict(X, verbose=0)
    kept = first.copy()
    model.predict(X + 1, verbose=0)
    trained(model=model)
    np.testing.assert_array_equal(first, kept)


def test_data_is_never_written_to():
    x, y, weight = X.copy(), LABELS.astype("float32"), np.ones(30, "float32")
    for array in (x, y, weight):
        array.flags.writeable = False
    model = make(stack=[layers.Dropout(0.5), layers.Activation("relu")])
    model.fit(x, y, sample_weight=weight, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)


def test_evaluating_leaves_the_model_alone():
    model = make(stack=[layers.Dropout(0.5)])
    before = model.get_weights()
    assert model.evaluate(X, LABELS, verbose=0) == model.evaluate(X, LABELS, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_one_batch_is_one_step():
    one, other = make(), make()
    one.fit(X[:8], LABELS[:8], batch_size=8, verbose=0, shuffle=False)
    logs = other.train_on_batch(X[:8], LABELS[:8], return_dict=True)
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    assert logs == {key: values[0] for key, values in one.history.history.items()}


def test_batches_by_hand_may_differ_in_size_and_mix_with_fit():
    model = make()
    for rows in (8, 3, 12):
        model.train_on_batch(X[:rows], LABELS[:rows])
    assert model.optimizer.iterations == 3
    model.fit(X, LABELS, batch_size=10, verbose=0)
    model.train_on_batch(X, LABELS)
    assert model.optimizer.iterations == 7


def test_a_frozen_layer_keeps_its_weights_and_its_optimizer_state_comes_back():
    model = make(stack=[layers.Dense(3, "tanh")])
    trained(model=model, epochs=1)
    model.layers[0].trainable = False
    before = model.get_weights()
    trained(model=model, epochs=1)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert not np.array_equal(model.get_weights()[2], before[2])
    model.layers[0].trainable = True
    trained(model=model, epochs=1)
    assert not np.array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("is_trained_before", [False, True])
def test_what_is_frozen_is_not_penalized_by_the_next_evaluation(is_trained_before):
    model = make(stack=[layers.Dense(3, "tanh", kernel_regularizer="l2"), layers.Dense(3, kernel_regularizer="l2")])
    if is_trained_before:
        trained(model=model, epochs=1)
    regularized = float(sum(model.losses))
    for frozen in (0, 1):
        before, penalty = model.evaluate(X, LABELS, verbose=0)[0], float(model.layers[frozen].losses[0])
        model.layers[frozen].trainable = False
        assert model.evaluate(X, LABELS, verbose=0)[0] == pytest.approx(before - penalty, abs=1e-6)
        assert model.test_on_batch(X, LABELS)[0] == pytest.approx(before - penalty, abs=1e-6)
        regularized -= penalty
    assert (regularized, model.losses) == (pytest.approx(0, abs=1e-7), [])


def test_weights_may_be_zero_and_then_nothing_is_learned():
    model = make(optimizer="sgd")
    before = model.get_weights()
    model.fit(X, LABELS, sample_weight=np.zeros(30), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_float64_training_is_close_to_float32():
    keras.config.set_floatx("float64")
    try:
        double = make()
    finally:
        keras.config.set_floatx("float32")
    single = make()
    single.set_weights(double.get_weights())
    found, expected = trained(model=single)[0], trained(model=double)[0]
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    assert double.get_weights()[0].dtype == np.float64


def test_a_step_asks_a_loss_once():
    rows = []

    def squares(y_true, y_pred):
        rows.append(len(y_pred))
        return ((y_pred - y_true) ** 2).mean(-1), 2 * (y_pred - y_true)

    make(squares, metrics=()).fit(X[:24], LABELS[:24, None], batch_size=8, verbose=0)
    assert rows == [1, 24, 8, 8, 8]  # what it returns is seen first, then all targets are checked
