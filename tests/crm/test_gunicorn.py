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


def raw(port, request):
    """What the server answers to bytes that may be no request."""
    answer(port)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        connection.settimeout(5)
        return connection.makefile("rb").read()


UNREADABLE = {
    "no request": b"nonsense\r\n\r\n",
    "address of 20 KB": b"GET /?q=" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "header of 20 KB": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    "300 headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 300 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_request_is_refused_without_naming_the_server(port, request_):
    head = raw(port, request_).lower()

    assert head.startswith(b"http/1.1 4"), head[:300]
    assert b"gunicorn" not in head and b"python" not in head and b"server:" not in head


def test_an_address_of_8_kb_is_read(port):
    head = raw(
        port, b"GET /?q=" + b"x" * 8000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )

    assert head.startswith(b"HTTP/1.1 200")
