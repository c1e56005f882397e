# SPDX-License-Identifier: MIT
"""Commands whose runner dies, maybe by their own hand: what becomes of them and of the others."""
import os
import signal
import time


from harness import wait_for
from life import rooms
from test_hooks import QUICK, gone, pids_in, recorder, script, seen, stack


def kill_runner(daemon):
    pid = rooms(daemon)["runner"]
    os.kill(pid, signal.SIGKILL)
    return pid


def test_what_a_killed_runner_had_begun_is_gone_before_it_is_made_again(run):
    pids, alive = run.home / "pids", run.home / "alive"
    deep = script(run, "deep", f"""trap '' TERM
[ "$1" = 0 ] || setsid /usr/bin/env -i $0 $(($1 - 1)) &
echo $$ >>{pids}
while :; do sleep 1; done
""")
    hook = {"name": "h", "exec": [script(run, "first", f"""
[ "$VIDUHOOK_ATTEMPT" = 1 ] && exec {deep} 29
for pid in $(cat {pids}); do kill -0 $pid 2>/dev/null && echo $pid >>{alive}; done
exit 0
""")]}
    _, daemon = stack(run, hook)
    daemon.submit()
    known = pids_in(pids, 30)  # each in a session of its own, below the one before
    kill_runner(daemon)
    done, = daemon.wait_runs("done")
    assert done["attempt"] == 2 and not alive.exists()
    assert all(gone(pid) for pid in known)


def test_what_a_killed_runner_had_begun_ends_with_the_daemon(run):
    pids = run.home / "pids"
    _, daemon = stack(run, {"name": "h", "exec": [script(
        run, "stay", f"trap '' TERM; echo $$ >>{pids}; while :; do sleep 1; done")]})
    daemon.submit()
    pid, = pids_in(pids)
    os.kill(rooms(daemon)["runner"], signal.SIGSTOP)  # it does not end by itself
    daemon.popen.send_signal(signal.SIGTERM)
    daemon.wait_log("daemon.stopping")
    daemon.popen.send_signal(signal.SIGTERM)
    daemon.popen.wait(30)
    assert gone(pid)


def test_a_run_that_kills_its_runner_ends_in_the_dead_letters(run):
    hooks = [{"name": "bad", "exec": ["/bin/sh", "-c", "kill -9 $PPID; sleep 1000"],
              "retry": {"from": "1ms", "to": "1ms", "attempts": 100}, "match": {"tags": ["bad"]}},
             {"name": "after", "after": "bad", "exec": ["/bin/true"], "match": {"tags": ["bad"]}},
             {"name": "good", "exec": [script(run, "slow", "sleep 1")], "concurrency": 16}]
    _, daemon = stack(run, *hooks)
    for i in range(4):
        daemon.submit(*(["--tag", "bad"] if i % 2 else []))
    wait_for(lambda: len(daemon.runs("--state", "dead")) == 2, "dead letters", 60)
    for dead in daemon.runs("--state", "dead"):
        assert dead["hook"] == "bad" and dead["attempt"] == 3
        assert dead["detail"] == "the runner or the daemon died during each of 3 attempts"
    wait_for(lambda: len(daemon.runs("--hook", "good", "--state", "done")) == 4, "the others", 60)
    assert [r["state"] for r in daemon.runs("--hook", "after")] == ["cancelled"] * 2
    assert daemon.alive() and not daemon.log("daemon.gives_up")


def test_a_run_that_ends_the_daemon_ends_in_the_dead_letters(run):
    hook = recorder(run, timeout="60s")
    hook["exec"] = [script(run, "wait", f"echo x >>{run.home}/begun; sleep 1000")]
    _, daemon = stack(run, hook, shutdown_grace="0s")
    daemon.submit()
    for n in range(1, 4):
        wait_for(lambda n=n: (run.home / "begun").exists() and
                 len((run.home / "begun").read_text().split()) == n, f"attempt {n}")
        daemon.wait_runs("running")
        daemon.kill()
        daemon = run.daemon(conf=daemon.conf).wait_ready()
    dead, = daemon.wait_runs("dead")
    assert dead["attempt"] == 3 and "during each of 3 attempts" in dead["detail"]
    daemon.cli("retry", dead["id"])
    daemon.wait_runs("running")


def test_what_is_claimed_ahead_is_neither_running_nor_lost(run):
    go = run.home / "go"
    hook = recorder(run, concurrency=1, retry=QUICK)
    inner = hook["exec"]
    hook["exec"] = [script(run, "wait", f"while ! test -e {go}; do sleep 0.02; done; exec \"$@\""),
                    *inner]
    _, daemon = stack(run, hook, shutdown_grace="0s")
    for _ in range(3):
        daemon.submit()
    wait_for(lambda: sorted(r["state"] for r in daemon.runs()) == ["ready", "ready", "running"] and
             sorted(r["attempt"] for r in daemon.runs()) == [0, 1, 1], "a run claimed ahead")
    kill_runner(daemon)  # the second one had not begun, and has its first attempt now
    wait_for(lambda: [r["state"] for r in daemon.runs()] == ["ready", "running", "ready"],
             "the second run")
    assert [r["attempt"] for r in daemon.runs()][:2] == [1, 1]
    wait_for(lambda: daemon.runs()[2]["attempt"] == 1, "the third run, claimed ahead")
    since = time.monotonic()
    wait_for(lambda: time.monotonic() > since + 1.2, "look at the leases")  # every second
    daemon.stop()  # its attempt is given back
    go.touch()
    daemon = run.daemon(conf=daemon.conf).wait_ready()
    daemon.wait_runs("done", "done", "done", seconds=30)
    assert [r["attempt"] for r in daemon.runs()] == [2, 2, 1]
    assert len(seen(run, 3)) == 3
