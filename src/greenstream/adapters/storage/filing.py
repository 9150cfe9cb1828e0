"""Taking files out of the names that senders know them by, without ever losing what a sender puts there meanwhile.

A drop is filed by a rename that replaces nothing. To delete or rewrite a file, it is first renamed into a fresh hidden
folder. That takes whatever has the name at that instant, whole; under the hidden name no sender can open, replace or
remove it. There it is looked at, and then deleted, or put back. A process that is killed in between leaves the folder
behind, whose prefix says what to do:

=========================  ===========================================================================
``.greenstream-filing-``   its file is a drop that has to be filed (where there is no such rename)
``.greenstream-aside-``    its file is put back
``.greenstream-rewrite-``  its file is put back if the new content is still there too, else it has been replaced
=========================  ===========================================================================
"""

import errno
import fcntl
import hashlib
import os
import secrets
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from greenstream.adapters.storage.directories import (
    STAGING,
    enter,
    hidden_folder,
    names_in,
    open_file,
    open_regular,
    status_of,
)
from greenstream.adapters.storage.moves import CannotKeepOthers, Name, is_one_file, move, rename_new
from greenstream.adapters.storage.names import file_name_of, text_of, with_hash

FILING = f"{STAGING}filing-"
ASIDE = f"{STAGING}aside-"
REWRITE = f"{STAGING}rewrite-"
NEW_CONTENT = f"{STAGING}new.tmp"
_DIGITS = 8
_RANDOM_BYTES = 8

IsIt = Callable[[os.stat_result], bool]


def file_drop(zone: int, name: str, day: int) -> str:
    """Move a drop into a day's folder; its name there. FileNotFoundError for what is no regular file: it stays."""
    drop = Name(zone, name)
    try:
        kept = _beside(drop, day, rename_new)
    except CannotKeepOthers:
        with hidden_folder(zone, FILING) as hidden:
            os.rename(name, name, src_dir_fd=zone, dst_dir_fd=hidden)
            kept = move_beside(Name(hidden, name), day)
    if not stat.S_ISREG(status_of(day, kept).st_mode):
        move_beside(Name(day, kept), zone)
        raise FileNotFoundError(errno.ENOENT, "no regular file", name)
    return kept


def remove(folder: int, name: str, is_it: IsIt) -> bool:
    """Delete the file of this name if it is the one that is meant and nobody is writing to it; else it stays."""
    with hidden_folder(folder, ASIDE) as hidden:
        os.rename(name, name, src_dir_fd=folder, dst_dir_fd=hidden)
        if _may_go(hidden, name, is_it):
            os.unlink(name, dir_fd=hidden)
            return True
        move_beside(Name(hidden, name), folder)
        return False


def replace(folder: int, name: str, is_it: IsIt, write: Callable[[Name], None]) -> bool:
    """Put what `write` writes in the place of a file, if that is the one that is meant; else it stays.

    Raises OSError and `CannotKeepOthers`.
    """
    with hidden_folder(folder, REWRITE) as hidden:
        new = Name(hidden, NEW_CONTENT)
        try:
            write(new)
            os.rename(name, name, src_dir_fd=folder, dst_dir_fd=hidden)
        except BaseException:
            new.unlink()
            raise
        replaced = False
        try:
            replaced = _may_go(hidden, name, is_it) and move(new, Name(folder, name))
        finally:
            if replaced:
                os.unlink(name, dir_fd=hidden)
            else:  # the old one first: without the new one it would count as replaced
                move_beside(Name(hidden, name), folder)
                new.unlink()
        return replaced


def recover(folder: int, left: str) -> None:
    """Finish what a killed process began with a file that it had set aside in the hidden folder `left`."""
    hidden = enter(folder, left)
    try:
        new = Name(hidden, NEW_CONTENT)
        for name in (each for each in names_in(hidden) if each != NEW_CONTENT):
            _recover(Name(hidden, name), new, Name(folder, name), is_rewrite=left.startswith(REWRITE))
    finally:
        os.close(hidden)
    with suppress(OSError):  # somebody is at it who isn't dead
        os.rmdir(left, dir_fd=folder)


def _recover(old: Name, new: Name, place: Name, *, is_rewrite: bool) -> None:
    if is_rewrite and (not _exists(new) or is_one_file(new, place)):
        old.unlink()
    else:
        move_beside(old, place.folder)
    new.unlink()


def move_beside(source: Name, folder: int) -> str:
    """Move a file into a folder, under its name or, where that is taken, one with its content's hash; the name."""
    try:
        return _beside(source, folder, move)
    except CannotKeepOthers:
        name = _with(source.name, secrets.token_hex(_RANDOM_BYTES))
        os.rename(source.name, name, src_dir_fd=source.folder, dst_dir_fd=folder)
        return name


def _beside(source: Name, folder: int, how: Callable[[Name, Name], bool]) -> str:
    return next(name for name in _names(source) if how(source, Name(folder, name)))


def _names(source: Name) -> Iterator[str]:
    """Names to try; the last ones are nobody else's."""
    yield source.name
    digest = _digest(source)
    yield _with(source.name, digest)
    while True:
        yield _with(source.name, f"{digest}-{secrets.token_hex(4)}")


def _with(name: str, digits: str) -> str:
    return file_name_of(with_hash(text_of(name), digits))


def _digest(source: Name) -> str:
    """The first digits of the content's hash; random ones of what can't be read."""
    try:
        with open_regular(*source) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
    except OSError:
        return secrets.token_hex(_DIGITS // 2)


def _may_go(hidden: int, name: str, is_it: IsIt) -> bool:
    """Writers are looked for first: from then on nobody can begin to write, for nobody knows the name."""
    return not _is_being_written(hidden, name) and is_it(status_of(hidden, name))


def _is_being_written(folder: int, name: str) -> bool:
    """Whether a process has the file open for writing, as far as the system tells: Linux does, of files of ours."""
    if sys.platform != "linux":
        return False
    try:
        handle = open_file(folder, name)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # which is ignored; by default a lost lease ends a process
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def _exists(name: Name) -> bool:
    try:
        status_of(*name)
    except FileNotFoundError:
        return False
    return True
