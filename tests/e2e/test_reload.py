# SPDX-License-Identifier: MIT
"""SIGHUP and `viduhook reload`: the new configuration takes over and nobody notices; with an error
all of the old one stays."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from harness import LOOPBACK, post_callback, program, viduhook, wait_for
from life import NO_SOURCE_LIMITS, ROOMS, Load, rooms, rooms_up, submit_jobs
from test_rooms import (QUIET, begin_callback, lines, note_hook, notes, read_to_end, runs_of, succeed,
                        waiting_hook)
from web import tls_context


def reload_now(daemon, check=True):
    """`viduhook reload`: (exit status, answer)."""
    return daemon.cli("reload", check=check)


def peer_certificate(daemon):
    with socket.create_connection((LOOPBACK, daemon.port), timeout=10) as plain:
        with tls_context(False).wrap_socket(plain, server_hostname=LOOPBACK) as sock:
            return sock.getpeercert(binary_form=True)


def new_certificate(run, name):
    """(certificate, key), other ones than those in force."""
    done = viduhook("init", run.home / name)
    assert done.returncode == 0, done.stderr
    return run.home / name / "cert.pem", run.home / name / "key.pem"


def replace_certificate(run, certificate, key):
    """As certificate tools do it: over the files that the configuration names."""
    shutil.copy(certificate, run.home / "cert.pem")
    shutil.copy(key, run.home / "key.pem")


# -- under load -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_alive", [False, True], ids=["new-connections", "keep-alive"])
def test_no_connection_is_refused_or_reset_while_reloading(run, keep_alive):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)], limits=NO_SOURCE_LIMITS)
    jobs = submit_jobs(daemon, sim, 120)
    load = Load(False, jobs, clients=16, keep_alive=keep_alive)  # whatever the certificate
    load.wait_acked(30)
    daemon.reload()
    daemon.wait_log("config.reloaded", 1)
    replace_certificate(run, *new_certificate(run, "new"))
    load.wait_acked(90)
    assert reload_now(daemon)[1]["reloaded"] is True
    load.wait_acked(150)
    daemon.reload()
    daemon.wait_log("config.reloaded", 3)
    acked = load.finish(60)
    assert load.errors == []
    answers = {status for status in load.statuses if isinstance(status, int)}
    assert (answers if keep_alive else set(load.statuses)) == {200}
    assert len(acked) == 3 * len(jobs)
    wait_for(lambda: len(runs_of(daemon, state="done")) == len(jobs), "end of all runs")
    assert all(len(notes(run, job)) == 1 for job in jobs)
    wait_for(lambda: set(rooms(daemon)) == ROOMS, "end of the old rooms")
    assert not daemon.log("room.died")


def test_new_connections_get_the_new_certificate(run):
    sim, daemon = run.stack(*QUIET)
    before = peer_certificate(daemon)
    new = new_certificate(run, "new")
    replace_certificate(run, *new)
    assert peer_certificate(daemon) == before  # not before it is told
    reload_now(daemon)
    after = peer_certificate(daemon)
    assert after != before
    job, = submit_jobs(daemon, sim, 1)
    assert post_callback(job.url, job.body("success"), ca=new[0]).status == 200


def test_a_connection_that_is_open_lives_on(run):
    """The request was begun with the old receiver and is answered by it, after the reload."""
    sim, daemon = run.stack(*QUIET)
    job, = submit_jobs(daemon, sim, 1)
    before = rooms_up(daemon)
    sock, rest = begin_callback(daemon, job)
    reload_now(daemon)
    rooms_after = wait_for(lambda: len(set(rooms(daemon).values()) - set(before.values())) >= 3
                           and rooms(daemon), "new rooms")
    assert rooms_after
    sock.sendall(rest)
    assert read_to_end(sock).startswith(b"HTTP/1.1 200 ")


# -- what takes effect ----------------------------------------------------------------------------


def test_new_hooks_and_limits_are_in_force(run):
    sim, daemon = run.stack(*QUIET, limits=NO_SOURCE_LIMITS)
    first, second = submit_jobs(daemon, sim, 2)
    succeed(daemon, first)
    daemon.write({**daemon.conf, "hooks": [note_hook(run)],
                  "limits": {**NO_SOURCE_LIMITS, "max_body": "1KiB"}})
    reload_now(daemon)
    large = second.body("processing") + b" " * 2000
    assert post_callback(second.url, large, ca=daemon.ca).status == 413
    succeed(daemon, second)
    wait_for(lambda: notes(run, second), "run of the new hook")
    assert not notes(run, first)


def test_more_receivers_are_started(run):
    sim, daemon = run.stack(*QUIET)
    daemon.write({**daemon.conf, "receivers": 3})
    reload_now(daemon)
    wait_for(lambda: set(rooms(daemon)) == ROOMS | {"receiver 2", "receiver 3"}, "receivers")
    daemon.write({**daemon.conf, "receivers": 1})
    reload_now(daemon)
    wait_for(lambda: set(rooms(daemon)) == ROOMS, "end of two receivers")


def test_runs_under_way_survive(run):
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run)])
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    old = rooms(daemon)["runner"]
    reload_now(daemon)
    wait_for(lambda: rooms_of(daemon, "gateway") == 1 and rooms_of(daemon, "runner") == 2,
             "end of the old gateway")
    reload_now(daemon)  # once more: the oldest runner still holds its run
    wait_for(lambda: old in [r["pid"] for r in daemon.cli("status")[1]["rooms"]], "old runner")
    assert runs_of(daemon, state="running")
    (run.home / "go").touch()
    wait_for(lambda: runs_of(daemon, state="done", attempt=1), "end of the run")
    assert lines(run, "started") == lines(run, "started")[:1] and lines(run, "finished") == ["done"]
    wait_for(lambda: rooms_of(daemon, "runner") == 1, "end of the old runner")


def rooms_of(daemon, name):
    return [r["name"] for r in daemon.cli("status")[1]["rooms"]].count(name)


def test_a_stop_does_not_forget_the_runner_of_before_the_reload(run):
    """It has no hurry after a reload, but it has the grace of the stop."""
    sim, daemon = run.stack(*QUIET, hooks=[waiting_hook(run)], shutdown_grace="100ms")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: lines(run, "started"), "start of the hook")
    reload_now(daemon)
    assert daemon.stop() == 0
    assert not lines(run, "finished")


def test_watchers_come_back_by_themselves(run):
    sim, daemon = run.stack(*QUIET)
    job, = submit_jobs(daemon, sim, 1)
    out = run.home / "watch.out"
    with open(out, "wb") as file:
        watch = subprocess.Popen([program("viduhook"), "-c", daemon.conf_path, "--json", "watch"],
                                 stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_for(lambda: watchers(daemon) == 1, "watcher")
        reload_now(daemon)
        wait_for(lambda: set(rooms(daemon)) == ROOMS and watchers(daemon) == 1, "the watcher again")
        succeed(daemon, job)
        wait_for(lambda: b'"success"' in out.read_bytes(), lambda: f"event: {out.read_bytes()}")
        assert watch.poll() is None
    finally:
        watch.terminate()
        watch.wait(10)


def watchers(daemon):
    """As the newest gateway tells it: counters come with its next sign of life."""
    status, answer = daemon.cli("status", check=False)
    if status != 0:
        return None
    gateways = [r for r in answer["rooms"] if r["name"] == "gateway" and r["phase"] == "up"]
    return gateways[0]["counters"].get("watchers") if gateways and gateways[0]["counters"] else None


# -- errors ---------------------------------------------------------------------------------------


def assert_unchanged(run, sim, daemon, before, certificate):
    assert rooms_up(daemon) == before
    assert peer_certificate(daemon) == certificate
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: notes(run, job), "run of the old hook")


def position_of(path, text):
    """(line, column), counted from 1."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if text in line:
            return number, line.index(text) + 1
    raise AssertionError(f"no {text} in {path}")


def test_an_error_keeps_the_old_and_names_its_place(run):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    before, certificate = rooms_up(daemon), peer_certificate(daemon)
    right = daemon.conf
    daemon.write({**right, "hooks": [], "recievers": 2})
    line, column = position_of(daemon.conf_path, '"recievers"')
    place = f"{daemon.conf_path}:{line}:{column}"
    status, answer = reload_now(daemon, check=False)
    assert status == 1 and any(f.startswith(place) for f in answer["findings"]), answer
    assert "receivers" in json.dumps(answer["findings"])  # what was probably meant
    error, = daemon.log("config.error")
    assert f"line={line}" in error and f"column={column}" in error
    said = viduhook("-c", daemon.conf_path, "--socket", right["control"], "reload")
    assert said.returncode == 1 and place in said.stdout + said.stderr
    daemon.reload()
    daemon.wait_log("config.kept", 3)
    daemon.write(right)
    assert_unchanged(run, sim, daemon, before, certificate)
    assert reload_now(daemon)[0] == 0


def test_text_that_is_no_yaml_keeps_the_old(run):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    before, certificate = rooms_up(daemon), peer_certificate(daemon)
    daemon.conf_path.write_text("public_url: [unclosed\n")
    daemon.reload()
    daemon.wait_log("config.kept")
    assert re.search(r"line=\d+ column=\d+", daemon.log("config.error")[0])
    daemon.write(daemon.conf)
    assert_unchanged(run, sim, daemon, before, certificate)


def test_a_file_that_is_gone_keeps_the_old_and_has_no_line(run):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    before, certificate = rooms_up(daemon), peer_certificate(daemon)
    daemon.conf_path.unlink()
    daemon.reload()
    daemon.wait_log("config.kept")
    error = daemon.log("config.error")[0]
    assert f"file={daemon.conf_path} error=" in error and "line=" not in error
    daemon.write(daemon.conf)
    assert_unchanged(run, sim, daemon, before, certificate)


def spoil_junk(run):
    (run.home / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")


def spoil_mismatch(run):
    shutil.copy(new_certificate(run, "other")[1], run.home / "key.pem")


def spoil_missing(run):
    (run.home / "key.pem").unlink()


@pytest.mark.parametrize("spoil", [spoil_junk, spoil_mismatch, spoil_missing])
def test_a_bad_certificate_keeps_the_old(run, spoil):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    before, certificate = rooms_up(daemon), peer_certificate(daemon)
    trusted, key = ((run.home / n).read_text() for n in ("cert.pem", "key.pem"))
    spoil(run)
    status, answer = reload_now(daemon, check=False)
    assert status == 1 and answer["error"], answer
    assert any(f.startswith(f"{daemon.conf_path}:") for f in answer["findings"]), answer
    assert daemon.wait_log("config.kept")
    wait_for(lambda: set(rooms(daemon).values()) == set(before.values()), "end of new rooms")
    (run.home / "cert.pem").write_text(trusted)  # for the clients; the daemon is not told
    assert_unchanged(run, sim, daemon, before, certificate)
    run.file("key.pem", key)
    assert reload_now(daemon)[0] == 0


@pytest.mark.parametrize("option", ["listen", "store", "control"])
def test_what_needs_a_restart_is_noted(run, option):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    old = dict(daemon.conf)
    other = {"listen": [f"https://{LOOPBACK}:{run.port()}"],
             "store": f"sqlite:{run.home}/other.db", "control": str(run.home / "other.sock")}
    daemon.write({**old, option: other[option]})
    done = viduhook("-c", daemon.conf_path, "--socket", old["control"], "--json", "reload")
    assert done.returncode == 0, done.stderr
    note, = json.loads(done.stdout)["notes"]
    assert option in note and "restart" in note
    assert f"option={option}" in daemon.log("config.needs_restart")[0]
    assert not os.path.exists(run.home / "other.db") and not os.path.exists(run.home / "other.sock")
    daemon.write(old)
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: notes(run, job), "run")


def test_many_signals_at_once_do_no_harm(run):
    sim, daemon = run.stack(*QUIET, hooks=[note_hook(run)])
    for _ in range(20):
        daemon.send(signal.SIGHUP)
    daemon.wait_log("config.reloaded")
    wait_for(lambda: set(rooms(daemon)) == ROOMS and len(rooms_by_phase(daemon)) == 3,
             "one set of rooms")
    job, = submit_jobs(daemon, sim, 1)
    succeed(daemon, job)
    wait_for(lambda: notes(run, job), "run")
    assert not daemon.log("room.died")


def rooms_by_phase(daemon):
    return [r["phase"] for r in daemon.cli("status")[1]["rooms"]]
