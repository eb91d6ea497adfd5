"""TLS for connections to the database, from the options --private-key and their like (ovs-vsctl(8))."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from jackfield.cli.journal import Journal
from jackfield.wire.blocking import ConnectionFailed

if TYPE_CHECKING:
    import ssl

_MODULE = "stream_ssl"
_PROTOCOLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


class TlsOptions(NamedTuple):
    """What TLS needs: PEM files and choices. A `ca_cert` of "none" accepts any peer.

    With `bootstrap`, the first connection brings the file `ca_cert` along if it does not exist. Versions
    before TLS 1.2 are not spoken, whatever `protocols` says.
    """

    private_key: str | None = None
    certificate: str | None = None
    ca_cert: str | None = None
    peer_ca_cert: str | None = None
    bootstrap: bool = False
    protocols: str | None = None
    ciphers: str | None = None


def secure(
    sock: socket.socket, options: TlsOptions, journal: Journal, server_name: str | None
) -> socket.socket:
    """The TLS session over a connected socket; as the server's side if `server_name` is None.

    Raises ConnectionFailed after telling the journal why.
    """
    import ssl

    if server_name is None and options.peer_ca_cert is not None:
        journal.error(_MODULE, "--peer-ca-cert: put the CA certificate into the --certificate file")
        raise ConnectionFailed(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    authority = options.ca_cert or ""
    is_first = options.bootstrap and server_name is not None and not os.access(authority, os.F_OK)
    context = _context(options, journal, server_side=server_name is None, verify=not is_first)
    try:
        secured = context.wrap_socket(
            sock, server_side=server_name is None, server_hostname=_sni(server_name)
        )
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        step = "SSL_accept" if server_name is None else "SSL_connect"
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        journal.warn(_MODULE, f"{step}: {_words(reason)}")
        raise _protocol_error() from error
    if is_first:
        try:
            _keep_authority(secured, authority, journal)
        finally:
            secured.close()
    return secured


def _context(options: TlsOptions, journal: Journal, *, server_side: bool, verify: bool) -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = _least_version(options.protocols, journal)
    context.verify_mode = ssl.CERT_REQUIRED
    if options.ciphers is not None:
        try:
            context.set_ciphers(options.ciphers)
        except ssl.SSLError:
            journal.error(_MODULE, f"{options.ciphers}: no such ciphers")
    usable = _has_own_certificate(context, options, journal)
    authority = options.ca_cert
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    elif authority == "none":
        journal.warn(_MODULE, "Peer certificate validation disabled (this is a security risk)")
        context.verify_mode = ssl.CERT_NONE
    elif authority is None:
        journal.error(_MODULE, "CA certificate must be configured to use SSL")
        usable = False
    else:
        _trust(context, authority, journal)
    if not usable:
        raise ConnectionFailed(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    return context


def _least_version(protocols: str | None, journal: Journal) -> ssl.TLSVersion:
    import ssl

    words = re.split(r"[\s,]+", protocols.strip(", \t")) if protocols else list(_PROTOCOLS)
    for word in words:
        if word not in _PROTOCOLS:
            journal.error(_MODULE, f"{word}: SSL protocol not recognized")
            return ssl.TLSVersion.TLSv1_2
    return ssl.TLSVersion.TLSv1_2 if "TLSv1.2" in words else ssl.TLSVersion.TLSv1_3


def _has_own_certificate(context: ssl.SSLContext, options: TlsOptions, journal: Journal) -> bool:
    """Load key and certificate; tell the journal what is amiss, all of it at once as far as possible."""
    import ssl

    usable = True
    for path, what in ((options.private_key, "Private key"), (options.certificate, "Certificate")):
        if path is not None:
            try:
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                continue
            except OSError as error:
                journal.error(_MODULE, f"{path}: {error.strerror}")
        journal.error(_MODULE, f"{what} must be configured to use SSL")
        usable = False
    if not usable or options.certificate is None:
        return False
    try:
        context.load_cert_chain(options.certificate, options.private_key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            journal.error(_MODULE, "Private key does not match certificate public key")
        else:
            pair = f"{options.private_key}, {options.certificate}"
            journal.error(_MODULE, f"{pair}: {_words(error.reason or 'not a private key and a certificate')}")
        return False
    except ValueError as error:
        journal.error(_MODULE, f"{options.private_key}: {error}")
        return False
    return True


def _no_password() -> str:
    raise ValueError("the private key is encrypted")


def _trust(context: ssl.SSLContext, path: str, journal: Journal) -> None:
    """Load the CA certificate. Without it no peer is trusted."""
    try:
        context.load_verify_locations(path)
    except OSError as error:
        reason = getattr(error, "reason", None)
        journal.error(_MODULE, f"{path}: {_words(reason) if reason else error.strerror}")


def _keep_authority(sock: ssl.SSLSocket, path: str, journal: Journal) -> None:
    """Write the peer's CA certificate to `path`. Always raises ConnectionFailed: the peer is not verified.

    The next connection verifies the peer against that file.
    """
    # Only from Python 3.13 on does the socket itself give its peer's chain.
    session: Any = getattr(sock, "_sslobj", None)
    chain = session.get_unverified_chain() or []
    names: dict[str, Any] = chain[-1].get_info() if chain else {}
    if not chain:
        journal.error(_MODULE, "could not bootstrap CA cert: no certificate presented by peer")
        raise _protocol_error()
    if names["subject"] != names["issuer"]:
        journal.error(_MODULE, "could not bootstrap CA cert: obtained certificate is not self-signed")
        raise _protocol_error()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            os.write(descriptor, chain[-1].public_bytes().encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        journal.error(_MODULE, f"could not bootstrap CA cert: creating {path} failed: {error.strerror}")
        raise ConnectionFailed(error.errno or errno.EIO, error.strerror) from error
    journal.info(_MODULE, f"successfully bootstrapped CA cert to {path}")
    raise _protocol_error()


def _sni(server_name: str | None) -> str | None:
    """The name to tell the server, unless it is an address."""
    if not server_name or ":" in server_name or re.fullmatch(r"[0-9.]+", server_name):
        return None
    return server_name


def _words(reason: str | None) -> str:
    """OpenSSL's name of a fault in plain words."""
    return (reason or "the peer hung up").replace("_", " ").lower()


def _protocol_error() -> ConnectionFailed:
    return ConnectionFailed(errno.EPROTO, os.strerror(errno.EPROTO))
