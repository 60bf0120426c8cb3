"""The way in: a name and a password for pages and programs, counted guesses, proxies that are believed or not."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from pydantic import SecretStr

from index.sessions import local_session, session_key
from index.settings import Settings
from rag.access import GUESSES_PER_MINUTE
from rag.gateway import asking_rate, guard
from rag.limits import client_of
from tests.test_passwords import quick

HOME = "http://127.0.0.1:7860"
PASSWORD = "correct horse"


def client(tmp_path: Path, *, address: str = "127.0.0.1", local_only: bool = True, **more: Any) -> TestClient:
    """A client of a guarded app that says who it takes the client for."""
    more.setdefault("auth", SecretStr(f"anna:{quick(PASSWORD)}"))
    settings = Settings(home=tmp_path, **more)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/who")
    @app.post("/who")
    def who(request: Request) -> dict[str, str]:
        forwarded = request.headers.get("x-forwarded-host", "")
        return {"client": client_of(request.scope), "scheme": request.url.scheme, "forwarded": forwarded}

    @app.get("/page")
    def page() -> HTMLResponse:
        return HTMLResponse("<p>Inside</p>")

    @app.get("/v1/models")
    @app.get("/healthz")
    def open_to_some() -> dict[str, str]:
        return {"status": "ok"}

    guard(app, settings, local_only=local_only)
    return TestClient(app, base_url=HOME, client=(address, 5000), follow_redirects=False)


def test_who_does_not_say_who_it_is_stays_outside(tmp_path: Path) -> None:
    asked = client(tmp_path)
    refused = asked.get("/who")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert "bearer token NAME:PASSWORD" in refused.json()["error"]
    assert asked.post("/who").status_code == 401
    assert asked.get("/nothing/there").status_code == 401
    assert asked.get("/v1/models").json()["error"]["type"] == "authentication_error"
    assert asked.get("/healthz").status_code == 200


def test_a_browser_logs_in_and_comes_back_to_where_it_wanted_to_go(tmp_path: Path) -> None:
    asked = client(tmp_path)
    sent = asked.get("/page?q=Why%3F", headers={"accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fpage%3Fq%3DWhy%253F")
    form = asked.get(sent.headers["location"])
    assert 'value="/page?q=Why%3F"' in form.text
    assert "default-src 'none'" in form.headers["content-security-policy"]
    answer = asked.post("/login", data={"name": "anna", "password": PASSWORD, "next": "/page?q=Why%3F"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/page?q=Why%3F")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert asked.get("/page").text == "<p>Inside</p>"
    assert asked.get("/who").json()["client"] == "anna"
    assert "You are anna" in asked.get("/login").text
    assert asked.post("/logout").status_code == 303
    assert asked.get("/who").status_code == 401


def test_a_wrong_password_says_so_and_lets_nobody_in(tmp_path: Path) -> None:
    asked = client(tmp_path)
    for name, password in (("anna", "wrong"), ("ben", PASSWORD), ("", ""), ("anna", PASSWORD + " ")):
        answer = asked.post("/login", data={"name": name, "password": password})
        assert answer.status_code == 401
        assert "Name or password is wrong." in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "evil"])
def test_after_logging_in_nobody_is_sent_elsewhere(tmp_path: Path, following: str) -> None:
    answer = client(tmp_path).post("/login", data={"name": "anna", "password": PASSWORD, "next": following})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_program_shows_its_password_with_each_request(tmp_path: Path) -> None:
    asked = client(tmp_path)
    for _ in range(2):
        assert asked.get("/who", auth=("anna", PASSWORD)).json()["client"] == "anna"
        bearer = {"authorization": f"Bearer anna:{PASSWORD}"}
        assert asked.get("/who", headers=bearer).json()["client"] == "anna"
    for wrong in (
        "Basic !!!",
        "Basic ",
        "Bearer anna",
        f"Digest anna:{PASSWORD}",
        "Bearer " + "x:" * 2000,
        "Basic w6R==",
    ):
        assert asked.get("/who", headers={"authorization": wrong}).status_code == 401


def test_guesses_are_counted_whichever_door_they_knock_at(tmp_path: Path) -> None:
    asked = client(tmp_path)
    for number in range(GUESSES_PER_MINUTE):
        assert asked.get("/who", auth=("anna", f"guess {number}")).status_code == 401
    refused = asked.get("/who", auth=("anna", "one more"))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert asked.post("/login", data={"name": "anna", "password": PASSWORD}).status_code == 429


def test_a_changed_password_ends_the_sessions_made_with_the_old(tmp_path: Path) -> None:
    asked = client(tmp_path)
    asked.post("/login", data={"name": "anna", "password": PASSWORD})
    assert asked.get("/who").status_code == 200
    changed = client(tmp_path, auth=SecretStr(f"anna:{quick('another')}"))
    changed.cookies = asked.cookies
    assert changed.get("/who").status_code == 401


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "YW5uYQ.9999999999.x", '"', "=;=", "ÿ".encode().decode("latin-1")])
def test_a_made_up_cookie_opens_nothing(tmp_path: Path, cookie: str) -> None:
    asked = client(tmp_path)
    name = asked.post("/login", data={"name": "anna", "password": PASSWORD}).headers["set-cookie"].partition("=")[0]
    asked.cookies.clear()
    assert asked.get("/who", headers={b"cookie": f"{name}={cookie}".encode("latin-1")}).status_code == 401


def test_a_command_line_beside_the_server_needs_no_password(tmp_path: Path) -> None:
    asked = client(tmp_path)
    session_key(tmp_path)
    word = {"authorization": f"Bearer {local_session(tmp_path)}"}
    assert asked.get("/who", headers=word).json()["client"] == "this machine"
    assert client(tmp_path / "other").get("/who", headers=word).status_code == 401


def test_without_names_everybody_may_come_in(tmp_path: Path) -> None:
    asked = client(tmp_path, auth=None)
    assert asked.get("/who").json()["client"] == "127.0.0.1"
    assert asked.get("/login").status_code == 404


def test_passwords_are_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked = client(tmp_path)
    asked.get("/who", auth=("anna", PASSWORD))
    asked.post("/login", data={"name": "anna", "password": PASSWORD})
    asked.get("/who", headers={"authorization": f"Bearer ben:{PASSWORD}"})
    assert PASSWORD not in caplog.text
    assert "scrypt" not in repr(Settings(home=tmp_path, auth=SecretStr(f"anna:{quick(PASSWORD)}")))


def test_a_client_behind_a_proxy_is_whom_a_trusted_proxy_names(tmp_path: Path) -> None:
    told = {"x-forwarded-for": "203.0.113.9, 198.51.100.4, 10.0.0.2", "x-forwarded-proto": "https"}
    trusted = client(tmp_path, auth=None, address="10.0.0.1", proxies=("10.0.0.0/8",))
    assert trusted.get("/who", headers=told).json() == {"client": "198.51.100.4", "scheme": "https", "forwarded": ""}
    stranger = client(tmp_path, auth=None, address="192.0.2.1", proxies=("10.0.0.0/8",))
    told["x-forwarded-host"] = "evil.example"
    assert stranger.get("/who", headers=told).json() == {"client": "192.0.2.1", "scheme": "http", "forwarded": ""}
    unset = client(tmp_path, auth=None, address="10.0.0.1")
    assert unset.get("/who", headers=told).json()["client"] == "10.0.0.1"


def test_a_cookie_given_over_https_stays_there(tmp_path: Path) -> None:
    asked = client(tmp_path, proxies=("127.0.0.1",), root_path="/news")
    told = {"x-forwarded-proto": "https"}
    answer = asked.post("/login", data={"name": "anna", "password": PASSWORD}, headers=told)
    assert answer.headers["location"] == "/news/"
    assert re.search(r"Path=/news; SameSite=lax; Secure", answer.headers["set-cookie"])


@pytest.mark.parametrize("path", ["/who", "/news/who"])
def test_a_path_is_the_same_whether_or_not_the_proxy_took_its_beginning_away(tmp_path: Path, path: str) -> None:
    asked = client(tmp_path, root_path="/news")
    assert asked.get(path, auth=("anna", PASSWORD)).status_code == 200
    sent = asked.get(path, headers={"accept": "text/html"})
    assert sent.headers["location"] == "/news/login?next=%2Fwho"


def test_a_page_on_the_proxys_name_may_ask_and_a_foreign_one_may_not(tmp_path: Path) -> None:
    asked = client(tmp_path, auth=None, proxies=("127.0.0.1",))
    told = {"x-forwarded-host": "news.example", "origin": "https://news.example"}
    assert asked.post("/who", headers=told).status_code == 200
    assert asked.post("/who", headers=told | {"origin": "https://evil.example"}).status_code == 403
    believed_nobody = client(tmp_path, auth=None)
    assert believed_nobody.post("/who", headers=told).status_code == 403


def test_a_name_that_is_allowed_is_answered_and_no_other(tmp_path: Path) -> None:
    asked = client(tmp_path, auth=None, local_only=False, hosts=("news.example",), proxies=("127.0.0.1",))
    assert asked.get("/who", headers={"host": "news.example"}).status_code == 200
    assert asked.get("/who", headers={"host": "NEWS.example:8443"}).status_code == 200
    rebinding = {"host": "evil.example", "x-forwarded-host": "news.example"}
    assert asked.get("/who", headers=rebinding).status_code == 421
    assert asked.get("/who").status_code == 200


def test_strangers_may_ask_less_than_this_machine(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert asking_rate(settings, local_only=True)._per_minute is None
    assert asking_rate(settings, local_only=False)._per_minute == 20
    assert asking_rate(Settings(home=tmp_path, proxies=("127.0.0.1",)), local_only=True)._per_minute == 20
    assert asking_rate(Settings(home=tmp_path, questions_per_minute=5), local_only=True)._per_minute == 5


def test_a_form_of_too_many_fields_logs_nobody_in(tmp_path: Path) -> None:
    answer = client(tmp_path).post("/login", content="&".join(["name=anna"] * 20))
    assert answer.status_code == 401
    assert "text/html" in answer.headers["content-type"]
