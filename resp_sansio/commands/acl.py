"""Commands on users, and on what each may do."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments_server import counted
from .command import Command
from .readers import done, whole
from .readers_acl import AclLogEntry, AclUser, acl_log_entries, acl_user, refusal
from .readers_own import own_text, own_texts


def acl_cat(category: Argument | None = None) -> Command[list[str]]:
    """Return the categories of commands, or the commands of one."""
    return Command("ACL CAT", *(() if category is None else (category,)), read=own_texts)


def acl_deluser(username: Argument, *usernames: Argument) -> Command[int]:
    """Delete users, and close their connections; return how many there were."""
    return Command("ACL DELUSER", username, *usernames, read=whole)


def acl_dryrun(username: Argument, command: Argument, *args: Argument) -> Command[str | None]:
    """Return why this user may not execute a command, None if they may; nothing is executed (Redis 7.0)."""
    return Command("ACL DRYRUN", username, command, *args, read=refusal)


def acl_genpass(bits: int | None = None) -> Command[str]:
    """Return a new password: random hexadecimal digits, of 256 bits if not told otherwise."""
    return Command("ACL GENPASS", *counted("ACL GENPASS", bits=bits)[1:], read=own_text)


def acl_getuser(username: Argument) -> Command[AclUser | None]:
    """Return what a user may do, None if there is no such user."""
    return Command("ACL GETUSER", username, read=acl_user)


def acl_list() -> Command[list[str]]:
    """Return all users, each as a line of an ACL file."""
    return Command("ACL LIST", read=own_texts)


def acl_load() -> Command[None]:
    """Read the users from the server's ACL file again."""
    return Command("ACL LOAD", read=done)


def acl_log(count: int | None = None) -> Command[list[AclLogEntry]]:
    """Return what was refused lately, the last one first: 10 entries if not told otherwise."""
    return Command("ACL LOG", *counted("ACL LOG", count=count)[1:], read=acl_log_entries)


def acl_log_reset() -> Command[None]:
    """Forget what was refused."""
    return Command("ACL LOG", "RESET", read=done)


def acl_save() -> Command[None]:
    """Write the users to the server's ACL file."""
    return Command("ACL SAVE", read=done)


def acl_setuser(username: Argument, *rules: Argument) -> Command[None]:
    """Make a user, or change what one may do, by rules such as `on`, `>password`, `~key:*`, `+@read`."""
    return Command("ACL SETUSER", username, *rules, read=done)


def acl_users() -> Command[list[str]]:
    """Return the names of all users."""
    return Command("ACL USERS", read=own_texts)


def acl_whoami() -> Command[str]:
    """Return the user that this connection is of."""
    return Command("ACL WHOAMI", read=own_text)
