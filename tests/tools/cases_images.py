"""Cases of the layers of images, for the contract: class, row, dynamic row, options."""

ODD, EVEN, ANY = (5, 4, 2), (4, 6, 1), (None, None, 2)
RANGE = {"value_range": (-1.0, 1.0)}
FIRST = {"data_format": "channels_first"}

CASES = [
    ("RandomFlip", ODD, ANY, {}),
    ("RandomFlip", EVEN, EVEN, {"mode": "horizontal", "seed": 3}),
    ("RandomFlip", ODD, ANY, {"mode": "vertical"}),
    ("RandomRotation", ODD, ANY, {"factor": 0.2}),
    ("RandomRotation", EVEN, EVEN, {"factor": (-0.3, 0.1), "fill_mode": "constant", "fill_value": 0.0}),
    ("RandomZoom", ODD, ANY, {"height_factor": 0.4}),
    ("RandomZoom", EVEN, EVEN, {"height_factor": 0.4, "width_factor": (-0.2, 0.5), "fill_mode": "wrap"}),
    ("RandomTranslation", ODD, ANY, {"height_factor": 0.4, "width_factor": (-0.2, 0.5), "fill_mode": "nearest"}),
    ("RandomTranslation", EVEN, EVEN, {"height_factor": 0.4, "width_factor": 0.1, "interpolation": "nearest"}),
    ("RandomContrast", ODD, ANY, {"factor": 0.5, **RANGE}),
    ("RandomContrast", EVEN, EVEN, {"factor": (0.2, 0.9), "seed": 4}),
    ("RandomBrightness", ODD, ANY, {"factor": 0.2, **RANGE}),
    ("RandomCrop", ODD, ANY, {"height": 3, "width": 2}),
    ("RandomCrop", EVEN, EVEN, {"height": 5, "width": 3}),
    ("CenterCrop", ODD, ANY, {"height": 3, "width": 2}),
    ("CenterCrop", EVEN, EVEN, {"height": 6, "width": 3}),
    ("Resizing", ODD, ANY, {"height": 3, "width": 6}),
    ("Resizing", EVEN, EVEN, {"height": 3, "width": 3, "crop_to_aspect_ratio": True, "interpolation": "bicubic"}),
    ("Resizing", EVEN, EVEN, {"height": 3, "width": 3, "pad_to_aspect_ratio": True, "antialias": True}),
    ("RandomFlip", (2, 5, 4), (2, None, None), {"mode": "vertical", **FIRST}),
    ("RandomRotation", (2, 5, 4), (2, None, 4), {"factor": 0.2, **FIRST}),
    ("RandomContrast", (2, 5, 4), (2, None, None), {"factor": 0.5, **RANGE, **FIRST}),
    ("RandomCrop", (2, 5, 4), (2, None, None), {"height": 3, "width": 2, **FIRST}),
    ("CenterCrop", (2, 5, 4), (2, None, None), {"height": 3, "width": 2, **FIRST}),
    ("Resizing", (2, 5, 4), (2, None, 4), {"height": 3, "width": 6, **FIRST}),
]
