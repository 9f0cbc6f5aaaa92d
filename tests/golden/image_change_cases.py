"""Layers that change images, their options, and what of a batch they change: cases of ``image_changes.npz``."""

import numpy as np

FIRST = "channels_first"
HEIGHT, WIDTH = 9, 12
ALONE, PAIRS, ALL = ("images",), ("images", "labels"), ("images", "labels", "segmentation_masks")

CASES = [
    ("AutoContrast", {}, ALL),
    ("Solarization", {"addition_factor": 0.4, "threshold_factor": (0.1, 0.6)}, ALL),
    ("RandomPosterization", {"factor": (2, 7)}, ALL),
    ("RandomPosterization", {"factor": (3, 3)}, ALL),
    ("RandomColorDegeneration", {"factor": 0.8}, ALL),
    ("RandomHue", {"factor": 0.9}, ALL),
    ("RandomSaturation", {"factor": (0.1, 0.5)}, ALL),
    ("RandomGrayscale", {"factor": 0.5}, ALONE),
    ("RandomInvert", {"factor": 0.9}, ALL),
    ("RandomGaussianBlur", {"factor": (0.6, 1.0), "kernel_size": (3, 5), "sigma": (0.2, 0.9)}, ALL),
    ("RandomSharpness", {"factor": (0.1, 0.9)}, ALL),
    ("RandomErasing", {"factor": (0.6, 1.0)}, ALL),
    ("RandomErasing", {"fill_value": 100.0, "scale": (0.1, 0.6)}, ALL),
    ("Equalization", {}, ALL),
    ("Equalization", {"bins": 32}, ALL),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 2)}, ALONE),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 0, "tile_grid_size": (2, 5)}, ALONE),
    ("RandomShear", {"x_factor": 0.5, "y_factor": (0.1, 0.4)}, ALL),
    ("RandomShear", {"x_factor": 0.5, "fill_mode": "constant", "fill_value": 7.0, "interpolation": "nearest"}, ALL),
    ("RandomFlip", {}, ALL),
    ("RandomRotation", {"factor": 0.3}, ALL),
    ("RandomZoom", {"height_factor": 0.3}, ALL),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "wrap"}, ALL),
    ("RandomContrast", {"factor": 0.4}, ALL),
    ("RandomCrop", {"height": 5, "width": 7}, ALL),
    ("CenterCrop", {"height": 5, "width": 7}, ALL),
    ("Resizing", {"height": 5, "width": 7}, ALL),
    ("RandomBrightness", {"factor": (-0.4, 0.3)}, ALL),
    (
        "RandomColorJitter",
        {"brightness_factor": 0.3, "contrast_factor": 0.4, "saturation_factor": (0.1, 0.6), "hue_factor": 0.4},
        ALL,
    ),
    ("RandomPerspective", {"factor": (0.5, 1.0), "scale": 0.7, "fill_value": 9.0}, ALL),
    ("RandomPerspective", {"interpolation": "nearest", "scale": 0.4}, ALL),
    ("RandomElasticTransform", {"factor": (0.6, 1.0)}, ALL),
    ("RandomElasticTransform", {"scale": 0.9, "fill_mode": "constant", "fill_value": 5.0}, ALL),
    ("MixUp", {"alpha": 0.7}, PAIRS),
    ("CutMix", {"factor": (0.3, 0.9)}, PAIRS),
    ("RandAugment", {"num_ops": 4}, ALL),
    ("RandAugment", {"num_ops": 5, "factor": (0.2, 0.9), "interpolation": "nearest"}, ALL),
    ("AugMix", {}, ALL),
    ("AugMix", {"num_chains": 2, "chain_depth": 4, "all_ops": False, "alpha": 2.0, "factor": 0.6}, ALL),
]
NOT_FIRST = ("RandomColorJitter",)
"""Layers that fail over channels first in Keras."""
NOT_OF_INTEGERS = ("RandomBrightness", "RandomSaturation", "RandomElasticTransform")
"""Layers that fail over integers in Keras, or compute in their type."""
OF_BATCHES = ("CutMix", "RandAugment", "AugMix", "RandomElasticTransform", "RandomCrop", "RandomGaussianBlur")
"""Layers that draw something for the whole batch."""
CALLS, ROWS = 400, 2000
"""How often such layers draw, and for how many rows the others do at once, where what they draw is counted."""
SHARES = np.linspace(0.05, 0.95, 10)
"""What part of all draws lies below the numbers that are kept."""


def parameters(drawn, names=()):
    """The numbers in what was drawn, in one row, by their names; of a layer's name its letters' sum."""
    if isinstance(drawn, dict):
        for name, part in drawn.items():
            yield from parameters(part, (*names, name))
    elif isinstance(drawn, list | tuple) and any(isinstance(part, dict | list | tuple) for part in drawn):
        for part in drawn:
            yield from parameters(part, names)
    elif isinstance(drawn, str):
        yield "/".join(names), np.array([float(sum(map(ord, drawn)))])
    elif drawn is not None and np.size(drawn):
        yield "/".join(names), np.asarray(drawn, np.float64).ravel()


def joined_parameters(draws):
    """The same of several draws, joined."""
    joined = {}
    for drawn in draws:
        for name, numbers in parameters(drawn):
            joined.setdefault(name, []).append(numbers)
    return {name: np.concatenate(parts) for name, parts in joined.items()}


def drawn_often(layer, name, draw):
    """All numbers that a layer draws, by name.

    Args:
        draw: what draws for images, with the layer.
    """
    calls, rows = (CALLS, 2) if name in OF_BATCHES else (1, ROWS)
    images = np.zeros((rows, HEIGHT, WIDTH, 3), "float32")
    return joined_parameters(draw(layer, images) for _ in range(calls))
