"""Clients that come back: what they have missed is told, not all there is, also after other disturbances."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ovsdb.conftest import Served
from tests.ovsdb.test_client_libraries import Follower
from tests.ovsdb.test_clients import vsctl


def test_the_idl_goes_on_from_where_it_was_when_it_connects_anew(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    vsctl(served, "init", "--", "add-br", "br0", "--", "add-br", "br1")
    with Follower(served.remote, "Bridge") as follower:
        idl = follower.idl
        assert follower.names("Bridge") == {"br0", "br1"}
        emptied: list[str] = []
        replies: list[Any] = []
        clear, parse = idl._Idl__clear, idl._Idl__parse_update

        def cleared() -> None:
            emptied.append(idl.last_id)
            clear()

        def parsed(update: Any, *more: Any, **named: Any) -> None:
            replies.append(update)
            parse(update, *more, **named)

        monkeypatch.setattr(idl, "_Idl__clear", cleared)
        monkeypatch.setattr(idl, "_Idl__parse_update", parsed)
        idl.force_reconnect()
        vsctl(served, "del-br", "br0", "--", "add-br", "br2")
        follower.until(lambda: follower.names("Bridge") == {"br1", "br2"})
        assert not emptied
        assert [len(update.get("Bridge", {})) for update in replies if "Bridge" in update] == [2]
