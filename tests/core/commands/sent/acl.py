"""What the builders of commands on users send."""

from __future__ import annotations

from core.commands.rows import Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.acl_cat(), "ACL CAT"),
    (commands.acl_cat("read"), "ACL CAT read"),
    (commands.acl_deluser("ada", "bob"), "ACL DELUSER ada bob"),
    (commands.acl_dryrun("ada", "GET", "k"), "ACL DRYRUN ada GET k"),
    (commands.acl_genpass(), "ACL GENPASS"),
    (commands.acl_genpass(32), "ACL GENPASS 32"),
    (commands.acl_getuser("ada"), "ACL GETUSER ada"),
    (commands.acl_list(), "ACL LIST"),
    (commands.acl_load(), "ACL LOAD"),
    (commands.acl_log(), "ACL LOG"),
    (commands.acl_log(5), "ACL LOG 5"),
    (commands.acl_log_reset(), "ACL LOG RESET"),
    (commands.acl_save(), "ACL SAVE"),
    (commands.acl_setuser("ada"), "ACL SETUSER ada"),
    (commands.acl_setuser("ada", "on", ">secret", "+@read"), "ACL SETUSER ada on >secret +@read"),
    (commands.acl_users(), "ACL USERS"),
    (commands.acl_whoami(), "ACL WHOAMI"),
]
