"""Calls of the functions that make datasets, and what is compared of them: run by distnet and by Keras."""

import random

import numpy as np

SIZE = (6, 5)
PICTURES = {"image_size": SIZE, "batch_size": 4, "verbose": False}
TEXTS = {"batch_size": 3, "verbose": False}
PASSES = 2


def image_cases():
    """Options of ``image_dataset_from_directory``, and the folder."""
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"):
        yield "pictures", {"interpolation": method, "shuffle": False}
        yield "pictures", {"interpolation": method, "shuffle": False, "image_size": (20, 17), "batch_size": 12}
        yield "pictures", {"interpolation": method, "shuffle": False, "pad_to_aspect_ratio": True}
    for method in ("bilinear", "nearest", "bicubic", "lanczos3"):
        yield "pictures", {"interpolation": method, "shuffle": False, "crop_to_aspect_ratio": True}
    for mode in ("grayscale", "rgba"):
        yield "losslessly", {"color_mode": mode, "shuffle": False}
    yield "pictures", {"data_format": "channels_first", "seed": 3}
    yield "pictures", {"data_format": "channels_first", "seed": 3, "crop_to_aspect_ratio": True}
    for label_mode in ("int", "binary", "categorical"):
        yield "pictures", {"label_mode": label_mode, "seed": 7, "class_names": ["small", "large"]}
    yield "pictures", {"label_mode": None, "seed": 7}
    yield "pictures", {"labels": None, "seed": 1}
    yield "pictures", {"labels": [0, *range(3)] * 3 + [1], "seed": 1, "label_mode": "categorical"}
    yield "pictures", {"class_names": ["large"], "seed": 0, "batch_size": None}
    for subset in ("training", "validation", "both"):
        yield "pictures", {"validation_split": 0.3, "subset": subset, "seed": 42}
    yield "pictures", {"validation_split": 0.25, "subset": "both", "shuffle": False}


def text_cases():
    """Options of ``text_dataset_from_directory``."""
    yield {"seed": 5}
    yield {"seed": 5, "batch_size": None}
    yield {"shuffle": False, "max_length": 7}
    yield {"seed": 2, "label_mode": "binary", "validation_split": 0.4, "subset": "both"}
    yield {"seed": 2, "labels": None}


def sound_cases():
    """Options of ``audio_dataset_from_directory``."""
    yield {"seed": 5}
    yield {"shuffle": False, "output_sequence_length": 25}
    yield {"seed": 2, "label_mode": "categorical", "validation_split": 0.4, "subset": "both"}
    yield {"seed": 2, "labels": None, "batch_size": None}


def window_cases():
    """Arguments of ``timeseries_dataset_from_array``."""
    steps = np.arange(60, dtype=np.float32).reshape(30, 2)
    rng = random.Random(1)
    for number in range(24):
        start, end = rng.choice([(None, None), (3, None), (None, 27), (2, 22)])
        targets = rng.choice([None, np.arange(30) * 10, np.arange(12)])
        if targets is not None and len(targets) < len(steps):  # else Keras reads behind their end
            start, end = None, None
        options = {
            "sequence_length": rng.choice([1, 3, 5]),
            "sequence_stride": rng.choice([1, 2, 4]),
            "sampling_rate": rng.choice([1, 2, 3]),
            "batch_size": rng.choice([4, 128, None]),
            "shuffle": number % 2 == 1,
            "seed": 11,
            "start_index": start,
            "end_index": end,
        }
        yield (steps, targets), options


def split_cases():
    """Arguments of ``split_dataset``; the rows have several columns, in which Keras sees the same shape."""
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20)
    for data in (x, (x, y), [x, y]):
        yield (data,), {"left_size": 0.7}
        yield (data,), {"left_size": 5, "right_size": 0.3, "shuffle": True, "seed": 9}
        yield (data,), {"right_size": 4, "shuffle": True, "seed": 1}


def pipelines(dataset):
    """What methods make of a dataset of the numbers from 0 to 10, by name."""
    numbers = dataset.from_tensor_slices(np.arange(11))
    shuffled = numbers.shuffle(4, seed=3)
    pairs = dataset.from_tensor_slices(({"a": np.arange(6)}, np.arange(12.0).reshape(6, 2)))
    yield "shuffled", shuffled
    yield "taken of a shuffle", shuffled.take(5)
    yield "the same shuffle", shuffled.map(lambda x: x * 2).batch(4)
    yield "fixed", numbers.shuffle(20, seed=3, reshuffle_each_iteration=False)
    yield "shuffled twice", numbers.shuffle(5, seed=1).batch(3).shuffle(10, seed=2)
    yield "repeated", numbers.shuffle(5, seed=1).repeat(2).batch(4)
    yield "unbatched", numbers.batch(3).map(lambda x: x + 1).unbatch().skip(2).batch(5, drop_remainder=True)
    yield "filtered", numbers.filter(lambda x: x % 3 != 1).shuffle(3, seed=8).batch(2)
    yield "enumerated", numbers.skip(3).enumerate(start=5).take(4)
    yield "concatenated", numbers.take(3).concatenate(numbers.skip(9)).repeat(2)
    yield "cached", numbers.shuffle(11, seed=4).cache().shuffle(11, seed=5)
    yield "sharded", numbers.shard(3, 1)
    yield "zipped", dataset.zip((numbers.batch(2), numbers.map(lambda x: (x, 1, 2.5))))
    yield "nested", pairs.map(lambda x, y: {"sum": x["a"], "list": [y, y]}).batch(4)
    yield "infinite", numbers.repeat().shuffle(7, seed=2).take(15)
    yield "prefetched", numbers.batch(4).prefetch(2).skip(-1)
    yield "padded", numbers.padded_batch(3)


def lengths(dataset):
    """The numbers of elements that datasets say, or the reason why they say none."""
    numbers = dataset.from_tensor_slices(np.arange(11))
    several = [numbers.batch(3), numbers.batch(3, drop_remainder=True), numbers.repeat(), numbers.repeat(3)]
    several += [
        numbers.filter(lambda x: x > 1),
        numbers.batch(4).map(abs).unbatch(),
        numbers.skip(20),
        numbers.take(-1),
    ]
    several += [numbers.repeat().take(5), numbers.concatenate(numbers.repeat()), numbers.repeat(0).repeat()]
    return [int(one.cardinality()) for one in several]


def leaves(element):
    """The arrays of an element, in order."""
    if isinstance(element, dict):
        return [leaf for key in sorted(element) for leaf in leaves(element[key])]
    return [leaf for part in element for leaf in leaves(part)] if isinstance(element, tuple) else [np.asarray(element)]


def recorded(dataset, name):
    """What some passes through a dataset give, by name."""
    every = {}
    for turn in range(PASSES):
        for number, element in enumerate(dataset.as_numpy_iterator()):
            for i, leaf in enumerate(leaves(element)):
                every[f"{name}|{turn}|{number}|{i}"] = leaf
    return every


def every_answer(utils, dataset, folder):
    """Everything that is compared, by name.

    Args:
        utils: ``keras.utils`` or ``distnet.utils``.
        dataset: the class of datasets.
        folder: where the files are.
    """
    every = {"lengths": np.array(lengths(dataset))}
    made = [(f"pipeline {name}", one) for name, one in pipelines(dataset)]
    for number, (where, options) in enumerate(image_cases()):
        several = utils.image_dataset_from_directory(folder / where, **PICTURES | options)
        made += _named(f"image {number}", several)
    for number, options in enumerate(text_cases()):
        made += _named(f"text {number}", utils.text_dataset_from_directory(folder / "texts", **TEXTS | options))
    for number, options in enumerate(sound_cases()):
        made += _named(f"sound {number}", utils.audio_dataset_from_directory(folder / "sounds", **TEXTS | options))
    for number, (args, options) in enumerate(window_cases()):
        made += _named(f"window {number}", utils.timeseries_dataset_from_array(*args, **options))
    for number, (args, options) in enumerate(split_cases()):
        made += _named(f"split {number}", utils.split_dataset(*args, **options))
    for name, one in made:
        every |= recorded(one, name)
        if getattr(one, "class_names", None) is not None:
            every[f"{name}|classes"] = np.array(one.class_names)
        if hasattr(one, "file_paths"):
            every[f"{name}|paths"] = np.array([str(path).replace(str(folder), "") for path in one.file_paths])
    return every


def _named(name, datasets):
    if isinstance(datasets, list | tuple):
        return [(f"{name} part {i}", one) for i, one in enumerate(datasets)]
    return [(name, datasets)]
