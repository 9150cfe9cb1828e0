"""Which processes belong to a data folder: from /proc where there is one, else from ps."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A live process (zombies are dead). `folder` is its working folder, None where that can't be read."""

    pid: int
    uid: int
    name: str
    command: str
    folder: str | None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What tells the processes of one data folder from all others."""

    data_dir: Path
    name: str
    uid: int

    def owns(self, process: Process) -> bool:
        """Whether the process is a postgres of this data folder, or of a deleted one at the same path.

        PostgreSQL's processes all work inside of their data folder. Where that can't be seen, the command
        line shows the folder (the postmaster's) or the cluster's name (its children's).
        """
        if process.uid != self.uid or process.name != "postgres":
            return False
        if process.folder is None:
            return str(self.data_dir) in process.command or self.name in process.command
        if process.folder == f"{self.data_dir} (deleted)":
            return True
        with suppress(OSError):
            return (PROC / str(process.pid) / "cwd").samefile(self.data_dir)
        return False

    def processes(self) -> list[Process]:
        return [process for process in all_processes() if self.owns(process)]


def all_processes() -> Iterator[Process]:
    if not _has_proc():
        yield from _from_ps("-ax")
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (process := _from_proc(int(entry.name))):
            yield process


def find_process(pid: int) -> Process | None:
    if _has_proc():
        return _from_proc(pid)
    return next(_from_ps("-p", str(pid)), None)


def _has_proc() -> bool:
    return (PROC / "self" / "cmdline").exists()


def _from_proc(pid: int) -> Process | None:
    folder = PROC / str(pid)
    try:
        uid = folder.stat().st_uid
        name = (folder / "comm").read_text(errors="replace").strip()
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    if not command:  # a zombie or a kernel thread
        return None
    return Process(pid=pid, uid=uid, name=name, command=command, folder=_working_folder(folder))


def _working_folder(folder: Path) -> str | None:
    try:
        return str((folder / "cwd").readlink())
    except OSError:
        return None


def _from_ps(*selection: str) -> Iterator[Process]:
    columns = "pid=,uid=,stat=,ucomm=,command="
    listing = subprocess.run(
        ["/bin/ps", *selection, "-ww", "-o", columns], check=False, capture_output=True, errors="replace"
    )
    for line in listing.stdout.splitlines():
        pid, uid, state, name, command = [*line.split(None, 4), "", ""][:5]
        if not state.startswith("Z"):
            yield Process(pid=int(pid), uid=int(uid), name=name, command=command, folder=None)
