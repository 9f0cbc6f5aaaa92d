"""imdb and reuters: small stand-ins in their own formats, against what Keras's definitions give by hand."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pytest

from distnet.datasets import imdb, reuters
from distnet.errors import ArgumentError, DatasetError

TEXTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 9], [2, 2]]
LABELS = np.array([0, 1, 0, 1, 1])


def objects(rows) -> np.ndarray:
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def small(server, monkeypatch):
    halves = {"x_train": objects(TEXTS), "y_train": LABELS, "x_test": objects(TEXTS[::-1]), "y_test": LABELS[::-1]}
    monkeypatch.setattr(imdb, "REMOTE", server.hand_out("imdb.npz", npz(**halves)))
    monkeypatch.setattr(reuters, "REMOTE", server.hand_out("reuters.npz", npz(x=objects(TEXTS), y=LABELS)))
    for module in (imdb, reuters):
        index = json.dumps({"the": 1, "été": 2}, ensure_ascii=False).encode()
        monkeypatch.setattr(module, "INDEX", server.hand_out(f"{module.__name__}.json", index, "md5"))


def order(n: int, seed: int = 113) -> np.ndarray:
    found = np.arange(n)
    np.random.RandomState(seed).shuffle(found)
    return found


def test_the_texts_are_lists_in_keras_order_with_start_and_shift():
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=100)
    assert list(x_train) == [[1] + [w + 3 for w in TEXTS[i]] for i in order(5)]
    assert y_train.tolist() == LABELS[order(5)].tolist()
    assert list(x_test) == [[1] + [w + 3 for w in TEXTS[::-1][i]] for i in order(5)]
    assert y_test.tolist() == LABELS[::-1][order(5)].tolist()
    assert x_train.dtype == object
    assert isinstance(x_train[0], list)


def test_words_outside_the_limits_are_replaced_or_dropped():
    (x_train, _), _ = imdb.load_data(num_words=9, skip_top=5)
    by_hand = [[1] + [w + 3 for w in TEXTS[i]] for i in order(5)]
    assert list(x_train) == [[w if 5 <= w < 9 else 2 for w in text] for text in by_hand]
    (x_train, _), _ = imdb.load_data(num_words=9, skip_top=5, oov_char=None, start_char=None, index_from=0)
    assert list(x_train) == [[w for w in TEXTS[i] if 5 <= w < 9] for i in order(5)]


def test_without_num_words_the_largest_number_is_left_out_as_in_keras():
    (x_train, _), _ = imdb.load_data(start_char=None, index_from=None)
    assert list(x_train) == [[w if w < 9 else 2 for w in TEXTS[i]] for i in order(5)]


def test_maxlen_keeps_shorter_texts_and_their_labels():
    (x_train, y_train), _ = imdb.load_data(maxlen=4, num_words=100)
    kept = [i for i in order(5) if len(TEXTS[i]) + 1 < 4]
    assert list(x_train) == [[1] + [w + 3 for w in TEXTS[i]] for i in kept]
    assert y_train.tolist() == LABELS[kept].tolist()
    with pytest.raises(ArgumentError, match="maxlen: expected more words .* received 1"):
        imdb.load_data(maxlen=1)


def test_reuters_is_divided_after_shuffling():
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.4, num_words=100, seed=7)
    texts = [[1] + [w + 3 for w in TEXTS[i]] for i in order(5, 7)]
    assert [list(x_train), list(x_test)] == [texts[:3], texts[3:]]
    assert np.concatenate([y_train, y_test]).tolist() == LABELS[order(5, 7)].tolist()


@pytest.mark.parametrize("module", [imdb, reuters])
def test_the_word_index_is_checked_by_md5_and_read_as_utf_8(module):
    assert module.get_word_index() == {"the": 1, "été": 2}


def test_reuters_names_its_46_topics():
    names = reuters.get_label_names()
    assert (len(names), names[0], names[3], names[45]) == (46, "cocoa", "earn", "lead")


class Runs:
    def __reduce__(self):
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": objects([Runs()]), "y": LABELS[:1]}, "asks for posix.system"),
        ({"x": objects([[1], "two"]), "y": LABELS[:2]}, "x: expected lists of integers"),
        ({"x": objects([[1], [2.5]]), "y": LABELS[:2]}, "x: expected lists of integers"),
        ({"x": objects([[1], [2]]), "y": LABELS[:1]}, "arrays of equally many rows"),
        ({"x": objects([[1], [2]])}, "cannot be read"),
        ({"x": objects([[1], [2]]), "y": np.array(["a", "b"])}, "arrays of equally many rows"),
    ],
    ids=["runs code", "text", "fractions", "other rows", "missing array", "labels as text"],
)
def test_an_archive_of_something_else_is_refused(server, monkeypatch, arrays, message):
    monkeypatch.setattr(reuters, "REMOTE", server.hand_out("reuters.npz", npz(**arrays)))
    with pytest.raises(DatasetError, match=message) as caught:
        reuters.load_data()
    assert "reuters.npz" in str(caught.value)


def test_a_word_index_of_something_else_is_refused(server, monkeypatch):
    for content in (b"{", b"[1]", b'{"a": "b"}'):
        monkeypatch.setattr(imdb, "INDEX", server.hand_out("index.json", content, "md5"))
        with pytest.raises(DatasetError, match=r"imdb_word_index.json: expected (JSON|words)"):
            imdb.get_word_index()


def test_a_damaged_archive_is_named(server, monkeypatch):
    good = server.others["imdb.npz"]
    monkeypatch.setattr(imdb, "REMOTE", server.hand_out("imdb.npz", good[: len(good) // 2]))
    with pytest.raises(DatasetError, match=r"imdb\.npz: expected an \.npz archive of the arrays"):
        imdb.load_data()
