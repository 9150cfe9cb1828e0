"""A real S3 server (SeaweedFS) on the loopback interface, and small helpers for tests of the store."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import S3Store

from greenstream.adapters.storage import ObjectStore

BUCKET = "landing"
PORTS = ["s3.port", "master.port", "filer.port", "volume.port", "admin.port"]
ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class S3Server:
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "greenstream",
            "AWS_SECRET_ACCESS_KEY": "greenstream-secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }


@contextmanager
def running_s3_server(folder: Path) -> Iterator[S3Server]:
    """Start the server on free ports and stop it; another process may take a port first, so try again then."""
    for attempt in range(1, ATTEMPTS + 1):
        names = [name for port in PORTS for name in (port, f"{port}.grpc")]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        server = S3Server(endpoint=f"http://127.0.0.1:{ports['s3.port']}")
        with (folder / f"weed-{attempt}.log").open("wb") as log:
            process = subprocess.Popen(
                _command(folder / str(attempt), ports),
                env={**os.environ, **server.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            if _is_up(process, server):
                yield server
                return
        finally:
            process.kill()
            process.wait()
    raise AssertionError(f"no S3 server; see the logs in {folder}")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def content_of(store: ObjectStore, path: str) -> bytes:
    return b"".join(store.read(store.head(path)))


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    folder.mkdir()
    return [
        *(
            str(Path(sys.executable).with_name("weed")),
            f"-logdir={folder}",
            "mini",
            f"-dir={folder}",
            f"-bucket={BUCKET}",
        ),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-filer.localSocket={folder}/filer", f"-s3.localSocket={folder}/s3"),
        *("-master.telemetry=false", "-webdav=false", "-admin.ui=false", "-s3.autoCreateBucket=false"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _is_up(process: "subprocess.Popen[bytes]", server: S3Server) -> bool:
    """Whether the bucket can be written to, which is the last thing to work."""
    store = S3Store(
        BUCKET,
        endpoint=server.endpoint,
        access_key_id=server.environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=2)},
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            store.put("ready", b"")
        except (BaseError, FileNotFoundError):
            time.sleep(0.05)
        else:
            return True
    return False
