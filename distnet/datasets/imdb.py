"""Film reviews from IMDB, as lists of word numbers, labelled positive or negative.

Source: Maas et al., "Learning word vectors for sentiment analysis", ACL 2011; the file is the one Keras downloads.
"""

from __future__ import annotations

from distnet.datasets import word_numbers
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.datasets.npz import read_lists
from distnet.types import Array

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REMOTE = RemoteFile("imdb", _FOLDER + "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")
INDEX = RemoteFile("imdb", _FOLDER + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """25,000 training and 25,000 test reviews and their labels, 1 for positive; the most frequent word is number 1.

    Shapes:
        ((25000,) lists of int, (25000,) int64), the same again for the test set

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.
        num_words: words of this number or above, ``index_from`` included, become ``oov_char``.
        skip_top: words below this number do, too.
        maxlen: only reviews of fewer words, ``start_char`` included, are kept.
        seed: of the shuffling.
        start_char: number that begins each review; None for none.
        oov_char: number that replaces words left out; None drops them.
        index_from: added to each word number, to make room for padding, start and left-out words.

    Raises:
        ArgumentError: ``maxlen`` leaves no review.
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.imdb.load_data``.
    """
    arrays = on_one_rank_only(lambda: read_lists(locate(REMOTE, path), [("x_train", "y_train"), ("x_test", "y_test")]))
    parts = []
    for part in ("train", "test"):
        texts, labels = word_numbers.shuffled(arrays[f"x_{part}"], arrays[f"y_{part}"], seed)
        parts.append(word_numbers.shorter(word_numbers.started(texts, start_char, index_from), labels, maxlen))
    (x_train, y_train), (x_test, y_test) = parts
    kept = word_numbers.limited(x_train + x_test, num_words, skip_top, oov_char)
    train, test = word_numbers.as_objects(kept[: len(x_train)]), word_numbers.as_objects(kept[len(x_train) :])
    return (train, y_train), (test, y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, without ``index_from``.

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.

    Raises:
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.imdb.get_word_index``.
    """
    return word_numbers.word_index(INDEX, path)
