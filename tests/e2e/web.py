# SPDX-License-Identifier: MIT
"""Requests, signatures and a receiver: what the tests say over HTTP.

The signature is written here once more, apart from the daemon's and the simulator's.
"""
import base64
import contextlib
import datetime
import email.utils
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

DEADLINE = float(os.environ.get("VIDUHOOK_TEST_DEADLINE", "15"))
LOOPBACK = "127.0.0.1"
SIM_KEY = "sim-key"


def wait_for(condition, what, seconds=DEADLINE):
    """The first true value that condition() returns; fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"no {what() if callable(what) else what} within {seconds} s")
        time.sleep(0.01)


# -- HTTP -----------------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<Answer {self.status} {self.body[:300]!r}>"

    @property
    def json(self):
        return json.loads(self.body)


def tls_context(ca):
    """Trusts the certificates in a file; False: any (for tests that break things on purpose)."""
    context = ssl.create_default_context(cafile=None if ca is False else str(ca))
    if ca is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def request(method, url, body=None, headers=None, ca=None, timeout=DEADLINE):
    """One request over its own connection; the target is sent as it stands in the URL."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout,
                                                 context=tls_context(ca))
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    target = url.split("://", 1)[1]
    target = "/" + target.split("/", 1)[1] if "/" in target else "/"
    if isinstance(body, str):
        body = body.encode()
    with contextlib.closing(connection):
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def get(url, method="GET", **headers):
    """request() without a body; underscores in the headers' names stand for dashes."""
    return request(method, url, headers={k.replace("_", "-"): v for k, v in headers.items()})


def exchange(port, data, ca=None, seconds=DEADLINE, half_close=False):
    """Raw bytes to a port of this machine, and what comes back until it closes or seconds pass.
    ca as in tls_context; None: plain text."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=seconds))
        if ca is not None:
            sock = stack.enter_context(tls_context(ca).wrap_socket(sock, server_hostname=LOOPBACK))
        received = b""
        with contextlib.suppress(OSError):
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while True:
                piece = sock.recv(65536)
                if not piece:
                    break
                received += piece
        return received


# -- signatures, on their own ---------------------------------------------------------------------


def http_date(shift_seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc)
    return email.utils.format_datetime(now + datetime.timedelta(seconds=shift_seconds), usegmt=True)


def string_to_sign(url, date, fields, method="POST"):
    rest = url.split("://", 1)[1].split("#", 1)[0]
    authority = re.match(r"[^/?]*", rest).group()
    path, _, query = rest[len(authority):].partition("?")
    lines = [method, path or "/", query, "vidu", date]
    lines += [f"{name}:{value}" for name, value in fields]
    return "".join(line + "\n" for line in lines)


def sign(key, url, date, fields):
    text = string_to_sign(url, date, fields)
    mac = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(mac).decode()


def signed_headers(key, url, date=None, nonce=None, **changes):
    """The headers of a callback. Changes replace (underscores stand for dashes), None removes."""
    date = date or http_date()
    nonce = nonce or str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "Date": date,
        "X-Request-Nonce": nonce,
        "X-Hmac-Access-Key": "vidu",
        "X-Hmac-Algorithm": "hmac-sha256",
        "X-Hmac-Signed-Headers": "Date;x-request-nonce",
        "X-Hmac-Signature": sign(key, url, date, [("Date", date), ("x-request-nonce", nonce)]),
    }
    for name, value in changes.items():
        name = name.replace("_", "-").lower()
        headers = {k: v for k, v in headers.items() if k.lower() != name}
        if value is not None:
            headers[name] = value
    return headers


def post_callback(url, body, key=SIM_KEY, ca=None, headers=None, **changes):
    """A signed callback, as Vidu would send it; body is a dict, text or bytes."""
    if isinstance(body, dict):
        body = json.dumps(body)
    if headers is None:
        headers = signed_headers(key, url, **changes)
    return request("POST", url, body, headers, ca)


def callback_body(remote_id, state="success", url="", **more):
    """The documented body (F1, F3, F4 of vidu-api.md 11.3)."""
    body = {"id": remote_id, "state": state, "err_code": "", "credits": 40, "payload": "",
            "bgm": False, "off_peak": False, "creations": []}
    if url:
        body["creations"] = [{"id": "1", "url": url, "cover_url": "", "watermarked_url": ""}]
    body.update(more)
    return body


def signature_is_good(key, url, headers):
    """Whether received headers carry a right signature for the callback URL."""
    names = headers["X-Hmac-Signed-Headers"].split(";")
    fields = [(name, headers[name]) for name in names]
    return hmac.compare_digest(sign(key, url, headers["Date"], fields), headers["X-Hmac-Signature"])


# -- a receiver for the simulator's callbacks -----------------------------------------------------


class QuietHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, answer, status=200, headers=()):
        """In JSON."""
        text = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Served:
    """An HTTP server on a port of its own; with a certificate (its file, its key) over TLS."""

    def __init__(self, handler, certificate=None):
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server((LOOPBACK, 0), handler)
        self.port = self.server.server_address[1]
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, certificate))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{self.scheme}://{LOOPBACK}:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Received:
    def __init__(self, target, headers, body):
        self.target, self.headers, self.body = target, headers, body
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def state(self):
        return self.json.get("state")


class Receiver(Served):
    """Keeps every POST. answers: statuses for the first ones; after them 200."""

    def __init__(self, answers=(), certificate=None):
        receiver = self
        self.requests, self.lock = [], threading.Lock()
        self.answers = list(answers)

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                with receiver.lock:
                    receiver.requests.append(Received(self.path, self.headers, body))
                    status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        super().__init__(Handler, certificate)

    def url(self, path="/cb"):
        return f"{self.scheme}://{LOOPBACK}:{self.port}{path}"

    def all(self):
        with self.lock:
            return list(self.requests)

    def wait(self, count, seconds=DEADLINE):
        """The requests, once there are as many."""
        return wait_for(lambda: len(self.all()) >= count and self.all(),
                        lambda: f"{count} callbacks, only {len(self.all())}", seconds)


# -- what goes over the wire to a provider -------------------------------------------------------


class Exchange:
    """One request that went through a Recorder, and what was answered (None: nothing)."""

    def __init__(self, method, path, headers, body, answer):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.answer = answer

    @property
    def json(self):
        return json.loads(self.body)


class Recorder(Served):
    """Stands between the daemon and a simulator and keeps every request as it was sent. With
    refuse (status, body) it answers the creates itself."""

    def __init__(self, target, refuse=None):
        recorder = self
        self.exchanges, self.lock = [], threading.Lock()
        self.refuse = refuse

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                answer = recorder.answer(target, self, body)
                with recorder.lock:
                    recorder.exchanges.append(
                        Exchange(self.command, self.path, self.headers, body, answer))
                self.close_connection = True
                if answer is None:
                    return
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = pass_on

        super().__init__(Handler)

    def answer(self, target, asked, body):
        if self.refuse is not None and asked.command == "POST":
            status, text = self.refuse
            return Answer(status, {"Content-Type": "application/json"}, text.encode())
        headers = {k: v for k, v in asked.headers.items() if k.lower() not in ("host", "connection")}
        headers["Host"] = target.split("://", 1)[1]  # so that media URLs are the simulator's own
        try:
            return request(asked.command, target + asked.path, body or None, headers)
        except (OSError, http.client.HTTPException):
            return None

    def all(self, method=None):
        with self.lock:
            return [e for e in self.exchanges if method in (None, e.method)]
