from pathlib import Path

import pytest

from index.errors import SettingsError
from index.sessions import FILE, is_session, local_session, make_session, name_in, session_key
from rag.passwords import PasswordHash, check_name, hash_password, read_users

QUICK = PasswordHash(10, 1, 1, b"0123456789abcdef", b"")


def quick(password: str) -> PasswordHash:
    """A hash that takes no time, for tests only."""
    from rag.passwords import _derive

    return PasswordHash(10, 1, 1, b"0123456789abcdef", _derive(password, b"0123456789abcdef", 10, 1, 1))


def test_a_hash_fits_its_password_alone_and_survives_being_written() -> None:
    stored = hash_password("open sesame ✓")
    users = read_users(f"anna:{stored}")
    assert users["anna"].fits("open sesame ✓")
    assert not users["anna"].fits("open sesame")
    assert str(users["anna"]) == str(stored)
    assert str(hash_password("open sesame ✓")) != str(stored)


def test_a_hash_does_not_show_itself() -> None:
    stored = quick("secret")
    assert str(stored).rpartition(".")[2] not in repr(stored)


def test_pairs_come_from_the_setting_or_from_a_file(tmp_path: Path) -> None:
    pairs = [f"anna:{quick('a')}", f"ben:{quick('b')}"]
    assert read_users(" ".join(pairs)).keys() == {"anna", "ben"}
    assert read_users(",".join(pairs)).keys() == {"anna", "ben"}
    file = tmp_path / "users"
    file.write_text("# who may come in\n" + "\n".join(pairs) + "\n")
    assert read_users(str(file))["ben"].fits("b")


@pytest.mark.parametrize(
    "value",
    ["", "  ", "anna", "anna:letmein", f"{quick('x')}", f"an na:{quick('x')}", "a:scrypt.30.8.1.c2FsdHNhbHRzYWx0.x"],
)
def test_what_cannot_be_read_lets_nobody_in_and_shows_nothing(value: str) -> None:
    with pytest.raises(SettingsError, match="BYLINE_AUTH") as caught:
        read_users(value)
    assert "letmein" not in str(caught.value)
    assert "scrypt.1" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "an na", "anna:x", "a,b", "x" * 65])
def test_a_name_that_a_pair_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        check_name(name)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = session_key(tmp_path / "home")
    assert session_key(tmp_path / "home") == key
    assert (tmp_path / "home" / FILE).stat().st_mode & 0o077 == 0
    (tmp_path / "home" / FILE).write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged"):
        session_key(tmp_path / "home")


def test_a_session_is_good_for_its_name_its_time_and_its_password() -> None:
    key = b"k" * 32
    session = make_session("änna", key=key, stored="old", seconds=60, now=1000)
    assert name_in(session) == "änna"
    assert is_session(session, "änna", key=key, stored="old", now=1059)
    assert not is_session(session, "änna", key=key, stored="old", now=1060)
    assert not is_session(session, "ben", key=key, stored="old", now=1059)
    assert not is_session(session, "änna", key=key, stored="new", now=1059)
    assert not is_session(session, "änna", key=b"x" * 32, stored="old", now=1059)
    later = session.replace("1060", "9999")
    assert not is_session(later, "änna", key=key, stored="old", now=1059)


@pytest.mark.parametrize(
    "session", ["", ".", "..", "x", "a.b.c", "YW5uYQ.99999999999999999.x", "ÿ.1.ÿ", "YQ.1." + "x" * 500]
)
def test_what_is_no_session_is_none(session: str) -> None:
    name = name_in(session)
    assert not is_session(session, name, key=b"k" * 32)


def test_a_command_line_without_the_key_has_no_word(tmp_path: Path) -> None:
    assert local_session(tmp_path) == ""
    session_key(tmp_path)
    assert local_session(tmp_path)
