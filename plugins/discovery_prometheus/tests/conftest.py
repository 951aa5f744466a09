"""An HTTP server with one list, on loopback."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class ListServer(ThreadingHTTPServer):
    """Answers every GET with ``document``, and records the headers of the last request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.document, self.status, self.headers = "[]", 200, {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}/list"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.headers = dict(self.headers)
        content = self.server.document.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def list_server():
    with ListServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
