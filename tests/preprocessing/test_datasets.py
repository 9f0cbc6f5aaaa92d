"""Datasets of files, time series and arrays, against batches that Keras on TensorFlow made."""

from pathlib import Path

import numpy as np
import pytest

from dataset_cases import every_answer, image_cases
from distnet import addresses, utils
from distnet.pipelines.dataset import Dataset

GOLDEN = Path(__file__).parents[1] / "golden" / "datasets.npz"
IN_GRAY = {f"image {i}" for i, (_, options) in enumerate(image_cases()) if options.get("color_mode") == "grayscale"}
"""Cases with pictures of 16 bits, of which Pillow gives 8: their grays are rounded differently."""


@pytest.fixture(scope="module")
def expected():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def folder(expected, tmp_path_factory):
    """The files of which Keras made batches."""
    folder = tmp_path_factory.mktemp("files")
    for name, content in expected.items():
        if name.startswith("file|"):
            path = folder / name.removeprefix("file|")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.tobytes())
    return folder


@pytest.fixture(scope="module")
def answers(folder):
    with pytest.MonkeyPatch.context() as patch:  # other tests may have set a seed, which orders depend on
        patch.setattr(addresses, "users_seed", lambda: None)
        return every_answer(utils, Dataset, folder)


def check_equal(name, ours, theirs):
    if theirs.dtype.kind == "S":
        assert ours.tolist() == np.char.decode(theirs, "utf-8", "ignore").tolist(), name
    elif theirs.dtype.kind == "U":
        assert ours.tolist() == theirs.tolist(), name
    else:
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), name
        atol = 1.001 if name.split("|")[0] in IN_GRAY else 2e-4
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=atol, err_msg=name)


@pytest.mark.parametrize("kind", ["lengths", "pipeline", "image", "text", "sound", "window", "split"])
def test_batches_classes_and_files_are_keras_s(kind, answers, expected):
    names = [name for name in expected if name.startswith(kind)]
    assert names
    # Keras's texts and sounds do not say their files.
    assert {name for name in answers if name.startswith(kind)} - set(names) <= {
        f"{n.split('|')[0]}|paths" for n in names
    }
    for name in names:
        check_equal(name, np.asarray(answers[name]), expected[name])


def numbers():
    return Dataset.from_tensor_slices(np.arange(6))


def test_what_loops_give_has_numpy_and_cannot_be_spoilt():
    x = np.arange(6.0).reshape(3, 2)
    dataset = Dataset.from_tensor_slices((x, ["a", "bc", "d"])).cache()
    (row, text), *_ = dataset
    assert row.numpy().tolist() == [0, 1]
    assert str(text.numpy()) == "a"
    with pytest.raises(ValueError, match="read-only"):
        next(iter(dataset.map(lambda x, y: np.add(x, 1, out=x))))
    assert [str(y) for _, y in dataset.as_numpy_iterator()] == ["a", "bc", "d"]
    assert int(dataset.cardinality().numpy()) == len(dataset) == 3
    assert len(numbers().shuffle(numbers().cardinality(), seed=1)) == 6


def test_a_function_sees_texts_as_arrays_of_str(folder):
    texts = utils.text_dataset_from_directory(folder / "texts", batch_size=4, shuffle=False, verbose=False)
    seen = []
    lengths = texts.map(lambda x, y: seen.append(x) or (np.strings.str_len(x), y))
    assert [x.tolist() for x, _ in lengths][0] == [len(text) for text in seen[0]]
    assert all(type(x) is np.ndarray and x.dtype.kind == "U" for x in seen)


def test_bytes_that_are_no_text_are_kept(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (one,) = utils.text_dataset_from_directory(tmp_path, labels=None, batch_size=None, verbose=False)
    assert str(one).encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_without_a_seed_passes_differ_and_programs_with_one_seed_agree():
    orders = []
    for _ in range(2):
        utils.set_random_seed(3)
        dataset = Dataset.from_tensor_slices(np.arange(30)).shuffle(30)
        orders.append([[int(x) for x in dataset] for _ in range(2)])
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]
    assert sorted(orders[0][0]) == list(range(30))


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: numbers().interleave(abs), NotImplementedError, "Dataset.interleave is not in distnet"),
        (lambda: numbers().classes, AttributeError, "no attribute 'classes'"),
        (lambda: numbers().class_names, AttributeError, "read it before map"),
        (lambda: numbers().cache("here"), NotImplementedError, "leave filename out"),
        (lambda: len(numbers().repeat()), TypeError, "infinite"),
        (lambda: len(numbers().filter(bool)), TypeError, "not known"),
        (lambda: numbers().batch(0), ValueError, "batch_size: expected a positive integer"),
        (lambda: numbers().map(3), ValueError, "map: expected a function"),
        (lambda: list(numbers().map(lambda x: None)), ValueError, "received None"),
        (lambda: list(numbers().map(lambda x: np.zeros(int(x))).batch(2)), ValueError, "in element 1. Give all"),
        (lambda: list(numbers().unbatch()), ValueError, "Use batch"),
        (lambda: numbers().shard(2, 2), ValueError, "expected one from 0 to 1"),
        (lambda: numbers().concatenate([1]), ValueError, "expected datasets"),
        (lambda: Dataset.from_tensor_slices((np.zeros(3), np.zeros(4))), ValueError, "equally many rows"),
        (lambda: utils.split_dataset(np.zeros((5, 2))), ValueError, "received neither"),
        (lambda: utils.split_dataset(np.zeros((5, 2)), left_size=7), ValueError, "from 1 to 4"),
        (lambda: utils.split_dataset(3, left_size=7), ValueError, "received int"),
        (lambda: utils.timeseries_dataset_from_array(np.zeros(9), None, 12), ValueError, "none fits"),
        (lambda: utils.timeseries_dataset_from_array(np.zeros(9), None, 2, start_index=9), ValueError, "start_index"),
        (lambda: utils.timeseries_dataset_from_array([1.0] * 9, None, 2, format="grain"), NotImplementedError, "grain"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_dataset_is_said(use, error, message):
    with pytest.raises(error, match=message):
        use()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_split": 0.2}, "belong together"),
        ({"validation_split": 0.2, "subset": "training"}, "expected a seed"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "leaves none for validation"),
        ({"labels": [1, 2]}, "one for each of the 13 files"),
        ({"labels": None, "class_names": ["small"]}, "class_names are for"),
        ({"class_names": ["huge"]}, r"expected some of the folders \['large', 'small'\]"),
        ({"label_mode": "one"}, "label_mode"),
        ({"label_mode": "binary", "class_names": ["small"]}, "is for 2 classes"),
        ({"color_mode": "bgr"}, "color_mode"),
        ({"image_size": 3.5}, "target_size"),
        ({"interpolation": "best"}, "interpolation"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "received both"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said(folder, options, message):
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(folder / "pictures", **options)


def test_files_that_cannot_be_read_are_named(tmp_path, folder):
    (tmp_path / "a").mkdir()
    for name in ("x.png", "x.wav"):
        (tmp_path / "a" / name).write_bytes(b"no picture, no sound")
    with pytest.raises(OSError, match=r"x\.png: cannot be read as a picture"):
        list(utils.image_dataset_from_directory(tmp_path, verbose=False))
    with pytest.raises(OSError, match=r"x\.wav: cannot be read as a WAV file"):
        list(utils.audio_dataset_from_directory(tmp_path, verbose=False))
    with pytest.raises(NotImplementedError, match="does not resample"):
        list(utils.audio_dataset_from_directory(folder / "sounds", sampling_rate=100, verbose=False))
    with pytest.raises(FileNotFoundError, match="expected a directory with a folder for each class"):
        utils.image_dataset_from_directory(tmp_path / "nowhere")


def test_sounds_may_keep_their_lengths(folder):
    dataset = utils.audio_dataset_from_directory(folder / "sounds", ragged=True, shuffle=False, verbose=False)
    ((sounds, labels),) = dataset
    assert [len(sound) for sound in sounds] == [15, 20, 30, 35, 45, 10, 25, 40]
    assert labels.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
