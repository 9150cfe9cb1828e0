"""The server's settings: greenstream.conf, rewritten at each start so that an upgrade changes them."""

import os
import re
import tempfile
from pathlib import Path

from greenstream.adapters.postgres.embedded.access import write_access
from greenstream.adapters.postgres.embedded.account import Account
from greenstream.adapters.postgres.embedded.location import cluster_name, replace_file

PORT = 5432
INCLUDE = "include 'greenstream.conf'"
LONGEST_SOCKET = 100  # bytes; the systems allow 103 (macOS) and 107 (Linux)

MAIN_FILE = f"""\
# PostgreSQL of GreenStream. Settings of yours go below the include, or into ALTER SYSTEM.
{INCLUDE}
"""

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # One machine, shared with workers that need memory themselves.
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    # Loads come in bursts: fewer, longer checkpoints write less.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # A row reported as stored is stored, whatever is killed.
    "fsync": "on",
    "synchronous_commit": "on",
    # A query whose client is gone ends, also while it computes.
    "client_connection_check_interval": "2s",
    # Our queries are short; compiling them takes longer than running them.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "datestyle": "iso, ymd",
    # A file a weekday, overwritten a week later.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def write_settings(data_dir: Path, account: Account) -> None:
    """Write greenstream.conf and who may log in; postgresql.conf if it doesn't include them (new or damaged)."""
    settings = (
        SETTINGS
        | write_access(data_dir, account)
        | {
            "unix_socket_directories": str(socket_dir(data_dir)),
            "cluster_name": cluster_name(data_dir),
            "dynamic_shared_memory_type": _shared_memory_type(),
        }
    )
    replace_file(data_dir / "greenstream.conf", render(settings).encode(), account)
    main = data_dir / "postgresql.conf"
    if not main.is_file() or INCLUDE not in main.read_text(errors="replace").splitlines():
        replace_file(main, MAIN_FILE.encode(), account)


def render(settings: dict[str, str]) -> str:
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    return "\n".join(["# Rewritten at each start: change postgresql.conf instead.", *lines, ""])


def socket_dir(data_dir: Path) -> Path:
    """The data folder, or where its path is too long or unusual for a socket, a short one of its own."""
    if is_fit_for_socket(data_dir):
        return data_dir
    return _short_dir() / cluster_name(data_dir)


def is_fit_for_socket(folder: Path) -> bool:
    """Whether a socket in it has an allowed length, and its name needs no quoting in lists and URLs."""
    plain = re.fullmatch(r"[A-Za-z0-9/._-]+", str(folder)) is not None
    return plain and len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET


def _short_dir() -> Path:
    """For root /var/run: the temp folder of a root session may be closed to the server's user."""
    runtime = Path("/var/run")
    if os.geteuid() == 0 and os.access(runtime, os.W_OK):
        return runtime
    return Path(tempfile.gettempdir())


def _shared_memory_type() -> str:
    """Files in place of /dev/shm where that is too small for a parallel query (64 MB in containers)."""
    try:
        shm = os.statvfs(Path("/dev") / "shm")
    except OSError:
        return "posix"
    return "posix" if shm.f_frsize * shm.f_blocks >= 256 << 20 else "mmap"
