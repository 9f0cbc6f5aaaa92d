"""Gradients of the gradients of built-in layers, as a penalty of a gradient needs them.

A layer whose gradient is followed is computed once more by its definition here, written with functions of ``ops``. An
affine layer without weights needs none: the gradient of its gradient is the layer again.
"""

from __future__ import annotations

from distnet.layers.second_derivatives import affine as affine
from distnet.layers.second_derivatives import attended as attended
from distnet.layers.second_derivatives import images as images
from distnet.layers.second_derivatives import normalized as normalized
from distnet.layers.second_derivatives import over_steps as over_steps
from distnet.layers.second_derivatives import pointwise as pointwise
from distnet.layers.second_derivatives import pooled as pooled
from distnet.layers.second_derivatives import spectrograms as spectrograms
from distnet.layers.second_derivatives import weighted as weighted
from distnet.layers.second_derivatives import wrapped as wrapped
