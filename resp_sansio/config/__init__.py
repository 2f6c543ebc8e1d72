"""How a client is made: options and URLs, what pools and clients may do, where to connect, TLS; for those who write adapters."""

from .addresses import Addresses, Race, not_opened, not_resolved, of_the_system, socket_options
from .cache import Cache
from .config import AddressMap, Config, Options, TLSContext
from .credentials import CredentialProvider, Credentials, read_credentials
from .options import ReadFrom
from .retry import Breaker, Retry
from .settings import (
    ClientOptions,
    ClientSettings,
    PoolOptions,
    PoolSettings,
    of_one_server,
    read_client_options,
    read_pool_options,
)
from .tls import tls_context, tls_failure, tls_server_name

__all__ = [
    "AddressMap", "Addresses", "Breaker", "Cache", "ClientOptions", "ClientSettings", "Config", "CredentialProvider", "Credentials",
    "Options", "PoolOptions", "PoolSettings", "Race", "ReadFrom", "Retry", "TLSContext", "not_opened", "not_resolved",
    "of_one_server", "of_the_system", "read_client_options", "read_credentials", "read_pool_options", "socket_options",
    "tls_context", "tls_failure", "tls_server_name",
]  # fmt: skip
