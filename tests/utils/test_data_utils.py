"""get_file: downloads once, checks, unpacks; and the base of datasets made of batches."""

from __future__ import annotations

import gc
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from distnet.errors import ArgumentError, DatasetError
from distnet.utils import PyDataset, Sequence, get_file

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""pooch leaves it to the garbage collector to close its connections."""


def packed(kind, name="inner/a.txt"):
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, b"text")
    else:
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"text"))
    return stream.getvalue()


FILES = {
    "/data.csv": b"1,2\n",
    "/a.zip": packed("zip"),
    "/a.tar.gz": packed("tar"),
    "/evil.tar.gz": packed("tar", "../../evil.txt"),
    "/plain.tar.gz": b"no archive",
}


@pytest.fixture(scope="module")
def server():
    """A server on the loopback interface, and the requests it was sent."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            content = FILES.get(self.path.partition("?")[0])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            """Keep the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", requests
        listening.shutdown()
        thread.join()
    gc.collect()  # within these tests, which expect pooch's unclosed connections


@pytest.fixture
def site(server, tmp_path, monkeypatch):
    """The server's address and the requests of this test; the caches are empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISTNET_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("DISTNET_DATA", raising=False)
    server[1].clear()
    return server


def test_a_file_is_downloaded_once(site, tmp_path):
    url, requests = site
    for _ in range(2):
        path = get_file("pima.csv", f"{url}/data.csv")
        assert Path(path).read_bytes() == FILES["/data.csv"]
    assert path == str(tmp_path / "cache" / "datasets" / "pima.csv")
    assert requests == ["/data.csv"]
    get_file("pima.csv", f"{url}/data.csv", force_download=True)
    assert len(requests) == 2


def test_it_is_kept_where_the_caller_wants_it(site, tmp_path):
    url, _ = site
    path = get_file(origin=f"{url}/data.csv?raw=1", cache_dir=tmp_path / "mine", cache_subdir="sub")
    assert path == str(tmp_path / "mine" / "sub" / "data.csv")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_checksum_is_checked(site, algorithm):
    url, _ = site
    good = hashlib.new(algorithm, FILES["/data.csv"]).hexdigest()
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        get_file("a.csv", f"{url}/data.csv", file_hash=good[::-1])
    assert Path(get_file("a.csv", f"{url}/data.csv", file_hash=good)).exists()


def test_a_missing_file_is_told(site):
    url, _ = site
    with pytest.raises(DatasetError, match="404"):
        get_file("b.csv", f"{url}/nothing.csv")


@pytest.mark.parametrize(
    ("name", "options", "folder"),
    [
        ("a.zip", {"extract": True}, "a_extracted"),
        ("a.tar.gz", {"untar": True}, "a_extracted"),
        (None, {"extract": True}, "a.tar.gz"),
    ],
)
def test_an_archive_is_unpacked(site, name, options, folder):
    url, _ = site
    for _ in range(2):
        path = Path(get_file(name, f"{url}/{name or 'a.tar.gz'}", **options))
        assert path.name == folder
        assert (path / "inner" / "a.txt").read_bytes() == b"text"


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file of this machine, in a folder whose name a URL spells otherwise."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISTNET_HOME", str(tmp_path / "cache"))
    path = tmp_path / "a folder" / "data.csv"
    path.parent.mkdir()
    path.write_bytes(b"1,2\n")
    return path


def test_a_file_of_this_machine_is_copied_once(source):
    path = Path(get_file("mine.csv", source.as_uri()))
    assert path.name == "mine.csv"
    assert path.read_bytes() == b"1,2\n"
    source.write_bytes(b"3\n")
    assert Path(get_file("mine.csv", source.as_uri())).read_bytes() == b"1,2\n"
    assert Path(get_file("mine.csv", source.as_uri(), force_download=True)).read_bytes() == b"3\n"


def test_a_file_of_this_machine_is_checked(source, tmp_path):
    good = hashlib.sha256(b"1,2\n").hexdigest()
    for options in ({}, {"force_download": True}):
        with pytest.raises(DatasetError, match=f"its sha256 checksum is {good}, expected {good[::-1]}"):
            get_file("bad.csv", source.as_uri(), file_hash=good[::-1], **options)
    assert [path.name for path in (tmp_path / "cache" / "datasets").iterdir()] == []
    assert Path(get_file("good.csv", source.as_uri(), file_hash=good)).exists()
    for options in ({}, {"force_download": True}):
        with pytest.raises(DatasetError, match=r"nothing\.csv"):
            get_file(origin=(source.parent / "nothing.csv").as_uri(), **options)


def test_an_archive_of_this_machine_is_unpacked(source):
    archive = source.with_name("a.zip")
    archive.write_bytes(FILES["/a.zip"])
    path = Path(get_file("a.zip", archive.as_uri(), extract=True))
    assert (path / "inner" / "a.txt").read_bytes() == b"text"


@pytest.mark.parametrize("name", ["evil.tar.gz", "plain.tar.gz"])
def test_an_archive_that_cannot_be_trusted_leaves_nothing(site, tmp_path, name):
    url, _ = site
    with pytest.raises(DatasetError, match=name):
        get_file(name, f"{url}/{name}", extract=True)
    assert not list(tmp_path.rglob("evil.txt"))
    assert not list(tmp_path.rglob("*_extracted"))


def test_wrong_arguments_are_refused():
    with pytest.raises(ArgumentError, match="expected origin"):
        get_file("a.csv")
    with pytest.raises(ArgumentError, match="a name without folders"):
        get_file("folder/a.csv", "http://127.0.0.1/a.csv")
    with pytest.raises(ArgumentError, match="at most 200 bytes"):
        get_file("x" * 300, "http://127.0.0.1/a.csv")
    for name in ("..", ".", "a\0b"):
        with pytest.raises(ArgumentError, match="a name without folders"):
            get_file(name, "http://127.0.0.1/a.csv")
    with pytest.raises(ArgumentError, match="hash_algorithm"):
        get_file("a.csv", "http://127.0.0.1/a.csv", hash_algorithm="crc")


def test_a_dataset_of_batches_can_be_walked_through():
    class Squares(PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index**2

    squares = Squares(workers=4, use_multiprocessing=True)
    assert list(squares) == [0, 1, 4]
    assert (squares.num_batches, squares.workers, squares.max_queue_size) == (3, 4, 10)
    assert Sequence is PyDataset


def test_a_dataset_that_does_not_call_its_base_has_the_defaults():
    class Careless(PyDataset):
        def __init__(self):
            pass

        def __len__(self):
            return 0

        def __getitem__(self, index):
            raise IndexError

    assert (Careless().workers, Careless().use_multiprocessing) == (1, False)
