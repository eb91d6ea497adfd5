"""Taking over a host's network. What helpers assert is shown as in tests."""

import pytest

pytest.register_assert_rewrite("tests.adopt.world")
