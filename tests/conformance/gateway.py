"""A proxy between a connector and an emulator that rejects or modifies requests and answers."""

import contextlib
import http.server
import json
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request


# The connector only blames the key for Orb's own errors, which it recognizes by `type`.
REFUSAL = {"type": "https://docs.withorb.com/reference/error-responses#403", "status": 403, "title": "by the gateway"}


@contextlib.contextmanager
def gateway(url, refuse=None, leave_out=lambda path, record: False, change=lambda path, record: None, usage=None):
    """Forwards requests. Answers those below a path with 403, omits or changes records in lists,
    and adds missing parameters to requests for usage."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Buffer head and body into one packet; otherwise each answer waits for an acknowledgement.
        wbufsize = 1 << 16

        def do_GET(self):
            base = urllib.parse.urlsplit(url).path
            if refuse and self.path.startswith(f"{base}{refuse}"):
                return self.answer(403, "application/json", json.dumps(REFUSAL).encode())
            headers = {name: value for name, value in self.headers.items() if name.lower() == "authorization"}
            target = urllib.parse.urljoin(url, self.path)
            if usage and "/usage?" in self.path and not any(f"{name}=" in self.path for name in usage):
                target = f"{target}&{urllib.parse.urlencode(usage)}"
            request = urllib.request.Request(target, headers=headers)
            try:
                answer = urllib.request.urlopen(request, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                body = answer.read()
                if answer.status == 200:
                    body = self.thin_out(json.loads(body))
                self.answer(answer.status, answer.headers["Content-Type"], body)

        def thin_out(self, page):
            path = urllib.parse.urlsplit(self.path).path.rpartition("/")[2]
            if isinstance(page.get("data"), list):
                page["data"] = [record for record in page["data"] if not leave_out(path, record)]
                for record in page["data"]:
                    change(path, record)
            return json.dumps(page).encode()

        def answer(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{urllib.parse.urlsplit(url).path}"
        finally:
            server.shutdown()
            thread.join()


def closed():
    """Returns a URL on which no server listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
