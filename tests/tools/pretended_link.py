"""The link between pretended machines: TAP devices whose packets a program delays, holds back, drops, or cuts off.

Started by ``pretended_machines.py``, once there are network namespaces, as root. Links are told by lines of JSON on
standard input, the fields of ``Link``; each is answered by a line with the packets that went and that were lost, and
holds for all packets read from then on.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import dataclass, field

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_MOST_BYTES = 1 << 16
_DESTINATION = slice(0, 6)
"""Of an Ethernet frame; for all where the first bit on the wire is 1."""
_LONGEST_QUEUE_S = 0.25
"""What would wait longer for its turn is dropped, as by a router."""
_BURST = 64
"""Packets read from one device before the others have their turn."""


@dataclass(frozen=True)
class Link:
    """What every packet meets on its way.

    Args:
        delay_s: until it arrives, besides the time that its bits take.
        bits_per_s: of each machine's sending; 0 for no limit.
        loss: share of the packets that do not arrive.
        is_cut: none arrives.
    """

    delay_s: float = 0.0
    bits_per_s: float = 0.0
    loss: float = 0.0
    is_cut: bool = False


@dataclass
class Relay:
    """Carries packets between devices, by their addresses.

    Args:
        devices: hardware address of a machine, 6 bytes -> its device.
        seed: of the packets that are lost.
    """

    devices: dict[bytes, int]
    seed: int = 0
    link: Link = field(default_factory=Link)
    sent: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._free_at = dict.fromkeys(self.devices.values(), 0.0)
        self._under_way: list[tuple[float, int, int, bytes]] = []

    def run(self) -> None:
        """Carry packets until standard input ends."""
        sources = [*self.devices.values(), sys.stdin.fileno()]
        while True:
            wait = max(self._under_way[0][0] - time.monotonic(), 0.0) if self._under_way else None
            ready, _, _ = select.select(sources, [], [], wait)
            if sys.stdin.fileno() in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                self.link = Link(**json.loads(line))
                print(self.sent, self.lost, flush=True)
            for device in ready:
                if device != sys.stdin.fileno():
                    self._take(device)
            self._deliver()

    def _take(self, device: int) -> None:
        """Read what a machine has sent, and say when each packet arrives."""
        for _ in range(_BURST):
            try:
                packet = os.read(device, _MOST_BYTES)
            except BlockingIOError:
                return
            self.sent += 1
            now = time.monotonic()
            free_at = max(self._free_at[device], now)
            is_late = free_at - now > _LONGEST_QUEUE_S
            if self.link.is_cut or is_late or self._rng.random() < self.link.loss:
                self.lost += 1
                continue
            if self.link.bits_per_s:
                free_at += 8 * len(packet) / self.link.bits_per_s
            self._free_at[device] = free_at
            for receiver in self._receivers(device, packet):
                heapq.heappush(self._under_way, (free_at + self.link.delay_s, self.sent, receiver, packet))

    def _receivers(self, sender: int, packet: bytes) -> list[int]:
        if packet[0] & 1:
            return [device for device in self.devices.values() if device != sender]
        receiver = self.devices.get(packet[_DESTINATION])
        return [] if receiver is None else [receiver]

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._under_way and self._under_way[0][0] <= now:
            _, _, receiver, packet = heapq.heappop(self._under_way)
            try:
                os.write(receiver, packet)
            except OSError:  # the machine takes no more: a lost packet
                self.lost += 1


def device_in(process: int, name: str) -> int:
    """Make a TAP device in a process's network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{process}/ns/net", "rb") as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network of process {process}")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device


def main() -> None:
    """``pretended_link.py NAME ADDRESS=PROCESS...``: make the devices, say so by a line, and carry."""
    name, *machines = sys.argv[1:]
    devices = {}
    for machine in machines:
        address, _, process = machine.partition("=")
        devices[bytes.fromhex(address.replace(":", ""))] = device_in(int(process), name)
    print("ready", flush=True)
    Relay(devices).run()


if __name__ == "__main__":
    main()
