from __future__ import annotations

import gc
import hashlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distnet.comm import LocalCommunicator
from distnet.datasets import fetch
from distnet.datasets.fetch import RemoteFile, cache_folder, obtain, on_one_rank_first, on_one_rank_only
from distnet.errors import DatasetError


def test_a_file_is_downloaded_once_and_then_found_in_the_cache(server, home):
    first = obtain(server.remote(), "small.npz")
    assert first == home / ".cache" / "distnet" / "datasets" / "small.npz"
    assert first.read_bytes() == server.content
    assert obtain(server.remote(), "small.npz") == first
    assert len(server.requests) == 1


def test_distnet_home_moves_the_cache(server, home, monkeypatch):
    monkeypatch.setenv("DISTNET_HOME", str(home / "elsewhere"))
    assert obtain(server.remote(), "small.npz") == home / "elsewhere" / "datasets" / "small.npz"


def test_an_absolute_path_keeps_the_file_there(server, home):
    assert obtain(server.remote(), home / "kept" / "mine.npz") == home / "kept" / "mine.npz"


def test_the_cache_of_keras_is_used_where_its_checksum_is_right(server, home):
    of_keras = home / ".keras" / "datasets" / "small.npz"
    of_keras.parent.mkdir(parents=True)
    of_keras.write_bytes(server.content)
    assert obtain(server.remote(), "small.npz") == of_keras
    assert server.requests == []


def test_a_damaged_file_of_keras_is_left_alone_and_a_download_made(server, home):
    of_keras = home / ".keras" / "datasets" / "small.npz"
    of_keras.parent.mkdir(parents=True)
    of_keras.write_bytes(b"damaged")
    assert obtain(server.remote(), "small.npz") == cache_folder() / "small.npz"
    assert of_keras.read_bytes() == b"damaged"


def test_a_damaged_file_in_the_cache_is_replaced(server):
    cache_folder().mkdir(parents=True)
    (cache_folder() / "small.npz").write_bytes(b"damaged")
    assert obtain(server.remote(), "small.npz").read_bytes() == server.content


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pooch drops a broken response unclosed
@pytest.mark.parametrize("path", ["missing.npz", "truncated.npz", "corrupt.npz", "stalled.npz"])
def test_a_failed_download_leaves_no_file_and_says_what_was_tried(server, home, monkeypatch, path):
    monkeypatch.setattr(fetch, "_READ_S", 0.2)
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))
    started = time.monotonic()
    with pytest.raises(DatasetError) as caught:
        obtain(server.remote(path), "small.npz")
    assert time.monotonic() - started < 5
    assert len(server.requests) == 1
    assert list(cache_folder().iterdir()) == []
    for part in (
        f"{home / 'data' / 'small'} (from DISTNET_DATA): no such folder",
        f"{cache_folder() / 'small.npz'}: no such file",
        f"{home / '.keras' / 'datasets' / 'small.npz'}: no such file",
        f"{server.url}/{path}: ",
        "Set the environment variable DISTNET_DATA",
    ):
        assert part in str(caught.value)
    del caught
    gc.collect()


def test_without_a_network_the_message_names_the_reason():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(DatasetError, match=r"(?s)DISTNET_DATA: not set.*refused.*Set the environment variable"):
            obtain(RemoteFile("small", f"http://127.0.0.1:{port}/x.npz", "0" * 64), "small.npz")


def test_a_cache_that_cannot_be_written_is_a_dataset_error(server, home, monkeypatch):
    (home / "file").write_bytes(b"")
    monkeypatch.setenv("DISTNET_HOME", str(home / "file"))
    with pytest.raises(DatasetError, match=r"small: not found on this machine"):
        obtain(server.remote(), "small.npz")


class Node:
    """Ranks as threads: as much of a communicator as ``on_one_rank_first`` uses."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.barrier = threading.Barrier(size, timeout=10)
        self.values: dict[int, Any] = {}
        self.here = threading.local()

    def run(self, program: Callable[[int], Any]) -> list[Any]:
        results: dict[int, Any] = {}

        def rank(number: int) -> None:
            self.here.communicator = Rank(self, number)
            try:
                results[number] = program(number)
            except DatasetError as error:
                results[number] = error

        ranks = [threading.Thread(target=rank, args=(number,)) for number in range(self.size)]
        for thread in ranks:
            thread.start()
        for thread in ranks:
            thread.join()
        return [results[number] for number in range(self.size)]


class Rank(LocalCommunicator):
    def __init__(self, node: Node, number: int) -> None:
        super().__init__(rank=number, size=node.size, local_rank=number, local_size=node.size)
        self.node = node

    def allgather_object(self, value: Any) -> list[Any]:
        self.node.values[self.rank] = value
        self.node.barrier.wait()
        gathered = [self.node.values[number] for number in range(self.size)]
        self.node.barrier.wait()
        return gathered


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    node = Node(3)
    monkeypatch.setattr(fetch, "world", lambda: node.here.communicator)
    return node


def test_one_rank_of_a_node_loads_before_the_others(node):
    order: list[int] = []

    def program(number: int) -> int:
        return on_one_rank_first(lambda: order.append(number) or number)  # type: ignore[func-returns-value]

    assert node.run(program) == [0, 1, 2]
    assert order[0] == 0
    assert sorted(order) == [0, 1, 2]


def test_ranks_that_cannot_share_memory_load_by_themselves(node):
    assert node.run(lambda number: on_one_rank_only(lambda: number)) == [0, 1, 2]


@pytest.mark.parametrize("on_ranks", [on_one_rank_first, on_one_rank_only])
@pytest.mark.parametrize("failing", [0, 2])
@pytest.mark.parametrize("error", [DatasetError("no luck"), RuntimeError("a bug")])
def test_a_failure_on_one_rank_is_raised_on_all(node, failing, error, on_ranks):
    def load(number: int) -> int:
        if number == failing:
            raise error
        return number

    results = node.run(lambda number: on_ranks(lambda: load(number)))
    assert all(isinstance(result, DatasetError) for result in results)
    assert len({str(result) for result in results}) == 1
    assert str(error) in str(results[0])


def test_the_rank_that_failed_keeps_its_own_error_as_the_cause(home: Path):
    def load() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(DatasetError, match="RuntimeError: a bug") as caught:
        on_one_rank_first(load)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_md5_checksum_is_told_by_its_length_and_checked(server, home):
    good = server.hand_out("index.json", b"{}", "md5")
    assert good.algorithm == "md5"
    assert obtain(good, "index.json").read_bytes() == b"{}"
    other = RemoteFile("small", good.url, hashlib.md5(b"[]").hexdigest())
    with pytest.raises(DatasetError, match="its checksum is wrong"):
        obtain(other, "index.json")
