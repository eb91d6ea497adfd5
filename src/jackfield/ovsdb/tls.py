"""TLS for remotes by OVS's rules: each side shows a certificate that the other's CA certificate vouches for.

Names in certificates are not compared with host names, as OVS does not either.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


class TlsError(Exception):
    """TLS cannot be used as it is configured."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files, empty where none is configured.

    Peers are not checked if `ca_cert` is "none". With `bootstrap` a CA certificate file that is missing would
    be taken from the first peer, which is refused.
    """

    private_key: str = ""
    certificate: str = ""
    ca_cert: str = ""
    bootstrap: bool = False


class Tls:
    """Contexts for the files configured last; a changed file counts from the next connection on."""

    def __init__(self) -> None:
        self.files = TlsFiles()
        self._contexts: dict[int, tuple[object, ssl.SSLContext]] = {}

    def accepting(self) -> ssl.SSLContext:
        """For the side that accepts a connection. Raises TlsError."""
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def connecting(self) -> ssl.SSLContext:
        """For the side that connects. Raises TlsError."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    def _context(self, protocol: int) -> ssl.SSLContext:
        made_of = (self.files, *(_stamp(path) for path in self._paths()))
        found = self._contexts.get(protocol)
        if found is None or found[0] != made_of:
            found = self._contexts[protocol] = made_of, _make_context(protocol, self.files)
        return found[1]

    def _paths(self) -> tuple[str, ...]:
        return self.files.private_key, self.files.certificate, self.files.ca_cert


def _stamp(path: str) -> tuple[int, ...]:
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _make_context(protocol: int, files: TlsFiles) -> ssl.SSLContext:
    named = (
        ("Private key", files.private_key),
        ("Certificate", files.certificate),
        ("CA certificate", files.ca_cert),
    )
    for what, path in named:
        if not path:
            raise TlsError(f"{what} must be configured to use SSL")
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    try:
        path = files.certificate
        context.load_cert_chain(files.certificate, files.private_key)
        path = files.ca_cert
        if path == "none":
            context.verify_mode = ssl.CERT_NONE
        else:
            if files.bootstrap and not Path(path).exists():
                raise TlsError(
                    f"{path}: there is no such file, and to take the CA certificate from the first peer is "
                    "not supported; put it there"
                )
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(path)
    except FileNotFoundError as error:
        missing = [file for _, file in named if file != "none" and not Path(file).exists()]
        raise TlsError(f"{missing[0] if missing else path}: {error.strerror}") from error
    except (OSError, ValueError) as error:
        raise TlsError(f"{path}: cannot be used for TLS: {error}") from error
    return context
