"""Cases of recurrent layers, of layers around layers and of attention, for the contract.

Class, row, dynamic row, options; lists of rows for layers of several inputs; layers within are functions of a dtype.
"""

from distnet import layers

SEQUENCE, ANY_SEQUENCE = (4, 3), (None, 3)
QUERY, VALUE, KEY = (3, 4), (5, 2), (5, 4)
ANY_QUERY, ANY_VALUE, ANY_KEY = (None, 4), (None, 2), (None, 4)
BOTH_DROPOUTS = {"dropout": 0.4, "recurrent_dropout": 0.3}
MASKED = {"is_masked": True}
REGULARIZED = {"kernel_regularizer": "l2", "recurrent_constraint": "max_norm", "bias_initializer": "random_normal"}


def within(name, **options):
    return lambda dtype: getattr(layers, name)(**options, dtype=dtype, name="within")


def of_cells():
    for name, more in (("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})):
        yield name, SEQUENCE, ANY_SEQUENCE, {"units": 2, "return_sequences": True, **BOTH_DROPOUTS, **more}
        yield name, SEQUENCE, ANY_SEQUENCE, {"units": 3, "go_backwards": True, **REGULARIZED, **more}
        yield name, SEQUENCE, ANY_SEQUENCE, {"units": 2, "activation": "gelu", "use_bias": False, **more}


def of_convolutions():
    kernel = {"filters": 2, "kernel_size": 2}
    first = {"data_format": "channels_first"}
    yield "ConvLSTM1D", (3, 5, 2), (None, 5, 2), {**kernel, "return_sequences": True, **BOTH_DROPOUTS}
    yield "ConvLSTM1D", (3, 2, 5), (None, 2, 5), {**kernel, "go_backwards": True, "strides": 2, **first, **REGULARIZED}
    yield "ConvLSTM2D", (3, 4, 3, 2), (None, 4, 3, 2), {**kernel, "padding": "same", "return_state": True, **MASKED}
    yield "ConvLSTM2D", (3, 2, 4, 3), (None, 2, 4, 3), {**kernel, "use_bias": False, "return_sequences": True, **first}
    yield "ConvLSTM3D", (2, 2, 3, 2, 1), (None, 2, 3, 2, 1), {**kernel, "recurrent_activation": "softsign"}


def stacked(*cells):
    return lambda dtype: [getattr(layers, name)(**options, dtype=dtype) for name, options in cells]


def of_steps():
    """Cells, and what runs them."""
    yield "SimpleRNNCell", [(3,), (2,)], [(3,), (2,)], {"units": 2, **BOTH_DROPOUTS}
    yield "LSTMCell", [(3,), (2,), (2,)], [(3,), (2,), (2,)], {"units": 2, "dropout": 0.4, **REGULARIZED}
    yield "GRUCell", [(3,), (2,)], [(3,), (2,)], {"units": 2, "activation": "gelu", "use_bias": False}
    two = stacked(("LSTMCell", {"units": 2, "dropout": 0.3}), ("GRUCell", {"units": 3}))
    states = [(2,), (2,), (3,)]
    yield "StackedRNNCells", [(3,), *states], [(3,), *states], {"cells": two}
    for cell in (within("LSTMCell", units=2, **BOTH_DROPOUTS), stacked(("GRUCell", {"units": 2, **BOTH_DROPOUTS}))):
        yield "RNN", SEQUENCE, ANY_SEQUENCE, {"cell": cell, "go_backwards": True, "return_sequences": True}
        yield "RNN", SEQUENCE, ANY_SEQUENCE, {"cell": cell, "return_state": True, **MASKED}
    more = {"zero_output_for_mask": True, "go_backwards": True}
    yield "RNN", SEQUENCE, ANY_SEQUENCE, {"cell": two, "return_sequences": True, "return_state": True, **MASKED}
    yield "RNN", [SEQUENCE, *states], [ANY_SEQUENCE, *states], {"cell": two, **more, **MASKED}


CASES = [
    *of_cells(),
    *of_steps(),
    *of_convolutions(),
    ("LSTM", SEQUENCE, ANY_SEQUENCE, {"units": 2, "recurrent_activation": "softsign", "unit_forget_bias": False}),
    ("Bidirectional", SEQUENCE, ANY_SEQUENCE, {"layer": within("LSTM", units=2, return_sequences=True)}),
    ("Bidirectional", SEQUENCE, ANY_SEQUENCE, {"layer": within("GRU", units=2, dropout=0.3), "merge_mode": "mul"}),
    ("Bidirectional", SEQUENCE, ANY_SEQUENCE, {"layer": within("SimpleRNN", units=2), "merge_mode": "ave"}),
    (
        "Bidirectional",
        SEQUENCE,
        ANY_SEQUENCE,
        {"layer": within("GRU", units=2), "backward_layer": within("LSTM", units=3, go_backwards=True)},
    ),
    ("Bidirectional", SEQUENCE, ANY_SEQUENCE, {"layer": within("LSTM", units=2), "merge_mode": None}),
    ("LSTM", SEQUENCE, ANY_SEQUENCE, {"units": 2, "return_state": True, **MASKED}),
    ("GRU", SEQUENCE, ANY_SEQUENCE, {"units": 2, "return_sequences": True, "return_state": True, **MASKED}),
    ("SimpleRNN", SEQUENCE, ANY_SEQUENCE, {"units": 2, "go_backwards": True, **MASKED}),
    ("Bidirectional", SEQUENCE, ANY_SEQUENCE, {"layer": within("GRU", units=2, return_sequences=True), **MASKED}),
    ("TimeDistributed", (4, 3), (None, 3), {"layer": within("Dense", units=2), **MASKED}),
    # One column and two iterations: the singular vectors do not move from step to step.
    ("SpectralNormalization", (3,), (3,), {"layer": within("Dense", units=1, use_bias=False), "power_iterations": 2}),
    (
        "SpectralNormalization",
        (4, 3),
        (None, 3),
        {"layer": within("Conv1D", filters=1, kernel_size=2), "power_iterations": 2},
    ),
    ("Attention", [QUERY, KEY], [ANY_QUERY, ANY_KEY], {"use_scale": True, **MASKED}),
    ("AdditiveAttention", [QUERY, KEY], [ANY_QUERY, ANY_KEY], MASKED),
    (
        "MultiHeadAttention",
        [QUERY, KEY, KEY],
        [ANY_QUERY, ANY_KEY, ANY_KEY],
        {"num_heads": 2, "key_dim": 2, "use_bias": False, **MASKED},
    ),
    ("TimeDistributed", (4, 3, 2), (None, 3, 2), {"layer": within("Dense", units=3, activation="tanh")}),
    ("TimeDistributed", (4, 3), (None, 3), {"layer": within("BatchNormalization")}),
    ("TimeDistributed", (4, 3), (None, 3), {"layer": within("BatchNormalization"), "as_in_keras_2": True}),
    ("TimeDistributed", (2, 4, 3), (None, 4, 3), {"layer": within("Dropout", rate=0.4)}),
    ("TimeDistributed", (2, 4, 3), (2, None, 3), {"layer": within("LSTM", units=2, recurrent_dropout=0.3)}),
    ("Attention", [QUERY, KEY], [ANY_QUERY, ANY_KEY], {"use_scale": True, "dropout": 0.3}),
    ("Attention", [QUERY, VALUE, KEY], [ANY_QUERY, ANY_VALUE, ANY_KEY], {"score_mode": "concat", "use_scale": True}),
    ("AdditiveAttention", [QUERY, KEY], [ANY_QUERY, ANY_KEY], {"dropout": 0.3}),
    ("AdditiveAttention", [QUERY, VALUE, KEY], [ANY_QUERY, ANY_VALUE, ANY_KEY], {"use_scale": False}),
    (
        "GroupedQueryAttention",
        [QUERY, KEY, KEY],
        [ANY_QUERY, ANY_KEY, ANY_KEY],
        {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2, "dropout": 0.3, "use_bias": False, **MASKED},
    ),
    (
        "MultiHeadAttention",
        [QUERY, VALUE, KEY],
        [ANY_QUERY, ANY_VALUE, ANY_KEY],
        {"num_heads": 2, "key_dim": 3, "value_dim": 2, "dropout": 0.3, "use_bias": False},
    ),
    (
        "MultiHeadAttention",
        [QUERY, KEY, KEY],
        [ANY_QUERY, ANY_KEY, ANY_KEY],
        {"num_heads": 1, "key_dim": 2, "output_shape": (2, 3), "use_bias": False, "sliding_window": 2},
    ),
    (
        "MultiHeadAttention",
        [(3, 2, 3), (3, 4, 2), (3, 4, 3)],
        [(3, None, 3), (3, None, 2), (3, None, 3)],
        {"num_heads": 2, "key_dim": 2, "attention_axes": 2, "use_gate": True, "dropout": 0.3, "use_bias": False},
    ),
    (
        "MultiHeadAttention",
        [(3, 2, 3)] * 3,
        [(None, 2, 3)] * 3,
        {"num_heads": 1, "key_dim": 2, "attention_axes": (2, 1), "use_bias": False},
    ),
]
