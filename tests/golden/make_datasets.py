"""Write ``datasets.npz``: files, and the batches that Keras on TensorFlow makes of them.

KERAS_BACKEND=tensorflow python tests/golden/make_datasets.py
"""

import os
import sys
import tempfile
import wave
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import keras
import numpy as np
import tensorflow as tf

from dataset_cases import every_answer


def pictures(folder):
    """Files of several kinds and extents: a few pixels each, smooth enough for JPEG."""
    rng = np.random.default_rng(0)
    for number in range(12):
        height, width = rng.integers(8, 30, 2)
        of_rows, of_columns = np.linspace(0, 200, height)[:, None, None], np.linspace(0, 55, width)[None, :, None]
        image = (of_rows + of_columns * rng.uniform(0, 1, 3)).astype(np.uint8)
        name = ("small" if height * width < 300 else "large") + ("/deeper" if number % 4 == 3 else "")
        place = folder / "pictures" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.PNG").write_bytes(tf.io.encode_png(image).numpy())
    noise = rng.integers(0, 256, (9, 7, 4))
    place = folder / "losslessly" / "all"
    place.mkdir(parents=True)
    for channels in (1, 3, 4):
        for dtype in ("uint8", "uint16"):
            scale = 1 if dtype == "uint8" else 257
            encoded = tf.io.encode_png((noise[:, :, :channels] * scale).astype(dtype)).numpy()
            (place / f"{channels}{dtype}.png").write_bytes(encoded)
    (place / "ignored.txt").write_text("no picture")
    (folder / "pictures" / ".hidden").mkdir()
    (folder / "pictures" / ".hidden" / "x.png").write_bytes(tf.io.encode_png(image).numpy())


def texts(folder):
    for number in range(8):
        place = folder / "texts" / ("ham" if number % 3 else "spam")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text("xyz äöü 統計 "[: 3 + number] * number, encoding="utf-8")


def sounds(folder):
    rng = np.random.default_rng(1)
    for number in range(8):
        place = folder / "sounds" / ("cat" if number % 3 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        with wave.open(str(place / f"{number}.wav"), "wb") as file:
            file.setparams((2, 2, 8000, 0, "NONE", ""))
            file.writeframes(rng.integers(-(2**15), 2**15, (10 + 5 * number, 2)).astype("<i2").tobytes())


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for write in (pictures, texts, sounds):
            write(folder)
        every = every_answer(keras.utils, tf.data.Dataset, folder)
        for path in folder.rglob("*.*"):
            if path.is_file():
                every[f"file|{path.relative_to(folder)}"] = np.frombuffer(path.read_bytes(), np.uint8)
    text = {name: value.astype("S") if value.dtype == object else value for name, value in every.items()}
    np.savez_compressed(Path(__file__).with_name("datasets.npz"), **text)
    print(len(text), "arrays")


if __name__ == "__main__":
    main()
