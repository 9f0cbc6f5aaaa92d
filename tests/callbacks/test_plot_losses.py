"""The picture of a training, and livelossplot's, which takes its place."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import Callback, PlotLosses, plot_losses
from distnet.errors import ArgumentError, MissingPackageError

pytestmark = pytest.mark.slow

pytest.importorskip("matplotlib", reason="matplotlib is optional: pip install 'distnet[plot]'")


def train(make_model, data, callback, **options):
    return make_model().fit(*data, epochs=3, verbose=0, validation_split=0.2, callbacks=[callback], **options)


def panels(figure):
    """Title -> label -> (epochs, values)."""
    return {
        axes.get_title(): {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
        for axes in figure.axes
    }


def test_training_and_validation_share_a_panel(make_model, data):
    callback = PlotLosses("unused.png")
    callback.on_epoch_end = lambda *args: None
    history = train(make_model, data, callback).history
    del callback.on_epoch_end
    callback._points = {key: list(enumerate(values)) for key, values in history.items()}
    assert panels(callback.figure()) == {
        key: {"training": ([1, 2, 3], history[key]), "validation": ([1, 2, 3], history[f"val_{key}"])}
        for key in ("loss", "accuracy")
    }


@pytest.mark.slow
def test_a_png_is_written_without_a_display(make_model, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    train(make_model, data, PlotLosses())
    assert [path.name for path in tmp_path.iterdir()] == ["losses.png"]
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_ending_says_the_format(make_model, data, tmp_path):
    train(make_model, data, PlotLosses(tmp_path / "new" / "curves.svg"))
    assert b"<svg" in (tmp_path / "new" / "curves.svg").read_bytes()


def test_a_notebook_shows_the_picture_and_redraws_it(make_model, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = []
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = type("ZMQInteractiveShell", (), {})
    display.clear_output = lambda wait: shown.append(wait)
    display.display = lambda figure: shown.append(sorted(panels(figure)))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    train(make_model, data, PlotLosses())
    assert shown == [True, ["accuracy", "loss"]] * 3
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_epochs_without_validation_leave_a_gap_in_its_curve(make_model, data, tmp_path):
    callback = PlotLosses(tmp_path / "p.png")
    train(make_model, data, callback, validation_freq=2)
    assert panels(callback.figure())["loss"]["validation"][0] == [2]


def test_groups_of_ones_own(make_model, data, tmp_path):
    callback = PlotLosses(tmp_path / "p.png", groups={"both": ["loss", "val_loss"]}, figsize=(3, 2))
    train(make_model, data, callback)
    found = callback.figure()
    assert {title: list(lines) for title, lines in panels(found).items()} == {"both": ["loss", "val_loss"]}
    assert tuple(found.get_size_inches()) == (3, 2)


def test_a_resumed_training_is_drawn_whole(tmp_path):
    before, callback = PlotLosses(tmp_path / "p.png"), PlotLosses(tmp_path / "p.png")
    before.on_train_begin()
    before.on_epoch_end(0, {"loss": 0.5})
    before.on_epoch_end(1, {"loss": 0.25})
    callback.on_train_begin()
    callback.set_state(json.loads(json.dumps(before.get_state())))
    callback.on_epoch_end(2, {"loss": 0.125})
    assert panels(callback.figure()) == {"loss": {"training": ([1, 2, 3], [0.5, 0.25, 0.125])}}


def test_without_matplotlib_the_error_names_it(monkeypatch):
    monkeypatch.setattr(plot_losses, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'distnet\[plot\]'"):
        PlotLosses()


def test_panels_need_a_column():
    with pytest.raises(ArgumentError, match="max_cols: expected a positive integer"):
        PlotLosses(max_cols=0)


@pytest.fixture
def livelossplot(monkeypatch):
    """The real package; what it imports as Keras is distnet."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reason = "livelossplot is no dependency of distnet: pip install livelossplot ipython"
        found = pytest.importorskip("livelossplot", reason=reason, exc_type=ImportError)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.delitem(sys.modules, "livelossplot.inputs.keras", raising=False)
    yield found
    sys.modules.pop("livelossplot.inputs.keras", None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_real_livelossplot_works(make_model, data, tmp_path, livelossplot, capsys):
    import matplotlib

    matplotlib.use("Agg")
    outputs = [livelossplot.outputs.MatplotlibPlot(figpath=str(tmp_path / "live.png")), "ExtremaPrinter"]
    callback = livelossplot.PlotLossesKeras(outputs=outputs)
    assert isinstance(callback, Callback)
    history = train(make_model, data, callback)
    assert callback.liveplot.logger.log_history["loss"][-1].value == history.history["loss"][-1]
    assert (tmp_path / "live.png").read_bytes().startswith(b"\x89PNG")
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_livelossplots_hooks_alone_are_enough(make_model, data, livelossplot):
    from livelossplot.inputs.generic_keras import _PlotLossesCallback

    callback = _PlotLossesCallback(outputs=[])
    train(make_model, data, callback)
    assert len(callback.liveplot.logger.log_history["val_accuracy"]) == 3


def test_any_class_with_some_hooks_will_do(make_model, data):
    class Curves:
        """As tutorials write them for livelossplot's first versions."""

        def on_train_begin(self, logs=None):
            self.logs = []

        def on_epoch_end(self, epoch, logs):
            self.logs.append((epoch, np.round(logs.copy()["val_loss"], 12)))

    curves = Curves()
    history = train(make_model, data, curves)
    assert curves.logs == list(enumerate(np.round(history.history["val_loss"], 12)))


def test_rank_0_alone_draws(ranks, tmp_path):
    program = """
import os, sys, numpy as np, distnet as keras
from distnet.comm import world
os.chdir(os.path.join(sys.argv[1], str(world().rank)))
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((9, 2)), np.ones((9, 1)), verbose=0, callbacks=[keras.callbacks.PlotLosses()])
"""
    for rank in "01":
        (tmp_path / rank).mkdir()
    ranks(2).run(program, tmp_path).succeeded()
    assert [[path.name for path in Path(tmp_path / rank).iterdir()] for rank in "01"] == [["losses.png"], []]
