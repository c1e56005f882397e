#!/usr/bin/env python3
"""viduhookd beside its peers, measured in one run, alternating. Usage: bench.py [--quick].

Nothing in here fails on time: it measures and prints one table. Run it by `./dev bench`.

SPDX-License-Identifier: MIT
"""
import argparse
import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
import uuid

import bench_gateway
import bench_hooks

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
WORK = BUILD / "bench"
KEY = "vda_bench_0000000000"
CONNECTIONS = (1, 16, 64, 256)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    for _ in range(600):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"bench: nothing listens on port {port}")


@contextlib.contextmanager
def process(*argv, log, port):
    with open(WORK / log, "w") as out:
        p = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=out)
        try:
            wait_port(port)
            yield p
        finally:
            p.terminate()
            try:
                p.wait(60)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def cpu_of(pid):
    """Clock ticks of a process, of the children it has reaped and of those it has."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(map(int, fields[11:15])) + sum(map(cpu_of, children))


def settle():
    """
    Returns once no contestant works any more: webhook answers first and then goes on starting the commands
    for many seconds, on the CPUs of whoever is measured next.
    """
    deadline = time.monotonic() + 120
    quiet, was = 0, cpu_of(os.getpid())
    while quiet < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
        now = cpu_of(os.getpid())
        quiet = quiet + 1 if now - was <= 1 else 0
        was = now


# -- the contestants ---------------------------------------------------------------------------


@contextlib.contextmanager
def daemon(name, store, hooks=(), runs=16, **changes):
    """viduhookd with one receiver; yields (plain port, TLS port, process, call)."""
    plain, tls = free_port(), free_port()
    conf = {
        "public_url": f"https://127.0.0.1:{tls}",
        "listen": [f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}"],
        "tls": {"certificate": str(WORK / "cert.pem"), "key": str(WORK / "key.pem"), "min_version": "1.3"},
        "control": str(WORK / f"{name}.sock"),
        "store": f"sqlite:{store}",
        "log_level": "warn",
        "providers": {"vidu": {"base_url": "http://127.0.0.1:9", "key": f"file:{WORK}/vidu.key"}},
        # One machine sends everything here: its allowance as a single source is off.
        "limits": {"per_source": 0, "source_rate": 0, "runs": runs, "min_free": "1MiB"},
        "fetch": {"keep_free": "1MiB"},
        "hooks": list(hooks),
    }
    conf.update(changes)
    if hooks and "download" in hooks[0]:
        conf["fetch"]["allow"] = ["127.0.0.1"]
    path = WORK / f"{name}.yaml"
    path.write_text(json.dumps(conf))

    def call(*words):
        done = subprocess.run([BUILD / "viduhook", "-c", path, "--json", *words], capture_output=True, text=True)
        return json.loads(done.stdout)

    with process(BUILD / "viduhookd", "-c", path, log=f"{name}.log", port=tls) as p:
        yield plain, tls, p, call


@contextlib.contextmanager
def bare():
    plain, tls = free_port(), free_port()
    program = BUILD / "tests/bench/bare_evhttp"
    with process(program, plain, log="bare.log", port=plain):
        with process(program, tls, WORK / "cert.pem", WORK / "key.pem", log="bare-tls.log", port=tls):
            yield plain, tls


@contextlib.contextmanager
def webhook():
    plain, tls = free_port(), free_port()
    never = {"match": {"type": "value", "value": "x", "parameter": {"source": "header", "name": "Never"}}}
    (WORK / "hooks.json").write_text(json.dumps([
        {"id": "none", "execute-command": "/bin/true", "trigger-rule": never, "trigger-rule-mismatch-http-response-code": 200},
        {"id": "true", "execute-command": "/bin/true"},
    ]))
    base = ["webhook", "-hooks", WORK / "hooks.json", "-ip", "127.0.0.1", "-port"]
    secure = ["-secure", "-cert", WORK / "cert.pem", "-key", WORK / "key.pem", "-tls-min-version", "1.3"]
    with process(*base, plain, log="webhook.log", port=plain):
        with process(*base, tls, *secure, log="webhook-tls.log", port=tls):
            yield plain, tls


@contextlib.contextmanager
def nginx():
    plain, tls = free_port(), free_port()
    (WORK / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {WORK}/nginx.pid; error_log {WORK}/nginx.err;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {WORK}/nginx-body;
  proxy_temp_path {WORK}/nginx-proxy; fastcgi_temp_path {WORK}/nginx-f; uwsgi_temp_path {WORK}/nginx-u;
  scgi_temp_path {WORK}/nginx-s; sendfile on;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
    ssl_certificate {WORK}/cert.pem; ssl_certificate_key {WORK}/key.pem;
    ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;
    location / {{ return 200; }}
    location /media/ {{ root {WORK}; }}
  }}
}}
""")
    with process("nginx", "-c", WORK / "nginx.conf", "-e", WORK / "nginx.err", log="nginx.log", port=plain):
        yield plain, tls


# -- callbacks -----------------------------------------------------------------------------------


class Load:
    """wrk with rightly signed callbacks, half of tasks that begin, half of tasks that end."""

    def __init__(self, keys, count, seconds):
        self.keys, self.count, self.seconds, self.first = keys, count, seconds, 0

    def run(self, url, connections, close=False, target=None, uses_up=False):
        """uses_up: the server remembers tasks, so that the next measurement begins with other ones."""
        threads = min(2, connections)
        env = dict(os.environ, KEYS=str(self.keys), SECRET=KEY, COUNT=str(self.count), THREADS=str(threads),
                   FIRST=str(self.first), CLOSE="1" if close else "0")
        if target:
            env["TARGET"] = target
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{self.seconds}", "--latency",
                   "-s", ROOT / "tests/bench/callbacks.lua", url]
        for _ in range(5):  # wrk itself crashes now and then over TLS
            out = subprocess.run(command, env=env, capture_output=True, text=True).stdout
            counted = re.search(r"(\d+) requests in", out)
            if counted:
                break
        else:
            print(f"  wrk gave no result for {url}", file=sys.stderr)
            return {"rate": float("nan"), "p50": float("nan"), "p99": float("nan"), "wrong": 0}
        total = int(counted.group(1))
        if uses_up:
            self.first += total + connections
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
        return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "p50": latency(out, "50%"),
                "p99": latency(out, "99%"), "wrong": int(wrong.group(1)) if wrong else 0}


def latency(out, which):
    """Milliseconds."""
    number, unit = re.search(rf"\s{which}\s+([\d.]+)(us|ms|s)", out).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def median(rows):
    return {k: statistics.median(r[k] for r in rows) for k in rows[0]}


def pss(pid):
    """Proportional set size of a process and its children, MiB."""
    pids = [pid] + [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    total = 0
    for p in pids:
        text = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
    return total / 1024


def measure_callbacks(args):
    load = Load(WORK / "keys", args.tasks, args.seconds)
    scenarios = [("plain", c, False) for c in CONNECTIONS] + [("TLS", c, False) for c in CONNECTIONS]
    scenarios.append(("TLS, new connection each", 64, True))
    with bare() as a, webhook() as b, nginx() as c, daemon("main", WORK / "store.db") as (plain, tls, p, call):
        time.sleep(2)
        memory = {"idle": pss(p.pid)}
        contestants = [("bare evhttp", *a, None), ("webhook, no rule fits", *b, "/hooks/none"),
                       ("webhook, /bin/true", *b, "/hooks/true"), ("nginx return 200", *c, None),
                       ("viduhookd, durable", plain, tls, None)]
        results = {}
        for kind, connections, close in scenarios:
            rows = {name: [] for name, *_ in contestants}
            for _ in range(args.rounds):
                for name, plain_port, tls_port, target in contestants:
                    url = f"http://127.0.0.1:{plain_port}" if kind == "plain" else f"https://127.0.0.1:{tls_port}"
                    rows[name].append(load.run(url, connections, close, target, name.startswith("viduhookd")))
                    settle()
            results[kind, connections] = {name: median(r) for name, r in rows.items()}
            print(f"  measured {kind}, {connections} connections", file=sys.stderr)
        memory["after"] = pss(p.pid)
        verdicts = call("status")["verdicts"]
    return results, memory, verdicts


# -- a hundred small callbacks of our own ------------------------------------------------------------


def sign(path):
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    nonce = str(uuid.uuid4())
    text = f"POST\n{path}\n\nvidu\n{date}\nDate:{date}\nx-request-nonce:{nonce}\n"
    mac = base64.b64encode(hmac.new(KEY.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return {"Date": date, "X-Request-Nonce": nonce, "X-Hmac-Access-Key": "vidu", "X-Hmac-Algorithm": "hmac-sha256",
            "X-Hmac-Signed-Headers": "Date;x-request-nonce", "X-Hmac-Signature": mac, "Content-Type": "application/json"}


def send_successes(port, keys, urls):
    """Everything is signed before the first is sent: the runs start meanwhile, and share our CPUs."""
    requests = []
    for i, url in enumerate(urls):
        path = "/callback/" + keys[i * 42:(i + 1) * 42]
        body = json.dumps({"id": f"9{i:017d}", "state": "success", "creations": [{"id": "1", "url": url}]})
        requests.append((path, body, sign(path)))
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for path, body, headers in requests:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            sys.exit(f"bench: a callback was answered {answer.status}")


def fill(store, count, keys, *hook):
    for leftover in WORK.glob(pathlib.Path(store).name + "*"):
        leftover.unlink()
    subprocess.run([BUILD / "tests/bench/fill_store", store, str(count), keys, *hook], check=True)


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def wait_runs(call, count):
    """Seconds from the first start to the last end of count finished runs, as the daemon wrote them down."""
    while call("status")["runs"].get("done", 0) < count:
        time.sleep(0.5)  # every look starts a program on the CPUs that are being measured
    runs = call("runs", "--limit", str(count))["runs"]
    return max(when(r["finished_at"]) for r in runs) - min(when(r["started_at"]) for r in runs)


def timed(*argv, cwd=None):
    start = time.monotonic()
    subprocess.run([str(a) for a in argv], cwd=cwd, check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def download_daemon(out, urls):
    fill(WORK / "get.db", len(urls), WORK / "get.keys")
    hook = {"name": "get", "download": {"dir": str(out), "cover": False}, "concurrency": 8}
    with daemon("get", WORK / "get.db", [hook], runs=8) as (plain, _, _, call):
        send_successes(plain, (WORK / "get.keys").read_text(), urls)
        return wait_runs(call, len(urls))


def download_aria2c(out, urls):
    return timed("aria2c", "-q", "-j8", "-x1", "-d", out, "-i", WORK / "urls")


def download_curl(out, urls):
    return timed("curl", "-sZ", "--parallel-max", "8", "--remote-name-all", *urls, cwd=out)


DOWNLOADERS = {"viduhookd": download_daemon, "aria2c": download_aria2c, "curl -Z": download_curl}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def download_once(name, urls, size):
    """
    Every contestant finds an empty directory and a disk at rest: viduhookd and aria2c sync each file, curl
    leaves it all to the kernel, and whoever came after it would wait for its bytes as well.
    """
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()
    before = cpu_seconds()
    megabytes = len(urls) * size / 1e6
    rate = megabytes / DOWNLOADERS[name](out, urls)
    files = [f for f in out.rglob("*.mp4") if f.stat().st_size == size]
    if len(files) != len(urls):
        sys.exit(f"bench: {name} fetched {len(files)} of {len(urls)} files")
    shutil.rmtree(out)
    return rate, (cpu_seconds() - before) / megabytes * 1e3


def measure_downloads(args):
    """Per contestant a (MB/s, seconds of CPU per GB) for each round; who begins changes with the round."""
    count, size = args.downloads, 8 << 20
    media = WORK / "media"
    media.mkdir(exist_ok=True)
    block = b"\x00\x00\x00\x18ftypisom" + os.urandom(size - 12)
    for i in range(count):
        (media / f"{i}.mp4").write_bytes(i.to_bytes(4, "big").join([block[:12], block[16:]]))
    names = list(DOWNLOADERS)
    results = {name: [] for name in names}
    with nginx() as (port, _):
        urls = [f"http://127.0.0.1:{port}/media/{i}.mp4" for i in range(count)]
        (WORK / "urls").write_text("\n".join(urls))
        for i in range(args.rounds):
            for name in names[i % len(names):] + names[:i % len(names)]:
                results[name].append(download_once(name, urls, size))
    shutil.rmtree(media)
    return results


def measure_commands(args):
    count = args.commands
    results = {"viduhookd": [], "posix_spawn loop": []}
    for _ in range(args.rounds):
        done = subprocess.run([BUILD / "tests/bench/spawn_loop", str(count), "8", "/bin/true"],
                              capture_output=True, text=True, check=True)
        results["posix_spawn loop"].append(float(done.stdout))
        # All of them wait already: who sends callbacks one by one would be measured instead.
        fill(WORK / "exec.db", count, WORK / "exec.keys", "true")
        hook = {"name": "true", "exec": ["/bin/true"], "concurrency": 8}
        with daemon("exec", WORK / "exec.db", [hook], runs=8) as (_, _, _, call):
            results["viduhookd"].append(count / wait_runs(call, count))
    return {name: statistics.median(r) for name, r in results.items()}


# -- the gateway -------------------------------------------------------------------------------------


@contextlib.contextmanager
def gateway_daemon(name, provider_port):
    port = free_port()
    for file, secret in (("token", bench_gateway.TOKEN), ("sim.key", bench_gateway.KEY)):
        (WORK / file).touch(0o600)
        (WORK / file).write_text(secret)
    with daemon(name, WORK / f"{name}.db",
                gateway={"listen": f"http://127.0.0.1:{port}", "token": f"file:{WORK}/token"},
                providers={"vidu": {"base_url": f"http://127.0.0.1:{provider_port}",
                                    "key": f"file:{WORK}/sim.key"}}) as (_, _, p, _):
        wait_port(port)
        yield port, p


@contextlib.contextmanager
def simulator():
    port = free_port()
    with process(BUILD / "viduhook", "sim", "--listen", f"127.0.0.1:{port}", "--time", "24h",
                 "--switch", "lost-callback", log="sim.log", port=port):
        yield port


# -- the table ---------------------------------------------------------------------------------------


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores ({cpu.group(1) if cpu else platform.machine()}), Linux {platform.release().split('-')[0]}"


def print_callbacks(results, memory, verdicts, args):
    names = list(next(iter(results.values())))
    print(f"Callbacks per second (p50 / p99 in ms); viduhookd on a store of {args.tasks:,} tasks, one receiver\n")
    print("| | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for (kind, connections), row in results.items():
        cells = [f"{r['rate']:,.0f} ({r['p50']:.1f} / {r['p99']:.1f})" + (" !" if r["wrong"] else "") for r in row.values()]
        print(f"| {kind}, {connections} | " + " | ".join(cells) + " |")
    plain64, fresh = results["plain", 64], results["TLS, new connection each", 64]
    own = plain64["viduhookd, durable"]
    print(f"\n- plain, 64 connections: {own['rate'] / plain64['bare evhttp']['rate']:.2f} of bare evhttp (reach 0.6)")
    ratio = own["rate"] / plain64["webhook, /bin/true"]["rate"]
    share = own["p99"] / plain64["webhook, /bin/true"]["p99"]
    print(f"- plain, 64 connections: {ratio:.1f} times webhook with /bin/true (reach 2.5), p99 {share:.2f} of its (reach 0.2)")
    ratio = fresh["viduhookd, durable"]["rate"] / fresh["nginx return 200"]["rate"]
    print(f"- TLS, new connection each: {ratio:.2f} of nginx (reach 0.9)")
    print(f"- memory (PSS, all rooms): {memory['idle']:.1f} MiB idle (reach 24), {memory['after']:.1f} MiB after (reach 64)")
    print(f"- verdicts: {', '.join(f'{n:,} {name}' for name, n in verdicts.items() if n)}")


def print_downloads(results, count):
    cells = []
    for name, rounds in results.items():
        rate, cpu = (statistics.median(r[i] for r in rounds) for i in (0, 1))
        cells.append(f"{name} {rate:,.0f} MB/s ({cpu:.1f} s CPU per GB)")
    ratio = statistics.median(own[0] / peer[0] for own, peer in zip(results["viduhookd"], results["aria2c"]))
    print(f"- downloads, {count} x 8 MB, 8 at once: {', '.join(cells)}: {ratio:.2f} of aria2c (reach 1.0; with SHA-256 and fsync)")


def main():
    import bench_runs  # it takes its tools from here
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, a small store: to try the bench itself")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds; the median counts")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    args = parser.parse_args()
    args.tasks = 20000 if args.quick else 1000000
    if args.quick:
        args.seconds = args.rounds = 1
    args.downloads, args.commands, args.deliveries = (20, 300, 2000) if args.quick else (200, 2000, 5000)
    args.list, args.waiting = (100, 1000) if args.quick else (1000, 10000)
    shutil.rmtree(WORK, ignore_errors=True)
    subprocess.run([BUILD / "viduhook", "init", WORK], check=True, stdout=subprocess.DEVNULL)
    (WORK / "vidu.key").write_text(KEY + "\n")
    print(f"filling a store with {args.tasks:,} tasks", file=sys.stderr)
    fill(WORK / "store.db", args.tasks, WORK / "keys")
    results, memory, verdicts = measure_callbacks(args)
    print("measuring downloads and commands", file=sys.stderr)
    downloads, commands = measure_downloads(args), measure_commands(args)
    print("measuring queues", file=sys.stderr)
    queued, claims = bench_runs.measure_list(args), bench_runs.measure_claims(args)
    gateway = bench_gateway.measure(args, gateway_daemon, simulator)
    deliveries = bench_hooks.measure(args, sys.modules[__name__])
    print(f"\nMeasured on {machine()}, load generator beside it; median of {args.rounds} alternating rounds.\n")
    print_callbacks(results, memory, verdicts, args)
    print_downloads(downloads, args.downloads)
    rates = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in commands.items())
    print(f"- commands (/bin/true), 8 at once: {rates}: "
          f"{commands['viduhookd'] / commands['posix_spawn loop']:.2f} of the loop (reach 0.8)")
    bench_runs.print_list(queued, args.list)
    bench_runs.print_claims(claims)
    bench_gateway.show(gateway)
    bench_hooks.show(deliveries, args)
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
