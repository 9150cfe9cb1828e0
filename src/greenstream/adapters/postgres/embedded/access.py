"""Who may log in: by the socket alone, as roles of ours, and the kernel says who it is."""

from pathlib import Path

from greenstream.adapters.postgres.base.roles import READER
from greenstream.adapters.postgres.embedded.account import Account, user_name
from greenstream.adapters.postgres.embedded.location import replace_file
from greenstream.adapters.postgres.embedded.probe import ROLE

HBA = "greenstream_hba.conf"
IDENT = "greenstream_ident.conf"
ROOT = 0

RULES = """\
# Rewritten at each start. For rules of yours, name a file of yours as hba_file in postgresql.conf, below the include.
# Which OS users are let in is in greenstream_ident.conf. Nobody comes in by the network, even where
# listen_addresses opens it.
local  all  all       peer  map=greenstream
host   all  all  all  reject
"""


def is_by_os_user(data_dir: Path) -> bool:
    """Whether these rules were written before."""
    return (data_dir / HBA).exists()


def write_access(data_dir: Path, account: Account) -> dict[str, str]:
    """Write the rules, and the settings that name them."""
    replace_file(data_dir / HBA, RULES.encode(), account)
    replace_file(data_dir / IDENT, _users(account).encode(), account)
    return {"hba_file": str(data_dir / HBA), "ident_file": str(data_dir / IDENT)}


def _users(account: Account) -> str:
    """Root and the server's own user: the socket's folder is closed to all others anyway."""
    users = dict.fromkeys((user_name(ROOT), account.name))
    lines = [f'greenstream  "{user}"  {role}' for user in users for role in (ROLE, READER)]
    return "\n".join(["# Rewritten at each start.", *lines, ""])
