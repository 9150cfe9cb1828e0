"""The OS user that PostgreSQL runs as: it refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from greenstream.domain.errors import ServerError

# A user made for us comes first; PostgreSQL's own is never a login, and guards data already; `nobody`
# is shared with other services, so it is the last resort.
PREFERRED_USERS = ("greenstream", "postgres", "_postgres", "nobody")

# Nothing of the caller's environment may change what the server does (PGDATA, PGPORT, LD_LIBRARY_PATH).
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, kw_only=True)
class Account:
    """An OS user; `switch` says that it isn't the user of this process."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(self, arguments: Sequence[str | Path], *, detached: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in `/` because the caller's folder may be closed to the user.

        Raises OSError if the program can't be executed; its exit code is the caller's to judge.
        """
        return subprocess.run(
            [str(argument) for argument in arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            env=ENVIRONMENT,
            umask=0o077,
            start_new_session=detached,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def can_use(self, folder: Path) -> bool:
        """Whether this user can enter and write the folder, tried rather than computed: ACLs, NFS."""
        script = 'cd "$1" && test -w .'
        return self.run(["/bin/sh", "-c", script, "sh", folder]).returncode == 0

    def own(self, path: Path) -> None:
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def own_account() -> Account:
    uid = os.geteuid()
    return Account(name=user_name(uid), uid=uid, gid=os.getegid(), switch=False)


def account_for_new_data() -> Account:
    """The caller's own user, or for root the first of PREFERRED_USERS that exists."""
    if os.geteuid() != 0:
        return own_account()
    for name in PREFERRED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise ServerError(
        "PostgreSQL does not run as root, and none of the users "
        f"{', '.join(PREFERRED_USERS)} exists: create one (useradd --system greenstream)"
    )


def account_for(data_dir: Path) -> Account:
    """The owner of existing data, for only the owner's processes may touch it.

    Raises ServerError if this process can't act for the owner, or the owner is root.
    """
    status = data_dir.stat()
    owner = user_name(status.st_uid)
    if status.st_uid == 0:
        raise ServerError(
            f"The database folder {data_dir} belongs to root, as whom PostgreSQL does not run: "
            f"give it to another user (chown -R {PREFERRED_USERS[1]} {data_dir})"
        )
    if os.geteuid() == 0:
        return Account(name=owner, uid=status.st_uid, gid=status.st_gid, switch=True)
    if os.geteuid() != status.st_uid:
        raise not_ours(data_dir, owner)
    return own_account()


def public_folder(folder: Path) -> None:
    """Make a folder that every user can enter, whatever this process's umask."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)


def not_ours(data_dir: Path, owner: str) -> ServerError:
    return ServerError(
        f"The database folder {data_dir} belongs to the user {owner}: "
        f"run GreenStream as {owner} or root, or set GREENSTREAM_HOME to a folder of yours"
    )
