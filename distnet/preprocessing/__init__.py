"""Images and sequences made ready for training, by Keras's names."""

from __future__ import annotations

from distnet.preprocessing import image as image
from distnet.preprocessing import sequence as sequence
from distnet.preprocessing import text as text
