"""Processes of their own that begin with everything imported, for to import it costs more than most of them do.

They are forked from a server that imported all of GreenStream and ran none of it.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.imported"])


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended; a negative code is the signal that killed it, as with subprocess."""

    code: int
    out: bytes
    err: bytes


def run_command(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: bytes = b"") -> Ran:
    """Run `greenstream` as its script does, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="gs-command-") as name:
        streams = [Path(name) / stream for stream in ("in", "out", "err")]
        streams[0].write_bytes(stdin)
        process = CONTEXT.Process(
            target=_run, args=(tuple(arguments), str(folder), dict(environment), [str(path) for path in streams])
        )
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        return Ran(code=code, out=streams[1].read_bytes(), err=streams[2].read_bytes())


def _run(arguments: tuple[str, ...], folder: str, environment: dict[str, str], streams: list[str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["greenstream", *arguments]
    _use(*streams)
    from greenstream.entrypoints.cli import main

    main()


def _use(stdin: str, stdout: str, stderr: str) -> None:
    """Put files in the place of the process's streams, as a shell would, and Python's streams onto them."""
    for number, (path, flags) in enumerate(((stdin, os.O_RDONLY), (stdout, os.O_WRONLY), (stderr, os.O_WRONLY))):
        descriptor = os.open(path, flags | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
