"""A profile says where the time of a training went, and changes nothing of it."""

import re

import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.callbacks import LambdaCallback, Profiler
from distnet.errors import ArgumentError, CheckpointError
from distnet.training.runs import Runs
from trace_format import checked, covered

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(48, 32, 32, 2)), RNG.normal(size=(48, 1))


def network(shared=False):
    """A model in a model; its first layer is called twice if it is shared."""
    distnet.utils.clear_session()
    distnet.utils.set_random_seed(1)
    x = distnet.Input((32, 32, 4))
    inner = distnet.Model(x, layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(x)), name="inner")
    given, same = distnet.Input((32, 32, 2)), layers.Conv2D(4, 3, padding="same", activation="relu", name="first")
    h = same(given)
    if shared:
        h = layers.Add()([h, same(given)])
    h = layers.Flatten(name="flat")(inner(h))
    model = distnet.Model(given, layers.Dense(1, name="last")(layers.Dropout(0.3, name="drop")(h)))
    model.compile("adam", "mse", ["mae"])
    return model


def profiled(model=None, steps=(2, 5), file=None, **options):
    profiler = Profiler(file, steps)
    options = {"batch_size": 8, "epochs": 2, "verbose": 0, "callbacks": [profiler]} | options
    (model or network()).fit(X, Y, **options)
    return profiler


def rows(table):
    """The numbers of each row of a table, by its name."""
    lines = [re.match(r"(.*?)((?: +[\d.]+)+) +[\d.]+%", line) for line in table.splitlines()]
    return {m[1].strip(): [float(number) for number in m[2].split()] for m in lines if m}


def test_a_trace_has_every_part_of_every_step(tmp_path):
    model = network(shared=True)
    profiler = profiled(model, file=tmp_path / "new" / "trace.json", validation_split=0.25, epochs=3)
    (events,) = checked(tmp_path / "new" / "trace.json", 1).values()
    steps = [event for event in events if event["cat"] == "step"]
    assert [step["name"] for step in steps] == ["step 2", "step 3", "step 4", "step 5"]
    assert sorted(covered(events, step) for step in steps)[len(steps) // 2] > 0.9
    assert {event["cat"] for event in events} == {
        *("step", "forward", "backward", "loss", "exchange", "update", "data", "callbacks", "instruction"),
        "evaluation",
    }
    for category in ("forward", "backward"):
        names = {event["name"] for event in events if event["cat"] == category}
        assert names >= {"first (call 1)", "first (call 2)", "inner", "conv", "norm", "last", category}
    instructions = {event["name"] for event in events if event["cat"] == "instruction"}
    assert {"convolve", "add"} <= instructions
    numbers = rows(profiler.table())
    assert {"inner/conv", "inner/norm", "first (call 2)", "loss and metrics", "update", "reading data"} <= set(numbers)
    forward, backward, both = numbers["inner/conv"]
    assert forward > 0
    assert backward > 0
    assert both == pytest.approx(forward + backward, abs=0.002)
    assert "Validation" in profiler.table()
    assert len(profiler.table(most=2).splitlines()) < len(profiler.table().splitlines())
    assert "  convolve" in profiler.table(instructions=True)
    whole = float(re.search(r"ms a step: ([\d.]+)", profiler.table())[1])
    assert sum(row[-1] for row in numbers.values()) == pytest.approx(whole, abs=0.05)


@pytest.mark.parametrize("makes_plans", [True, False])
def test_a_training_has_the_same_bits_with_a_profile(makes_plans, monkeypatch):
    monkeypatch.setattr(Runs, "makes_plans", makes_plans)
    trained = []
    for callbacks in ([], [Profiler(steps=(0, 100))]):
        model = network()
        model.fit(X, Y, 8, 2, 0)
        history = model.fit(X, Y, 8, 3, 0, callbacks, validation_split=0.25)
        model.fit(X, Y, 8, 2, 0)
        trained.append([*history.history.values(), *model.get_weights()])
    for plain, with_profile in zip(*trained, strict=True):
        np.testing.assert_array_equal(plain, with_profile)


def test_a_short_training_shows_its_first_steps_and_a_later_fit_begins_anew(tmp_path, capsys):
    model, file = network(), tmp_path / "trace.json"
    model.fit(X, Y, batch_size=16, verbose=2, profile=file)
    assert "Profile of steps 1 to 2 of 3, ranks: 1" in (out := capsys.readouterr().out)
    assert "Step 0, which makes plans" in out
    model.fit(X, Y, batch_size=16, verbose=0)
    assert f"Memory of the model's arrays: {model.memory_use()}\n" in out
    model.fit(X, Y, batch_size=48, verbose=2, profile=True)
    assert "Profile of steps 0 to 0 of 1, ranks: 1" in (out := capsys.readouterr().out)
    assert "Step 0, which makes plans" not in out
    model.fit(X, Y, batch_size=16, epochs=4, verbose=2, profile=True)
    assert "Profile of steps 1 to 11 of 12, ranks: 1" in capsys.readouterr().out
    model.fit(X, Y, batch_size=16, epochs=20, verbose=0, profile=str(file))
    names = [event["name"] for event in checked(file, 1)[0] if event["cat"] == "step"]
    assert names == [f"step {number}" for number in range(10, 60)]
    model.fit(X, Y, batch_size=16, verbose=1, profile=True)
    assert "ms a step" in capsys.readouterr().out


def test_which_steps_are_shown_of_trainings_that_end_soon():
    model = distnet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for steps, epochs, wanted, shown in (
        *((9, 1, (10, 59), range(9)), (10, 1, (10, 59), range(10)), (10, 2, (10, 59), range(10))),
        *((11, 1, (10, 59), range(11)), (12, 2, (10, 59), range(12)), (20, 2, (10, 59), range(10, 20))),
        *((20, 2, (20, 29), range(10)), (21, 1, (20, 29), range(20, 21)), (21, 1, (20, 20), range(20, 21))),
    ):
        profiler, x = Profiler(steps=wanted), np.ones((steps // epochs, 2))
        model.fit(x, x[:, :1], 1, epochs, 0, [profiler])
        assert profiler.of_ranks[0].kept_steps == list(shown), (steps, epochs, wanted)


def test_after_an_error_the_file_has_what_was_done(tmp_path):
    def fail(batch, logs):
        if batch == 4:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        profiled(file=tmp_path / "t.json", callbacks=[
            Profiler(tmp_path / "t.json", (0, 9)), LambdaCallback(on_train_batch_end=fail)])  # fmt: skip
    assert [e["name"] for e in checked(tmp_path / "t.json", 1)[0] if e["cat"] == "step"][-1] == "step 4"


class OwnLayer(layers.Layer):
    def call(self, x):
        return x * 2.0


class OwnSteps(distnet.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, name="dense")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        return super().train_step(data)


def test_users_layers_steps_and_sequences_are_timed(tmp_path):
    class Batches(distnet.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return X[8 * i : 8 * i + 8, 0, 0], Y[8 * i : 8 * i + 8]

    own = distnet.Sequential([layers.Input((2,)), OwnLayer(name="doubled"), layers.Reshape((2, 1)), layers.Masking(),
        layers.SimpleRNN(2), layers.Dense(1, activity_regularizer="l2", name="dense")])  # fmt: skip
    for model, expected in ((own, {"doubled", "dense"}), (OwnSteps(), {"train_step", "reading data"})):
        model.compile("sgd", "mse")
        profiler = Profiler(steps=(0, 5))
        model.fit(Batches(), callbacks=[profiler], verbose=0)
        assert expected <= set(rows(profiler.table()))
        named = {interval.name for interval in profiler.of_ranks[0].intervals if interval.category == "instruction"}
        assert model is not own or {"mask_after", "forward", "backward", "add_penalty"} <= named
        assert not {"<lambda>", "again"} & named


def test_what_cannot_be_profiled_is_refused(tmp_path):
    model = network()
    for steps in (3, (1, 2, 3), (-1, 4), (5, 4), ("a", "b")):
        with pytest.raises(ArgumentError, match="Profiler: steps"):
            Profiler(steps=steps)
    with pytest.raises(ArgumentError, match="fit: profile"):
        model.fit(X, Y, profile=3)
    with pytest.raises(ArgumentError, match="one Profiler, received 2"):
        model.fit(X, Y, profile=True, callbacks=[Profiler()])
    for call in (
        lambda: model.evaluate(X, Y, callbacks=[Profiler()]),
        lambda: model.predict(X, callbacks=[Profiler()]),
    ):
        with pytest.raises(ArgumentError, match=r"Profiler: (evaluate|predict): expected to be passed to fit"):
            call()
    with pytest.raises(ArgumentError, match="nothing is recorded"):
        Profiler().table()
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="Profiler: .*cannot be written"):
        profiled(model, file=tmp_path / "file" / "trace.json")


def test_a_fit_after_a_profile_has_no_clocks_and_one_before_it_lends_no_plans():
    model = network()
    options = {"batch_size": 16, "verbose": 0}
    model.fit(X, Y, **options)
    profiler = profiled(model, (1, 2), epochs=1, batch_size=16)
    assert rows(profiler.table())["last"][0] > 0
    assert model.fit_steps is None
    model.fit(X, Y, **options)
    assert model.fit_steps.steps.timeline is None
    assert rows(profiled(model, (1, 2), epochs=1, batch_size=16).table()).keys() == rows(profiler.table()).keys()
