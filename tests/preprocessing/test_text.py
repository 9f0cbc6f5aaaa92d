"""Texts made into numbers, against Keras 2's own results."""

import json
from pathlib import Path

import pytest

import text_cases
from distnet.errors import ArgumentError
from distnet.preprocessing import text

GOLDEN = Path(__file__).parents[1] / "golden"

EXPECTED = json.loads((GOLDEN / "texts.json").read_text(encoding="utf-8"))["results"]
CASES = [*map(str, text_cases.OPTIONS), "hashing_trick", "text_to_word_sequence"]


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_texts_become_keras_numbers(number):
    assert text_cases.results(text)[number] == EXPECTED[number]


def test_one_hot_is_the_same_in_every_process():
    assert text.one_hot("the film was good", 50) == text.hashing_trick("the film was good", 50, "md5")


def test_words_may_be_found_in_ones_own_way():
    tokenizer = text.Tokenizer(analyzer=lambda given: given.split("-"))
    tokenizer.fit_on_texts(["a-b-b"])
    assert tokenizer.word_index == {"b": 1, "a": 2}
    assert text.hashing_trick("a-b", 9, len, analyzer=lambda given: given.split("-")) == [2, 2]


def test_numbers_alone_can_be_counted():
    tokenizer = text.Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 1], [1, 2]])
    matrix = tokenizer.sequences_to_matrix([[1, 2, 2, 7]], mode="tfidf")
    assert matrix.shape == (1, 4)
    assert matrix[0, 2] > matrix[0, 1] > 0


@pytest.mark.parametrize(
    ("options", "mode"), [({"num_words": 3}, "average"), ({}, "binary"), ({"num_words": 3}, "tfidf")]
)
def test_a_matrix_needs_columns_and_a_mode(options, mode):
    with pytest.raises(ArgumentError, match="Tokenizer: expected a mode"):
        text.Tokenizer(**options).sequences_to_matrix([[1]], mode=mode)
