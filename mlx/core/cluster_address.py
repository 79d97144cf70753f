"""Where a Dask scheduler is, and whether it may be used from here."""

import ipaddress
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from mlx.core.errors import MlxError, SettingsError


def address_in(name: str, file: Path) -> str:
    """Read the address of a scheduler from the file that it wrote.

    Raises
    ------
    MlxError
        The file is missing, or is not that of a scheduler. The message begins with `name`.
    """
    try:
        address = json.loads(file.read_text())["address"]
    except OSError as error:
        raise MlxError(f"{name}: {error.strerror}; 'dask scheduler --scheduler-file {file}' writes it") from None
    except (ValueError, KeyError, TypeError):
        raise MlxError(f"{name}: expected a file that 'dask scheduler --scheduler-file' wrote") from None
    return str(address)


def check_address(name: str, address: str, *, insecure: bool) -> None:
    """Reject an invalid address, and a scheduler of another machine without TLS, unless `insecure`.

    Raises
    ------
    SettingsError
        The message begins with `name`.
    """
    parts = urlsplit(address)
    try:
        complete = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:  # no number, or too large
        complete = False
    if not complete:
        raise SettingsError(f"{name}: expected tcp://HOST:PORT or tls://HOST:PORT, found {address}")
    if insecure or parts.scheme == "tls" or _is_loopback(parts.hostname or ""):
        return
    raise SettingsError(
        f"{name}: expected TLS for a scheduler that is not on this machine, found {address}: whoever reaches it can "
        "run code on its workers; give tls://… (docs/cluster.md), or --insecure (MLX_WORKERS_INSECURE=1)"
    )


def _is_loopback(host: str) -> bool:
    try:
        places = {place[4][0] for place in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(places) and all(ipaddress.ip_address(place).is_loopback for place in places)
