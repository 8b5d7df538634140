# SPDX-License-Identifier: Apache-2.0
"""HTTP to the admin API and the simulator, over TCP or a unix socket; the metrics page as numbers."""

import http.client
import json
import re
import socket
import urllib.parse

from waiting import PATIENCE, check


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class Endpoint:
    """An HTTP server at "http://host:port" or "unix:/path"."""

    def __init__(self, address, headers=None):
        self.address, self.headers = address, dict(headers or {})

    def ask(self, method, path, body=None, headers=None, timeout=10):
        if self.address.startswith("unix:"):
            connection = _UnixConnection(self.address[5:], timeout * PATIENCE)
        else:
            url = urllib.parse.urlsplit(self.address)
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout * PATIENCE)
        sent = dict(self.headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        answer = self.ask("GET", path, **more)
        check(answer.status == 200, f"GET {path}: {answer}")
        return answer.json()

    def post(self, path, body=None, **more):
        answer = self.ask("POST", path, body={} if body is None else body, **more)
        check(answer.status in (200, 202), f"POST {path} {body}: {answer}")
        return answer.json() if answer.body else None


def parse_metrics(text):
    """{(name, ((label, value), ...sorted)): number} of a Prometheus page."""
    out = {}
    line_form = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
    label_form = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = line_form.match(line)
        check(found, f"not a metric line: {line!r}")
        labels = tuple(sorted(label_form.findall(found.group(2) or "")))
        out[(found.group(1), labels)] = float(found.group(3))
    return out
