"""A service that says which commit it is, and what its requirements ask for. It needs Python alone.

`python3 shop.py` serves at $BIND_ADDRESS and $PORT; `python3 shop.py LIST` prints the packages of a list of requirements.
"""

import http.server
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def packages(path):
    """The packages of a list, and of those that it takes in by -r."""
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            yield from packages(path.parent / line[3:].strip())
        elif line and not line.startswith("#"):
            yield line


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        version = HERE / "VERSION"
        commit = version.read_text().strip() if version.exists() else "of the working tree"
        lines = [f"commit {commit}", *packages(HERE / "requirements.txt")]
        body = "\n".join(lines).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not told."""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*packages(HERE / sys.argv[1]), sep="\n")
    else:
        # Piku says where to listen; what runs in a container of its own has to be reached from outside of it.
        address = os.environ.get("BIND_ADDRESS", "0.0.0.0"), int(os.environ["PORT"])
        http.server.ThreadingHTTPServer(address, Page).serve_forever()
