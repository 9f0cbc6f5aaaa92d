from __future__ import annotations

import numpy as np
import pytest

from distnet.errors import ArgumentError, DataError, DatasetError, MissingFileError
from distnet.preprocessing.image import ImageDataGenerator, save_img


@pytest.fixture
def folder(tmp_path):
    """Three cats and five dogs of several sizes, and files that are no pictures."""
    rng = np.random.default_rng(0)
    for name, count in (("cat", 3), ("dog", 5)):
        for i in range(count):
            path = tmp_path / name / (f"{i}.png" if i else "deeper/0.PNG")
            path.parent.mkdir(parents=True, exist_ok=True)
            save_img(path, rng.integers(0, 256, (8 + i, 9, 3)), scale=False)
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    (tmp_path / "README").write_text("no folder")
    return tmp_path


def flow(folder, generator=None, **options):
    return (generator or ImageDataGenerator()).flow_from_directory(folder, **{"target_size": (6, 5), **options})


def test_folders_are_classes_in_order(folder, capsys):
    it = flow(folder, shuffle=False)
    assert it.class_indices == {"cat": 0, "dog": 1}
    assert it.classes.tolist() == [0] * 3 + [1] * 5
    assert it.filenames == [
        *("cat/1.png", "cat/2.png", "cat/deeper/0.PNG"),
        *("dog/1.png", "dog/2.png", "dog/3.png", "dog/4.png", "dog/deeper/0.PNG"),
    ]
    assert (it.n, it.samples, it.num_classes, it.image_shape) == (8, 8, 2, (6, 5, 3))
    assert it.filepaths[0] == str(folder / "cat" / "1.png")
    assert capsys.readouterr().out == "Found 8 images belonging to 2 classes.\n"
    x, y = it[0]
    assert (x.shape, x.dtype, y.dtype) == ((8, 6, 5, 3), np.float32, np.float32)
    np.testing.assert_array_equal(y, np.eye(2)[it.classes])


@pytest.mark.parametrize("mode", ["binary", "sparse"])
def test_targets_may_be_numbers(folder, mode):
    x, y = flow(folder, class_mode=mode, shuffle=False)[0]
    np.testing.assert_array_equal(y, [0] * 3 + [1] * 5)


def test_targets_may_be_the_images_or_nothing(folder):
    x, y = flow(folder, class_mode="input")[0]
    np.testing.assert_array_equal(x, y)
    assert flow(folder, class_mode=None)[0].shape == (8, 6, 5, 3)


@pytest.mark.parametrize(("mode", "channels"), [("grayscale", 1), ("rgb", 3), ("rgba", 4)])
def test_colours_are_what_was_asked_for(folder, mode, channels):
    assert flow(folder, color_mode=mode)[0][0].shape == (8, 6, 5, channels)
    first = flow(folder, ImageDataGenerator(data_format="channels_first"), color_mode=mode)
    assert first[0][0].shape == (8, channels, 6, 5)


def test_classes_can_be_chosen(folder):
    it = flow(folder, classes=["dog"])
    assert it.class_indices == {"dog": 0}
    assert it.n == 5


def test_a_subset_takes_its_part_of_every_class(folder):
    generator = ImageDataGenerator(validation_split=0.4)
    training, validation = (flow(folder, generator, subset=s, shuffle=False) for s in ("training", "validation"))
    assert validation.filenames == ["cat/1.png", "dog/1.png", "dog/2.png"]
    assert sorted(training.filenames + validation.filenames) == sorted(flow(folder).filenames)


def test_each_rank_reads_its_rows_only(folder, monkeypatch):
    generator = ImageDataGenerator(rotation_range=30, rescale=1 / 255)
    whole = flow(folder, generator, seed=1, batch_size=5)
    expected = whole.rows(1, 0, slice(0, 5))
    opened = []
    part = flow(folder, generator, seed=1, batch_size=5)
    monkeypatch.setattr(part, "_read", lambda path: opened.append(path) or type(part)._read(part, path))
    for found, wanted in zip(part.rows(1, 0, slice(1, 3)), expected, strict=True):
        np.testing.assert_array_equal(found, wanted[1:3])
    assert len(opened) == 2


def test_a_class_without_a_folder_is_named(folder):
    with pytest.raises(ArgumentError, match=r"expected a folder for the class 'wolf', found \['cat', 'dog'\]"):
        flow(folder, classes=["cat", "wolf"])


def test_a_file_that_is_no_picture_is_named(folder):
    (folder / "cat" / "1.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"cat/1\.png: cannot be read as a picture"):
        flow(folder, shuffle=False)[0]


def test_a_directory_without_pictures_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere: expected a directory with a folder for each class"):
        flow(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected folders of pictures \(png, .*found none in \['empty'\]"):
        flow(tmp_path)


@pytest.mark.parametrize(
    "options",
    [{"color_mode": "cmyk"}, {"class_mode": "raw"}, {"interpolation": "cubic"}, {"subset": "test"}],
    ids=lambda options: next(iter(options)),
)
def test_wrong_options_are_named(folder, options):
    ((name, value),) = options.items()
    with pytest.raises(ArgumentError, match=f"{name}: expected one of .*, received '{value}'"):
        flow(folder, **options)


def test_a_wrong_target_size_is_named(folder):
    with pytest.raises(ArgumentError, match=r"target_size \(height, width\), received \(6,\)"):
        flow(folder, target_size=(6,))
