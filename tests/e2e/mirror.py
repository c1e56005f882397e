# SPDX-License-Identifier: MIT
"""Clients of the gateway's HTTP, and what stands behind it."""
import contextlib
import datetime
import json
import pathlib
import re
import threading

import pytest

from harness import DEADLINE, LOOPBACK, descendants, program, request
from provider import Provider, Task
from web import QuietHandler, Served

TOKEN = "gateway-token-of-the-tests"
FAST = ("--time", "50ms", "--retry-gap", "20ms")
LINK = "https://media.example/a.mp4?X-Amz-Date={}&X-Amz-Expires=86400&X-Amz-Signature=51f2"
BODY = {"model": "viduq3-turbo", "prompt": "a paper boat"}


class Upstream(Served):
    """A provider that remembers what it was sent and answers what a test says."""

    def __init__(self):
        upstream = self
        self.seen = []
        self.open = threading.Event()
        self.open.set()
        self.status, self.headers, self.body = 200, [], b"{}"
        self.missing = 0  # bytes of an answer that are announced and never come

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                upstream.seen.append((self.command, self.path, dict(self.headers.items()), body))
                if self.command == "POST":
                    upstream.open.wait(DEADLINE)
                self.send_response(upstream.status)
                for name, value in upstream.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(upstream.body) + upstream.missing))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(upstream.body)
                self.close_connection = self.close_connection or upstream.missing != 0

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

        super().__init__(Handler)

    @contextlib.contextmanager
    def hold(self):
        """POSTs made meanwhile are answered afterwards."""
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()


def with_gateway(run, conf, **options):
    run.file("gateway.token", TOKEN)
    conf["gateway"] = {"listen": f"http://{LOOPBACK}:{run.port()}",
                       "token": {"file": str(run.home / "gateway.token")}, **options}
    return conf


class Mirror:
    """A client of the daemon's HTTP."""

    def __init__(self, daemon):
        self.daemon = daemon
        line, = daemon.wait_log("gateway.bound")
        self.url = f"http://{LOOPBACK}:" + re.search(r"\bport=(\d+)", line).group(1)

    def ask(self, method, path, body=None, token=TOKEN, scheme="Token ", headers=None):
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            sent["Authorization"] = scheme + token
        sent.update(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return request(method, self.url + path, body, sent)


def upstream_stack(run, providers=("vidu",), **options):
    """(upstream, mirror): everything of these providers ends at the upstream."""
    upstream = Upstream()
    run.closers.append(upstream)
    conf = with_gateway(run, run.conf(upstream, providers=providers), **options)
    return upstream, Mirror(run.daemon(conf=conf))


def is_own_error(answer, status, reason):
    error = answer.json
    return (answer.status == status and error["code"] == status and error["reason"] == reason
            and isinstance(error["message"], str) and error["metadata"] == {}
            and answer.headers["Content-Type"] == "application/json")


def sim_stack(run, *sim_args, providers=("vidu",), hooks=(), **options):
    """(recorder, sim, mirror): what goes to the simulator is recorded."""
    sim = run.sim("--ca", run.ca(), *(sim_args or FAST))
    recorder = run.recorder(sim)
    conf = run.conf(sim, hooks, providers=providers)
    for provider in conf["providers"].values():
        provider["base_url"] = recorder.url
    return recorder, sim, Mirror(run.daemon(conf=with_gateway(run, conf, **options)))


def amz_date(seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return now.strftime("%Y%m%dT%H%M%SZ")


def polled_stack(run, provider="vidu", **changes):
    """(provider, mirror): the provider answers looks as the test says, and calls nobody back."""
    upstream = Provider()
    run.closers.append(upstream)
    conf = with_gateway(run, run.conf(upstream, providers=[provider], **changes))
    return upstream, Mirror(run.daemon(conf=conf))


def create(upstream, mirror, **fields):
    answer = mirror.ask("POST", "/vidu/ent/v2/text2video", {**BODY, **fields})
    assert answer.status == 200, answer
    return Task(mirror.daemon, answer.headers["X-Viduhook-Task"], answer.json["task_id"],
                upstream.created[-1]["callback_url"])


def poll(mirror, task, **headers):
    return mirror.ask("GET", f"/vidu/ent/v2/tasks/{task.remote_id}/creations",
                      headers={k.replace("_", "-"): v for k, v in headers.items()})


def memory(mirror):
    """(now, most so far) of the gateway's room, bytes."""
    pid, = (pid for pid, command in descendants().items() if "--room=gateway" in command)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(name + r":\s+(\d+)", status).group(1)) << 10 for name in ("VmRSS", "VmHWM")]


without_sanitizer = pytest.mark.skipif(
    b"__asan_init" in pathlib.Path(program("viduhookd")).read_bytes(),
    reason="a sanitizer's allocator keeps what is released")
