"""Write recurrent.npz, cells.npz, attention.npz and grouped_attention.npz: what Keras on JAX computes for sequences.

Run with Keras 3.15 and JAX installed: ``python make_sequences.py``. Case i is called on arrays ``x <shape> <k>`` with
masks ``mask <shape> <kind>`` and weights ``w <shape> <k>``; ``y i k``, ``dx i k`` and ``dw i k`` are its outputs and
the gradients of the sum over all outputs k of y times cos(k), cos(k + 1) ...
"""

import itertools
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np

import packed

keras.config.set_floatx("float64")
# keras.ops.tanh makes float32 of float64 (seen in 3.15.1); this is what it calls.
keras.src.ops.tanh = keras.src.backend.nn.tanh

ROWS, STEPS, FEATURES, UNITS = 4, 5, 3, 2
SEQUENCES = (ROWS, STEPS, FEATURES)
CELLS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}
BOTH = (False, True)


def case(name, options, *shapes, masks=(), **call):
    """``masks``: kinds of the inputs' masks, None for none; ``call``: see ``call_of``."""
    return {"name": name, "options": options, "shapes": shapes, "masks": masks or (None,) * len(shapes), "call": call}


def recurrent():
    for (name, options), sequences, back, mask in itertools.product(CELLS, BOTH, BOTH, (None, "padded", "holes")):
        own = {"units": UNITS, "return_sequences": sequences, "go_backwards": back, **options}
        yield case(name, own, SEQUENCES, masks=(mask,))
    for (name, options), sequences, mask in itertools.product(CELLS, BOTH, (None, "holes")):
        own = {"units": UNITS, "return_sequences": sequences, "return_state": True, **options}
        states = [(ROWS, UNITS)] * STATES[name]
        yield case(name, own, SEQUENCES, *states, masks=(mask, *[None] * len(states)), initial_state=len(states))
    for name, options in CELLS:
        gates = {} if name == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
        yield case(name, {"units": UNITS, "activation": "softplus", "use_bias": False, **gates, **options}, SEQUENCES)
        gates = {} if name == "SimpleRNN" else {"recurrent_activation": "gelu"}
        own = {"units": UNITS, "activation": "relu", "return_sequences": True, **gates, **options}
        yield case(name, own, SEQUENCES, masks=("holes",))
        for sequences in BOTH:
            own = {"units": UNITS, "zero_output_for_mask": True, "return_sequences": sequences, **options}
            yield case(name, own, SEQUENCES, masks=("holes",))
    yield from bidirectional()
    yield case("TimeDistributed", {"layer": ("Dense", {"units": UNITS, "activation": "softplus"})}, SEQUENCES)
    yield case("TimeDistributed", {"layer": ("LSTM", {"units": UNITS})}, (ROWS, 2, STEPS, FEATURES))


def bidirectional():
    for mode, sequences, mask in itertools.product(("concat", "sum", "mul", "ave", None), BOTH, (None, "holes")):
        layer = ("LSTM", {"units": UNITS, "return_sequences": sequences})
        yield case("Bidirectional", {"layer": layer, "merge_mode": mode}, SEQUENCES, masks=(mask,))
    for mode, (name, options) in itertools.product(("concat", None), CELLS[1:3]):
        layer = (name, {"units": UNITS, "return_sequences": True, "return_state": True, **options})
        states = [(ROWS, UNITS)] * 2 * STATES[name]
        yield case("Bidirectional", {"layer": layer, "merge_mode": mode}, SEQUENCES, *states, initial_state=len(states))
    other = ("GRU", {"units": 3, "go_backwards": True})
    yield case("Bidirectional", {"layer": ("SimpleRNN", {"units": UNITS}), "backward_layer": other}, SEQUENCES)


def cells():
    """``RNN`` over Keras's cells, alone and stacked."""
    stacks = [[("LSTMCell", {"units": UNITS}), ("LSTMCell", {"units": 3})], [("SimpleRNNCell", {"units": UNITS})] * 2]
    for (name, options), sequences, mask in itertools.product(CELLS, BOTH, (None, "holes")):
        own = {"cell": (f"{name}Cell", {"units": UNITS, **options}), "return_sequences": sequences}
        yield case("RNN", {**own, "go_backwards": mask is None}, SEQUENCES, masks=(mask,))
        yield case("RNN", {**own, "zero_output_for_mask": True}, SEQUENCES, masks=("padded",))
        states = [(ROWS, UNITS)] * STATES[name]
        own["return_state"] = True
        yield case("RNN", own, SEQUENCES, *states, masks=(mask, *[None] * len(states)), initial_state=len(states))
    for cells, sequences, mask in itertools.product(stacks, BOTH, (None, "holes")):
        zero = mask is not None and cells is stacks[1]  # else Keras 3.15.1 outputs the first cell's state there
        own = {"cell": cells, "return_sequences": sequences, "return_state": True, "zero_output_for_mask": zero}
        yield case("RNN", own, SEQUENCES, masks=(mask,))
        layer = ("RNN", {"cell": cells, "return_sequences": sequences})
        yield case("Bidirectional", {"layer": layer}, SEQUENCES, masks=(None,))


QUERY, VALUE, KEY = (ROWS, 4, FEATURES), (ROWS, STEPS, 2), (ROWS, STEPS, FEATURES)


def attention():
    scored = [("Attention", {"score_mode": mode, "use_scale": scale}) for mode in ("dot", "concat") for scale in BOTH]
    scored += [("AdditiveAttention", {"use_scale": scale}) for scale in BOTH]
    for name, options in scored:
        yield case(name, options, QUERY, KEY)
        yield case(name, options, QUERY, VALUE, KEY, return_attention_scores=True)
        yield case(name, options, QUERY, VALUE, KEY, masks=("padded", "some", None), use_causal_mask=True)
        yield case(name, options, KEY, KEY, masks=(None, "some"), return_attention_scores=True)
    heads = {"num_heads": 2, "key_dim": 2}
    for more in ({}, {"value_dim": 3, "use_bias": False}, {"output_shape": 5, "value_dim": 1}, {"sliding_window": 2}):
        if "value_dim" not in more:  # which 3.15.1 cannot compute on JAX unless the scores are asked for
            yield case("MultiHeadAttention", {**heads, **more}, QUERY, VALUE)
        yield case("MultiHeadAttention", {**heads, **more}, QUERY, VALUE, KEY, return_attention_scores=True)
    for causal, scores in itertools.product(BOTH, BOTH):
        flags = {"use_causal_mask": causal, "return_attention_scores": scores}
        yield case("MultiHeadAttention", heads, KEY, KEY, **flags)
        yield case("MultiHeadAttention", heads, QUERY, VALUE, masks=("padded", "some"), **flags)
        yield case("MultiHeadAttention", heads, QUERY, VALUE, KEY, masks=(None, "some", "padded"), **flags)
        yield case("MultiHeadAttention", heads, QUERY, VALUE, attention_mask=(ROWS, 4, STEPS), **flags)
        yield case("MultiHeadAttention", heads, QUERY, VALUE, attention_mask=(4, STEPS), **flags)
    yield case("MultiHeadAttention", {**heads, "dropout": 0.3}, QUERY, VALUE, masks=("padded", "some"))
    yield from attention_along_axes({**heads, "use_gate": True})


def attention_along_axes(gated):
    """Of inputs with several axes between that of the rows and that of the features; gates."""
    yield case("MultiHeadAttention", gated, QUERY, VALUE)
    more = {**gated, "value_dim": 3, "output_shape": (2, 2), "use_bias": False}
    yield case(
        "MultiHeadAttention", more, QUERY, VALUE, KEY, masks=("padded", "some", None), return_attention_scores=True
    )
    image = (ROWS, 3, 2, FEATURES)
    for axes in (None, 1, (2,), (2, 1), -2, (-3,), -1):
        yield case("MultiHeadAttention", {**gated, "attention_axes": axes}, image, image, return_attention_scores=True)
    long, wide, volume = (ROWS, 4, 2, 2), (ROWS, 3, 4, 2), (ROWS, 2, 3, 2, 2)
    yield case("MultiHeadAttention", {"num_heads": 2, "key_dim": 2, "value_dim": 1}, image, wide)
    yield case("MultiHeadAttention", {**gated, "attention_axes": 2}, image, wide, image[:2] + wide[2:])
    yield case(
        "MultiHeadAttention", {**gated, "attention_axes": 1, "sliding_window": 2}, image, long, use_causal_mask=True
    )
    for axes in ((1,), (3, 1), (2, 3)):
        yield case("MultiHeadAttention", {**gated, "attention_axes": axes}, volume, volume)
    for axes, allowed in ((2, (2, 2)), (2, (ROWS, 3, 2, 2)), (None, (ROWS, 3, 2, 3, 2)), ((2, 1), (ROWS, 2, 3, 2, 3))):
        options = {**gated, "attention_axes": axes}
        yield case("MultiHeadAttention", options, image, image, attention_mask=allowed, return_attention_scores=True)


def grouped_attention():
    """Attention in which heads share keys and values."""
    for shared, more in ((1, {}), (2, {"use_gate": True}), (4, {"use_bias": False, "sliding_window": 2})):
        own = {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": shared, **more}
        yield case("GroupQueryAttention", own, QUERY, VALUE)
        yield case("GroupQueryAttention", own, QUERY, VALUE, KEY, return_attention_scores=True)
        yield case("GroupQueryAttention", own, QUERY, VALUE, masks=("padded", "some"), use_causal_mask=True)
        yield case("GroupQueryAttention", own, QUERY, VALUE, attention_mask=(ROWS, 4, STEPS))


def mask_of(shape, kind):
    """Steps that count: "padded" ends early, in one row at once; "holes" has gaps; "some" has them after step 0."""
    rng = np.random.default_rng(len(kind))
    steps = np.arange(shape[1])
    if kind == "padded":
        return steps < np.array([shape[1], 3, 1, 0])[:, None]
    mask = rng.random(shape[:2]) < 0.6
    mask[:, 0] |= kind == "some"
    mask[0] &= kind == "some"
    return mask


def layer_of(name, options):
    return getattr(keras.layers, name)(**{key: option_of(key, value) for key, value in options.items()})


def option_of(key, value):
    if key == "cell" and isinstance(value, list):
        return [layer_of(*part) for part in value]
    return layer_of(*value) if "layer" in key or key == "cell" else value


def numbers(arrays, kind, shape, k):
    rng = np.random.default_rng([*shape, k])
    return arrays.setdefault(f"{kind} {list(shape)} {k}", rng.standard_normal(shape))


def call_of(layer, made, arrays, x, masks):
    """The outputs for the inputs ``x``, whatever way the layer takes them."""
    call = dict(made["call"])
    if "initial_state" in call:
        return layer(x[0], initial_state=list(x[1:]), mask=masks[0])
    if made["name"] in ("Attention", "AdditiveAttention"):
        given = None if not any(m is not None for m in masks) else list(masks)
        return layer(list(x), mask=given, **call)
    if not made["name"].endswith(("HeadAttention", "QueryAttention")):
        return layer(x[0]) if masks[0] is None else layer(x[0], mask=masks[0])
    if "attention_mask" in call:
        call["attention_mask"] = arrays[f"allowed {list(call['attention_mask'])}"] > 0
    if masks[0] is not None:
        keras.src.backend.set_keras_mask(x[0], masks[0])
    named = dict(zip(("query_mask", "value_mask", "key_mask"), masks, strict=False))
    return layer(*x, **{key: mask for key, mask in named.items() if mask is not None}, **call)


def run(made, arrays):
    layer = layer_of(made["name"], made["options"])
    x = [numbers(arrays, "x", shape, k) for k, shape in enumerate(made["shapes"])]
    masks = [None if kind is None else mask_of(s, kind) for s, kind in zip(made["shapes"], made["masks"], strict=True)]
    for shape, kind, mask in zip(made["shapes"], made["masks"], masks, strict=True):
        if mask is not None:
            arrays[f"mask {list(shape[:2])} {kind}"] = mask
    if "attention_mask" in made["call"]:
        shape = made["call"]["attention_mask"]
        arrays[f"allowed {list(shape)}"] = np.random.default_rng(3).random(shape) < 0.7
    call_of(layer, made, arrays, [jax.numpy.asarray(part) for part in x], masks)
    weights = [numbers(arrays, "w", w.shape, k) for k, w in enumerate(layer.trainable_variables)]
    others = [v.value for v in layer.non_trainable_variables]

    def outputs(x, weights):
        with keras.StatelessScope(
            state_mapping=[
                *zip(layer.trainable_variables, weights, strict=True),
                *zip(layer.non_trainable_variables, others, strict=True),
            ]
        ):
            y = call_of(layer, made, arrays, x, masks)
        return keras.tree.flatten(y)

    y, backward = jax.vjp(outputs, x, weights)
    dx, dws = backward([np.cos(k + np.arange(part.size)).reshape(part.shape) for k, part in enumerate(y)])
    return layer, y, dx, dws


def write(file, specifications):
    arrays, cases = {}, []
    for i, made in enumerate(specifications):
        layer, y, dx, dws = run(made, arrays)
        for kind, parts in (("y", y), ("dx", dx), ("dw", dws)):
            arrays |= {f"{kind} {i} {k}": part for k, part in enumerate(parts)}
        paths = [w.path.partition("/")[2] for w in layer.trainable_variables]
        cases.append({**made, "outputs": len(y), "weights": paths, "keras": keras.layers.serialize(layer)})
    packed.save(Path(__file__).with_name(file), arrays, cases)


if __name__ == "__main__":
    for made in (recurrent, cells, attention, grouped_attention):
        write(f"{made.__name__}.npz", made())
