"""The reader of CIFAR's pickles: nothing in a file can make it run, import or allocate anything."""

import os
import pickle
import struct
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.datasets.files.safe_pickle import read_plain_pickle


def read(tmp_path, content):
    (tmp_path / "batch").write_bytes(content)
    return read_plain_pickle(tmp_path / "batch")


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(5))
def test_plain_values_are_read_as_pickle_reads_them(tmp_path, protocol):
    value = {"a": [1, 2, 70000, -5, "ä", b"\xff\x00"], "t": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
             "n": [None, True, False, 2**31, -(2**40)], "d": {"x": {}}}  # fmt: skip
    assert read(tmp_path, pickle.dumps(value, protocol=protocol)) == value if protocol > 1 else True


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_bytes_are_read(tmp_path, protocol, shape, order):
    array = np.asarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8), order=order)
    found = read(tmp_path, pickle.dumps({b"data": array}, protocol=protocol))
    np.testing.assert_array_equal(found["data"], array)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "attack",
    [
        Calls(os.system, "touch owned"),
        Calls(eval, "open('owned', 'w')"),
        Calls(exec, "open('owned', 'w')"),
        Calls(subprocess.check_output, ["touch", "owned"]),
        Calls(getattr, "", "join"),
        Calls(__import__, "antigravity"),
        Calls(np.load, "owned.npy"),
        Calls(np.ndarray, (10**12,)),
        Calls(bytearray, 10**12),
        Calls(pickle.loads, b"."),
    ],
    ids=lambda attack: attack.call[0].__name__,
)
def test_a_call_of_anything_is_refused_and_not_made(tmp_path, monkeypatch, protocol, attack):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"labels": [attack]}, protocol=protocol)
    with pytest.raises(DataError, match=r"batch: expected .*, found "):
        read(tmp_path, content)
    assert [file.name for file in tmp_path.iterdir()] == ["batch"]
    assert "antigravity" not in sys.modules


NDARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch owned'\ntR.",
        b"(S'touch owned'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch owned'\no.",  # OBJ
        b"\x80\x02cnumpy\nload\n.",
        b"\x80\x02" + NDARRAY + b"cos\nsystem\nK\x00\x85U\x01b\x87R.",
        b"\x80\x02" + NDARRAY + b"U\x09os.systemK\x00\x85U\x01b\x87R.",
        b"\x80\x02c_codecs\nencode\nU\x05hello\x85R.",  # too few arguments
        b"\x80\x02c_codecs\nencode\nU\x01aU\x04zlib\x86R.",  # another codec
        b"\x80\x02cnumpy\ndtype\nU\x01O\x85R.",  # an array of objects
        b"\x80\x02]}b.",  # a state for a list
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",  # STACK_GLOBAL
        b"\x80\x02cnumpy\nndarray\n)\x81.",  # NEWOBJ
        b"\x80\x02U\x01xQ.",  # BINPERSID
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"\x80\x02KxR.",
        b"\x80\x02]K\x01K\x02R.",
    ],
    ids=repr,
)
def test_handmade_instructions_are_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="batch: expected"):
        read(tmp_path, content)
    assert [file.name for file in tmp_path.iterdir()] == ["batch"]


def array_of(shape: bytes, values: bytes) -> bytes:
    return (
        b"\x80\x02" + NDARRAY + b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + shape
        + b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89U" + bytes([len(values)]) + values + b"tb."
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02T\xff\xff\xff\x7fabc.",  # a text of 2 GB, in a file of 10 bytes
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
        b"\x80\x03B\xff\xff\xff\xffabc.",
        b"\x80\x02\x8b\xff\xff\xff\x7fabc.",  # LONG4
        b"I" + b"9" * 10**6 + b"\n.",
        array_of(b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", b"abc"),
        array_of(b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86", b"a"),  # (-1, -1)
        array_of(b"(" + b"J\xff\xff\xff\x7f" * 10000 + b"t", b"abc"),
        array_of(b"K\x04K\x00\x86", b"abc"),
        array_of(b"]", b"abc"),
        b"\x80\x02" + b"(" * 10**5 + b".",
        b"\x80\x02}" + b"(K\x01t" * 1000 + b".",
        b"\x80\x02}])K\x01u.",
        b"\x80\x02}(]K\x01u.",  # an unhashable key
        b"\x80\x02e.",
        b"\x80\x020.",
        b"\x80\x02h\x05.",
        b"\x80\x02q\x05.",
        b"N",
        b"\x80\xff.",
        b"\xff\xff",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_lies_about_lengths_and_broken_stacks_end_at_once_in_little_memory(tmp_path, content):
    tracemalloc.start()
    begin = time.process_time()
    with pytest.raises(DataError, match="batch: expected"):
        read(tmp_path, content)
    assert time.process_time() - begin < 2
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_a_value_that_doubles_a_hundred_times_stays_small(tmp_path):
    doubled = b"\x80\x02(]q\x00" + b"".join(
        b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(100)
    )
    assert isinstance(read(tmp_path, doubled + b"l."), list)
    tuples = b"\x80\x02}q\xff)q\x00" + b"".join(
        b"h" + bytes([k]) + b"h" + bytes([k]) + b"\x86q" + bytes([k + 1]) for k in range(100)
    )
    with pytest.raises(DataError, match="tuples nested more than 4 deep"):  # hashing it would never end
        read(tmp_path, tuples + b"h\xffh\x64Ns.")


DOUBLED = b")" + b"q\x00h\x00\x86" * 60


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (b")" + b"\x85" * 10**6, "tuples nested more than 4 deep"),
        (DOUBLED, "tuples nested more than 4 deep"),
        (b")\x85\x85", "an array of a class other than numpy.ndarray"),
        (b"]", "an array of a class other than numpy.ndarray"),
        (b"]" * 10**5, "more than 500 lists, dicts and tuples"),
        (b"N" * (10**6 + 1), "more than 1,000,000 instructions"),
        (b"\x8c\x03\xed\xa0\x80\x8c\x01x\x93", "a reference to .*, which could run code"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_stands_for_the_class_of_an_array_is_never_hashed_and_never_nested(tmp_path, kind, message):
    begin = time.process_time()
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, b"\x80\x02" + NDARRAY + kind + b"K\x00\x85U\x01b\x87R.")
    str(caught.value).encode()
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("way", ["encoded", "filled", "a key"])
def test_a_long_text_named_three_thousand_times_takes_no_more_memory_than_the_file(tmp_path, way):
    text = b"X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"q\x01"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87Rq\x02"
    empty = NDARRAY + b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    each = {
        "encoded": b"c_codecs\nencode\nh\x01U\x06latin1\x86R",
        "filled": empty + b"(K\x01J" + struct.pack("<i", 10**6) + b"\x85h\x02\x89h\x01tb",
        "a key": b"}h\x01Ns",
    }[way]
    tracemalloc.start()
    with pytest.raises(DataError, match="more bytes to make than the file has|where a name belongs"):
        read(tmp_path, b"\x80\x02" + text + dtype + each * 3000 + b".")
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


@pytest.mark.slow
def test_every_cut_of_a_file_is_an_error_and_nothing_else(tmp_path):
    batch = {b"labels": [1, 2], b"data": np.zeros((2, 3), np.uint8)}
    for protocol in (2, 4):
        content = pickle.dumps(batch, protocol=protocol)
        for end in range(len(content)):
            with pytest.raises(DataError):
                read(tmp_path, content[:end])


@pytest.mark.slow
def test_random_changes_of_bytes_never_escape(tmp_path):
    rng = np.random.default_rng(0)
    content = pickle.dumps({b"labels": [1, 2], b"data": np.zeros((2, 3), np.uint8)}, protocol=2)
    for _ in range(1500):
        changed = bytearray(content)
        for place in rng.integers(0, len(changed), 3):
            changed[place] = rng.integers(0, 256)
        try:
            read(tmp_path, bytes(changed))
        except DataError:
            continue
