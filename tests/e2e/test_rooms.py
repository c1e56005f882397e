# SPDX-License-Identifier: MIT
"""The rooms: one dies, hangs or is told to stop, and nothing is lost."""
import contextlib
import fcntl
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import termios

import pytest

from harness import (LOOPBACK, SIM_KEY, descendants, leftovers, post_callback, program,
                     signed_headers, wait_for)
from life import NO_SOURCE_LIMITS, ROOMS, Load, children, rooms, rooms_up, submit_jobs
from web import tls_context

QUIET = ("--time", "1h")  # the simulator sends nothing in a test's time: the tests do


def note_hook(run, **more):
    """Appends to a file for each task; notes(run, job) has its lines."""
    (run.home / "notes").mkdir(exist_ok=True)
    script = f'echo "$VIDUHOOK_STATE $VIDUHOOK_ATTEMPT" >>{run.home}/notes/$VIDUHOOK_TASK_ID'
    return {"name": "note", "exec": ["/bin/sh", "-c", script], "concurrency": 16, **more}


def notes(run, job):
    try:
        return (run.home / "notes" / job.task).read_text().splitlines()
    except OSError:
        return []


def waiting_hook(run, name="wait", **more):
    """Says that it has started, waits for the file `go`, says that it is done."""
    script = (f'echo $$ >>{run.home}/started; while [ ! -e {run.home}/go ]; do sleep 0.02; done; '
              f'echo done >>{run.home}/finished')
    return {"name": name, "exec": ["/bin/sh", "-c", script], **more}


def lines(run, name):
    with contextlib.suppress(OSError):
        return (run.home / name).read_text().splitlines()
    return []


def succeed(daemon, job):
    answer = post_callback(job.url, job.body("success"), ca=daemon.ca)
    assert answer.status == 200, answer


def runs_of(daemon, **values):
    found = daemon.cli("runs", "--limit", "1000")[1]["runs"]
    return [r for r in found if all(r[k] == v for k, v in values.items())]


# -- one dies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", sorted(ROOMS))
def test_a_killed_room_loses_nothing_and_comes_back(run, victim):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)], limits=NO_SOURCE_LIMITS)
    jobs = submit_jobs(daemon, sim, 60)
    before = rooms_up(daemon)
    load = Load(daemon.ca, jobs)
    load.wait_acked(30)
    os.kill(before[victim], signal.SIGKILL)
    after = rooms_up(daemon, other_than=[before[victim]])
    assert {n: p for n, p in after.items() if n != victim} == \
           {n: p for n, p in before.items() if n != victim}
    acked = load.finish()
    assert len(acked) == 3 * len(jobs) and set(load.statuses) <= {
        200, 503, "ConnectionResetError", "RemoteDisconnected", "ConnectionRefusedError",
        "SSLEOFError", "SSLZeroReturnError"}, load.statuses
    for job in jobs:
        wait_for(lambda job=job: notes(run, job), f"run of {job.task}")
    wait_for(lambda: len(runs_of(daemon, state="done")) == len(jobs), "end of all runs")
    assert all(t["state"] == "success" for t in daemon.cli("list", "--limit", "1000")[1]["tasks"])
    assert len(daemon.log("room.died")) == 1


def test_a_run_of_a_killed_runner_is_made_again(run):
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run, retry={"attempts": 1})])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: len(lines(run, "started")) == 1, "start of the hook")
    os.kill(rooms(daemon)["runner"], signal.SIGKILL)
    wait_for(lambda: len(lines(run, "started")) == 2, "second start of the hook")
    (run.home / "go").touch()
    wait_for(lambda: runs_of(daemon, state="done", attempt=2), "end of the run")
    wait_for(lambda: not any("sleep" in c or "started" in c for c in descendants().values()),
             "end of the first attempt's processes")


FOLLOWER = """
import os, sys
parent = os.getppid()
open(sys.argv[1] + "/ready", "w").close()
while os.getppid() == parent:
    pass
open(sys.argv[1] + "/outlived", "w").close()
"""


def test_what_a_killed_runner_leaves_ends_as_a_whole(run):
    """No member of a command's group lives to see another one gone."""
    follower = run.file("follower.py", FOLLOWER)
    script = f"{sys.executable} {follower} {run.home} & echo $$ >>{run.home}/started; wait"
    sim, daemon = run.stack(*QUIET, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", script]}])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: (run.home / "ready").exists() and lines(run, "started"), "both of the group")
    daemon.cli("pause", "h")
    os.kill(rooms(daemon)["runner"], signal.SIGKILL)
    wait_for(lambda: not any(str(follower) in c for c in descendants().values()),
             "end of the first attempt's processes")
    assert not (run.home / "outlived").exists()
    daemon.cli("cancel-run", runs_of(daemon)[0]["id"])


def test_children_from_before_the_daemon_are_not_its_own_to_end(run):
    """A script may have started something and become the daemon."""
    started = run.home / "before"
    sim = run.sim("--ca", run.ca(), *QUIET)
    daemon = run.daemon(sim, wrap=("/bin/sh", "-c", f"sleep 1000 & echo $! >{started}; exec \"$@\"",
                                   "sh"))
    pid = int(started.read_text())
    old = rooms(daemon)["runner"]
    os.kill(old, signal.SIGKILL)
    rooms_up(daemon, [old])
    assert "sleep" in children(daemon.pid)[pid]
    os.kill(pid, signal.SIGKILL)


def test_five_deaths_in_ten_seconds_end_the_daemon(run):
    sim, daemon = run.stack(*QUIET, expected=1)
    killed = set()
    while daemon.alive():
        pid = rooms(daemon).get("receiver 1")
        if pid is not None and pid not in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    assert daemon.wait() == 1
    assert len(killed) == 5
    assert "rooms died 5 times in 10 seconds" in daemon.log("daemon.gives_up")[0]
    wait_for(lambda: len(leftovers(run.known)) == 1, "end of the other rooms")  # the simulator


def test_a_stopped_room_is_ended_and_replaced(run):
    """The one test that has to wait: a room may be silent for 20 seconds."""
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    job, = submit_jobs(daemon, sim, 1)
    before = rooms_up(daemon)
    for name in ("receiver 1", "runner"):
        os.kill(before[name], signal.SIGSTOP)
    hung = daemon.wait_log("room.hangs", 2, seconds=60)
    assert {f"pid={before[n]}" for n in ("receiver 1", "runner")} == \
           {word for line in hung for word in line.split() if word.startswith("pid=")}
    after = rooms_up(daemon, other_than=[before["receiver 1"], before["runner"]])
    assert after["gateway"] == before["gateway"]
    succeed(daemon, job)
    wait_for(lambda: notes(run, job), "run in the new runner")


# -- the keeper dies ------------------------------------------------------------------------------


def test_the_rooms_and_their_commands_end_with_the_keeper(run):
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run)])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    assert set(rooms(daemon)) == ROOMS
    daemon.kill()
    wait_for(lambda: len(leftovers(run.known)) == 1, "end of all rooms and of the hook")
    # Nothing of it is lost: the next daemon makes the run again.
    (run.home / "go").touch()
    again = run.daemon(conf=daemon.conf)
    wait_for(lambda: runs_of(again, state="done", attempt=2), "second attempt")


# -- stopping -------------------------------------------------------------------------------------


def test_a_file_in_the_place_of_the_control_socket_is_left_alone(run):
    precious = run.file("precious.txt", "one of a kind")
    daemon = run.daemon(conf=run.conf(run.sim(), control=str(precious)), wait=False, expected=78)
    assert daemon.wait() == 78
    assert f"{precious} is there and is no socket" in daemon.log("config.error")[0]
    assert precious.read_text() == "one of a kind"


def test_a_limit_that_the_system_does_not_grant_is_warned_of(run):
    wrap = ["/bin/sh", "-c", 'ulimit -n 400; exec "$@"', "sh"]
    sim = run.sim()
    daemon = run.daemon(sim, wrap=wrap)
    assert "allowed=400" in daemon.log("limits.too_few_files")[0]
    assert daemon.stop() == 0
    assert not run.daemon(sim, wrap=wrap, limits={"connections": 100, "handshakes": 50}).log(
        "limits.too_few_files")


def test_control_c_stops_in_order(run):
    """SIGINT goes to the whole foreground process group, as a terminal sends it."""
    sim = run.sim("--ca", run.ca(), *QUIET)
    master, slave = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    daemon = run.daemon(sim, hooks=[waiting_hook(run)],
                        popen={"stdin": slave, "preexec_fn": take_terminal})
    os.close(slave)
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    os.write(master, b"\x03")
    assert "signal=INT" in daemon.wait_log("daemon.stopping")[0]
    (run.home / "go").touch()  # the hook was not hit by it
    assert daemon.wait() == 0
    os.close(master)
    assert lines(run, "finished") == ["done"]
    assert not daemon.log("room.died")
    assert daemon.log("daemon.stopped")
    wait_for(lambda: len(leftovers(run.known)) == 1, "end of all rooms")


def begin_callback(daemon, job):
    """(socket, the rest of the request): everything but the last byte has been sent."""
    body = job.body("success")
    head = f"POST /{job.url.split('/', 3)[3]} HTTP/1.1\r\nHost: {LOOPBACK}:{daemon.port}\r\n"
    for name, value in signed_headers(SIM_KEY, job.url).items():
        head += f"{name}: {value}\r\n"
    data = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    sock = tls_context(daemon.ca).wrap_socket(
        socket.create_connection((LOOPBACK, daemon.port), timeout=10), server_hostname=LOOPBACK)
    sock.sendall(data[:-1])
    return sock, data[-1:]


def read_to_end(sock):
    received = b""
    with contextlib.closing(sock):
        while True:
            piece = sock.recv(65536)
            if not piece:
                return received
            received += piece


def test_what_is_in_flight_at_the_stop_is_answered(run):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)], limits=NO_SOURCE_LIMITS)
    jobs = submit_jobs(daemon, sim, 8)
    begun = [begin_callback(daemon, job) for job in jobs]
    wait_for(lambda: requests_begun(daemon) >= len(jobs), "heads of all requests")
    daemon.send(signal.SIGTERM)
    daemon.wait_log("daemon.stopping")
    statuses = []
    for sock, rest in begun:
        sock.sendall(rest)
        statuses.append(read_to_end(sock).split(b" ", 2)[1])
    assert daemon.wait() == 0
    assert statuses == [b"200"] * len(jobs)
    states = {t["id"]: t["state"] for t in daemon.cli("list")[1]["tasks"]}  # from the store's file
    assert states == {job.task: "success" for job in jobs}
    # Their hooks were not started any more; the next start does it.
    again = run.daemon(conf=daemon.conf)
    wait_for(lambda: len(runs_of(again, state="done")) == len(jobs), "runs after the next start")
    assert all(len(notes(run, job)) == 1 for job in jobs)


def requests_begun(daemon):
    """Connections whose handshake is over, as far as the receiver has told."""
    counters = [r["counters"] for r in daemon.cli("status")[1]["rooms"] if "receiver" in r["name"]]
    return counters[0].get("handshakes", 0) if counters and counters[0] else 0


def test_a_running_hook_may_finish_within_the_grace(run):
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run)], shutdown_grace="1m")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    daemon.send(signal.SIGTERM)
    wait_for(lambda: set(rooms(daemon)) == {"runner"}, "end of the other rooms")
    assert daemon.alive()
    (run.home / "go").touch()
    assert daemon.wait() == 0
    assert lines(run, "finished") == ["done"]
    assert [r["state"] for r in daemon.cli("show", job.task)[1]["runs"]] == ["done"]


def test_a_hook_that_outlasts_the_grace_is_ended_and_made_again(run):
    hook = waiting_hook(run, retry={"attempts": 1, "from": "10ms"})
    sim, daemon = run.stack(*QUIET, hooks=[hook], shutdown_grace="100ms")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    assert daemon.stop() == 0
    assert not lines(run, "finished")
    wait_for(lambda: len(leftovers(run.known)) == 1, "end of the hook")
    (run.home / "go").touch()
    again = run.daemon(conf=daemon.conf)
    wait_for(lambda: runs_of(again, state="done"), "run after the next start")
    assert len(lines(run, "started")) == 2 and lines(run, "finished") == ["done"]


def test_asked_twice_it_does_not_wait_for_hooks(run):
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run)], shutdown_grace="1h")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    daemon.send(signal.SIGTERM)
    daemon.wait_log("daemon.stopping")
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0
    wait_for(lambda: len(leftovers(run.known)) == 1, "end of the hook")


# -- two on one store -----------------------------------------------------------------------------


def test_a_second_daemon_on_the_store_refuses_and_names_the_first(run):
    sim, daemon = run.stack(*QUIET)
    conf = run.conf(sim, control=str(run.home / "other.sock"))
    second = run.daemon(conf=conf, wait=False, expected=75)
    assert second.wait() == 75
    refusal, = second.log("store.not_opened")
    assert f"{daemon.pid}" in refusal and "viduhook.db" in refusal
    daemon.write(daemon.conf)
    assert daemon.cli("list")[0] == 0  # the first has not noticed


# -- the receiver's rights ------------------------------------------------------------------------


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


needs_seccomp = pytest.mark.skipif(
    "libseccomp" not in subprocess.run(["ldd", program("viduhookd")], capture_output=True,
                                       text=True, check=False).stdout,
    reason="built without libseccomp")


@needs_seccomp
def test_the_drill_is_denied_everything():
    done = subprocess.run([program("viduhookd"), "--room=drill"], capture_output=True, text=True,
                          timeout=60)
    said = [line.split() for line in done.stdout.splitlines()]
    assert len(said) > 40
    assert [words for words in said if words[-1] != "denied"] == []
    assert done.returncode == 0, done.stderr


@needs_seccomp
def test_the_receiver_has_dropped_its_rights(run):
    sim, daemon = run.stack(*QUIET)
    pid = rooms(daemon)["receiver 1"]
    status = status_of(pid)
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    limits = pathlib.Path(f"/proc/{pid}/limits")
    with contextlib.suppress(PermissionError):  # not dumpable: closed to the same user as well
        rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.read_text().splitlines()}
        assert rows["Max processes"] == ["0", "0"]
        assert rows["Max core file size"] == ["0", "0"]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_is_closed_to_other_processes_of_its_user(run, room):
    sim, daemon = run.stack(*QUIET)
    pid = rooms(daemon)[room]
    owner = os.stat(f"/proc/{pid}/environ").st_uid
    assert owner == 0  # not dumpable: /proc/PID belongs to root whoever runs it
    if os.getuid() != 0:
        with pytest.raises(PermissionError):
            os.listdir(f"/proc/{pid}/fd")


def test_every_room_goes_by_the_programs_name(run):
    sim, daemon = run.stack(*QUIET)
    for pid in rooms(daemon).values():
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
            assert comm.read() == "viduhookd\n"


def test_the_receiver_holds_no_files(run):
    if os.getuid() != 0:
        pytest.skip("only root may look: the receiver is not dumpable")
    sim, daemon = run.stack(*QUIET)
    folder = f"/proc/{rooms(daemon)['receiver 1']}/fd"
    links = {int(n): os.readlink(f"{folder}/{n}") for n in os.listdir(folder)}
    assert links.pop(2) == str(daemon.log_path)
    assert links.pop(0) == links.pop(1) == "/dev/null"
    pipes = [target for target in links.values() if target.startswith("pipe:")]
    assert len(pipes) == 2 and pipes[0] == pipes[1]  # libevent's, both ends its own
    assert {target.partition(":")[0] for target in links.values()} - {"pipe"} == \
           {"socket", "anon_inode"}
    assert all(t in ("anon_inode:[eventpoll]",) for t in links.values() if "anon" in t)


def test_without_a_sandbox_there_is_a_warning(run):
    sim, daemon = run.stack(*QUIET, args=["--no-sandbox"])
    warning, = daemon.log("sandbox.off")
    assert " warn " in warning and "--no-sandbox" in warning
    assert "sandbox=off" in daemon.wait_log("receiver.started")[0]
    assert status_of(rooms(daemon)["receiver 1"])["Seccomp"].strip() == "0"
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)


def test_a_secret_of_the_environment_stays_with_the_keeper(run, monkeypatch):
    sim = run.sim("--ca", run.ca(), *QUIET)
    conf = run.conf(sim, hooks=[
        {"name": "show", "exec": ["/bin/sh", "-c", f"env >{run.home}/env; echo >{run.home}/done"]}])
    conf["providers"]["vidu"]["key"] = {"env": "MY_VIDU_KEY"}
    monkeypatch.setenv("MY_VIDU_KEY", SIM_KEY)
    monkeypatch.setenv("OTHER_SECRET", "xyzzy")
    daemon = run.daemon(conf=conf)
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: (run.home / "done").exists(), "end of the hook")
    environments = [(run.home / "env").read_bytes()]
    if os.getuid() == 0:
        environments += [pathlib.Path(f"/proc/{p}/environ").read_bytes()
                         for p in children(daemon.pid)]
        assert len(environments) == 1 + len(ROOMS)
    for environment in environments:
        assert b"PATH=" in environment
        assert SIM_KEY.encode() not in environment and b"xyzzy" not in environment
    for pid in children(daemon.pid):
        assert SIM_KEY.encode() not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert SIM_KEY not in daemon.log()
