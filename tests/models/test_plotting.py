"""Pictures of models: what their boxes say, and which lines run where."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

import distnet as keras
from distnet.errors import ArgumentError, MissingPackageError, NotBuiltError
from distnet.layers import Dense, Dropout
from distnet.models import plotting
from distnet.utils import model_to_dot, plot_model

pytest.importorskip("pydot", reason="pydot is optional: pip install 'distnet[plot]'")


@pytest.fixture
def graph():
    a, b = keras.Input((8,), name="first"), keras.Input((8,), name="second")
    z = keras.Input((16,), name="z")
    h = Dense(8, activation="relu", name="h")(z)
    inner = keras.Model(z, [h, Dense(2, name="head")(h)], name="inner <&>")
    shared = Dense(16, activation="tanh", name="shared")
    u, v = inner(shared(a))
    tower = keras.Sequential([Dense(3, input_shape=(16,), name="one"), Dropout(0.5, name="two")], name="tower")
    frozen = Dense(4, name="frozen", trainable=False)(u)
    return keras.Model([a, b], [frozen, v, tower(shared(b))], name="whole")


def nodes_of(picture):
    """Text of each box, by the node's name; those of clusters within too."""
    found = {node.get_name(): re.sub(r"<[^>]*>", " ", node.get_label()[1:-1]) for node in picture.get_nodes()}
    for cluster in picture.get_subgraphs():
        found |= nodes_of(cluster)
    return {name: html.unescape(" ".join(text.split())) for name, text in found.items()}


def lines_of(picture):
    """Pairs of the layers' names that lines run between."""
    names = {name: text.split(" (")[0] for name, text in nodes_of(picture).items()}
    return {(names[edge.get_source()], names[edge.get_destination()]) for edge in picture.get_edges()}


def test_every_layer_is_a_box_and_every_call_a_line(graph):
    picture = model_to_dot(graph)
    assert set(nodes_of(picture).values()) == {
        "first (InputLayer)",
        "shared (Dense)",
        "second (InputLayer)",
        "inner <&> (Functional)",
        "frozen (Dense)",
        "tower (Sequential)",
    }
    assert lines_of(picture) == {
        ("first", "shared"),
        ("second", "shared"),
        ("shared", "inner <&>"),
        ("shared", "tower"),
        ("inner <&>", "frozen"),
    }


def test_nested_models_are_clusters_where_that_is_wanted(graph):
    picture = model_to_dot(graph, expand_nested=True)
    assert lines_of(picture) == {
        ("first", "shared"),
        ("second", "shared"),
        ("shared", "z"),
        ("z", "h"),
        ("h", "head"),
        ("h", "frozen"),
        ("shared", "one_input"),
        ("one_input", "one"),
        ("one", "two"),
    }
    assert [cluster.get_label() for cluster in picture.get_subgraphs()] == ["<inner &lt;&amp;&gt;>", "<tower>"]


def test_a_box_says_what_is_asked_for(graph):
    picture = model_to_dot(
        graph, show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True, expand_nested=True
    )
    texts = {text.split(" (")[0]: text for text in nodes_of(picture).values()}
    assert texts["shared"] == (
        "shared (Dense) Activation: tanh Input shape: (None, 8) Output shape: (None, 16) Output dtype: float32 "
        "Trainable"
    )
    assert texts["first"] == "first (InputLayer) Output shape: (None, 8) Output dtype: float32"
    assert texts["frozen"].endswith("Non-trainable")
    assert "Output shape: [(None, 8), (None, 2)]" in str(nodes_of(model_to_dot(graph, show_shapes=True)))


def test_a_layer_called_on_several_shapes_says_so():
    shared = Dropout(0.5, name="shared")
    a, b = keras.Input((2,)), keras.Input((3,))
    texts = nodes_of(model_to_dot(keras.Model([a, b], [shared(a), shared(b)]), show_shapes=True)).values()
    assert "shared (Dropout) Input shape: several Output shape: several" in texts


def test_names_can_be_left_out():
    model = keras.Sequential([Dense(2, input_shape=(3, 4), name="d")], name="s")
    assert "d (Dense)" in nodes_of(model_to_dot(model)).values()
    assert list(nodes_of(model_to_dot(model, show_layer_names=False)).values()) == ["InputLayer", "Dense"]


def test_a_part_of_the_layers(graph):
    picture = model_to_dot(graph, layer_range=["sha.*", "tower"])
    assert "first (InputLayer)" not in nodes_of(picture).values()
    with pytest.raises(ArgumentError, match=r"whole: layer_range=\['tower', 'nobody'\] does not go"):
        model_to_dot(graph, layer_range=["tower", "nobody"])
    with pytest.raises(ArgumentError, match="expected layer_range="):
        model_to_dot(graph, layer_range="tower")


@pytest.fixture
def graphviz():
    import shutil

    if shutil.which("dot") is None:
        pytest.skip("Graphviz is no Python package: apt-get install graphviz")


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize(
    ("name", "start"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml"), ("m.pdf", b"%PDF"), ("m", b"\x89PNG")]
)
def test_a_file_has_the_format_of_its_ending(graph, tmp_path, name, start):
    plot_model(graph, tmp_path / "new" / name, show_shapes=True, expand_nested=True)
    assert (tmp_path / "new" / name).read_bytes().startswith(start)


@pytest.mark.usefixtures("graphviz")
def test_the_classic_line_gives_an_svg(graph):
    from distnet.utils import vis_utils

    assert b"</svg>" in vis_utils.model_to_dot(graph).create(prog="dot", format="svg")
    assert vis_utils.plot_model is plot_model


@pytest.fixture
def no_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_an_svg_holds_every_text_and_every_line(graph, tmp_path):
    plot_model(graph, tmp_path / "m.svg", show_shapes=True, show_layer_activations=True, expand_nested=True)
    texts = re.findall(r"<text[^>]*>(.*?)</text>", (tmp_path / "m.svg").read_text())
    assert {"shared (Dense)", "h (Dense)", "inner &lt;&amp;&gt;", "tower", "(None, 16)", "relu"} <= set(texts)
    assert len(re.findall("<polyline", (tmp_path / "m.svg").read_text())) == 9
    ElementTree.parse(tmp_path / "m.svg")


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_a_png_is_drawn_in_its_resolution(graph, tmp_path):
    sizes = []
    for dpi in (72, 144):
        plot_model(graph, tmp_path / "m", dpi=dpi, rankdir="LR")
        with Image.open(tmp_path / "m") as image:
            sizes.append(image.size)
            assert len(image.getcolors(1 << 16)) > 2
    assert sizes[1] == pytest.approx([2 * length for length in sizes[0]], rel=0.03)
    assert sizes[0][0] > sizes[0][1]


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_pydots_object_is_drawn_too_and_other_formats_name_what_is_missing(graph):
    assert b"</svg>" in model_to_dot(graph).create(prog="dot", format="svg")
    assert model_to_dot(graph).create_png().startswith(b"\x89PNG")
    with pytest.raises(MissingPackageError, match="apt-get install graphviz"):
        model_to_dot(graph).create_pdf()


def test_without_pydot_plot_model_draws_and_model_to_dot_names_it(graph, monkeypatch, tmp_path):
    monkeypatch.setattr(plotting, "find_spec", lambda name: None)
    plot_model(graph, tmp_path / "m.svg")
    assert (tmp_path / "m.svg").exists()
    with pytest.raises(MissingPackageError, match=r"pip install 'distnet\[plot\]'"):
        model_to_dot(graph)


def test_it_needs_shapes_and_a_known_direction(graph):
    with pytest.raises(NotBuiltError, match="a picture needs the input shape"):
        model_to_dot(keras.Sequential([Dense(1)]))
    with pytest.raises(ArgumentError, match="rankdir to be one of"):
        model_to_dot(graph, rankdir="UP")


def test_rank_0_alone_writes(ranks, tmp_path):
    program = """
import os, sys, distnet as keras
from distnet.comm import world
os.chdir(os.path.join(sys.argv[1], str(world().rank)))
keras.utils.plot_model(keras.Sequential([keras.layers.Dense(2, input_shape=(2,))]))
"""
    for rank in "01":
        (tmp_path / rank).mkdir()
    ranks(2).run(program, tmp_path).succeeded()
    assert [sorted(path.name for path in (tmp_path / rank).iterdir()) for rank in "01"] == [["model.png"], []]
