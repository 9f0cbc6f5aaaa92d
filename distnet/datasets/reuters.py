"""Newswires of Reuters, as lists of word numbers, and their topics.

Source: the Reuters-21578 collection as Keras prepared it; the file is the one Keras downloads.
"""

from __future__ import annotations

from distnet.datasets import word_numbers
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.datasets.npz import read_lists
from distnet.types import Array

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REMOTE = RemoteFile(
    "reuters", _FOLDER + "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
)
INDEX = RemoteFile("reuters", _FOLDER + "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")
LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """11,228 newswires and their topics, 0 to 45, split into training and test; the most frequent word is number 1.

    Shapes:
        ((8982,) lists of int, (8982,) int64), ((2246,) lists of int, (2246,) int64)

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.
        num_words: words of this number or above, ``index_from`` included, become ``oov_char``.
        skip_top: words below this number do, too.
        maxlen: only newswires of fewer words, ``start_char`` included, are kept.
        test_split: fraction of the newswires held out for the test: the last ones.
        seed: of the shuffling.
        start_char: number that begins each newswire; None for none.
        oov_char: number that replaces words left out; None drops them.
        index_from: added to each word number, to make room for padding, start and left-out words.

    Raises:
        ArgumentError: ``maxlen`` leaves no newswire.
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.reuters.load_data``.
    """
    arrays = on_one_rank_only(lambda: read_lists(locate(REMOTE, path), [("x", "y")]))
    texts, labels = word_numbers.shuffled(arrays["x"], arrays["y"], seed)
    kept, labels = word_numbers.shorter(word_numbers.started(texts, start_char, index_from), labels, maxlen)
    kept = word_numbers.limited(kept, num_words, skip_top, oov_char)
    at = int(len(kept) * (1 - test_split))
    return (word_numbers.as_objects(kept[:at]), labels[:at].copy()), (
        word_numbers.as_objects(kept[at:]),
        labels[at:].copy(),
    )


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, without ``index_from``.

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.

    Raises:
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.reuters.get_word_index``.
    """
    return word_numbers.word_index(INDEX, path)


def get_label_names() -> tuple[str, ...]:
    """The topics' names, in the order of their numbers.

    Source: ``keras.datasets.reuters.get_label_names``.
    """
    return tuple(LABELS.split())
