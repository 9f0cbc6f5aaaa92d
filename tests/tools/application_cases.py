"""Applications and arguments that are compared with Keras's, and what is compared of them, without either package."""

import hashlib
import json
from functools import partial

import numpy as np

FAMILIES = {
    "VGG16": ["VGG19"],
    "ResNet50": ["ResNet101", "ResNet152"],
    "ResNet50V2": ["ResNet101V2", "ResNet152V2"],
    "Xception": [],
    "InceptionV3": [],
    "InceptionResNetV2": [],
    "MobileNet": [],
    "MobileNetV2": [],
    "MobileNetV3Small": ["MobileNetV3Large"],
    "DenseNet121": ["DenseNet169", "DenseNet201"],
    "NASNetMobile": ["NASNetLarge"],
    "EfficientNetB0": [f"EfficientNetB{i}" for i in range(1, 8)],
    "EfficientNetV2B0": [f"EfficientNetV2{kind}" for kind in ("B1", "B2", "B3", "S", "M", "L")],
    "ConvNeXtTiny": [f"ConvNeXt{kind}" for kind in ("Small", "Base", "Large", "XLarge")],
}
"""One of each family, and its siblings, which differ in their tables."""
USUAL = {"classes": 7, "classifier_activation": None}
FEATURES = {"include_top": False, "input_shape": (96, 96, 3), "pooling": "avg"}
UNKNOWN = {"include_top": False, "input_shape": (None, None, 3), "pooling": "max"}
_NARROW = [{"alpha": alpha, "input_shape": (64, 64, 3)} for alpha in (0.35, 0.5, 1.3)]
_UNSCALED = [{"include_preprocessing": False}, {"input_shape": (64, 64, 1)}]
_OWN = {
    "MobileNet": [*_NARROW, {"depth_multiplier": 2, "dropout": 0.3}],
    "MobileNetV2": _NARROW,
    "MobileNetV3Small": [*_NARROW, {"minimalistic": True}, {"include_preprocessing": False, "dropout_rate": 0}],
    "MobileNetV3Large": [{}, {"minimalistic": True}],
    "EfficientNetV2B0": _UNSCALED,
    "EfficientNetV2S": _UNSCALED,
    "ConvNeXtTiny": [_UNSCALED[0], {**_UNSCALED[1], "name": "x-y"}],
    "NASNetLarge": [FEATURES, UNKNOWN],
}

NUMBERS = {
    "VGG16": (32, {}),
    "ResNet50": (64, {}),
    "ResNet50V2": (64, {}),
    "Xception": (71, {}),
    "InceptionV3": (75, {}),
    "InceptionResNetV2": (75, {}),
    "MobileNet": (64, {"alpha": 0.25, "depth_multiplier": 2}),
    "MobileNetV2": (64, {"alpha": 0.35}),
    "MobileNetV3Small": (64, {"alpha": 0.5}),
    "MobileNetV3Large": (64, {"alpha": 0.35, "minimalistic": True}),
    "DenseNet121": (64, {}),
    "NASNetMobile": (64, {}),
    "EfficientNetB0": (64, {}),
    "EfficientNetV2B0": (64, {}),
    "EfficientNetV2S": (64, {}),
    "ConvNeXtTiny": (64, {}),
}
"""Which networks are run, on images of which size, with which arguments: normalization has several pixels.

With 32 pixels MobileNetV2 normalizes 4 values at its end.
"""
SIBLINGS = {
    "VGG19": (32, {}),
    **dict.fromkeys(("ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2"), (64, {})),
    **dict.fromkeys(("DenseNet169", "DenseNet201", "NASNetLarge"), (64, {})),
    **{f"EfficientNetB{number}": (64, {}) for number in range(1, 8)},
    **{f"EfficientNetV2{kind}": (64, {}) for kind in ("B1", "B2", "B3", "M", "L")},
    **{f"ConvNeXt{size}": (64, {}) for size in ("Small", "Base", "Large", "XLarge")},
}
"""The other networks of these families: the same blocks, more or wider."""
CLASSES, ROWS, STEPS, SQUARES = 5, 4, 3, 4


def layout_cases():
    """Names and arguments of networks whose layers are compared."""
    for name, siblings in FAMILIES.items():
        for options in (USUAL, {}, FEATURES, UNKNOWN, {"include_top": False}, *_OWN.get(name, [])):
            yield name, options
        for sibling in siblings:
            for options in (USUAL, *_OWN.get(sibling, [])):
                yield sibling, options


def layout(model):
    """A network's layers, in order: name, class, shape of the output, shapes of the weights."""
    return [
        [layer.name, type(layer).__name__, list(layer.output.shape), [list(w.shape) for w in layer.weights]]
        for layer in model.layers
    ]


def digest(model):
    """A number for the layers, equal where they are; their count, and that of the weights' entries."""
    text = json.dumps(layout(model))
    return [model.name, len(model.layers), model.count_params(), hashlib.sha256(text.encode()).hexdigest()[:16]]


def images(size, dtype="float32", rows=ROWS):
    """Pixels in [0, 255]."""
    return np.random.default_rng(1).uniform(0, 255, (rows, size, size, 3)).astype(dtype)


def pictures(size, rows, seed):
    """Pixels in [0, 255], in squares of one colour.

    Rows differ as a whole, too: normalization over them divides by how far they are apart.
    """
    squares = np.random.default_rng(seed).uniform(0, 255, (rows, SQUARES, SQUARES, 3))
    places = np.arange(size) * SQUARES // size
    return squares[:, places][:, :, places]


def labels(rows=ROWS):
    return np.arange(rows) % CLASSES


def round_scales(model):
    """The network, its pixels scaled by numbers as Keras on TensorFlow rounds them, in float64, too."""
    for layer in model.layers:
        if type(layer).__name__ == "Rescaling" and np.ndim(layer.scale) == 0:
            layer.scale = float(np.float32(layer.scale))
        if type(layer).__name__ == "Normalization" and hasattr(layer, "_given") and layer._given is not None:
            layer._given = tuple(each.astype(np.float32).astype(each.dtype) for each in layer._given)
    return model


def fill(model, keeps_kernels=False):
    """Give a network weights that depend on their shapes and order alone, of a size that keeps its numbers in range.

    Kernels may stay as they are.
    """
    rng = np.random.default_rng(2)
    round_scales(model)
    for layer in model.layers:
        names = [w.path.rpartition("/")[2] for w in layer.weights]
        values = [
            old if keeps_kernels and old.ndim > 1 else _value(rng, name, old.shape)
            for name, old in zip(names, layer.get_weights(), strict=True)
        ]
        if values:
            layer.set_weights(values)
        if type(layer).__name__ == "Normalization" and hasattr(layer, "finalize_state"):
            layer.finalize_state()  # Keras computes with what it read of the weights before


def _value(rng, name, shape):
    if name in ("gamma", "moving_variance", "variance"):
        return rng.uniform(0.8, 1.2, shape)
    if len(shape) < 2:
        return rng.uniform(-0.1, 0.1, shape)
    inputs = np.prod(shape[:2]) if "depthwise" in name or shape[-1] == 1 else np.prod(shape[:-1])
    return rng.standard_normal(shape) * np.sqrt(2 / inputs)


def without_dropout(model):
    """The network with all rates of dropout 0: both packages draw other masks."""
    for layer in model.layers:
        if type(layer).__name__ == "Dropout":
            layer.rate = 0.0
    return model


def headed(keras, base_of, is_frozen, jit_compile="auto", kernel_of=np.ones, rate=1e-3):
    """A new head on a network, ready for training; its kernel from its shape."""
    base = without_dropout(base_of())
    base.trainable = not is_frozen
    head = keras.layers.Dense(CLASSES, name="head")
    model = keras.Model(base.input, head(base.output))
    head.set_weights([kernel_of(head.kernel.shape), np.zeros(CLASSES)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss, jit_compile=jit_compile)
    return model


def losses_of_steps(model, x):
    history = model.fit(x, labels(len(x)), batch_size=len(x), epochs=STEPS, shuffle=False, verbose=0)
    return history.history["loss"]


def trained(keras, base_of, is_frozen, x, jit_compile="auto"):
    """Losses of some steps of a new head on a network, and its weights after them."""
    model = headed(keras, base_of, is_frozen, jit_compile)
    return losses_of_steps(model, x), model.get_weights()


def normalize_by(keras, model, x):
    """Let it normalize by the statistics of some images: its numbers stay near 1 in ``predict``, too.

    With those of other images than it is given, very deep networks of random weights magnify rounding to everything;
    so do those of a network that drops some of its numbers.
    """
    settings = {keras.layers.BatchNormalization: "momentum", keras.layers.Dropout: "rate"}
    changed = [(layer, name) for layer in model.layers for kind, name in settings.items() if isinstance(layer, kind)]
    before = [getattr(layer, name) for layer, name in changed]
    for layer, name in changed:
        setattr(layer, name, 0.0)
    model(x, training=True)
    for (layer, name), value in zip(changed, before, strict=True):
        setattr(layer, name, value)


def kernel_near_one(shape):
    """Logits near 1 from as many features near 1."""
    return np.random.default_rng(4).standard_normal(shape) / np.sqrt(shape[0])


def headed_near_one(keras, base_of, is_frozen, jit_compile="auto"):
    """With losses near 1, which the steps change little: behind many normalizations gradients are large."""
    return headed(keras, base_of, is_frozen, jit_compile, kernel_near_one, rate=1e-4 if is_frozen else 1e-7)


def numbers(keras, name, dtype, jit_compile="auto"):
    """What a network predicts, and learns in some steps, its base frozen and not, by name; of weights the sums."""
    keras.config.set_floatx(dtype)
    head, base = head_and_base(keras, name)
    x = images(NUMBERS[name][0], dtype)
    every = {"predicted": np.asarray(head().predict(x, verbose=0), np.float64)}
    for is_frozen in (True, False):
        losses, weights = trained(keras, base, is_frozen, x, jit_compile)
        how = "frozen" if is_frozen else "trained"
        every[f"losses, {how}"] = np.array(losses, np.float64)
        every[f"weights, {how}"] = np.array([np.sum(np.abs(w), dtype=np.float64) for w in weights])
    return every


def head_and_base(keras, name):
    """What makes the network with its classifier, and what makes it without; with the weights of ``fill``."""
    size, options = NUMBERS[name]
    shared = {"weights": None, "input_shape": (size, size, 3), **options}
    make = getattr(keras.applications, name)

    def filled(**more):
        keras.utils.clear_session()
        model = make(**shared, **more)
        fill(model)
        return model

    return partial(filled, classes=CLASSES), partial(filled, include_top=False, pooling="avg")
