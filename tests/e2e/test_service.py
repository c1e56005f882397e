# SPDX-License-Identifier: MIT
"""viduhookd as a service: units, sockets that are handed over, readiness and watchdog, the log's
form, the directories of a user, and what `make install` puts where."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import LOOPBACK, program, wait_for
from life import NO_SOURCE_LIMITS, Load, rooms, submit_jobs
from test_rooms import QUIET, note_hook, notes, succeed

BUILD = pathlib.Path(program("viduhookd")).resolve().parent
NOBODY = 65534


# -- installation ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What `make install` makes: a directory."""
    if not (BUILD / "Makefile").exists():
        pytest.skip("not in a build folder")
    if not os.access(BUILD, os.W_OK):
        pytest.skip("the build folder is another user's")
    root = tmp_path_factory.mktemp("root")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-s", "-C", BUILD, "install", f"DESTDIR={root}"], env=env,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def find(root, ending):
    found = [p for p in root.rglob("*") if str(p).endswith(ending)]
    assert found, f"no {ending} below {root}"
    return found[0]


def test_install_puts_everything_in_place(installed):
    for ending in ("bin/viduhook", "sbin/viduhookd", "systemd/system/viduhookd.service",
                   "systemd/system/viduhookd.socket", "systemd/user/viduhookd.service",
                   "sysusers.d/viduhook.conf", "man1/viduhook.1", "man8/viduhookd.8",
                   "man5/viduhook.yaml.5", "examples/viduhook.yaml"):
        assert find(installed, ending).stat().st_size > 0
    unit = find(installed, "systemd/system/viduhookd.service").read_text()
    assert "@" not in "".join(line for line in unit.splitlines() if line.startswith("Exec"))
    assert "Also=" not in unit, "port 443 is taken only where the socket unit is enabled itself"
    daemon = re.search(r"ExecStart=(\S+)", unit).group(1)
    assert os.access(str(installed) + daemon, os.X_OK)
    assert not [p for p in installed.rglob("*") if p.name.endswith((".a", ".la", ".o"))]


def runnable_units(installed, folder, tmp_path):
    """Copies that name programs which exist."""
    units = []
    for unit in find(installed, f"systemd/{folder}/viduhookd.service").parent.iterdir():
        text = re.sub(r"(?<==)\S*/s?bin/(viduhookd?)\b", lambda m: program(m.group(1)),
                      unit.read_text())
        (tmp_path / unit.name).write_text(text)
        units.append(tmp_path / unit.name)
    return sorted(units)


needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None,
                                   reason="no systemd-analyze")


@needs_analyze
@pytest.mark.parametrize("folder", ["system", "user"])
def test_units_are_verified_clean(installed, folder, tmp_path):
    units = runnable_units(installed, folder, tmp_path)
    scope = ["--user"] if folder == "user" else []
    done = subprocess.run(["systemd-analyze", *scope, "verify", "--man=no", *units],
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    said = [line for line in (done.stdout + done.stderr).splitlines() if "viduhook" in line]
    assert done.returncode == 0 and said == [], done.stderr


@needs_analyze
def test_the_unit_exposes_little(installed, tmp_path):
    unit = [u for u in runnable_units(installed, "system", tmp_path) if u.suffix == ".service"]
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", *unit],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


# -- sockets that are handed over -----------------------------------------------------------------


def listener():
    sock = socket.socket()
    sock.bind((LOOPBACK, 0))
    sock.listen(1024)
    return sock


def handed_over(sock):
    """Arguments for run.daemon: the socket becomes descriptor 3, as service managers do it."""
    return {
        "wrap": ["/bin/sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh"],
        "popen": {"pass_fds": [3], "preexec_fn": lambda: os.dup2(sock.fileno(), 3)},
    }


def service_conf(run, sim, port, **changes):
    return run.conf(sim, **{"listen": ["systemd"], "public_url": f"https://{LOOPBACK}:{port}",
                            "limits": NO_SOURCE_LIMITS, **changes})


def test_an_inherited_socket_is_served(run):
    sim = run.sim("--ca", run.ca(), *QUIET)
    with listener() as sock:
        port = sock.getsockname()[1]
        conf = service_conf(run, sim, port, hooks=[note_hook(run)])
        daemon = run.daemon(conf=conf, **handed_over(sock))
        assert daemon.port == port
        job, = submit_jobs(daemon, sim, 1)
        succeed(daemon, job)
        wait_for(lambda: notes(run, job), "run")
        reload_status, _ = daemon.cli("reload")
        assert reload_status == 0
        assert daemon.stop() == 0


def test_no_connection_is_refused_while_the_service_restarts(run):
    """Connections wait in the socket that the service manager holds."""
    sim = run.sim("--ca", run.ca(), *QUIET)
    with listener() as sock:
        conf = service_conf(run, sim, sock.getsockname()[1], hooks=[note_hook(run)])
        daemon = run.daemon(conf=conf, **handed_over(sock))
        jobs = submit_jobs(daemon, sim, 150)
        load = Load(daemon.ca, jobs, clients=12)
        for step in range(1, 6):
            load.wait_acked(60 * step)
            assert daemon.stop() == 0
            daemon = run.daemon(conf=conf, **handed_over(sock))
        acked = load.finish(60)
        assert load.errors == [] and set(load.statuses) == {200}, load.statuses
        assert len(acked) == 3 * len(jobs)
        for job in jobs:
            wait_for(lambda job=job: notes(run, job), f"run of {job.task}")


def test_a_socket_that_is_missing_is_named(run):
    sim = run.sim(*QUIET)
    conf = service_conf(run, sim, 1)
    daemon = run.daemon(conf=conf, wait=False, expected=1)
    assert daemon.wait() == 1
    assert "LISTEN_FDS" in daemon.log("listener.not_bound")[0]


def test_a_socket_that_is_not_asked_for_is_warned_of(run):
    sim = run.sim(*QUIET)
    with listener() as sock:
        daemon = run.daemon(conf=run.conf(sim), **handed_over(sock))
        assert "sockets=1" in daemon.log("listener.not_used")[0]
        assert daemon.stop() == 0
    assert not run.daemon(conf=run.conf(sim)).log("listener.not_used")


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None,
                    reason="no systemd-socket-activate")
def test_the_first_connection_starts_the_service(run):
    sim = run.sim("--ca", run.ca(), *QUIET)
    port = run.port()
    conf = service_conf(run, sim, port, hooks=[note_hook(run)])
    daemon = run.daemon(conf=conf, wait=False,
                        wrap=["systemd-socket-activate", "-l", f"{LOOPBACK}:{port}"])
    wait_for(lambda: "Listening on" in daemon.log(), "socket")
    assert not daemon.log("daemon.ready")
    with socket.create_connection((LOOPBACK, port), timeout=10) as first:
        first.sendall(b"x")
        daemon.wait_log("daemon.ready")
    daemon.port = port
    wait_for(lambda: daemon.cli("list", check=False)[0] == 0, "answer on the control socket")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: notes(run, job), "run")


# -- the service manager's socket -----------------------------------------------------------------


class Manager:
    """The receiving end of NOTIFY_SOCKET; every message with the time it came."""

    def __init__(self, run, abstract=False):
        name = f"{run.home}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(name.replace("/", "\0", 1) if abstract else name)
        self.env = {"NOTIFY_SOCKET": name.replace("/", "@", 1) if abstract else name}
        self.messages = []
        run.closers.append(self)

    def heard(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.messages.append((time.monotonic(), self.socket.recv(4096).decode()))
        return [text for _, text in self.messages]

    def times(self, text):
        self.heard()
        return [at for at, said in self.messages if text in said.splitlines()]

    def wait(self, text, count=1, seconds=15):
        return wait_for(lambda: len(self.times(text)) >= count and self.times(text),
                        lambda: f"{text}, only {self.heard()}", seconds)

    def close(self):
        self.socket.close()


@pytest.mark.parametrize("abstract", [False, True], ids=["file", "abstract"])
def test_the_manager_is_told_of_start_and_stop(run, abstract):
    manager = Manager(run, abstract)
    sim = run.sim("--ca", run.ca(), *QUIET)
    daemon = run.daemon(sim, env=manager.env)
    manager.wait("READY=1")
    assert not manager.times("WATCHDOG=1")  # nobody asked for it
    assert daemon.stop() == 0
    manager.wait("STOPPING=1")
    assert len(manager.times("READY=1")) == 1


def expire(certificate):
    """Puts its dates into the past; what it was signed with is not looked at by its owner."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    der, n = re.subn(rb"\x17\x0d[0-9]{12}Z", b"\x17\x0d200101000000Z", der)
    assert n == 2, "both dates of the certificate"
    certificate.write_text(ssl.DER_cert_to_PEM_cert(der))


def test_it_is_not_ready_when_a_room_refuses(run):
    manager = Manager(run)
    sim = run.sim(*QUIET)
    conf = run.conf(sim)
    expire(run.home / "cert.pem")
    daemon = run.daemon(conf=conf, env=manager.env, wait=False, expected=None)
    assert daemon.wait() == 1
    assert "has expired" in daemon.log("daemon.not_started")[0]
    assert not manager.times("READY=1")


def test_the_watchdog_is_fed_until_a_room_hangs(run):
    """One that has to wait: a room may be silent for 12 seconds before the feeding stops, and is
    ended after 20."""
    manager = Manager(run)
    sim = run.sim("--ca", run.ca(), *QUIET)
    daemon = run.daemon(sim, env={**manager.env, "WATCHDOG_USEC": "2000000"})
    manager.wait("WATCHDOG=1", 2)
    os.kill(rooms(daemon)["gateway"], signal.SIGSTOP)

    def hangs():
        manager.heard()
        return daemon.log("room.hangs")

    wait_for(hangs, "room that hangs", 60)
    ended = time.monotonic()
    assert ended - manager.times("WATCHDOG=1")[-1] > 4
    fed = len(manager.times("WATCHDOG=1"))
    manager.wait("WATCHDOG=1", fed + 1)  # its successor is alive


def test_a_watchdog_meant_for_another_process_is_not_fed(run):
    manager = Manager(run)
    sim = run.sim(*QUIET)
    daemon = run.daemon(sim, env={**manager.env, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    manager.wait("READY=1")
    assert daemon.stop() == 0
    assert not manager.times("WATCHDOG=1")


# -- the log --------------------------------------------------------------------------------------


def start_with_log(run, sim, path, journal, **changes):
    with open(path, "wb") as log:
        st = os.fstat(log.fileno())
        stream = f"{st.st_dev}:{st.st_ino if journal else st.st_ino + 1}"
        daemon = run.daemon(sim, wait=False, env={"JOURNAL_STREAM": stream},
                            popen={"stderr": log}, **changes)
    daemon.log_path = path
    daemon.port = int(daemon.conf["listen"][0].rpartition(":")[2])
    wait_for(lambda: "daemon.ready" in daemon.log(), "daemon.ready")
    return daemon


def test_lines_for_the_journal_carry_their_priority(run):
    sim = run.sim("--ca", run.ca(), *QUIET)
    daemon = start_with_log(run, sim, run.home / "journal", True, args=["--no-sandbox"])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    assert daemon.stop() == 0
    lines = daemon.log().splitlines()
    assert lines and all(re.match(r"<[3-7]>[a-z_]+\.[a-z_]+ ", line) for line in lines), lines
    assert any(line.startswith("<4>sandbox.off ") for line in lines)
    assert any(line.startswith("<6>daemon.ready ") for line in lines)
    assert any("room=gateway" in line for line in lines)
    assert any('room="receiver 1"' in line for line in lines)


def test_a_redirected_log_is_not_the_journal(run):
    sim = run.sim(*QUIET)
    daemon = start_with_log(run, sim, run.home / "file", False)
    assert daemon.stop() == 0
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (info|warn|error) ", line)
               for line in daemon.log().splitlines())


def test_the_log_can_be_json(run):
    sim = run.sim("--ca", run.ca(), *QUIET)
    daemon = start_with_log(run, sim, run.home / "json", False, log="json")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    assert daemon.stop() == 0
    # What is said before the configuration is known has the usual form.
    lines = [json.loads(line) for line in daemon.log().splitlines() if line.startswith("{")]
    assert {"time", "level", "event", "room"} <= set.intersection(*(set(line) for line in lines))
    events = {line["event"] for line in lines}
    assert {"daemon.ready", "receiver.started", "gateway.started", "task.finished"} <= events
    assert next(line for line in lines if line["event"] == "task.finished")["task"] == job.task


# -- a plain user ---------------------------------------------------------------------------------


def as_plain_user(run):
    """A command line prefix, after which run.home belongs to that user."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv")
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for path in [run.home, *run.home.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    done = subprocess.run([*prefix, program("viduhookd"), "--version"], capture_output=True)
    if done.returncode != 0:
        pytest.skip("the programs lie where other users cannot reach them")
    return prefix


def test_a_user_needs_no_rights_and_no_paths(run):
    """Everything in the XDG directories, the daemon and the command find each other."""
    sim = run.sim(*QUIET)
    conf = run.conf(sim, hooks=[note_hook(run)])
    del conf["control"], conf["store"]
    xdg = {"XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "runtime",
           "XDG_DATA_HOME": "data"}
    env = {name: str(run.home / folder) for name, folder in xdg.items()} | {"HOME": str(run.home)}
    (run.home / "config/viduhook").mkdir(parents=True)
    (run.home / "runtime").mkdir(mode=0o700)
    (run.home / "config/viduhook/viduhook.yaml").write_text(json.dumps(conf))
    prefix = as_plain_user(run)
    log = run.home / "user.log"
    with open(log, "wb") as file:
        daemon = subprocess.Popen([*prefix, program("viduhookd")], stdin=subprocess.DEVNULL,
                                  stdout=file, stderr=file, env={**os.environ, **env})
    try:
        wait_for(lambda: b"daemon.ready" in log.read_bytes(), lambda: log.read_text())
        assert (run.home / "runtime/viduhook/control.sock").is_socket()
        assert (run.home / "state/viduhook/viduhook.db").is_file()
        done = subprocess.run([*prefix, program("viduhook"), "--json", "submit", "text2video",
                               "--model", "viduq3", "--prompt", "x"], capture_output=True,
                              text=True, env={**os.environ, **env}, timeout=60)
        assert done.returncode == 0, done.stderr + log.read_text()
        assert json.loads(done.stdout)["state"] == "submitted"
        if os.getuid() == 0:
            assert os.stat(run.home / "state/viduhook/viduhook.db").st_uid == NOBODY
        mode = os.stat(run.home / "state/viduhook/viduhook.db").st_mode & 0o777
        assert mode & 0o077 == 0
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0
    assert b"daemon.stopped" in log.read_bytes()


# -- what a beginner meets ------------------------------------------------------------------------


def daemon_says(*args, env=None):
    """The daemon with these arguments and no configuration of its own: (status, output)."""
    done = subprocess.run([program("viduhookd"), *map(str, args)], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    return done.returncode, done.stdout


def test_the_version_names_every_library():
    status, said = daemon_says("--version")
    assert status == 0
    for library in ("libevent", "jansson", "SQLite", "libcurl", "OpenSSL"):
        assert re.search(rf"{library}/[0-9]", said), said


@pytest.mark.parametrize("room", ["receiver", "gateway", "runner"])
def test_a_room_is_not_started_by_hand(room):
    status, said = daemon_says("--room", room)
    assert status == 64 and "leave out --room" in said


def test_the_libraries_are_logged_once_at_start(run):
    daemon = run.stack()[1]
    lines = [line for line in daemon.log().splitlines() if "daemon.versions" in line]
    assert len(lines) == 1 and "sqlite=3" in lines[0] and "libcurl/" in lines[0], lines


def test_without_a_configuration_the_remedy_is_said(tmp_path):
    missing = tmp_path / "viduhook.yaml"
    for args in ((), ("--check",)):
        status, said = daemon_says(*args, "-c", missing)
        assert status == 78
        assert str(missing) in said and "viduhook init" in said and "line=0" not in said


def initialised(run, name):
    made = subprocess.run([program("viduhook"), "init", run.home / name], capture_output=True)
    assert made.returncode == 0, made
    conf = run.home / name / "viduhook.yaml"
    conf.write_text(re.sub(r"(?m)^(  - https:.*):8443$", r"\1:0", conf.read_text()))
    return run.home / name


def place_of(conf, text):
    """(line, column) of the value behind this key."""
    for number, line in enumerate(conf.read_text().splitlines(), 1):
        if text in line:
            return number, line.index(text) + len(text) + 2
    raise AssertionError(f"no {text} in {conf}")


def spoil_key(run, home):
    shutil.copy(initialised(run, "two") / "key.pem", home / "key.pem")
    return "does not belong to the certificate"


def spoil_certificate(run, home):
    del run
    (home / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    return "not PEM"


@pytest.mark.parametrize("spoil", [spoil_key, spoil_certificate])
def test_a_pair_that_does_not_fit_is_refused_before_anything_starts(run, spoil):
    home = initialised(run, "one")
    fault = spoil(run, home)
    conf = home / "viduhook.yaml"
    line, column = place_of(conf, "certificate:")
    place = f"{conf}:{line}:{column}"
    status, said = daemon_says("--check", "-c", conf)
    assert status == 78 and place in said and "cert.pem" in said and fault in said
    status, said = daemon_says("-c", conf)
    assert status == 78 and "config.error" in said and said.count("\n") == 1
    assert f"line={line} column={column} " in said and "cert.pem" in said and fault in said
    checked = subprocess.run([program("viduhook"), "config", "check", conf], capture_output=True,
                             text=True)
    assert checked.returncode == 1 and place in checked.stderr and fault in checked.stderr


def test_a_folder_that_hides_its_content_is_a_warning(run):
    conf = initialised(run, "one") / "viduhook.yaml"
    conf.write_text(re.sub(r"(?m)^( +dir:) .*", r"\1 /srv/media/samples", conf.read_text()))
    status, said = daemon_says("--check", "-c", conf)
    assert status == 0 and f"{conf}: warning: hook" in said and "'samples'" in said
    checked = subprocess.run([program("viduhook"), "config", "check", conf], capture_output=True,
                             text=True)
    assert checked.returncode == 0 and "warning: hook" in checked.stderr


def test_dates_that_time_may_heal_do_not_end_the_attempts(run):
    """The service manager does not try again after 78; a renewal, or a clock that is set, helps."""
    home = initialised(run, "one")
    expire(home / "cert.pem")
    status, said = daemon_says("--check", "-c", home / "viduhook.yaml")
    assert status == 78 and "has expired" in said
    status, said = daemon_says("-c", home / "viduhook.yaml")
    assert status == 1 and "has expired" in said and "config.error" not in said


def test_a_store_that_cannot_be_opened_is_named_as_such(run):
    conf = initialised(run, "one") / "viduhook.yaml"
    conf.write_text(re.sub(r"^store:.*", "store: sqlite:cert.pem/x.db", conf.read_text(),
                           flags=re.M))
    status, said = daemon_says("-c", conf)
    assert status == 74 and 'error="store: ' in said and "cert.pem" in said
