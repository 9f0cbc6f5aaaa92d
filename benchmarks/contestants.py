"""Who competes: distnet in its configurations, and its peers, which may live in another Python."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from measuring import HERE, OF_THREADS, Contestant, cores

RUN = HERE.parent / "launch" / "run.sh"
ONE_THREAD = {
    **dict.fromkeys(OF_THREADS, "1"),
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
"""Keeps any contestant to one thread."""


@dataclass(frozen=True)
class Peer:
    """Another framework, or distnet with dense layers as its users write them.

    Args:
        script: its program, with options.
        packages: what it needs from PyPI.
        backend: Keras's, where it is Keras.
        processes: how many it starts.
    """

    script: tuple[str, ...]
    packages: tuple[str, ...]
    backend: str = ""
    processes: int = 1


_KERAS = ("fit.py", "--framework", "keras")
PEERS = {
    "torch": Peer(("torch_loop.py",), ("torch",)),
    "torch-ddp": Peer(("torch_loop.py", "--processes", "2"), ("torch",), processes=2),
    "keras-jax": Peer(_KERAS, ("keras", "jax"), "jax"),
    "keras-tensorflow": Peer(_KERAS, ("keras", "tensorflow"), "tensorflow"),
    "keras-torch": Peer(_KERAS, ("keras", "torch"), "torch"),
    "own-layers": Peer(("fit.py", "--framework", "distnet", "--own-layers"), ("distnet",)),
}


def distnet(ranks: int, arguments: Sequence[str], is_one_thread: bool = False) -> Contestant:
    """distnet: started plainly where it is one rank, else by launch/run.sh. It takes the threads it takes by itself."""
    start = [sys.executable] if ranks == 1 else [str(RUN), "-n", str(ranks)]
    name = f"distnet, {ranks} rank{'s' if ranks > 1 else ''}{', 1 thread' if is_one_thread else ''}"
    command = [*start, str(HERE / "fit.py"), "--framework", "distnet", *arguments]
    return Contestant(name, command, {"PYTHON": sys.executable, **(ONE_THREAD if is_one_thread else {})}, ranks)


def peer(name: str, python: str, arguments: Sequence[str], is_one_thread: bool = False) -> Contestant:
    """A peer, with the threads it takes by itself."""
    chosen = PEERS[name]
    script, *own = chosen.script
    environment = {"KERAS_BACKEND": chosen.backend} if chosen.backend else {}
    python = sys.executable if "distnet" in chosen.packages else python
    return Contestant(
        f"{name}{', 1 thread' if is_one_thread else ''}",
        [python, str(HERE / script), *own, *arguments],
        {**environment, **(ONE_THREAD if is_one_thread else {})},
        chosen.processes,
    )


def add_peers(parser: argparse.ArgumentParser, names: Iterable[str] = tuple(PEERS)) -> None:
    """The options that choose them."""
    parser.add_argument("--peer", nargs="+", action="extend", choices=list(names), default=[], metavar="PEER",
                        help=f"beside whom: {', '.join(names)}")  # fmt: skip
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has the peers (default: this)")


def chosen_peers(options: argparse.Namespace) -> list[str]:
    """The peers of the command line, once their packages are seen to be there.

    Raises:
        SystemExit: a package is missing.
    """
    for name in options.peer:
        packages = PEERS[name].packages
        for package in () if "distnet" in packages else packages:
            find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
            if subprocess.run([options.peer_python, "-c", find], check=False).returncode:
                raise SystemExit(
                    f"--peer {name} needs the package {package!r} in {options.peer_python}: "
                    f"pip install {' '.join(packages)}, or name another Python with --peer-python."
                )
    return list(dict.fromkeys(options.peer))


def machine(rounds: int) -> str:
    """What every table says at its top."""
    return f"{cores()} cores, {rounds} round{'s' if rounds > 1 else ''}"
