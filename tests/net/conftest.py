"""The datapath's fixtures that make namespaces serve here as well."""

from __future__ import annotations

from tests.datapath.conftest import devices, make_namespace, namespace

__all__ = ["devices", "make_namespace", "namespace"]
