"""Several machines, pretended on one: namespaces of their own, joined by a link that may be slow, lossy or cut.

    python tests/tools/pretended_machines.py --delay 0.01 --rate 1e8 --loss 0.01 mpirun -n 2 python train.py

Each has its network, processes, host's name and /dev/shm, but the same files. Needs root, unshare and /dev/net/tun.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pretended_link import Link

HERE = Path(__file__).parent
_DEVICE = "link0"
_NETWORK = "10.77.0."
_OF_FIRST = ("--net", "--uts", "--ipc", "--mount")
"""Its processes are among those of this machine: from a namespace of processes none beside it can be entered."""
_KINDS = (*_OF_FIRST, "--pid")
_ENDS = ("--fork", "--kill-child")
_QUEUE_PACKETS = 5000
"""What a device holds until the program that carries its packets has its turn."""
_BEGIN = """
hostname {name}; mount --make-rprivate /; mount -t proc proc /proc; mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /dev/shm; mount --bind {hosts} /etc/hosts; ip link set lo up; exec sleep 100000
"""
"""Its link is listed in its own /sys, where UCX looks for it."""
_REMOTE_SHELL = """#!/bin/sh
# Stands for ssh: [options] HOST COMMAND...
while [ "${1#-}" != "$1" ]; do shift; done
machine=${1##*.}; machine=${machine#node}; shift
exec nsenter -t "$(cat "{folder}/$machine")" {kinds} sh -c "$*"
"""


def reason_not_to() -> str:
    """Why machines cannot be pretended here; empty if they can."""
    if os.geteuid() != 0:
        return "needs root"
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))) or not os.path.exists("/dev/net/tun"):
        return "needs unshare, nsenter, ip and /dev/net/tun"
    tried = subprocess.run(["unshare", *_KINDS, *_ENDS, "true"], capture_output=True, check=False)
    return "needs namespaces" if tried.returncode else ""


class PretendedMachines:
    """Machines that end with the block; ``link`` says what their packets meet.

    Args:
        count: how many.
        packet_bytes: the largest packet, headers included. Programs that carry large ones keep up with faster links.
    """

    def __init__(self, count: int = 2, packet_bytes: int = 1500) -> None:
        self.count, self.packet_bytes = count, packet_bytes
        self.hosts = [f"{_NETWORK}{i + 1}" for i in range(count)]

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="pretended-")
        self.folder = Path(self._temporary.name)
        names = [f"{address} node{i + 1}" for i, address in enumerate(self.hosts)]
        (self.folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names, ""]))
        shell = self.folder / "remote_shell"
        shell.write_text(_REMOTE_SHELL.replace("{folder}", str(self.folder)).replace("{kinds}", " ".join(_KINDS)))
        shell.chmod(shell.stat().st_mode | stat.S_IXUSR)
        self._started = [self._machine(i + 1) for i in range(self.count)]
        self.processes = [int((self.folder / str(i + 1)).read_text()) for i in range(self.count)]
        hardware = [f"02:00:00:00:00:{i + 1:02x}" for i in range(self.count)]
        told = [f"{address}={process}" for address, process in zip(hardware, self.processes, strict=True)]
        self._relay = subprocess.Popen(
            [sys.executable, str(HERE / "pretended_link.py"), _DEVICE, *told],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()
        for address, own, process in zip(self.hosts, hardware, self.processes, strict=True):
            options = ("address", own, "mtu", str(self.packet_bytes), "txqueuelen", str(_QUEUE_PACKETS))
            self._inside(process, "ip", "link", "set", _DEVICE, *options, "up")
            self._inside(process, "ip", "addr", "add", f"{address}/24", "dev", _DEVICE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._relay, *self._started):
            process.kill()
            process.communicate()
        self._temporary.cleanup()

    def link(self, link: Link) -> tuple[int, int]:
        """Let every packet meet this from now on; how many went until now, and how many of them were lost."""
        assert self._relay.stdin is not None
        print(json.dumps(dataclasses.asdict(link)), file=self._relay.stdin, flush=True)
        sent, lost = map(int, self._answer().split())
        return sent, lost

    def launcher(self, mpirun: tuple[str, ...], ranks: int) -> tuple[str, ...]:
        """What starts ranks on all machines alike, from the first one, given what starts them on this machine."""
        shell, each = str(self.folder / "remote_shell"), ranks // self.count
        if "--oversubscribe" in mpirun:
            hosts = ",".join(f"{host}:{each}" for host in self.hosts)
            options = ["--prtemca", "plm_ssh_agent", shell, "--prtemca", "prte_tmpdir_base", str(self.folder)]
            options += ["--map-by", f"ppr:{each}:node", "--host", hosts]
        else:
            options = ["-launcher", "ssh", "-launcher-exec", shell, "-hosts", ",".join(self.hosts), "-ppn", str(each)]
        return (*self.entered, *mpirun, *options, "-n", str(ranks))

    @property
    def entered(self) -> tuple[str, ...]:
        """What starts a command on the first machine."""
        return ("nsenter", "-t", str(self.processes[0]), *_OF_FIRST)

    @property
    def settings(self) -> dict[str, str]:
        """Variables by which MPI's launchers, started there by others, reach the other machines."""
        shell = str(self.folder / "remote_shell")
        hydra = {"HYDRA_LAUNCHER": "ssh", "HYDRA_LAUNCHER_EXEC": shell}
        return {"PRTE_MCA_plm_ssh_agent": shell, "PRTE_MCA_prte_tmpdir_base": str(self.folder), **hydra}

    def _machine(self, number: int) -> subprocess.Popen[bytes]:
        text = _BEGIN.format(name=f"node{number}", hosts=self.folder / "hosts")
        process = subprocess.Popen(
            ["unshare", *(_OF_FIRST if number == 1 else _KINDS), *_ENDS, "sh", "-ec", text], stderr=subprocess.PIPE
        )
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 10
        while not (inside := children.read_text().split()) or not _sleeps(inside[0]):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"a machine cannot be pretended: {process.communicate()[1].decode()}")
            time.sleep(0.01)
        (self.folder / str(number)).write_text(inside[0])
        return process

    def _inside(self, process: int, *command: str) -> None:
        subprocess.run(["nsenter", "-t", str(process), "-n", *command], check=True)

    def _answer(self) -> str:
        assert self._relay.stdout is not None
        line = self._relay.stdout.readline()
        if not line:
            raise SystemExit(f"the pretended link has ended with {self._relay.wait()}")
        return line


def _sleeps(process: str) -> bool:
    """Whether a machine's first process has set it up."""
    return Path(f"/proc/{process}/comm").read_text() == "sleep\n"


def main() -> int:
    """Run a command of MPI's on two machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds")
    parser.add_argument("--rate", type=float, default=0.0, help="bits a second; 0 for no limit")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="as on one machine: mpirun [...] -n RANKS ...")
    options = parser.parse_args()
    at = options.command.index("-n")
    with PretendedMachines() as machines:
        machines.link(Link(options.delay, options.rate, options.loss))
        ranks, program = int(options.command[at + 1]), options.command[at + 2 :]
        return subprocess.run(
            [*machines.launcher(tuple(options.command[:at]), ranks), *program], check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
