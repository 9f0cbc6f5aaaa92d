"""tf.keras's path of layers that were new once: any layer is found."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["layers"])
