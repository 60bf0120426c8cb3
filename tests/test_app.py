import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_port_in_use_is_one_readable_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert err.startswith(f"Error: Cannot listen on 127.0.0.1:{port} (")
    assert "--port" in err
    assert err.count("\n") == 1


def test_a_setting_that_cannot_be_used_is_one_readable_line() -> None:
    process = start("--port", "0", BYLINE_TOP_K="many")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert "BYLINE_TOP_K" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_it_says_where_it_is_answers_and_ends_when_told() -> None:
    process = start("--port", "0", BYLINE_LLM="none")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.fullmatch(r"Byline: (http://127\.0\.0\.1:\d+)\n", line)
        assert address is not None, line + (process.stderr.read() if process.stderr else "")
        with urllib.request.urlopen(f"{address[1]}/healthz", timeout=30) as response:
            assert response.read() == b'{"status":"ok"}'
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in {0, 130, -signal.SIGINT}
