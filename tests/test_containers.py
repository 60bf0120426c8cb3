"""What can rot in Containerfile and compose.yaml: paths, settings, extras, versions and ports of the rest."""

import json
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from index.settings import Settings

ROOT = Path(__file__).parent.parent
CONTAINERFILE = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text(encoding="utf-8"))
yaml: Any = import_module("yaml")  # it comes with Chroma, and without types
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions(name: str) -> list[str]:
    return re.findall(rf"^\s*{name} (.+)$", CONTAINERFILE, re.MULTILINE)


def test_what_is_copied_is_there_and_reaches_the_engine() -> None:
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [name for one in instructions("COPY") if "--from" not in one for name in shlex.split(one)[:-1]]
    assert {"app.py", "index", "rag", "requirements.lock"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert set(copied) <= set(let_through)


def test_settings_that_are_given_are_settings() -> None:
    known = {field.validation_alias or f"BYLINE_{name.upper()}" for name, field in Settings.model_fields.items()}
    given = set(re.findall(r"\b(BYLINE_\w+)=", CONTAINERFILE)) | set(SERVICES["app"]["environment"])
    assert given >= {"BYLINE_HOME", "BYLINE_CHROMA", "BYLINE_LLM"}
    assert given <= known


def test_extras_and_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(SERVICES["app"]["build"]["args"]["EXTRAS"].split()) <= set(project["optional-dependencies"])
    locked = re.search(r"^chromadb==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert locked
    assert SERVICES["chroma"]["image"] == f"chromadb/chroma:{locked[1]}"
    least = re.search(r"\d+\.(\d+)", project["requires-python"])
    images = {one.split()[0] for one in instructions("FROM")}
    assert least
    assert [name for name in images if int(name.partition(":3.")[2].partition("-")[0]) < int(least[1])] == []


def test_the_server_is_started_and_looked_at_as_it_is() -> None:
    command = json.loads(instructions("CMD")[-1])
    assert command == ["python", "app.py", "--host", "0.0.0.0"]
    program = (ROOT / "app.py").read_text(encoding="utf-8")
    port = re.search(r"\bport: .*= (\d+),", program)
    assert port
    assert instructions("EXPOSE") == [port[1]]
    assert f"http://127.0.0.1:{port[1]}/healthz" in CONTAINERFILE
    assert SERVICES["app"]["ports"] == [f"127.0.0.1:{port[1]}:{port[1]}"]


def test_services_wait_for_services_and_keep_what_they_write() -> None:
    for service in SERVICES.values():
        for other, waited in service.get("depends_on", {}).items():
            assert other in SERVICES
            assert waited["condition"] == "service_completed_successfully" or "healthcheck" in SERVICES[other]
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(COMPOSE["volumes"])
    assert "ports" not in SERVICES["chroma"], "it asks for no password"
    assert SERVICES["app"]["environment"]["BYLINE_CHROMA"] == "http://chroma:8000"
    assert instructions("VOLUME") == [SERVICES["app"]["volumes"][0].partition(":")[2]]
    assert "BYLINE_HOME=/data" in CONTAINERFILE
