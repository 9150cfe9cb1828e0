import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.support.alone import NotAlone


def connect() -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 1))


@pytest.mark.parametrize(
    "starts",
    [
        lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}),
        connect,
    ],
    ids=["subprocess", "spawn", "connection"],
)
def test_a_unit_test_that_starts_or_reaches_something_fails(starts: Callable[[], object]) -> None:
    with pytest.raises(NotAlone, match="test_a_unit_test_that_starts"):
        starts()
