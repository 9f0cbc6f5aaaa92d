"""LLVM, and how much of its code stays in memory.

Its start reads 50 MB of its file, most of that for other CPUs and for what compiles. Loading compiled functions needs a
tenth of these.
"""

from __future__ import annotations

from llvmlite import binding as binding

from distnet.kernels.unmapping import unmap_code


def unmap_llvm() -> None:
    """Unmap what this process has read of LLVM's code; see ``unmap_code``."""
    unmap_code("libllvmlite", "libLLVM")
