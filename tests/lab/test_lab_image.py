"""Which packages an image from this machine's own packages holds."""

from __future__ import annotations

from saveit_lab.host_image import closure

INSTALLED = """\
dash\tyes\t\t, libc6 (>= 2.36)
libc6\tno\t\t, libgcc-s1
libgcc-s1\tno\t\t,
redis\tno\t\tlibssl3 (>= 3.0), default-mta | nullmailer, libc6:any
postgresql-15\tno\t\t, libllvm14 (>= 1:14)
libllvm14\tno\t\t,
libssl3\tno\tlibssl\t,
exim\tno\tmail-transport-agent, default-mta (= 4)\t,
python\tno\t\t, not-installed | libssl
"""


def test_essential_packages_are_always_in_it() -> None:
    assert closure(INSTALLED, []) == ["dash", "libc6", "libgcc-s1"]


def test_dependencies_are_followed_and_virtual_packages_resolved() -> None:
    assert closure(INSTALLED, ["redis"]) == ["dash", "exim", "libc6", "libgcc-s1", "libssl3", "redis"]


def test_of_alternatives_the_first_installed_one_is_taken() -> None:
    assert "libssl3" in closure(INSTALLED, ["python"])


def test_what_is_big_and_not_used_is_left_out() -> None:
    assert "libllvm14" not in closure(INSTALLED, ["postgresql-15"])


def test_a_wish_that_is_not_installed_is_not_in_it() -> None:
    assert "mosquitto" not in closure(INSTALLED, ["mosquitto"])
