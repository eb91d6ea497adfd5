"""A certificate authority, and certificates of its making, for tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from jackfield.ovsdb.tls import TlsFiles


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


@dataclass(frozen=True)
class Authority:
    """Makes certificates in a directory."""

    directory: Path
    name: str = "authority"

    @property
    def certificate(self) -> Path:
        """Its own certificate."""
        return self.directory / f"{self.name}.cert.pem"

    def create(self) -> Authority:
        """Make the authority itself."""
        self._key(self.name)
        _openssl(
            *("req", "-x509", "-new", "-key", self.directory / f"{self.name}.key.pem", "-days", "2"),
            *("-subj", f"/CN={self.name}", "-out", self.certificate),
        )
        return self

    def issue(self, name: str) -> TlsFiles:
        """A key and a certificate, to be used with this authority."""
        key, request, certificate = (
            self.directory / f"{name}.{kind}.pem" for kind in ("key", "request", "cert")
        )
        self._key(name)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-days", "2", "-out", certificate),
            *("-CAkey", self.directory / f"{self.name}.key.pem", "-CAcreateserial"),
        )
        return TlsFiles(str(key), str(certificate), str(self.certificate))

    def _key(self, name: str) -> None:
        key = self.directory / f"{name}.key.pem"
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
