"""Names and arguments of models that Keras 2's scripts use."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(12, 4))


def model(units, activation, *compiled):
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation)])
    made.compile(*compiled or ("sgd", "mse"))
    return made


def test_classes_are_the_largest_of_several_outputs():
    several = model(3, "softmax")
    np.testing.assert_array_equal(several.predict_classes(X), several.predict(X, verbose=0).argmax(axis=1))
    np.testing.assert_array_equal(several.predict_proba(X), several.predict(X, verbose=0))


def test_the_class_of_one_output_is_whether_it_is_above_a_half():
    classes = model(1, "sigmoid").predict_classes(X)
    assert classes.shape == (12, 1)
    assert set(classes.ravel()) == {0, 1}


def test_compile_takes_the_positional_order_of_keras_2_and_of_keras_3():
    found = []
    for compiled in (("sgd", "mse", ["mae"], [0.5]), ("sgd", "mse", [0.5], ["mae"]), ("sgd", "mse", ["mae"])):
        made = model(1, "linear", *compiled)
        made.set_weights([np.ones((4, 1)), np.zeros(1)])
        found.append(made.evaluate(X, np.zeros(12), verbose=0))
        assert made.loss == "mse"
    assert found[0] == found[1] == pytest.approx([0.5 * found[2][0], found[2][1]])


def test_arguments_without_a_meaning_here_are_taken(tmp_path):
    made = model(1, "linear")
    reading = {"max_queue_size": 2, "workers": 2, "use_multiprocessing": True}
    made.fit(X, np.zeros(12), verbose=0, **reading)
    made.evaluate(X, np.zeros(12), verbose=0, **reading)
    made.predict(X, verbose=0, **reading)
    made.train_on_batch(X, np.zeros(12), reset_metrics=True)
    made.save(tmp_path / "model.h5", save_format="h5")
    assert keras.models.load_model(tmp_path / "model.h5").count_params() == made.count_params()


def test_what_would_mean_something_else_is_refused(tmp_path):
    made = model(1, "linear")
    with pytest.raises(ArgumentError, match="reset_metrics"):
        made.train_on_batch(X, np.zeros(12), reset_metrics=False)
    with pytest.raises(ArgumentError, match="SavedModel"):
        made.save(tmp_path / "model", save_format="tf")


def test_variables_go_by_both_names():
    layer = model(2, "linear").layers[0]
    assert [v.shape for v in layer.trainable_variables] == [(4, 2), (2,)]
    layer.trainable = False
    assert layer.non_trainable_variables == layer.weights


def test_a_checkpoint_every_second_epoch(tmp_path):
    callback = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.h5"), period=2)
    model(1, "linear").fit(X, np.zeros(12), epochs=5, verbose=0, callbacks=[callback])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.h5", "4.h5"]
    with pytest.raises(ArgumentError, match="period"):
        keras.callbacks.ModelCheckpoint("model.h5", period=0)


def test_a_layer_and_its_json():
    layer = keras.layers.deserialize(keras.layers.serialize(keras.layers.Dense(3, activation="relu", name="first")))
    assert (layer.name, layer.units, layer.get_config()["activation"]) == ("first", 3, "relu")


def test_a_progress_line_of_ones_own(capsys):
    line = keras.utils.Progbar(4, stateful_metrics=["last"])
    line.add(1, values=[("mean", 2.0), ("last", 2.0)])
    line.update(4, values=[("mean", 4.0), ("last", 4.0)])
    output = capsys.readouterr().out
    assert "4/4 [" in output
    assert "mean: 3.5000" in output
    assert "last: 4.0000" in output
