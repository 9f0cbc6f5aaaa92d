"""Nested structures: each function on structures drawn at random, against real Keras; and what is refused."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from distnet import tree
from distnet.errors import ArgumentError
from nested_cases import answers

IN_KERAS = Path(__file__).parent / "tools" / "nested_cases.py"


def test_functions_of_structures_give_what_keras_gives(keras_3):
    theirs = json.loads(subprocess.run([keras_3, str(IN_KERAS)], capture_output=True, check=True, text=True).stdout)
    ours = answers(tree)
    assert len(ours) > 5000
    assert len([answer for answer in ours if answer.endswith(": an error")]) < len(ours) / 3
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


def test_a_structure_is_mapped_up_to_leaves_that_are_none():
    assert tree.map_structure_up_to([None, [None, None]], str, [[1, 1], [2, 2]]) == ["[1, 1]", ["2", "2"]]


def test_keys_that_cannot_be_sorted_keep_their_order():
    assert tree.flatten({"b": 1, 3: 2}) == [1, 2]
    assert tree.map_structure(str, {"b": 1, 3: 2}) == {"b": "1", 3: "2"}


def test_records_of_python_itself_are_structures():
    moment = time.gmtime(0)
    assert tree.map_structure(lambda part: part, moment) == moment
    assert tree.flatten(moment)[0] == 1970


def test_what_cannot_be_mapped_is_refused_with_a_reason():
    with pytest.raises(ArgumentError, match="expected a function, received 3"):
        tree.map_structure(3, [1])
    with pytest.raises(ArgumentError, match="received the function alone"):
        tree.map_structure(str)
    with pytest.raises(ArgumentError, match=r"one has 2 entries where the other has 1"):
        tree.map_structure(max, [1, 2], [1])
    with pytest.raises(ArgumentError, match="expected 2 entries, as the structure has"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])
    with pytest.raises(ArgumentError, match=r"only the first has \{\(1,\)\}"):
        tree.assert_same_paths([1, 2], [1])
    with pytest.warns(UserWarning, match="check_types has no effect"):
        tree.assert_same_structure([1], [2], check_types=True)
