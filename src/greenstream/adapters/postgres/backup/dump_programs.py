"""pg_dump and pg_restore: which ones fit a server, and running them."""

import os
import re
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from greenstream.adapters.postgres.base.address import SECRETS
from greenstream.adapters.postgres.embedded.binaries import places
from greenstream.adapters.temporary import temporary_folder
from greenstream.domain.errors import BackupFailed, InvalidBackup

SCHEMAS = ("greenstream", "greenstream_queue", "public")
MOST_JOBS = 4
WITHOUT_STATISTICS = 18  # from here on pg_dump would dump them, which older servers don't take

# Every new database has it; with it go its comment and its rights.
_PUBLIC_ITSELF = re.compile(r"\d+; \d+ \d+ (SCHEMA - public|(COMMENT|ACL) - SCHEMA public) ")
# An object in one of our schemas, or such a schema itself.
_OURS = re.compile(
    rf"\d+; \d+ \d+ ([A-Z][A-Z ]* ({'|'.join(SCHEMAS)})|(SCHEMA -|(COMMENT|ACL) - SCHEMA) ({'|'.join(SCHEMAS)})) "
)
_RIGHTS = re.compile(r"\d+; \d+ \d+ ACL ")
# A newer pg_restore says it to an older server at the start of each session.
_UNKNOWN_SETTING = "unrecognized configuration parameter"

Heard = Callable[[str], None]
"""Hears each line that a program says of its progress."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """A folder with `pg_dump` and `pg_restore`, and their version, such as 18 and "18.4"."""

    bin_dir: Path
    major: int
    version: str


def find_tools(*needed: int) -> Tools:
    """The oldest programs that are as new as all of the majors: older ones refuse, newer ones write for newer servers.

    Raises:
        BackupFailed: there are none.
    """
    found = list(_installed())
    fit = [tools for tools in found if tools.major >= max(needed)]
    if not fit:
        versions = ", ".join(tools.version for tools in found) or "none"
        raise BackupFailed(
            f"pg_dump and pg_restore must not be older than PostgreSQL {max(needed)} (found: {versions}): "
            f"install the programs of PostgreSQL {max(needed)} (Debian: postgresql-client-{max(needed)})"
        )
    return min(fit, key=lambda tools: tools.major)


def pg_dump(tools: Tools, dsn: str, snapshot: str, target: Path, heard: Heard) -> None:
    """Write what a snapshot sees of our schemas. Raises BackupFailed."""
    options = ["--format=custom", "--compress=1", f"--snapshot={snapshot}", "--lock-wait-timeout=60s"]
    options += [f"--schema={schema}" for schema in SCHEMAS]
    options += ["--no-statistics"] if tools.major >= WITHOUT_STATISTICS else []
    options += ["--verbose", "--no-password", f"--file={target}"]
    said = _run([tools.bin_dir / "pg_dump", *options], dsn, heard)
    if said is not None:
        raise BackupFailed(f"the database can't be dumped: {_reason(said)}")


def check_dump(tools: Tools, source: Path) -> None:
    """See that a file is a dump of our schemas, by its table of contents. What its SQL does nobody can see.

    Raises:
        InvalidBackup: it is no dump, or also of something else.
    """
    try:
        contents = _contents(tools, source)
    except BackupFailed as error:
        raise InvalidBackup(
            f"{source} is no dump that pg_restore {tools.version} reads: take another backup"
        ) from error
    for line in contents:
        if not (_OURS.match(line) or line.startswith(";") or not line.strip()):
            raise InvalidBackup(
                f"{source} also holds what isn't of GreenStream ({line[:100]!r}): restore only backups of your own"
            )


def pg_restore(tools: Tools, dsn: str, source: Path, server_major: int, heard: Heard) -> None:
    """Fill a new database from a dump, as its owner. Rights that others had are in `rights_in`.

    Raises:
        BackupFailed: not all of it could be restored.
    """
    older_server = tools.major > server_major
    jobs = min(MOST_JOBS, os.cpu_count() or 1)
    options = ["--verbose", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-password", f"--jobs={jobs}"]
    options += [] if older_server else ["--exit-on-error"]
    contents = [line for line in _contents(tools, source) if not _PUBLIC_ITSELF.match(line)]
    with _listed(contents) as listed:
        said = _run([tools.bin_dir / "pg_restore", *options, f"--use-list={listed}", source], dsn, heard)
    errors = [] if said is None else [line for line in said if "error:" in line]
    serious = [line for line in errors if not (older_server and _UNKNOWN_SETTING in line)]
    if serious or (said is not None and not errors):
        raise BackupFailed(f"the database can't be restored: {_reason(serious or said or [])}")


def rights_in(tools: Tools, source: Path) -> list[str]:
    """The statements of a dump that give rights to others: one by one, for an unknown role ends those run with it."""
    contents = [line for line in _contents(tools, source) if _RIGHTS.match(line) and not _PUBLIC_ITSELF.match(line)]
    with _listed(contents) as listed:
        said = _output([tools.bin_dir / "pg_restore", "--no-owner", "--file=-", f"--use-list={listed}", source], source)
    return [line for line in said if line.startswith(("GRANT ", "REVOKE "))]


@contextmanager
def _listed(contents: Sequence[str]) -> Iterator[str]:
    """A file for --use-list, for the time of the block."""
    with temporary_folder("restore") as folder:
        listed = folder / "contents"
        listed.write_text("\n".join(contents), encoding="utf-8")
        yield str(listed)


def _contents(tools: Tools, source: Path) -> list[str]:
    return _output([tools.bin_dir / "pg_restore", "--list", source], source)


def _output(command: Sequence[str | Path], source: Path) -> list[str]:
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise BackupFailed(f"{source} can't be restored: {_reason(done.stderr.splitlines())}")
    return done.stdout.splitlines()


def _run(arguments: Sequence[str | Path], dsn: str, heard: Heard) -> list[str] | None:
    """None if it went well, else what the program said last. What it writes is for this user only."""
    database, secrets = _without_secrets(dsn)
    command = [*map(str, arguments), f"--dbname={database}"]
    said: deque[str] = deque(maxlen=200)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C", **secrets},
        umask=0o077,
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                said.append(line.rstrip("\n"))
                heard(said[-1])
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0:
        said.append(f"error: {command[0]} was ended by {signal.Signals(-process.returncode).name}")
    return list(said) if process.returncode else None


def _without_secrets(dsn: str) -> tuple[str, dict[str, str]]:
    """A DSN that everybody may see in the list of processes, and the variables that say the rest to libpq.

    Raises BackupFailed for secrets that libpq takes from no variable.
    """
    parameters = conninfo_to_dict(dsn)
    secrets = {name: str(parameters.pop(name)) for name in SECRETS & parameters.keys()}
    if others := sorted(secrets.keys() - {"password"}):
        raise BackupFailed(
            f"pg_dump and pg_restore can't be given {', '.join(others)} without showing it to everybody on this "
            "machine: use a key without a passphrase, or a password"
        )
    return make_conninfo("", **parameters), {"PGPASSWORD": secrets["password"]} if secrets else {}


def _reason(said: Sequence[str]) -> str:
    """The first error a program told, with its detail, in a line."""
    begins = next((number for number, line in enumerate(said) if "error:" in line or "FATAL:" in line), len(said) - 1)
    told = [line for line in said[begins : begins + 2] if line is said[begins] or "detail:" in line]
    words = " ".join(re.sub(r"^(pg_\w+: )?(error: |detail: )*", "", line) for line in told) or "no reason was given"
    space = "; free some space, or take another disk" if "No space left" in words else ""
    return f"{words}{space}"


def _installed() -> Iterator[Tools]:
    for folder in (folder for place in places() for folder in place):
        versions = {_version(folder / name) for name in ("pg_dump", "pg_restore")}
        if len(versions) == 1 and (version := versions.pop()):
            yield Tools(bin_dir=folder, major=int(version.partition(".")[0]), version=version)


def _version(program: Path) -> str | None:
    try:
        done = subprocess.run([str(program), "--version"], check=False, capture_output=True, text=True)
    except OSError:
        return None
    found = re.search(r"(\d+(?:\.\d+)?)", done.stdout)
    return found[1] if found and done.returncode == 0 else None
