"""The gateway for existing clients: creates beside the provider alone, polls, memory of large bodies.

Part of bench.py.

SPDX-License-Identifier: MIT
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TOKEN = "bench-token"
KEY = "sim-key"  # of the simulator, when nothing else is said
CREATE = "/ent/v2/text2video"
LARGE = 18 << 20
AT_ONCE = 20
DEADLINE = 120


def wrk(url, seconds, *options, token=TOKEN):
    """Answers a second; anything but 2xx ends the bench."""
    command = ["wrk", "-t2", "-c64", f"-d{seconds}", *options, url]
    out = subprocess.run(command, env=dict(os.environ, TOKEN=token), capture_output=True, text=True,
                         check=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if wrong:
        raise SystemExit(f"bench: {wrong.group(1)} wrong answers from {url}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def creates(port, seconds, prefix="", token=TOKEN):
    return wrk(f"http://127.0.0.1:{port}{prefix}{CREATE}", seconds, "-s", HERE / "creates.lua", token=token)


def create_one(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    headers = {"Authorization": "Token " + TOKEN, "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request("POST", "/vidu" + CREATE, body, headers)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"bench: a create was answered {answer.status}: {text[:300]!r}")
    return json.loads(text)["task_id"]


# -- memory ----------------------------------------------------------------------------------------


class Hoarder:
    """A provider that answers a create once all of them have come whole."""

    def __init__(self):
        hoarder = self
        self.all_here = threading.Barrier(AT_ONCE)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                left = int(self.headers["Content-Length"])
                while left > 0:
                    left -= len(self.rfile.read(min(left, 1 << 16)))
                hoarder.all_here.wait(DEADLINE)
                text = json.dumps({"task_id": str(time.monotonic_ns()), "state": "created"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = AT_ONCE
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def gateway_of(daemon):
    children = pathlib.Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    return next(c for c in children if "gateway" in pathlib.Path(f"/proc/{c}/cmdline").read_text())


def memory(pid):
    """(now, most so far), bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(name + r":\s+(\d+)", status).group(1)) << 10 for name in ("VmRSS", "VmHWM")]


def settled(pid):
    """What it holds once that falls no more."""
    low, since = memory(pid)[0], time.monotonic()
    while time.monotonic() - since < 2:
        time.sleep(0.1)
        now = memory(pid)[0]
        if now < low:
            low, since = now, time.monotonic()
    return low


def measure_memory(daemon):
    with Hoarder() as provider:
        with daemon("hoard", provider.port) as (port, process):
            pid = gateway_of(process)
            idle = memory(pid)[0]
            body = json.dumps({"model": "viduq3-turbo", "prompt": "x",
                               "images": ["data:image/png;base64," + "A" * LARGE]})
            clients = [threading.Thread(target=create_one, args=(port, body)) for _ in range(AT_ONCE)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            most = memory(pid)[1]
            after = settled(pid)
    bodies = AT_ONCE * len(body)
    return {"idle": idle / 2**20, "share": (most - idle) / bodies, "after": after / 2**20}


# -- all together ----------------------------------------------------------------------------------


def measure(args, open_daemon, open_sim):
    """open_sim(): port of a simulator that calls nobody back; open_daemon(name, port of the provider):
    (port of its gateway, process)."""
    rates = {"direct": [], "through": [], "polls": []}
    with open_sim() as sim:
        with open_daemon("gateway", sim) as (port, _):
            for _ in range(args.rounds):
                rates["direct"].append(creates(sim, args.seconds, token=KEY))
                rates["through"].append(creates(port, args.seconds, "/vidu"))
            task = create_one(port, json.dumps({"model": "viduq3-turbo", "prompt": "x"}))
            for _ in range(args.rounds):
                rates["polls"].append(wrk(f"http://127.0.0.1:{port}/vidu/ent/v2/tasks/{task}/creations",
                                          args.seconds, "-H", f"Authorization: Token {TOKEN}"))
    result = {name: statistics.median(r) for name, r in rates.items()}
    result["ratio"] = statistics.median(t / d for t, d in zip(rates["through"], rates["direct"]))
    return {**result, "memory": measure_memory(open_daemon)}


def show(r):
    m = r["memory"]
    print(f"- gateway, 64 connections: {r['through']:,.0f} creates/s, the simulator alone {r['direct']:,.0f}: "
          f"{r['ratio']:.2f} of it (reach 0.5); {r['polls']:,.0f} polls/s answered here (reach 5,000)")
    print(f"- gateway, {AT_ONCE} creates of {LARGE >> 20} MB at once: {m['share']:.2f} of the bodies above "
          f"{m['idle']:.1f} MiB idle (reach 1.3), {m['after']:.1f} MiB after")
