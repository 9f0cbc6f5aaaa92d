"""Layers that merge several inputs into one, and their function forms."""

from __future__ import annotations

from distnet.layers.merging.arithmetic import Add as Add
from distnet.layers.merging.arithmetic import Average as Average
from distnet.layers.merging.arithmetic import Multiply as Multiply
from distnet.layers.merging.arithmetic import Subtract as Subtract
from distnet.layers.merging.arithmetic import add as add
from distnet.layers.merging.arithmetic import average as average
from distnet.layers.merging.arithmetic import multiply as multiply
from distnet.layers.merging.arithmetic import subtract as subtract
from distnet.layers.merging.concatenation import Concatenate as Concatenate
from distnet.layers.merging.concatenation import concatenate as concatenate
from distnet.layers.merging.extremes import Maximum as Maximum
from distnet.layers.merging.extremes import Minimum as Minimum
from distnet.layers.merging.extremes import maximum as maximum
from distnet.layers.merging.extremes import minimum as minimum
from distnet.layers.merging.products import Dot as Dot
from distnet.layers.merging.products import dot as dot
