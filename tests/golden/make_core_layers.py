"""Write core_layers.npz: layers as Keras on JAX computes them, in double precision.

Run with Keras 3.15 and JAX installed: ``python make_core_layers.py``. Normalizing, merging, masking, activation and
embedding layers. Of case i, ``i x k`` are the inputs, ``i mask k`` their masks, ``i w k`` the weights, ``i y`` the
output, ``i mask`` its mask, ``i dx k`` and ``i dw k`` the gradients of the sum of y cos(0), y cos(1) ... in the order
of the entries, ``i moved k`` the weights that are not trained after the call, in training.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import jax.numpy as jnp
import keras
import numpy as np

import packed

keras.config.set_floatx("float64")
# "At least float32" makes float32 of float64 in 3.15.1; normalizations ask for it.
keras.src.backend.result_type = lambda *dtypes: "float64"
keras.src.backend.numpy.var = jnp.var

ROWS = 4
SEQUENCE, IMAGE = (4, 3), (3, 2, 6)


def case(name, *rows, masks=None, training=False, trainable=True, **options):
    """A layer, the shapes of a row of its inputs, which inputs have a mask."""
    mode = {"training": training, "trainable": trainable}
    return {"name": name, "rows": rows, "masks": masks or [False] * len(rows), **mode, "options": options}


def normalizations():
    for training in (False, True):
        yield case("BatchNormalization", (6,), training=training)
        yield case("BatchNormalization", IMAGE, training=training, momentum=0.7, epsilon=0.01)
        yield case("BatchNormalization", IMAGE, training=training, axis=1)
        yield case("BatchNormalization", SEQUENCE, training=training, axis=-2, center=False)
        yield case("BatchNormalization", SEQUENCE, training=training, scale=False)
        yield case("BatchNormalization", SEQUENCE, training=training, masks=[True], momentum=0.5)
        yield case("BatchNormalization", IMAGE, training=training, trainable=False)
    for axis in (-1, 1, [1, 2], [-1, -2], [1, 2, 3]):
        yield case("LayerNormalization", IMAGE, axis=axis)
    yield case("LayerNormalization", (6,), epsilon=0.1)
    yield case("LayerNormalization", SEQUENCE, center=False)
    yield case("LayerNormalization", SEQUENCE, scale=False)
    yield case("LayerNormalization", SEQUENCE, rms_scaling=True)
    yield case("LayerNormalization", IMAGE, rms_scaling=True, axis=[1, 3])
    for groups in (1, 2, 3, 6, -1):
        yield case("GroupNormalization", IMAGE, groups=groups)
    yield case("GroupNormalization", IMAGE, groups=3, axis=1)
    yield case("GroupNormalization", (6,), groups=2, center=False)
    yield case("GroupNormalization", (5, 4), groups=2, scale=False, epsilon=0.1)
    for axis in (-1, 1, [1, 2]):
        yield case("UnitNormalization", IMAGE, axis=axis)


def activations():
    yield case("ReLU", SEQUENCE)
    yield case("ReLU", SEQUENCE, max_value=1.0, negative_slope=0.1, threshold=0.5)
    yield case("LeakyReLU", SEQUENCE)
    yield case("LeakyReLU", SEQUENCE, negative_slope=0.05)
    yield case("ELU", SEQUENCE, alpha=0.5)
    yield case("PReLU", SEQUENCE)
    yield case("PReLU", IMAGE, shared_axes=[1, 2])
    yield case("PReLU", IMAGE, shared_axes=2)
    yield case("Softmax", SEQUENCE)
    yield case("Softmax", IMAGE, axis=1)
    yield case("Softmax", IMAGE, axis=[1, 2])
    yield case("Softmax", SEQUENCE, axis=[-1])


def merges():
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield case(name, (6,))
        yield case(name, SEQUENCE, SEQUENCE)
        yield case(name, SEQUENCE, SEQUENCE, SEQUENCE)
        yield case(name, SEQUENCE, (1, 3))
        yield case(name, (3,), SEQUENCE, (4, 1))
        yield case(name, SEQUENCE, SEQUENCE, masks=[True, True])
        yield case(name, SEQUENCE, SEQUENCE, SEQUENCE, masks=[True, True, True])
        yield case(name, SEQUENCE, SEQUENCE, SEQUENCE, masks=[True, False, True])
        yield case(name, SEQUENCE, SEQUENCE, masks=[False, True])
    yield case("Subtract", SEQUENCE, SEQUENCE)
    yield case("Subtract", (3,), SEQUENCE)
    yield case("Subtract", SEQUENCE, SEQUENCE, masks=[True, True])
    yield case("Concatenate", SEQUENCE, (4, 2))
    yield case("Concatenate", SEQUENCE, (2, 3), SEQUENCE, axis=1)
    yield case("Concatenate", IMAGE, IMAGE, axis=-2)
    yield case("Concatenate", SEQUENCE, (4, 2), masks=[True, True])
    yield case("Concatenate", SEQUENCE, (4, 2), masks=[True, False])
    yield case("Concatenate", SEQUENCE, (2, 3), masks=[True, True], axis=1)
    yield case("Concatenate", SEQUENCE, (2, 3), masks=[False, True], axis=1)
    for normalize in (False, True):
        yield case("Dot", (6,), (6,), axes=-1, normalize=normalize)
        yield case("Dot", SEQUENCE, (3,), axes=-1, normalize=normalize)
        yield case("Dot", SEQUENCE, SEQUENCE, axes=(1, 1), normalize=normalize)
        yield case("Dot", SEQUENCE, (2, 4), axes=(1, 2), normalize=normalize)
        yield case("Dot", SEQUENCE, (3, 2, 4), axes=(2, 1), normalize=normalize)
        yield case("Dot", (3,), SEQUENCE, axes=(1, 2), normalize=normalize)


def others():
    yield case("Embedding", (7,), input_dim=6, output_dim=3)
    yield case("Embedding", (2, 3), input_dim=6, output_dim=2, mask_zero=True)
    yield case("Masking", SEQUENCE)
    yield case("Masking", IMAGE, mask_value=1.5)
    yield case("Permute", IMAGE, dims=[3, 1, 2])
    yield case("RepeatVector", (3,), n=4)
    yield case("Rescaling", IMAGE, scale=0.5, offset=-1.0)
    yield case("Rescaling", SEQUENCE, scale=[1.0, 2.0, -3.0], offset=[0.0, 1.0, 2.0])
    yield case("ActivityRegularization", SEQUENCE, l1=0.1, l2=0.2)
    for name in ("GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D"):
        yield case(name, SEQUENCE, **{"stddev" if name == "GaussianNoise" else "rate": 0.3})
    yield case("SpatialDropout2D", IMAGE, rate=0.3)


def dense():
    yield case("EinsumDense", (6,), equation="ab,bc->ac", output_shape=4)
    yield case("EinsumDense", SEQUENCE, equation="abc,cd->abd", output_shape=[None, 5], bias_axes="d")
    yield case("EinsumDense", IMAGE, equation="...x,xy->...y", output_shape=2, bias_axes="y", activation="sigmoid")
    yield case("EinsumDense", IMAGE, equation="ab...,bc->ac...", output_shape=2, bias_axes="c")
    yield case("EinsumDense", IMAGE, equation="abcd,dce->abe", output_shape=[3, 4], bias_axes="be")
    yield case("EinsumDense", SEQUENCE, equation="abc,cde->aebd", output_shape=[3, None, 2], bias_axes="ed")
    yield case("EinsumDense", SEQUENCE, equation="abc,cd->ad", output_shape=[2], activation="softmax")
    yield case("EinsumDense", SEQUENCE, equation="abc,bcd->abd", output_shape=[4, 2], bias_axes="b")


def adaptive_poolings():
    for kind in ("Average", "Max"):
        for size in (1, 3, 4, 7):
            yield case(f"Adaptive{kind}Pooling1D", (5, 2), output_size=size)
        yield case(f"Adaptive{kind}Pooling2D", (5, 4, 2), output_size=3)
        yield case(f"Adaptive{kind}Pooling2D", (2, 5, 7), output_size=[2, 5], data_format="channels_first")
        yield case(f"Adaptive{kind}Pooling3D", (3, 4, 5, 2), output_size=[2, 4, 3])


def inputs(rng, made):
    """Random numbers; ties between the inputs and of single entries with 0; some steps of one value; indices."""
    if made["name"] == "Embedding":
        return [rng.integers(0, 6, (ROWS, *made["rows"][0]))]
    found = [rng.normal(size=(ROWS, *row)) for row in made["rows"]]
    for x in found:
        x[0, 0] = 0.5
        x.reshape(-1)[-1] = 0.0
    if made["name"] == "Masking":
        found[0][1:3, 1] = made["options"].get("mask_value", 0.0)
    return found


def set_weights(layer, rng):
    for variable in layer.weights:
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        else:
            variable.assign(rng.normal(size=variable.shape))


def numbers_of(number, made, arrays):
    rng = np.random.default_rng(number)
    layer = getattr(keras.layers, made["name"])(**made["options"])
    serialized = keras.layers.serialize(layer)
    xs = inputs(rng, made)
    masks = [rng.random(x.shape[:2]) < 0.7 if has else None for x, has in zip(xs, made["masks"], strict=True)]
    layer.build([x.shape for x in xs] if is_merge(layer) else xs[0].shape)
    layer.trainable = made["trainable"]
    set_weights(layer, rng)
    weights = [np.asarray(v.value) for v in layer.trainable_weights + layer.non_trainable_weights]

    def call(xs, trainable):
        tensors = [jnp.asarray(x) for x in xs]
        for tensor, mask in zip(tensors, masks, strict=True):
            if mask is not None:
                keras.src.backend.set_keras_mask(tensor, jnp.asarray(mask))
        state = [jnp.asarray(v.value) for v in layer.non_trainable_variables]
        options = {"training": made["training"]} if layer._call_has_training_arg else {}
        if made["name"] == "BatchNormalization":
            options["mask"] = None if masks[0] is None else jnp.asarray(masks[0])
        return layer.stateless_call(trainable, state, tensors if is_merge(layer) else tensors[0], **options)

    trainable = [jnp.asarray(v.value) for v in layer.trainable_variables]
    if xs[0].dtype.kind == "i":
        y, backward, moved = jax.vjp(lambda weights: call(xs, weights), trainable, has_aux=True)
    else:
        y, backward, moved = jax.vjp(call, xs, trainable, has_aux=True)
    *dxs, dws = backward(np.cos(np.arange(y.size)).reshape(y.shape))
    tensors = [jnp.asarray(x) for x in xs]
    if is_merge(layer):
        mask = layer.compute_mask(tensors, masks if any(m is not None for m in masks) else None)
    else:
        mask = layer.compute_mask(tensors[0], masks[0])
    lists = {"x": xs, "w": weights, "dx": dxs[0] if dxs else [], "dw": dws, "mask": masks}
    lists["moved"] = moved if made["training"] else []
    named = {f"{name} {k}": array for name, found in lists.items() for k, array in enumerate(found)}
    named |= {"y": y, "mask": mask}
    arrays.update({f"{number} {name}": np.asarray(array) for name, array in named.items() if array is not None})
    return {**made, "serialized": serialized}


def is_merge(layer):
    return isinstance(layer, keras.src.layers.merging.base_merge.Merge)


def main():
    arrays, cases = {}, []
    for made in (*normalizations(), *activations(), *merges(), *others(), *dense(), *adaptive_poolings()):
        cases.append(numbers_of(len(cases), made, arrays))
    packed.save(Path(__file__).with_name("core_layers.npz"), arrays, json.loads(json.dumps(cases)))


if __name__ == "__main__":
    main()
