# SPDX-License-Identifier: MIT
"""What every end-to-end test works with.

    def test_something(run):
        sim = run.sim("--time", "50ms")
        daemon = run.daemon(sim)
        status, task = daemon.cli("submit", "text2video", "--model", "viduq3", "--prompt", "x")
        ...

`run` (conftest.py) owns everything that is started; at the end of a test all of it must stop on
request, with status 0, and leave no process behind. Nothing here sleeps for a result: wait_for()
waits for a condition until a deadline. Programs are named by VIDUHOOK and VIDUHOOKD. Requests and
signed callbacks are in web.py and can be imported from here as well.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from web import (DEADLINE, LOOPBACK, SIM_KEY, Answer, Receiver, Recorder, callback_body, exchange,
                 get, http_date, post_callback, request, sign, signature_is_good, signed_headers,
                 string_to_sign, wait_for)

__all__ = [
    "DEADLINE", "LOOPBACK", "SIM_KEY", "Answer", "Daemon", "Port", "Process", "Receiver", "Recorder",
    "Run", "Sim", "callback_body", "descendants", "exchange", "get", "http_date", "leftovers",
    "make_certificate", "post_callback", "program", "request", "sign", "signature_is_good",
    "signed_headers", "string_to_sign", "viduhook", "wait_for",
]

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(name):
    """Path of viduhook or viduhookd."""
    return os.environ.get(name.upper()) or str(ROOT / "build" / name)


# -- processes ------------------------------------------------------------------------------------


def become_subreaper():
    """Orphans become our children, so that none escapes leftovers()."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _stat(pid):
    """(state, parent) of a process, None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return state, int(parent)


def descendants():
    """{pid: command line} of everything below this process."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = _stat(entry)
            if stat is not None:
                parents[int(entry)] = stat[1]
    below = {os.getpid()}
    grown = True
    while grown:
        grown = False
        for pid, parent in parents.items():
            if parent in below and pid not in below:
                below.add(pid)
                grown = True
    below.discard(os.getpid())
    return {pid: command_line(pid) for pid in below}


def command_line(pid):
    try:
        raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def leftovers(known=()):
    """Descendants that still run and were not there before; finished orphans are reaped."""
    left = {}
    for pid, command in descendants().items():
        stat = _stat(pid)
        if pid in known or stat is None:
            continue
        if stat[0] == "Z" and stat[1] == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        else:
            left[pid] = command
    return left


class Process:
    """A program in the background, its output in files below home."""

    counter = 0

    def __init__(self, argv, home, name, env=None, expected=0, popen=None):
        """popen: more arguments for subprocess.Popen."""
        Process.counter += 1
        self.name = f"{name}-{Process.counter}"
        self.argv = [str(a) for a in argv]
        self.expected = expected
        self.out_path = pathlib.Path(home) / f"{self.name}.out"
        self.log_path = pathlib.Path(home) / f"{self.name}.log"
        with open(self.out_path, "wb") as out, open(self.log_path, "wb") as log:
            self.popen = subprocess.Popen(
                self.argv, **{"stdin": subprocess.DEVNULL, "stdout": out, "stderr": log,
                              "env": {**os.environ, **(env or {})}, **(popen or {})})

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def output(self):
        return self.out_path.read_text(errors="replace")

    def log(self, event=None):
        """The log; with an event name only the lines of that event, as a list."""
        text = self.log_path.read_text(errors="replace")
        if event is None:
            return text
        return [line for line in text.splitlines()
                if event in line.split() or f'"event":"{event}"' in line]

    def wait_log(self, event, count=1, seconds=DEADLINE):
        """The lines of an event, once there are as many."""
        return wait_for(lambda: self._logged(event, count),
                        lambda: f"{event} in the log of {self.name}:\n{self.tail()}", seconds)

    def _logged(self, event, count):
        lines = self.log(event)
        if len(lines) < count and not self.alive():
            raise AssertionError(f"{self.name} ended with {self.popen.returncode}:\n{self.tail()}")
        return lines if len(lines) >= count else None

    def tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds=DEADLINE):
        """The exit status."""
        return self.popen.wait(seconds)

    def kill(self):
        """As a power cut would: no questions."""
        if self.alive():
            self.popen.kill()
        self.popen.wait()
        self.expected = None

    def stop(self, number=signal.SIGTERM, seconds=DEADLINE):
        """Asks it to stop; a wrong exit status fails, and so does none."""
        if self.alive():
            self.send(number)
        try:
            status = self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            problem = f"{self.name} did not stop in {seconds} s:\n{self.tail()}"
            raise AssertionError(problem) from None
        if self.expected is not None and status != self.expected:
            self.expected, expected = None, self.expected
            raise AssertionError(f"{self.name} ended with {status}, not {expected}:\n{self.tail()}")
        return status


# -- the programs ---------------------------------------------------------------------------------


class Port:
    """A port of the kernel's choice that stays ours until the program listens on it: both sides
    set SO_REUSEADDR, and this one never listens."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((LOOPBACK, 0))
        self.number = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Sim(Process):
    """The simulated provider."""

    def __init__(self, home, *args, expected=0):
        self.ledger_path = pathlib.Path(home) / f"ledger-{Process.counter + 1}.jsonl"
        super().__init__([program("viduhook"), "sim", "--ledger", self.ledger_path, *args], home,
                         "sim", expected=expected)
        self.url = self.port = None

    def wait_ready(self):
        line = wait_for(self._ready, lambda: f"line from {self.name}:\n{self.tail()}")
        self.url = line.removeprefix("listening on ")
        self.port = int(line.rpartition(":")[2])
        return self

    def _ready(self):
        if not self.alive():
            raise AssertionError(f"{self.name} ended with {self.popen.returncode}:\n{self.tail()}")
        line, end, _ = self.output().partition("\n")
        return line if end else None

    def request(self, method, path, body=None, key=SIM_KEY, scheme="Token", headers=None):
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if key is not None:
            sent["Authorization"] = f"{scheme} {key}"
        sent.update(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return request(method, self.url + path, body, sent)

    def create(self, endpoint="text2video", key=SIM_KEY, **fields):
        """Creates a task in the official shape; returns the answer's JSON."""
        body = {"model": "viduq3-turbo", "prompt": "a paper boat", **fields}
        answer = self.request("POST", f"/ent/v2/{endpoint}", body, key)
        assert answer.status == 200, answer
        return answer.json

    def query(self, task_id, key=SIM_KEY):
        answer = self.request("GET", f"/ent/v2/tasks/{task_id}/creations", key=key)
        assert answer.status == 200, answer
        return answer.json

    def wait_state(self, task_id, state, seconds=DEADLINE):
        def reached():
            seen = self.query(task_id)
            return seen if seen["state"] == state else None

        return wait_for(reached, f"state {state} of {task_id}", seconds)

    def finished(self, **fields):
        """A new task that has succeeded: the query's answer."""
        return self.wait_state(self.create(**fields)["task_id"], "success")

    def ledger(self, event=None, **values):
        """Events so far, those of a name and with these values."""
        events = []
        for line in self.ledger_path.read_text().split("\n")[:-1]:
            entry = json.loads(line)
            fits = all(entry.get(k) == v for k, v in values.items())
            if fits and event in (None, entry["event"]):
                events.append(entry)
        return events

    def created_twice(self):
        """What must not be: every task has an address of its own, so the same one in two creates is
        a request that was sent twice, and billed twice."""
        if not self.ledger_path.exists():
            return []
        urls = [e["callback_url"] for e in self.ledger("create")]
        sealed = [u for u in urls if re.search(r"/callback/[a-z2-7]{42}$", u)]
        return [f"{self.name}: created twice: {u}" for u in set(sealed) if sealed.count(u) > 1]

    def wait_ledger(self, event, count=1, seconds=DEADLINE, **values):
        def there():
            found = self.ledger(event, **values)
            return found if len(found) >= count else None

        return wait_for(there, lambda: f"{count} x {event} {values} in the ledger:\n"
                        + self.ledger_path.read_text(), seconds)


class Daemon(Process):
    """viduhookd with a configuration (a dict; JSON is YAML)."""

    def __init__(self, home, conf, env=None, args=(), expected=0, popen=None, wrap=()):
        """wrap: a command that is given the daemon's command line and becomes it."""
        self.home = pathlib.Path(home)
        self.conf_path = self.home / "viduhook.yaml"
        self.ca = self.home / "cert.pem"
        self.write(conf)
        super().__init__([*wrap, program("viduhookd"), "-c", self.conf_path, *args], home, "daemon",
                         env, expected, popen)
        self.port = None

    def write(self, conf):
        """A new configuration, for reload."""
        self.conf = conf
        self.conf_path.write_text(json.dumps(conf, indent=1))

    def wait_ready(self):
        """Listening, and answering on the control socket; port is that of the first listener."""
        lines = self.wait_log("listener.bound", len(self.conf["listen"]))
        self.port = int(re.search(r'\bport(?:=|":)(\d+)', lines[0]).group(1))
        self.wait_log("daemon.ready")
        wait_for(self._answers, lambda: f"answer on the control socket:\n{self.tail()}")
        return self

    def _answers(self):
        if not self.alive():
            raise AssertionError(f"{self.name} ended with {self.popen.returncode}:\n{self.tail()}")
        return self.cli("list", check=False)[0] == 0

    def cli(self, *args, stdin=None, check=True, seconds=60):
        """`viduhook ARGS --json`: (exit status, what it printed as JSON or text). With check a
        status other than 0 fails."""
        done = subprocess.run(
            [program("viduhook"), "-c", self.conf_path, "--json", *map(str, args)],
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"viduhook {args} ended with {done.returncode}:\n"
                                 f"{done.stdout}{done.stderr}\n{self.tail()}")
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, done.stdout or done.stderr

    def command(self, *args, **options):
        """`viduhook ARGS` as people type it: a subprocess.CompletedProcess with text."""
        return viduhook("-c", self.conf_path, *args, **options)

    def submit(self, *args, endpoint="text2video", model="viduq3-turbo", prompt="a paper boat"):
        """Creates a task that the provider accepts: its id here."""
        said = ["--model", model, "--prompt", prompt] if endpoint == "text2video" else []
        return self.cli("submit", endpoint, *said, *args)[1]["task"]

    def task(self, task):
        return self.cli("show", task, "--urls")[1]["task"]

    def wait_task(self, task, state, seconds=DEADLINE):
        """The task, once it is in this state."""
        def reached():
            seen = self.task(task)
            return seen if seen["state"] == state else None

        return wait_for(reached, lambda: f"state {state}: {self.cli('explain', task)[1]}", seconds)

    def runs(self, *args):
        """Oldest first."""
        return sorted(self.cli("runs", "--limit", 1000, *args)[1]["runs"], key=lambda r: r["id"])

    def wait_runs(self, *states, seconds=DEADLINE, args=()):
        """All runs, once there are as many and they are in these states, oldest first."""
        def reached():
            seen = self.runs(*args)
            return seen if [r["state"] for r in seen] == list(states) else None

        return wait_for(reached, lambda: f"runs {states}: {self.runs(*args)}", seconds)

    def url(self, path=""):
        return f"{self.conf['public_url'].partition('://')[0]}://{LOOPBACK}:{self.port}{path}"

    def reload(self):
        """SIGHUP; the outcome is in the log and in `viduhook reload`."""
        self.send(signal.SIGHUP)


# -- one test's world -----------------------------------------------------------------------------


def viduhook(*args, stdin=None, seconds=60):
    """Runs `viduhook ARGS` without a daemon: a subprocess.CompletedProcess with text."""
    return subprocess.run([program("viduhook"), *map(str, args)], input=stdin,
                          stdin=subprocess.DEVNULL if stdin is None else None,
                          capture_output=True, text=True, timeout=seconds)


def make_certificate(home):
    """(cert.pem, key.pem) in home: self-signed, from `viduhook init`."""
    home = pathlib.Path(home)
    if not (home / "cert.pem").exists():
        made = home / "init"
        done = viduhook("init", made)
        assert done.returncode == 0, done.stderr
        for name in ("cert.pem", "key.pem"):
            shutil.copy(made / name, home / name)
    return home / "cert.pem", home / "key.pem"


class Run:
    """Starts things for one test and sees to it that they end."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vh."))
        self.processes, self.closers = [], []
        self.known = set(descendants())

    def add(self, process):
        self.processes.append(process)
        return process

    def sim(self, *args, **options):
        return self.add(Sim(self.home, *args, **options)).wait_ready()

    def receiver(self, **options):
        receiver = Receiver(**options)
        self.closers.append(receiver)
        return receiver

    def recorder(self, sim, **options):
        """Put its url into base_url in place of the simulator's."""
        recorder = Recorder(sim.url, **options)
        self.closers.append(recorder)
        return recorder

    def port(self):
        port = Port()
        self.closers.append(port)
        return port.number

    def file(self, name, text, mode=0o600):
        path = self.home / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def conf(self, sim, hooks=(), providers=None, **changes):
        """A whole configuration against a simulator; changes replace top-level members."""
        certificate, key = make_certificate(self.home)
        self.file("sim.key", SIM_KEY)
        port = self.port()
        conf = {
            "public_url": f"https://{LOOPBACK}:{port}",
            "listen": [f"https://{LOOPBACK}:{port}"],
            "tls": {"certificate": str(certificate), "key": str(key)},
            "control": str(self.home / "control.sock"),
            "store": f"sqlite:{self.home}/viduhook.db",
            "fetch": {"allow": [f"{LOOPBACK}:{sim.port}"]},
            "providers": {name: {"base_url": sim.url, "key": {"file": str(self.home / "sim.key")}}
                          for name in (providers or ["vidu"])},
        }
        if hooks:
            conf["hooks"] = list(hooks)
        conf.update(changes)
        return conf

    def daemon(self, sim=None, conf=None, hooks=(), env=None, args=(), expected=0, wait=True,
               popen=None, wrap=(), **changes):
        """The daemon against a simulator; give conf instead of sim to say everything yourself.
        The simulator must have been started with --ca run.ca() to reach it."""
        if conf is None:
            conf = self.conf(sim, hooks, **changes)
        process = self.add(Daemon(self.home, conf, env, args, expected, popen, wrap))
        return process.wait_ready() if wait else process

    def ca(self):
        """The certificate that the daemon's callers have to trust."""
        return str(make_certificate(self.home)[0])

    def stack(self, *sim_args, hooks=(), **changes):
        """(sim, daemon), each trusting the other."""
        sim = self.sim("--ca", self.ca(), *sim_args)
        return sim, self.daemon(sim, hooks=hooks, **changes)

    def finish(self):
        """Stops everything, last started first; returns what went wrong."""
        problems = []
        for process in reversed(self.processes):
            try:
                process.stop()
            except AssertionError as problem:
                problems.append(str(problem))
        for closer in self.closers:
            closer.close()
        try:
            wait_for(lambda: not leftovers(self.known), "end of all processes", 5)
        except AssertionError:
            for pid, command in leftovers(self.known).items():
                problems.append(f"left behind: {pid} {command}")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not leftovers(self.known), "end of killed processes", 5)
        for process in self.processes:
            if isinstance(process, Sim):
                problems += process.created_twice()
            if re.search(r"(Sanitizer|runtime error):", process.log()):
                problems.append(f"{process.name}: sanitizer report:\n{process.log()}")
        return problems

    def report(self):
        """The logs, for a test that failed."""
        return "\n".join(f"==> {p.name}: {' '.join(p.argv)}\n{p.tail(200)}" for p in self.processes)

    def remove(self):
        shutil.rmtree(self.home, ignore_errors=True)
