"""What one package makes of FeatureSpaces drawn at random: called by compare_feature_spaces.py.

python feature_spaces_of.py FOLDER keras|distnet write|read SEED ...
"""

import importlib
import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import numpy as np

import feature_space_cases as cases

OTHER = {"keras": "distnet", "distnet": "keras"}


def of_tensorflow(spec, which, size):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(cases.columns(spec, which))
    return dataset.batch(size) if size else dataset


def in_tensorflow(dataset, function):
    return list(dataset.map(function))


def of_distnet(spec, which, size):
    from distnet.utils import timeseries_dataset_from_array

    columns = cases.columns(spec, which)
    count = len(next(iter(columns.values())))
    twice = np.arange(2 * count)  # a dataset of a single row is refused, as by Keras
    rows = timeseries_dataset_from_array(twice, None, 1, batch_size=None, end_index=count)
    rows = rows.map(lambda i: {name: column[int(i[0])] for name, column in columns.items()})
    return rows.batch(size) if size else rows


def in_distnet(dataset, function):
    return list(dataset.map(function))


def written(keras, seed, folder):
    """What it makes of a space, which it saves; or that it refuses the whole of it."""
    folder.mkdir(exist_ok=True)
    own = (of_tensorflow, in_tensorflow) if keras.__name__ == "keras" else (of_distnet, in_distnet)
    every = cases.attempt(lambda: cases.results(keras, seed, *own, folder))
    return {"whole": every} if "error" in every else every


def main():
    folder, name, part, *seeds = sys.argv[1:]
    keras = importlib.import_module(name)
    for seed in map(int, seeds):
        path = Path(folder, f"{seed}.{name}.json")
        if part == "write":
            every = written(keras, seed, path.parent / name)
        else:
            every = json.loads(path.read_text(encoding="utf-8"))
            read = partial(cases.read, keras, seed, path.parent / OTHER[name])
            every["from the other's file"] = cases.attempt(read)
        path.write_text(json.dumps(every), encoding="utf-8")


if __name__ == "__main__":
    main()
