"""What the TensorBoard callback writes, read back with TensorBoard's own reader."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import BackupAndRestore, Callback, ReduceLROnPlateau, TensorBoard
from distnet.errors import ArgumentError

PROGRAM = """
import sys, numpy as np, distnet as keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
board = keras.callbacks.TensorBoard(sys.argv[1], update_freq=2)
model.fit(np.ones((9, 2)), np.ones((9, 1)), batch_size=3, epochs=2, verbose=0, validation_split=0.3, callbacks=[board])
"""


@pytest.fixture(scope="module")
def read():
    """A function that reads a run."""
    reason = "TensorBoard is no dependency of distnet: pip install tensorboard"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=reason)

    def read(folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = accumulator.EventAccumulator(str(folder), size_guidance={"histograms": 0, "images": 0})
            return run.Reload()

    return read


def scalars(run, tag):
    return [(event.step, pytest.approx(event.value, rel=1e-6)) for event in run.Scalars(tag)]


def train(make_model, data, board, epochs=3, **options):
    model = make_model(keras.optimizers.SGD(0.1))
    plateau = ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=10)
    return model, model.fit(
        *data, batch_size=8, epochs=epochs, verbose=0, callbacks=[board, plateau], validation_split=0.2, **options
    )


def test_losses_and_metrics_by_epoch(make_model, data, tmp_path, read):
    _, history = train(make_model, data, TensorBoard(tmp_path))
    for folder, prefix in (("train", ""), ("validation", "val_")):
        run = read(tmp_path / folder)
        for key in ("loss", "accuracy"):
            assert scalars(run, f"epoch_{key}") == list(enumerate(history.history[prefix + key]))
    found = read(tmp_path / "validation")
    assert scalars(found, "evaluation_loss_vs_iterations") == list(
        zip((4, 8, 12), history.history["val_loss"], strict=True)
    )
    assert set(read(tmp_path / "train").Tags()["scalars"]) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", range(1, 13)), (1, range(1, 13)), (5, [5, 10])])
def test_losses_by_batch(make_model, data, tmp_path, read, update_freq, steps):
    train(make_model, data, TensorBoard(tmp_path, update_freq=update_freq, write_steps_per_second=True))
    run = read(tmp_path / "train")
    assert [step for step, _ in scalars(run, "batch_loss")] == list(steps)
    assert all(event.value > 0 for event in run.Scalars("batch_steps_per_second"))
    assert len(run.Scalars("epoch_steps_per_second")) == 3


def test_a_training_that_goes_on_continues_the_curves(make_model, data, tmp_path, read):
    train(make_model, data, TensorBoard(tmp_path, update_freq=1), initial_epoch=2)
    run = read(tmp_path / "train")
    assert [step for step, _ in scalars(run, "batch_loss")] == [9, 10, 11, 12]
    assert [step for step, _ in scalars(run, "epoch_loss")] == [2]


def test_weights_as_histograms_and_images(make_model, data, tmp_path, read):
    model, _ = train(make_model, data, TensorBoard(tmp_path, histogram_freq=2, write_images=True))
    run = read(tmp_path / "train")
    first = model.layers[0]
    assert len(run.Tags()["histograms"]) == len(run.Tags()["images"]) == 4
    events = run.Histograms(f"{model.name}/{first.name}/kernel/histogram")
    assert [event.step for event in events] == [0, 2]
    histogram, kernel = events[-1].histogram_value, first.kernel.value
    assert (histogram.num, histogram.min, histogram.max) == (kernel.size, kernel.min(), kernel.max())
    assert histogram.sum == pytest.approx(kernel.sum(dtype=float))
    assert sum(histogram.bucket) == kernel.size
    image = run.Images(f"{model.name}/{first.name}/kernel/image")[-1]
    assert (image.height, image.width) == (4, 6)


def test_a_metric_of_several_values_has_several_curves(tmp_path, read):
    board = TensorBoard(tmp_path)
    board.params = {"steps": 1}
    board.set_model(keras.Sequential([keras.layers.Dense(1)]))
    board.on_epoch_end(0, {"iou": [0.25, 0.5]})
    run = read(tmp_path / "train")
    assert scalars(run, "epoch_iou/0") + scalars(run, "epoch_iou/1") == [(0, 0.25), (0, 0.5)]


def test_the_graph_of_layers_can_be_drawn(make_model, tmp_path, read):
    x = keras.Input((4,), name="x")
    inner = make_graph(keras.Input((3,), name="z"), "inner")
    a = keras.layers.Dense(3, name="a")(x)
    model = keras.Model(x, keras.layers.Dense(1, name="last")(inner(a)), name="outer")
    nodes = drawn(model, tmp_path, read)
    assert nodes["outer/a"] == ["outer/x"]
    assert nodes["outer/inner/b"] == ["outer/inner/z"]
    assert nodes["outer/last"] == ["outer/inner/b"]


def test_a_call_with_states_is_drawn_with_all_that_it_takes(tmp_path, read):
    x, state = keras.Input((4, 2), name="x"), keras.Input((3,), name="state")
    y = keras.layers.GRU(3, name="gru")(x, initial_state=state)
    nodes = drawn(keras.Model([x, state], keras.layers.Dense(1, name="last")(y), name="m"), tmp_path, read)
    assert nodes["m/gru"] == ["m/x", "m/state"]
    assert nodes["m/last"] == ["m/gru"]


def drawn(model, folder, read):
    """The layers that TensorBoard draws, and those that each is called on."""
    TensorBoard(folder).set_model(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
    run = read(folder / "train")
    metadata = run.SummaryMetadata("keras")
    assert (metadata.plugin_data.plugin_name, metadata.plugin_data.content) == ("graph_keras_model", b"1")
    text = run.Tensors("keras")[0].tensor_proto.string_val[0]
    return {node.name: list(node.input) for node in keras_model_to_graph_def(json.loads(text)).node}


def make_graph(z, name):
    return keras.Model(z, keras.layers.Dense(2, name="b")(z), name=name)


def test_an_evaluation_alone_is_written(make_model, data, tmp_path, read):
    make_model().evaluate(*data, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert len(read(tmp_path / "validation").Scalars("evaluation_accuracy_vs_iterations")) == 1


def test_rank_0_alone_writes(ranks, tmp_path, read):
    ranks(2).run(PROGRAM, tmp_path).succeeded()
    assert [len(list((tmp_path / run).iterdir())) for run in ("train", "validation")] == [1, 1]
    run = read(tmp_path / "train")
    assert [event.step for event in run.Scalars("batch_loss")] == [2, 4]
    assert np.isfinite([event.value for event in run.Scalars("epoch_loss")]).all()


@pytest.mark.parametrize("update_freq", ["batches", 0, 1.5, True])
def test_an_unknown_frequency_is_refused(update_freq):
    with pytest.raises(ArgumentError, match="update_freq: expected"):
        TensorBoard(update_freq=update_freq)


def test_a_resumed_training_goes_on_with_its_steps(make_model, data, tmp_path, read):
    class Interruption(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.training_state.step == 7:
                raise KeyboardInterrupt

    def run(folder, *others):
        callbacks = [TensorBoard(folder, update_freq="batch"), *others]
        make_model("sgd").fit(*data, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)

    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", BackupAndRestore(tmp_path / "b", 3), Interruption())
    run(tmp_path / "cut", BackupAndRestore(tmp_path / "b", 3))
    whole, cut = read(tmp_path / "whole" / "train"), read(tmp_path / "cut" / "train")
    for tag in ("batch_loss", "epoch_loss"):
        expected = scalars(whole, tag)
        assert dict(scalars(cut, tag)) == dict(expected)
        assert len(expected) == (15 if tag == "batch_loss" else 3)


def test_embeddings_are_taken_with_a_note(tmp_path):
    with pytest.warns(UserWarning, match="embeddings are not written"):
        TensorBoard(tmp_path, embeddings_freq=1, embeddings_layer_names=["e"], embeddings_metadata={"e": "names.tsv"})
    TensorBoard(tmp_path, write_grads=True, batch_size=32)
