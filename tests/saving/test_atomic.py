"""A file is replaced whole or not at all, whatever fails; the older ones that are kept stand, too."""

import errno
import fcntl
import io
import os
import stat
import subprocess
import sys

import h5py
import pytest

from distnet import errors
from distnet.naming import kept_files, older_file
from distnet.saving import atomic
from distnet.saving.atomic import put
from distnet.saving.seal import is_sealed


def content(text):
    return memoryview(text.encode())


def text_of(path):
    assert is_sealed(path)
    return path.read_bytes()[:-64].decode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


def test_the_content_and_its_seal_are_written_and_folders_are_made(tmp_path):
    path = tmp_path / "new" / "folder" / "model.h5"
    put(path, content("first"))
    assert text_of(path) == "first"
    put(path, content("second"))
    assert text_of(path) == "second"
    assert os.listdir(path.parent) == ["model.h5"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_the_old_file_stands_where_writing_fails(path, monkeypatch, call, error):
    put(path, content("old"))

    def fail(*args, **kwargs):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, call, fail)
        with pytest.raises(
            errors.CheckpointError, match=rf"model\.h5: cannot be written: .*{os.strerror(error)}.*unchanged"
        ):
            put(path, content("new"))
    assert text_of(path) == "old"
    assert os.listdir(path.parent) == ["model.h5"]


@pytest.mark.slow
def test_a_disk_that_is_full_half_way_through_leaves_the_old_file(alone, tmp_path):
    program = """
import resource, sys
import distnet as keras
from distnet import errors
from distnet.naming import kept_files, older_file
model = keras.Sequential([keras.layers.Input(shape=(300,)), keras.layers.Dense(300)])
model.save(sys.argv[1])
before = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    model.save(sys.argv[1])
except errors.CheckpointError as error:
    print(error)
assert open(sys.argv[1], "rb").read() == before
keras.models.load_model(sys.argv[1])
"""
    job = alone.run(program, tmp_path / "model.h5").succeeded()
    assert "cannot be written: [Errno 27] File too large" in job.stdout
    assert os.listdir(tmp_path) == ["model.h5"]


def test_a_failure_of_rank_0_is_every_ranks(ranks, tmp_path):
    program = """
import sys
import distnet as keras
from distnet import errors
from distnet.naming import kept_files, older_file
model = keras.Sequential([keras.layers.Input(shape=(3,)), keras.layers.Dense(3)])
try:
    model.save(sys.argv[1])
except errors.CheckpointError as error:
    open(f"{sys.argv[2]}/{keras.distribution.rank()}", "w").write(str(error))
"""
    (tmp_path / "file").write_text("")
    ranks(2).run(program, tmp_path / "file" / "model.h5", tmp_path).succeeded()
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text()
    assert "file/model.h5: cannot be written: " in (tmp_path / "0").read_text()


READS_OFTEN = """
import sys, time
import h5py
end = time.monotonic() + 60
print("reading", flush=True)
while time.monotonic() < end:
    with h5py.File(sys.argv[1]) as file:
        if file["x"][0] == 99:
            break
"""


def test_a_file_can_be_read_at_the_instant_it_is_there(path):
    """HDF5 locks what it reads, and would be refused while the writer keeps its own lock."""

    def put_number(number):
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            file["x"] = [number]
        put(path, image.getbuffer())

    put_number(0)
    reader = subprocess.Popen([sys.executable, "-c", READS_OFTEN, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader.stdout.readline()
    for number in range(100):
        put_number(number)
    said = reader.communicate(timeout=60)[1].decode()
    assert reader.returncode == 0, said


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_knows_no_sync_keeps_what_is_written(path, monkeypatch, number):
    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    put(path, content("new"))
    assert text_of(path) == "new"


def test_a_new_file_has_the_usual_mode(path):
    put(path, content(""))
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_link_is_followed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "latest.h5").symlink_to(tmp_path / "run" / "model.h5")
    for text in ("first", "second"):
        put(tmp_path / "latest.h5", content(text))
        assert (tmp_path / "latest.h5").is_symlink()
        assert text_of(tmp_path / "run" / "model.h5") == text


def test_what_is_no_regular_file_is_left_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(errors.CheckpointError, match=r"pipe: cannot be written: .*not a regular file"):
        put(pipe, content(""))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_folder_cannot_be_written_as_a_file(tmp_path):
    with pytest.raises(errors.CheckpointError, match=str(tmp_path)):
        put(tmp_path, content(""))
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_deleted_and_what_a_living_one_writes_is_not(path):
    dead, living, other = (
        path.parent / f".{name}.tmp" for name in ("model.h5.0123456789ab", "model.h5.ba9876543210", "a")
    )
    for file in (dead, living, other):
        file.write_bytes(b"part")
    with living.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        put(path, content("new"))
    assert sorted(os.listdir(path.parent)) == sorted([living.name, other.name, "model.h5"])


def test_older_files_are_kept_newest_first(path):
    for i in range(5):
        put(path, content(str(i)), keep=3)
    assert list(map(os.path.basename, kept_files(path))) == ["model.h5", "model.1.h5", "model.2.h5"]
    assert sorted(os.listdir(path.parent)) == ["model.1.h5", "model.2.h5", "model.h5"]
    assert [text_of(type(path)(name)) for name in kept_files(path)] == ["4", "3", "2"]


@pytest.mark.parametrize("stop", [0, 1, 2])
def test_a_rotation_that_stops_anywhere_leaves_whole_files_and_the_newest_in_its_place(path, monkeypatch, stop):
    for i in range(3):
        put(path, content(str(i)), keep=3)
    calls = iter(range(10))

    def fail(source, target, replace=os.replace):
        if next(calls) == stop:
            raise OSError(errno.EIO, "stopped")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "replace", fail)
        with pytest.raises(errors.CheckpointError):
            put(path, content("new"), keep=3)
    assert text_of(path) == ("2" if stop == 0 else "new")
    assert len(kept_files(path)) >= 2
    assert all(is_sealed(name) for name in kept_files(path))


def test_without_hard_links_older_files_are_kept_too(path, monkeypatch):
    monkeypatch.setattr(atomic.os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    for text in ("old", "new"):
        put(path, content(text), keep=2)
    assert text_of(path) == "new"
    assert text_of(type(path)(older_file(path, 1))) == "old"
