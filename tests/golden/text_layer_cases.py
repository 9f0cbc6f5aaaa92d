"""What Keras's layers for strings and categories do with some data: run with any keras, as JSON."""

import numpy as np

VOCABULARY = ["a", "b", "c"]
STRINGS = [
    "a",
    ["a", "z"],
    [["a"], ["b"]],
    [["a", "a"], ["q", "c"]],
    [[["a", "b"], ["b", "c"], ["a", "a"]]],
    ["m", "", "é"],
]
MODES = ("int", "one_hot", "multi_hot", "count")
STRING_LOOKUPS = [
    {},
    {"num_oov_indices": 0},
    {"num_oov_indices": 3},
    {"mask_token": "m"},
    {"mask_token": "m", "num_oov_indices": 2, "salt": 3},
    {"mask_token": "", "max_tokens": 9},
]
IDF = [{}, {"max_tokens": 8, "pad_to_max_tokens": True}, {"mask_token": "m"}]
TO_ADAPT = [
    ["q", "w", "e", "e", "w"],
    ["", "[UNK]", "a", "", "b"],
    [["b", "a"], ["a", "é"], ["É", "b"]],
    np.array([["b", "zz"]]),
    np.array(["b", "zz", b"c"], object),
]
INTEGERS = [5, [5, 7], [[5, 7, 99, 0, -4, 8]], [[3], [4]]]
INTEGER_LOOKUPS = [
    {},
    {"num_oov_indices": 0},
    {"num_oov_indices": 3, "mask_token": 0},
    {"num_oov_indices": 3, "oov_method": "farmhash"},
    {"num_oov_indices": 4, "oov_method": "farmhash", "salt": [1, 2]},
]
TEXTS = [
    "Hello, the World!",
    "the  cat\tsat\x0bon\u00a0the mat. É",
    "",
    "",
    " don't-stop_it \x1c x",
    "日本語 テキスト, ÀÉ ß",
]
GIVEN_TEXTS = [
    "the cat",
    ["the cat", "a the the"],
    [["the cat"], ["a"]],
    ["", ""],
    TEXTS,
    np.array(TEXTS),
    [b"the cat", b"x"],
    [["the cat", "cat"], ["sat on", "mat"]],
]
VECTORIZATIONS = [
    {},
    {"ngrams": 2},
    {"ngrams": (2,)},
    {"ngrams": (1, 3)},
    {"ngrams": (2, 1)},
    {"split": None},
    {"split": None, "ngrams": 2},
    {"split": "character"},
    {"split": None, "output_sequence_length": 3},
    {"output_sequence_length": 3},
    {"output_mode": "multi_hot"},
    {"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 12},
    {"output_mode": "tf_idf"},
    {"output_mode": "tf_idf", "max_tokens": 5, "ngrams": 2},
    {"max_tokens": 4},
    {"standardize": None},
    {"standardize": "lower"},
    {"standardize": "strip_punctuation", "output_mode": "count"},
    {"standardize": "lower", "split": "character", "ngrams": 2, "output_mode": "multi_hot"},
]
NO_UTF_8 = [b"a\xffb\xc3\x28", b"\xe2\x82\xf0\x9f\x98"]
LONG = ["é" * n for n in (5, 9, 17, 33, 40)]


def results(layers):
    """``{name: [shape, values]}`` of each case; None where it is refused."""
    made = {}

    def note(name, call, *args):
        try:
            made[name] = _as_json(call(*args))
        except Exception:
            made[name] = None

    for part in (_string_lookups, _integer_lookups, _encodings, _vectorizations, _hashes, _ranges):
        part(layers, note)
    return made


def _as_json(value):
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        texts = [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel().tolist()]
        return [list(array.shape), texts]
    return [list(array.shape), array.ravel().tolist()]


def _adapted(layer, data):
    layer.adapt(data)
    return layer.get_vocabulary()


def _string_lookups(layers, note):
    for mode in MODES:
        for i, options in enumerate(STRING_LOOKUPS):
            layer = layers.StringLookup(vocabulary=VOCABULARY, output_mode=mode, **options)
            for k, strings in enumerate(STRINGS):
                note(f"strings {mode} {i} {k}", layer, strings)
            note(f"strings {mode} {i} vocabulary", layer.get_vocabulary)
            note(f"strings {mode} {i} without special", layer.get_vocabulary, False)
    for i, options in enumerate(IDF):
        given = layers.StringLookup(
            vocabulary=VOCABULARY, output_mode="tf_idf", idf_weights=[0.5, 0.25, 0.1], **options
        )
        learned = layers.StringLookup(output_mode="tf_idf", **options)
        learned.adapt([["a", "b"], ["a", "a"], ["c", "q"]])
        for k, strings in enumerate(STRINGS[:4]):
            note(f"idf {i} {k}", given, strings)
            note(f"idf learned {i} {k}", learned, strings)
    for i, options in enumerate([{}, {"max_tokens": 4}, {"mask_token": ""}]):
        for k, data in enumerate(TO_ADAPT):
            layer = layers.StringLookup(**options)
            note(f"adapt {i} {k}", _adapted, layer, data)
            note(f"adapted {i} {k}", layer, data)
    layer = layers.StringLookup()
    note("batches", lambda: _adapted(layer, (batch for batch in [["a", "b"], ["b", "c"]])))
    given = layers.StringLookup(vocabulary=["[UNK]", "x", "y"])
    note("with special", lambda: given(["y", "x", "[UNK]"]))


def _integer_lookups(layers, note):
    for mode in MODES:
        for i, options in enumerate(INTEGER_LOOKUPS):
            layer = layers.IntegerLookup(vocabulary=[3, 4, 5], output_mode=mode, **options)
            for k, integers in enumerate(INTEGERS):
                note(f"integers {mode} {i} {k}", layer, integers)
            note(f"integers {mode} {i} vocabulary", layer.get_vocabulary)
    rng = np.random.default_rng(0)
    data = rng.integers(-9, 30, (100, 3))
    layer = layers.IntegerLookup(max_tokens=20)
    note("integers learned", _adapted, layer, data)
    note("integers after", layer, data)
    far = (rng.permutation(100) * 1000003).tolist()
    layer = layers.IntegerLookup(vocabulary=far)
    note("integers far apart", lambda: layer(rng.integers(0, 100, 50) * 1000003))
    inverse = layers.IntegerLookup(vocabulary=[3, 4, 5], invert=True, mask_token=0)
    note("integers inverted", lambda: inverse([[0, 1, 2], [4, 9, -1]]))


def _encodings(layers, note):
    given = [3, [3, 2], [[3], [1]], [[3, 3], [1, 0]], [[[0, 1], [2, 3], [1, 1]]], [[7, 2]]]
    for mode in MODES[1:]:
        layer = layers.CategoryEncoding(num_tokens=4, output_mode=mode)
        for k, indices in enumerate(given):
            note(f"encoding {mode} {k}", layer, indices)
    weighted = layers.CategoryEncoding(num_tokens=4, output_mode="count")
    note("encoding weighted", lambda: weighted([[0, 1], [1, 1]], count_weights=[[0.5, 0.25], [1, 2]]))


def _vectorizations(layers, note):
    for i, options in enumerate(VECTORIZATIONS):
        layer = layers.TextVectorization(**options)
        note(f"texts {i} learned", _adapted, layer, TEXTS)
        for k, texts in enumerate(GIVEN_TEXTS):
            note(f"texts {i} {k}", layer, texts)
    layer = layers.TextVectorization()
    note("texts in batches", lambda: _adapted(layer, (batch for batch in [["a b", "c"], ["c d"]])))
    layer = layers.TextVectorization(output_mode="tf_idf", split=None)
    note("tokens in batches", lambda: _adapted(layer, (batch for batch in [["a b", "c"], ["c d"]])))
    note("tokens of one document", lambda: layer(["c", "a"]))
    layer = layers.TextVectorization(split="character")
    note("no UTF-8 learned", lambda: _adapted(layer, [b"a\xffb\xc3", b"\xe2\x82"]))
    note("no UTF-8", layer, NO_UTF_8)
    for vocabulary in (["the", "cat"], ["", "[UNK]", "the", "cat"]):
        layer = layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=4)
        note(f"texts of {len(vocabulary)}", layer, TEXTS)
        note(f"texts of {len(vocabulary)} vocabulary", layer.get_vocabulary)


def _hashes(layers, note):
    for i, options in enumerate([{}, {"mask_value": ""}, {"salt": 5}, {"mask_value": "", "salt": [1, -7]}]):
        for mode in MODES:
            layer = layers.Hashing(num_bins=7, output_mode=mode, **options)
            for k, strings in enumerate([["A", "B"], [["A"], ["B"]], [["A", "B", ""], ["C", "A", "é" * 30]], LONG]):
                note(f"hash {mode} {i} {k}", layer, strings)
    for i, options in enumerate([{}, {"mask_value": 0}, {"salt": 5}]):
        layer = layers.Hashing(num_bins=1000, **options)
        for k, numbers in enumerate([[1, 2, -5, 0], np.array([1.7, -2.3]), np.array([[2**40, 3]])]):
            note(f"hash of numbers {i} {k}", layer, numbers)
    first, second = np.array(["A", "B", "A"]), np.array([101, 101, 102])
    crossed = [(first, second), (first[:, None], second[:, None]), ("A", 1), (first, second, first), [second, second]]
    for mode in MODES[:2]:
        layer = layers.HashedCrossing(num_bins=5, output_mode=mode)
        for k, features in enumerate([*crossed, (first,), (first, second * 1.5), (first, second[:2])]):
            note(f"cross {mode} {k}", layer, features)


def _ranges(layers, note):
    x = np.array([[-1.5, 1.0, 3.4, 0.5], [0, 3, 1.3, np.nan]])
    for mode in MODES:
        layer = layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0], output_mode=mode)
        for k, numbers in enumerate([x, [[1.0], [2.0]], [1.0, 5.0], 1.0]):
            note(f"range {mode} {k}", layer, numbers)
    rng = np.random.default_rng(1)
    for rows, epsilon, bins in [(10, 0.01, 4), (1000, 0.01, 10), (3000, 0.05, 7), (5, 0.01, 8), (9000, 0.01, 3)]:
        layer, data = (
            layers.Discretization(num_bins=bins, epsilon=epsilon),
            rng.normal(size=(rows, 3)).astype("float32"),
        )
        layer.adapt(data)
        note(f"ranges of {rows}", getattr, layer, "bin_boundaries")
        layer.adapt([data[: rows // 2], data[rows // 2 :]])
        note(f"ranges of {rows} in batches", getattr, layer, "bin_boundaries")
