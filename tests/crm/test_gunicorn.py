import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
APP = "application = lambda environ, start: (start('200 OK', []), [b''])[1]"


@pytest.fixture
def port(tmp_path):
    """The port of a gunicorn that runs an empty application with our configuration."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "empty_app.py").write_text(APP)
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py")]
    command += ["--workers", "1", "--bind", f"127.0.0.1:{port}", "empty_app"]
    server = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    yield port
    server.terminate()
    server.wait(20)


def answer(port):
    for _attempt in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            response = connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            connection.close()
            return response
    raise AssertionError("The server did not start.")


def test_no_answer_names_the_server(port):
    response = answer(port)

    assert response.status == 200
    assert response.getheader("Server") is None
    assert response.getheader("Date")
