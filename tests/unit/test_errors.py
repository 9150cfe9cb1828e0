"""Errors cross processes: a worker's arrives as it was raised."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from greenstream.domain import errors
from greenstream.domain.codes import Reason
from greenstream.domain.errors import FileRejected, GreenStreamError


def all_of(kind: type[GreenStreamError]) -> Iterator[type[GreenStreamError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from all_of(each)


TREE = sorted(set(all_of(GreenStreamError)), key=lambda kind: kind.__name__)


def example(kind: type[GreenStreamError]) -> GreenStreamError:
    if kind is FileRejected:
        return FileRejected(Reason.TOO_LARGE, "a.csv has 7 bytes")
    return kind("b.csv: can't be read; look at it")


def fail(error: GreenStreamError) -> None:
    raise error


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def test_the_tree_is_in_one_module() -> None:
    assert {kind.__module__ for kind in TREE} == {errors.__name__}
    assert len(TREE) > 15


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_in_another_process(kind: type[GreenStreamError], pool: ProcessPoolExecutor) -> None:
    error = example(kind)
    with pytest.raises(kind) as caught:
        pool.submit(fail, error).result()
    for copy in (caught.value, pickle.loads(pickle.dumps(error))):
        assert type(copy) is kind
        assert (str(copy), copy.code, copy.args) == (str(error), error.code, error.args)
        own = {name: value for name, value in vars(copy).items() if not name.startswith("__")}
        assert own == vars(error)


def test_a_rejected_file_says_its_reason_first() -> None:
    error = example(FileRejected)
    assert str(error) == "TOO_LARGE: a.csv has 7 bytes"
