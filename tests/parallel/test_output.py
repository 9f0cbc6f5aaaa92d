"""Only rank 0 prints and writes."""

from __future__ import annotations

import re

import pytest

from trace_format import checked, covered

PROGRAM = """
import sys, warnings
from pathlib import Path
import numpy as np
import distnet as keras
from distnet import layers
from distnet.callbacks import CSVLogger, EarlyStopping, LambdaCallback, ModelCheckpoint, Profiler

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(100, 4)), rng.normal(size=(100, 1))
model = keras.Sequential([layers.Dense(3, "tanh", input_shape=(4,)), layers.Dense(1)])
model.summary()
model.compile("adam", "mse", metrics=["mae"])
folder = Path(sys.argv[1])
callbacks = [
    ModelCheckpoint(folder / "model.h5", verbose=1),
    EarlyStopping("mae", mode="max", patience=2, restore_best_weights=True, verbose=1),
    LambdaCallback(on_epoch_end=lambda epoch, logs: print("hook", epoch)),
    CSVLogger(folder / "log.csv"),
]
model.fit(x, y, epochs=6, verbose=2, callbacks=callbacks, validation_split=0.1)
model.fit(x, y, epochs=2, verbose=1)
model.evaluate(x, y, verbose=2)
model.evaluate(x, y)
model.predict(x, verbose=0)
model.save(folder / "saved.h5")
model.save_weights(folder / "saved.weights.h5")

image = keras.Input((12, 12, 3))
h = layers.Conv2D(8, 3, padding="same", name="first")(image)
for _ in range(2):
    made = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(h))
    h = layers.Add()([h, layers.ReLU()(made)])
residual = keras.Model(image, layers.Dense(1)(layers.GlobalAveragePooling2D()(h)))
residual.compile("adam", "mse")
images, sums = rng.normal(size=(70, 12, 12, 3)), rng.normal(size=(70, 1))
options = {"batch_size": 20, "epochs": 3, "validation_split": 0.1, "verbose": 0}
residual.fit(images, sums, profile=folder / "trace.json", **options)

def fail(batch, logs):
    if batch == 2:
        raise ValueError("mine")

try:
    callbacks = [LambdaCallback(on_train_batch_end=fail)]
    residual.fit(images, sums, profile=folder / "failed.json", callbacks=callbacks, verbose=0)
except ValueError:
    pass
residual.fit(images, sums, callbacks=[Profiler()], **options)
"""


def without_times(text: str) -> str:
    text = re.sub(r".*\r", "", text)  # of a bar that is drawn again and again: Open MPI's ranks have a terminal
    text = re.sub(r"^distnet: .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\d+s( - )? ?\d+[mu]?s/step", "TIME", text)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def one(ranks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    return ranks(1).run(PROGRAM, folder).succeeded(), folder


def test_three_ranks_print_and_write_what_one_does(ranks, one, tmp_path):
    job, folder = one
    found = ranks(3).run(PROGRAM, tmp_path).succeeded()
    assert without_times(found.stdout).replace(str(tmp_path), str(folder)) == without_times(job.stdout)
    assert found.stderr == job.stderr == ""
    saved = ["model.h5", "saved.h5", "saved.weights.h5"]
    assert files(tmp_path) == files(folder) == ["failed.json", "log.csv", *saved, "trace.json"]
    lines, expected = ((f / "log.csv").read_text().splitlines() for f in (tmp_path, folder))
    assert len(lines) == len(expected)
    assert lines[0] == expected[0]
    check_traces(tmp_path)


def check_traces(folder):
    """The trace of three ranks, of which one waits where it comes first; and what rank 0 did before an error."""
    by_rank = checked(folder / "trace.json", 3)
    for events in by_rank.values():
        steps = [event for event in events if event["cat"] == "step"]
        assert [step["name"] for step in steps] == [f"step {number}" for number in range(12)]
        assert sorted(covered(events, step) for step in steps)[6] > 0.9
        assert {"forward", "backward", "loss", "waiting", "exchange", "update", "data", "instruction"} <= {
            event["cat"] for event in events
        }
        assert sum(event["name"] == "first" for event in events) == 2 * len(steps) + 3  # and in each validation
    ends = [
        [event["ts"] + event["dur"] for event in events if event["name"] == "step 5"] for events in by_rank.values()
    ]
    begins = [[event["ts"] for event in events if event["name"] == "step 6"] for events in by_rank.values()]
    assert max(begins) > max(ends), "steps are on one axis of time: none begins before the last is over everywhere"
    (failed,) = checked(folder / "failed.json", 1).values()
    assert "step 2" in {event["name"] for event in failed}


def test_several_ranks_say_once_how_many_they_are(ranks, one, tmp_path):
    job = ranks(2).run(PROGRAM, tmp_path).succeeded()
    assert len(re.findall(r"^distnet: 2 ranks, \d+ BLAS threads? each$", job.stdout, re.MULTILINE)) == 1
    assert "distnet:" not in one[0].stdout


def test_a_warning_about_what_all_ranks_were_given_comes_once(ranks):
    job = ranks(3).run(
        "import numpy as np, distnet as keras\n"
        "model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, steps_per_epoch=9, verbose=0)\n"
    )
    assert job.succeeded().stderr.count("UserWarning") == 1, job
