"""The summary's table is Keras 2's."""

from __future__ import annotations

import os

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError
from distnet.layers import Dense, Dropout


def lines_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


def texts_of(model, **options):
    """The lines without the blanks that fill them up to the table's width."""
    return [line.rstrip() for line in lines_of(model, **options)]


@pytest.fixture
def graph():
    a, b = keras.Input((8,), name="first"), keras.Input((28, 28, 32), name="second")
    z = keras.Input((16,), name="z")
    h = Dense(8, name="h")(z)
    inner = keras.Model(z, [h, Dense(2, name="head")(h)], name="inner")
    u, v = inner(Dense(16, name="shared")(a))
    tower = keras.Sequential([Dense(3, input_shape=(8,), name="one")], name="tower")
    frozen = Dense(4, name="frozen", trainable=False)(tower(u))
    return keras.Model([a, b], [frozen, v, Dense(1, name="read")(b)], name="whole")


def test_a_chain():
    model = keras.Sequential(
        [Dense(512, input_shape=(784,), name="dense"), Dropout(0.2, name="dropout"), Dense(10, name="dense_1")],
        name="sequential",
    )
    assert texts_of(model) == [
        'Model: "sequential"',
        "_" * 65,
        "Layer (type)                 Output Shape              Param #",
        "=" * 65,
        "dense (Dense)                (None, 512)               401920",
        "_" * 65,
        "dropout (Dropout)            (None, 512)               0",
        "_" * 65,
        "dense_1 (Dense)              (None, 10)                5130",
        "=" * 65,
        "Total params: 407,050",
        "Trainable params: 407,050",
        "Non-trainable params: 0",
        "_" * 65,
    ]


def test_a_graph_says_what_its_layers_are_called_on(graph):
    lines = texts_of(graph)
    assert lines[1:4] == [
        "_" * 98,
        "Layer (type)                    Output Shape         Param #     Connected to",
        "=" * 98,
    ]
    body = {line.split(" ")[0]: line for line in lines[4:] if line}
    assert body["first"] == "first (InputLayer)              [(None, 8)]          0"
    assert body["shared"] == "shared (Dense)                  (None, 16)           144         first[0][0]"
    assert body["inner"] == "inner (Functional)              [(None, 8),          154         shared[0][0]"
    assert body["frozen"] == "frozen (Dense)                  (None, 4)            16          tower[0][0]"
    assert lines[lines.index(body["inner"]) + 1].strip() == "(None, 2)]"
    assert lines[-4:-1] == ["Total params: 374", "Trainable params: 358", "Non-trainable params: 16"]


def test_a_shared_layer_has_all_its_sources():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    shared = Dense(3, name="shared")
    lines = texts_of(keras.Model([a, b], [shared(a), shared(b)]))
    at = next(i for i, line in enumerate(lines) if line.startswith("shared"))
    assert [line[65:] for line in lines[at : at + 2]] == ["a[0][0]", "b[0][0]"]
    assert lines[-4] == "Total params: 9"


def test_nested_models_are_opened_where_that_is_wanted(graph):
    lines = lines_of(graph, expand_nested=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("|¯"))
    assert lines[at] == lines[at + 6] == "|" + "¯" * 96 + "|"
    assert lines[at + 1] == "| z (InputLayer)                [(None, 16)]         0".ljust(97) + "|"
    assert [len(line) for line in lines[at : at + 7]] == [98] * 7
    assert lines[-4] == "Total params: 374"


def test_trainable_layers_are_marked_where_that_is_wanted(graph):
    lines = texts_of(graph, show_trainable=True)
    assert lines[1] == "_" * 109
    assert {line.split(" ")[0]: line[98:] for line in lines if " (Dense)" in line or "Layer (" in line} == {
        "Layer": "Trainable",
        "shared": "Y",
        "frozen": "N",
        "read": "Y",
    }
    chain = texts_of(keras.Sequential([Dense(2, input_shape=(2,))]), show_trainable=True)
    assert chain[2].endswith("Param #   Trainable")
    assert chain[1] == "_" * 76


def test_long_names_go_on_in_the_next_line():
    name = "a_name_that_is_longer_than_its_column"
    lines = texts_of(keras.Sequential([Dense(1, input_shape=(3,), name=name)]))
    assert lines[4:6] == ["a_name_that_is_longer_than_  (None, 1)                 4", "its_column (Dense)"]


def test_a_part_of_the_layers(graph):
    lines = lines_of(graph, layer_range=["shared", "inn.*"])
    assert not any(line.startswith(("frozen", "tower", "first")) for line in lines)
    with pytest.raises(ArgumentError, match=r"does not go from one of its layers to a later one: \['first'"):
        lines_of(graph, layer_range=["frozen", "first"])


def test_widths_of_ones_own():
    model = keras.Sequential([Dense(1, input_shape=(3,), name="d")])
    expected = "d (Dense)".ljust(16) + "(None, 1)".ljust(14) + "4"
    assert texts_of(model, line_length=40, positions=[0.4, 0.75, 1.0])[4] == expected
    assert texts_of(model, positions=[16, 30, 40])[1:5:3] == ["_" * 40, expected]
    assert texts_of(model, line_length=40, positions=[0.4, 0.75, 1.0, 1.0])[4] == expected
    with_trainable = texts_of(model, positions=[16, 30, 40], show_trainable=True)[4]
    assert with_trainable.split() == [*expected.split(), "Y"]
    assert texts_of(model, positions=[16, 30, 40, 50], show_trainable=True)[4] == expected.ljust(40) + "Y"
    with pytest.raises(ArgumentError, match="one for each column"):
        model.summary(positions=[0.5, 1.0])


def test_layers_that_wait_for_their_shape_are_shown_as_unbuilt(capsys):
    model = keras.Sequential([Dense(3), keras.layers.Dropout(0.5), Dense(1)])
    model.layers[0].build((None, 4))
    model.summary()
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "(D" in line]
    assert [row[2:] for row in rows] == [["(None,", "3)", "15"], ["?", "0"], ["?", "unbuilt"]]


@pytest.mark.parametrize(("columns", "width"), [(80, 80), (200, 98), (40, 65)])
def test_a_graphs_table_fits_the_terminal(graph, monkeypatch, capsys, columns, width):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((columns, 24)))
    graph.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "_" * width
    assert max(map(len, lines)) == width
    if width == 80:
        assert "second (InputLayer)       [(None, 28, 28, 32)]  0" in map(str.rstrip, lines)


def test_frozen_layers_stay_frozen_in_a_model(graph):
    before = graph.get_layer("frozen").get_weights()
    graph.compile(keras.optimizers.SGD(0.1), ["mse", None, None])
    x = [np.ones((4, 8)), np.ones((4, 28, 28, 32))]
    graph.fit(x, [np.ones((4, 4)), np.ones((4, 2)), np.ones((4, 28, 28, 1))], verbose=0)
    for a, b in zip(graph.get_layer("frozen").get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
