"""Keras's layers."""

from __future__ import annotations

from distnet.layers.activation import Activation as Activation
from distnet.layers.base import LAYERS as LAYERS
from distnet.layers.base import Layer as Layer
from distnet.layers.dense import Dense as Dense
from distnet.layers.dropout import Dropout as Dropout
from distnet.layers.input_layer import Input as Input
from distnet.layers.input_layer import InputLayer as InputLayer
from distnet.layers.reshaping import Flatten as Flatten
from distnet.layers.reshaping import Reshape as Reshape
