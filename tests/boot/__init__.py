"""A Debian host that boots by systemd, in namespaces or in an emulated machine: `prepare` makes it, the tests
`inside` run when its network is online."""
