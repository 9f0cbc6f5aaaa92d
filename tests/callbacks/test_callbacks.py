"""What callbacks do beyond ``test_golden.py``: wrong arguments, wrong logs, and what they change."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

import distnet as keras
from distnet import callbacks, errors
from distnet.metrics import METRICS, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU

X = np.linspace(0, 1, 24, dtype="float32").reshape(12, 2)
Y = (X[:, :1] > 0.5).astype("float32")


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape=(2,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", ["accuracy"])
    return model


def fit(model, *hooks, **options):
    return model.fit(X, Y, **{"batch_size": 5, "epochs": 3, "verbose": 0, **options}, callbacks=list(hooks))


def on(**hooks):
    return callbacks.LambdaCallback(**hooks)


def metrics_with_a_direction():
    made = [IoU(3, [0]), OneHotIoU(3, [0]), MeanIoU(3), OneHotMeanIoU(3)]
    for cls in METRICS.classes().values():
        try:
            made.append(cls())
        except TypeError:
            continue
    return [m for m in made if m.direction]


def kappa(y_true, y_pred):
    return np.mean(y_true * y_pred, axis=-1)


class Rising(keras.metrics.Mean):
    """A user's metric that says which way is better as Keras's do."""

    def __init__(self, **options):
        super().__init__(**options)
        self._direction = "up"


def monitoring(make, monitor, *watched, **options):
    """The callback, as it begins to watch a model that measures these metrics."""
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=list(watched))
    made = make(monitor=monitor, **options)
    made.set_model(model)
    made.on_train_begin()
    return made


def best_only(**options):
    return callbacks.ModelCheckpoint("a.h5", save_best_only=True, **options)


MONITORING = [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau, best_only]


@pytest.mark.parametrize("metric", metrics_with_a_direction(), ids=lambda m: m.name)
def test_the_direction_of_every_metric_is_what_it_says(metric):
    metric = copy.copy(metric)
    metric.name = "mine"
    expected = {"up": 1, "down": -1}[metric.direction]
    assert monitoring(callbacks.EarlyStopping, "val_mine", metric).sign == expected


@pytest.mark.parametrize("make", MONITORING)
@pytest.mark.parametrize(
    ("key", "watched", "sign"),
    [
        *(("loss", "mse", -1), ("val_loss", kappa, -1), ("acc", "acc", 1), ("val_accuracy", "accuracy", 1)),
        *(("val_mse", "mse", -1), ("val_cosine_similarity", "cosine_similarity", 1), ("ce", "ce", -1)),
        *(("val_my_area", keras.metrics.AUC(name="my_area"), 1), ("r", Rising(name="r"), 1)),
        ("mean_squared_error", keras.losses.mean_squared_error, -1),
        ("val_mean_squared_error", keras.losses.MeanSquaredError(), -1),
    ],
)
def test_which_way_is_better_is_asked_of_the_metric(make, key, watched, sign):
    assert monitoring(make, key, watched).sign == sign


@pytest.mark.parametrize("make", MONITORING)
@pytest.mark.parametrize(
    ("key", "watched"),
    [
        *(("kappa", kappa), ("val_kappa", kappa), ("val_best_accuracy", "accuracy"), ("learning_rate", "mse")),
        *(("tp", keras.metrics.TruePositives(name="tp")), ("m", keras.metrics.Mean(name="m")), ("val_val_loss", "mse")),
    ],
)
def test_a_direction_that_nobody_knows_is_refused_before_training(make, key, watched):
    with pytest.raises(errors.ArgumentError, match=f"monitor='{key}'.*Pass mode='max'"):
        monitoring(make, key, watched)
    assert monitoring(make, key, watched, mode="max").sign == 1
    assert monitoring(make, key, watched, mode="min").sign == -1


def test_a_checkpoint_that_compares_nothing_needs_no_direction():
    monitoring(lambda **options: callbacks.ModelCheckpoint("a.h5", **options), "kappa", kappa)


@pytest.mark.parametrize(("key", "sign"), [("val_a_loss", -1), ("val_b_accuracy", 1), ("a_mse", -1)])
def test_losses_and_metrics_of_several_outputs_say_which_way_is_better(key, sign):
    """Keras raises here, for it looks for metrics by their own names."""
    inputs = keras.Input((3,))
    outputs = {"a": keras.layers.Dense(1, name="a")(inputs), "b": keras.layers.Dense(1, name="b")(inputs)}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", metrics={"a": ["mse"], "b": ["accuracy"]})
    made = callbacks.EarlyStopping(monitor=key)
    made.set_model(model)
    assert made.sign == sign


def scored(average, **options):
    """Trained on a metric of one value in a list, or of several."""
    model = keras.Sequential([keras.layers.Dense(1 if average is None else 3, "sigmoid")])
    model.compile("sgd", "mse", metrics=[keras.metrics.F1Score(average=average)])
    y = np.zeros((10, model.layers[0].units))
    return model.fit(np.ones((10, 3)), y, epochs=6, validation_split=0.3, verbose=0, **options)


def test_a_metric_of_one_value_in_a_list_can_be_watched(tmp_path):
    watching = [
        callbacks.EarlyStopping("val_f1_score", patience=2, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_f1_score", patience=1),
        callbacks.ModelCheckpoint(tmp_path / "{epoch}-{val_f1_score:.1f}.h5", "val_f1_score", save_best_only=True),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.TensorBoard(tmp_path / "logs"),
    ]
    history = scored(None, callbacks=watching)
    assert len(history.epoch) == 3
    np.testing.assert_allclose(history.history["learning_rate"], [0.01, 0.01, 0.001], rtol=1e-6)  # Keras's
    assert (tmp_path / "1-0.0.h5").exists()


def test_a_metric_of_a_value_a_class_cannot_be_watched():
    model = keras.Sequential([keras.layers.Dense(3, "sigmoid")])
    model.compile("sgd", "mse", metrics=[keras.metrics.F1Score()])
    with pytest.raises(
        errors.ArgumentError, match=r"one number for 'f1_score', received 3, one a class.*average='macro'"
    ):
        model.fit(np.ones((4, 3)), np.ones((4, 3)), verbose=0, callbacks=[callbacks.EarlyStopping("f1_score")])


@pytest.mark.parametrize("make", [callbacks.EarlyStopping, lambda **o: callbacks.ModelCheckpoint("a.h5", **o)])
def test_a_mode_that_does_not_exist_is_refused(make):
    with pytest.raises(errors.ArgumentError, match="expected mode 'auto', 'min' or 'max', received 'up'"):
        make(mode="up")


@pytest.mark.parametrize("freq", [0, -1, "batch", 1.5])
def test_a_save_freq_that_does_not_exist_is_refused(freq):
    with pytest.raises(errors.ArgumentError, match="save_freq: expected"):
        callbacks.ModelCheckpoint("a.h5", save_freq=freq)


def test_a_hook_that_does_not_exist_is_refused():
    with pytest.raises(errors.ArgumentError, match="no hook is named 'on_epoch'"):
        on(on_epoch=print)


def test_watching_what_is_not_logged_warns_and_lets_training_go_on(model, tmp_path):
    with pytest.warns(UserWarning, match=r"EarlyStopping: 'val_loss' is not in the logs.*Available: loss, accuracy"):
        fit(model, callbacks.EarlyStopping(), epochs=1)
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m.h5", save_best_only=True)
    with pytest.warns(UserWarning, match=r"ModelCheckpoint: 'val_loss' is not in the logs"):
        fit(model, checkpoint, epochs=1)
    assert (tmp_path / "m.h5").exists()


def test_a_file_name_with_an_unknown_key_is_refused(model, tmp_path):
    with pytest.raises(errors.ArgumentError, match=r"filepath .* names 'val_acc', which is not among"):
        fit(model, callbacks.ModelCheckpoint(tmp_path / "{val_acc:.2f}.h5"))


def test_checkpoints_make_their_folder(model, tmp_path):
    fit(model, callbacks.ModelCheckpoint(tmp_path / "a" / "b" / "{epoch:02d}-{loss:.2f}.h5"), epochs=2)
    assert sorted(path.name[:3] for path in (tmp_path / "a" / "b").iterdir()) == ["01-", "02-"]


def test_checkpoints_of_weights_alone_are_read_back(model, tmp_path):
    fit(model, callbacks.ModelCheckpoint(tmp_path / "w.weights.h5", save_weights_only=True))
    trained = model.get_weights()
    model.set_weights([0 * w for w in trained])
    model.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], trained[0])


def test_checkpoints_are_written_after_what_the_other_callbacks_did(model, tmp_path):
    def zero(epoch, logs):
        model.set_weights([0 * w for w in model.get_weights()])

    fit(model, callbacks.ModelCheckpoint(tmp_path / "m.h5"), on(on_epoch_end=zero))
    assert not any(w.any() for w in keras.models.load_model(tmp_path / "m.h5").get_weights())


def test_keys_that_a_callback_adds_enter_the_history(model):
    def add(epoch, logs):
        logs["lr"] = 0.5 / (epoch + 1)

    assert fit(model, on(on_epoch_end=add)).history["lr"] == [0.5, 0.25, 0.5 / 3]


def test_logs_are_those_of_the_epoch_so_far(model):
    seen = []
    history = fit(model, on(on_train_batch_end=lambda batch, logs: seen.append((batch, dict(logs)))), epochs=1)
    assert [batch for batch, _ in seen] == [0, 1, 2]
    assert seen[-1][1] == {key: values[0] for key, values in history.history.items()}


def test_an_object_with_some_hooks_will_do(model):
    epochs = []
    fit(model, SimpleNamespace(on_epoch_end=lambda epoch, logs: epochs.append(epoch)))
    assert epochs == [0, 1, 2]


def test_a_single_callback_needs_no_list(model):
    epochs = []
    model.fit(X, Y, verbose=0, callbacks=on(on_epoch_end=lambda epoch, logs: epochs.append(epoch)))
    assert epochs == [0]


def test_old_names_of_the_batch_hooks_are_called(model):
    class Old(callbacks.Callback):
        seen: list[int] = []

        def on_batch_end(self, batch, logs=None):
            self.seen.append(batch)

    fit(model, Old(), epochs=1)
    assert Old.seen == [0, 1, 2]


def test_an_error_in_a_callback_reaches_the_caller(model):
    def fail(epoch, logs):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(model, on(on_epoch_end=fail))


def test_evaluating_in_a_callback_changes_nothing(model):
    def train(*hooks):
        keras.utils.set_random_seed(3)
        again = keras.Sequential([keras.Input(shape=(2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1, "sigmoid")])
        again.compile("adam", "binary_crossentropy", ["accuracy"])
        seen.append(again)
        return fit(again, *hooks).history, again.get_weights()

    seen = []
    plain = train()
    watched = train(
        on(
            on_epoch_end=lambda epoch, logs: seen[-1].evaluate(X, Y, batch_size=4, verbose=0),
            on_train_batch_end=lambda batch, logs: seen[-1].predict(X[:5], verbose=0),
        )
    )
    assert plain[0] == watched[0]
    np.testing.assert_array_equal(plain[1][0], watched[1][0])


def test_the_history_is_the_models_and_a_new_fit_begins_a_new_one(model):
    first = fit(model)
    assert model.history is first
    assert first.epoch == [0, 1, 2]
    assert first.params == {"verbose": 0, "epochs": 3, "steps": 3}
    kept = {key: list(values) for key, values in first.history.items()}
    assert fit(model, epochs=5, initial_epoch=3).epoch == [3, 4]
    assert fit(model, epochs=2).epoch == [0, 1]
    assert first.epoch == [0, 1, 2]
    assert first.history == kept
    assert {type(value) for values in first.history.values() for value in values} == {float}


def test_stopping_at_the_beginning_of_training_still_trains_one_epoch_as_in_keras(model):
    def stop(logs):
        model.stop_training = True

    assert len(fit(model, on(on_train_begin=stop)).epoch) == 1


def test_a_csv_is_whole_after_every_epoch(model, tmp_path):
    path, lengths = tmp_path / "log.csv", []
    logger = callbacks.CSVLogger(path)
    fit(model, logger, on(on_epoch_end=lambda epoch, logs: lengths.append(len(path.read_text().splitlines()))))
    assert lengths == [2, 3, 4]
    assert path.read_text().splitlines()[0] == "epoch,accuracy,loss,val_accuracy,val_loss"


class BarOfOnesOwn(callbacks.ProgbarLogger):
    def on_train_batch_end(self, batch, logs=None):
        SEEN.append(logs)


class HookMadeLater(callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.on_train_batch_end = lambda batch, logs=None: SEEN.append(logs)


SEEN = []


@pytest.mark.parametrize("callback", [BarOfOnesOwn(verbose=0), BarOfOnesOwn(verbose=2), HookMadeLater()])
def test_whoever_has_a_hook_for_batches_sees_their_logs(callback):
    SEEN.clear()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])
    assert [list(logs) for logs in SEEN] == [["loss"]]
