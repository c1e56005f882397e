# SPDX-License-Identifier: MIT
"""What is done once more by hand: replayed tasks, retried and cancelled runs, hooks with samples."""
import datetime
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from harness import LOOPBACK, callback_body, http_date, post_callback, program, wait_for
from web import QuietHandler, Served

FAST = ("--time", "20ms", "--retry-gap", "20ms")
MEDIA = "https://media.example/%s.mp4?s=1"

# Writes down what it was given, one file a run.
RECORD = f"""#!{sys.executable}
import json, os, sys
name = "%s/%s.json" % (sys.argv[1], os.environ["VIDUHOOK_RUN_ID"])
with open(name + ".tmp", "w") as f:
    json.dump({{"env": dict(os.environ), "context": json.load(sys.stdin)}}, f)
os.rename(name + ".tmp", name)
"""

# An editor: the words before the file are replacements.
EDITOR = f"""#!{sys.executable}
import os, pathlib, stat, sys
file = pathlib.Path(sys.argv[-1])
assert stat.S_IMODE(file.stat().st_mode) == 0o600
assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
text = file.read_text()
for word in sys.argv[1:-1]:
    old, _, new = word.partition("=")
    assert old in text, text
    text = text.replace(old, new)
file.write_text(text)
"""


def script(run, name, text):
    path = run.home / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def recorder(run, name="record", **hook):
    (run.home / "seen").mkdir(exist_ok=True)
    return {"name": name, **hook, "exec": [script(run, "record", RECORD), str(run.home / "seen")]}


def seen(run, number):
    """What the run of this number was given."""
    path = run.home / "seen" / f"{number}.json"
    return json.loads(wait_for(lambda: path.read_text() if path.exists() else None, str(path)))


def timeline(daemon, task, verdict):
    """Details of the entries with this verdict."""
    return [e["detail"] for e in daemon.cli("explain", task)[1]["events"]
            if e["verdict"] == verdict]


def told(run, *hooks, state="success", media=MEDIA % "first", **changes):
    """(daemon, task, send): a task that a callback of ours has told about."""
    sim, daemon = run.stack(*FAST, "--switch", "lost-callback", "--time", "1h", hooks=hooks,
                            **changes)
    task = daemon.submit("--payload", "order-42")
    created, = sim.wait_ledger("create")

    def send(word, url="", **members):
        body = {**callback_body(created["task"], word, url), **members}
        return post_callback(created["callback_url"], body, ca=run.ca())

    send(state, media)
    return daemon, task, send


# -- replay ---------------------------------------------------------------------------------------


def test_a_replay_calls_what_todays_hooks_ask_for_in_their_order(run):
    sim, daemon = run.stack(*FAST, hooks=[recorder(run)])
    task = daemon.submit()
    first, = daemon.wait_runs("done")
    conf = dict(daemon.conf)
    conf["hooks"] = [recorder(run), recorder(run, "second", after="record"),
                     recorder(run, "other", match={"model": "none"})]
    daemon.write(conf)
    daemon.cli("reload")
    answer = daemon.cli("replay", task)[1]
    assert answer["event"] == "success" and len(answer["runs"]) == 2
    _, again, second = daemon.wait_runs("done", "done", "done")
    assert [again["id"], second["id"]] == answer["runs"]
    assert second["started_at"] >= again["finished_at"]
    for r in (again, second):
        given = seen(run, r["id"])
        assert given["env"]["VIDUHOOK_REPLAY"] == "1" and given["env"]["VIDUHOOK_EVENT"] == "success"
    assert seen(run, first["id"])["env"]["VIDUHOOK_REPLAY"] == ""
    assert timeline(daemon, task, "replay") == ["its hooks are called again"]
    assert len(daemon.cli("replay", task)[1]["runs"]) == 2  # as often as one likes


def test_a_hook_after_a_failure_waits_for_the_failure_in_a_replay_as_well(run):
    flag = run.home / "flag"
    _, daemon = run.stack(*FAST, hooks=[
        {"name": "parent", "exec": ["/bin/sh", "-c", f"sleep 0.2; test -e {flag} || exit 7"],
         "retry": {"attempts": 1}},
        recorder(run, after_failure="parent")])
    task = daemon.submit()
    daemon.wait_runs("dead", "done")
    failed, rescue = daemon.cli("replay", task)[1]["runs"]
    daemon.wait_runs("dead", "done", "dead", "done")
    assert seen(run, rescue)["context"]["after"]["run"] == failed
    assert seen(run, rescue)["env"]["VIDUHOOK_AFTER_STATE"] == "dead"
    flag.touch()
    daemon.cli("replay", task)
    daemon.wait_runs("dead", "done", "dead", "done", "done", "cancelled")


def test_a_replay_of_one_hook_asks_no_other(run):
    _, daemon = run.stack(*FAST, hooks=[recorder(run), recorder(run, "picky", on=["failed"]),
                                        recorder(run, "last", after="picky", on=["failed"])])
    task = daemon.submit()
    daemon.wait_runs("done")
    run_id, = daemon.cli("replay", task, "--hook", "last")[1]["runs"]
    daemon.wait_runs("done", "done")
    assert seen(run, run_id)["env"]["VIDUHOOK_HOOK"] == "last"
    status, answer = daemon.cli("replay", task, "--hook", "none", check=False)
    assert status == 4 and "no hook none" in answer["error"]


@pytest.mark.parametrize("args, status, said", [
    ((), 1, "no hook is ever called for submitted"),
    (("--as-received",), 4, "nothing that a provider said"),
    (("--as-received", "--event", "1"), 4, "entry 1"),
])
def test_what_cannot_be_replayed_is_told(run, args, status, said):
    _, daemon = run.stack("--switch", "lost-callback", "--time", "1h", hooks=[recorder(run)])
    task = daemon.submit()
    got, answer = daemon.cli("replay", task, *args, check=False)
    assert got == status and said in answer["error"]


def test_as_received_tells_hooks_what_was_said_then(run):
    daemon, task, _ = told(run, recorder(run))
    daemon.wait_runs("done")
    answer = daemon.cli("replay", task, "--as-received")[1]
    assert answer["verdict"] == "duplicate" and answer["event"] == "success"
    daemon.wait_runs("done", "done")
    given = seen(run, answer["runs"][0])
    assert given["context"]["source"] == "callback" and given["context"]["run"]["replay"]
    assert given["env"]["VIDUHOOK_URL"] == MEDIA % "first"
    assert timeline(daemon, task, "duplicate") == []
    note, = timeline(daemon, task, "replay")
    assert note.startswith("what the callback of ") and note.endswith("as received")


def test_as_received_an_entry_can_be_named(run):
    daemon, task, send = told(run, recorder(run, on=["processing", "success"]), state="processing",
                              media="")
    daemon.wait_task(task, "processing")
    send("success", MEDIA % "second")
    daemon.wait_runs("done", "done")
    story = daemon.cli("explain", task)[1]["events"]
    number = 1 + next(i for i, e in enumerate(story) if e["state"] == "processing")
    answer = daemon.cli("replay", task, "--as-received", "--event", number)[1]
    assert answer["event"] == "processing"
    daemon.wait_runs("done", "done", "done")
    assert seen(run, answer["runs"][0])["env"]["VIDUHOOK_STATE"] == "processing"


def test_what_was_quarantined_is_judged_again_and_moves_the_task(run):
    """A success out of its time window is kept without effect; its owner can believe it."""
    daemon, task, _ = told(run, recorder(run), state="processing", media="",
                           signature={"window": "1s"})
    created = json.loads(next(run.home.glob("ledger-*")).read_text().splitlines()[0])
    body = callback_body(created["task"], "success", MEDIA % "late")
    post_callback(created["callback_url"], body, ca=run.ca(),
                  date=http_date(-3600))
    wait_for(lambda: timeline(daemon, task, "quarantined"), "a quarantined callback")
    number = 1 + next(i for i, e in enumerate(daemon.cli("explain", task)[1]["events"])
                      if e["verdict"] == "quarantined")
    words = ("replay", task, "--as-received", "--event", number)
    status, said = daemon.cli(*words, "--hook", "record", check=False)
    assert status == 2 and "is news" in said["error"] and "leave --hook out" in said["error"]
    assert daemon.task(task)["state"] == "processing" and timeline(daemon, task, "replay") == []
    answer = daemon.cli(*words)[1]
    assert answer["verdict"] == "accepted"
    assert daemon.wait_task(task, "success")["result"][0]["url"] == MEDIA % "late"
    daemon.wait_runs("done")


def test_what_contradicts_the_task_has_no_effect(run):
    daemon, task, send = told(run, recorder(run))
    daemon.wait_runs("done")
    send("failed", err_code="Odd")
    wait_for(lambda: timeline(daemon, task, "quarantined"), "a quarantined callback")
    number = 1 + next(i for i, e in enumerate(daemon.cli("explain", task)[1]["events"])
                      if e["verdict"] == "quarantined")
    status, answer = daemon.cli("replay", task, "--as-received", "--event", number, check=False)
    assert status == 1 and "contradicts" in answer["error"]
    assert len(daemon.runs()) == 1 and timeline(daemon, task, "replay") == []


def edit(run, daemon, task, *words, variable="EDITOR", **more):
    editor = " ".join([script(run, "editor", EDITOR), *words])
    env = {k: v for k, v in os.environ.items() if k not in ("EDITOR", "VISUAL")}
    env.update({variable: editor, "TMPDIR": str(run.home), **more})
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        return daemon.cli("replay", task, "--edit", check=False)
    finally:
        os.environ.clear()
        os.environ.update(saved)


@pytest.mark.parametrize("variable", ["EDITOR", "VISUAL"])
def test_an_edited_payload_is_what_hooks_see_and_nothing_else_changes(run, variable):
    daemon, task, _ = told(run, recorder(run, on=["success", "failed"]))
    daemon.wait_runs("done")
    status, answer = edit(run, daemon, task, "first=$(touch${IFS}x)edited", variable=variable)
    assert status == 0 and answer["verdict"] == "edited", answer
    daemon.wait_runs("done", "done")
    given = seen(run, answer["runs"][0])
    assert given["env"]["VIDUHOOK_URL"] == MEDIA % "$(touch${IFS}x)edited"
    assert given["context"]["source"] == "operator"
    assert daemon.task(task)["result"][0]["url"] == MEDIA % "first"
    assert timeline(daemon, task, "replay") == ["its hooks are called again with an edited payload"]
    again = daemon.cli("replay", task, "--as-received")[1]["runs"][0]  # the recorded one is as it was
    assert seen(run, again)["env"]["VIDUHOOK_URL"] == MEDIA % "first"
    status, answer = edit(run, daemon, task, '"success"="failed"', variable=variable)
    assert answer["event"] == "failed"
    assert seen(run, answer["runs"][0])["env"]["VIDUHOOK_STATE"] == "failed"
    assert daemon.task(task)["state"] == "success"
    assert not list(run.home.glob("viduhook.*/payload.json"))


def test_the_keys_that_interrupt_are_the_editors(run):
    daemon, task, _ = told(run, recorder(run))
    daemon.wait_runs("done")
    words = f"#!/bin/sh\nkill -INT $PPID && kill -QUIT $PPID && exec {run.home}/editor first=edited \"$@\"\n"
    script(run, "editor", EDITOR)
    status, answer = edit(run, daemon, task, VISUAL=script(run, "rude", words))
    assert status == 0 and answer["verdict"] == "edited", answer
    # ... who has the signals that every program has
    quiet = "#!/bin/sh\ngrep SigIgn /proc/self/status >$(dirname $0)/ignored\nexit 1\n"
    edit(run, daemon, task, VISUAL=script(run, "quiet", quiet))
    ignored = int((run.home / "ignored").read_text().split()[1], 16)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        assert not ignored >> (number - 1) & 1, number


def test_what_an_editor_spoilt_is_not_replayed(run):
    daemon, task, _ = told(run, recorder(run))
    daemon.wait_runs("done")
    for words, status, said in ((["state=[}"], 2, "not understood"),
                                (['"success"="sucess"'], 2, "no state sucess; there are queued"),
                                ([], 1, "nothing was changed"),
                                (["nowhere=x"], 1, "exit status 1")):
        got, answer = edit(run, daemon, task, *words)
        assert got == status and said in str(answer), answer
    kept = list(run.home.glob("viduhook.*/payload.json"))  # the first two, since that was work
    assert len(kept) == 2 and sum("[}" in k.read_text() for k in kept) == 1
    assert all(pathlib.Path(k).stat().st_mode & 0o077 == 0 for k in kept)
    assert len(daemon.runs()) == 1


@pytest.mark.parametrize("editor, said", [
    (" ".join(["true"] * 17), "more than 16 words"), (" ", "blank"), ("/none/such", "cannot start"),
    ("sh -c kill${IFS}-9${IFS}$$", "killed by signal 9"), ("truncate -s 8388609", "payload.json")])
def test_an_editor_that_is_none_replays_nothing(run, editor, said):
    daemon, task, _ = told(run, recorder(run))
    daemon.wait_runs("done")
    status, answer = edit(run, daemon, task, EDITOR=editor, TMPDIR="here")
    assert status != 0 and said in str(answer), answer
    assert not pathlib.Path("here").exists() and len(daemon.runs()) == 1


# -- retry ----------------------------------------------------------------------------------------


def test_dead_runs_are_retried_at_a_pace(run):
    flag = run.home / "flag"
    hooks = [{"name": f"h{i}", "exec": ["/bin/sh", "-c", f"test -e {flag}"],
              "retry": {"attempts": 1}} for i in range(3)]
    _, daemon = run.stack(*FAST, hooks=hooks)
    daemon.submit()
    dead = daemon.wait_runs("dead", "dead", "dead")
    flag.touch()
    done = daemon.command("retry", "--dead", "--rate", "1")
    assert done.returncode == 0 and "3 dead runs will be tried again, 1 a second" in done.stdout
    due = [when(r["due_at"]) for r in daemon.runs()]
    assert [round(due[i] - due[i + 1]) for i in range(2)] == [1, 1]  # the newest first
    daemon.wait_runs("done", "done", "done")
    assert all(r["finished_at"] > d["finished_at"] for r, d in zip(daemon.runs(), dead))


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_dead_runs_are_chosen_by_hook_and_age(run):
    hooks = [{"name": n, "exec": ["/bin/false"], "retry": {"attempts": 1}} for n in ("a", "b")]
    _, daemon = run.stack(*FAST, hooks=hooks)
    daemon.submit()
    a, b = daemon.wait_runs("dead", "dead")
    assert daemon.cli("retry", "--dead", "--since", "1h", "--hook", "b")[1]["runs"] == [b["id"]]
    daemon.wait_runs("dead", "dead")
    assert sorted(daemon.cli("retry", "--dead", "--since", "1h")[1]["runs"]) == [a["id"], b["id"]]


def test_more_dead_runs_than_one_question_takes_are_all_retried(run):
    """The daemon takes a thousand at a time; runs that die again at once are not taken twice."""
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/true"]}])
    daemon.submit()
    daemon.wait_runs("done")
    daemon.stop()
    store = sqlite3.connect(run.home / "viduhook.db")
    columns = [c[1] for c in store.execute("PRAGMA table_info(run)") if c[1] != "row"]
    taken = ", ".join({"state": "4", "serial": "n"}.get(c, c) for c in columns)
    with store:
        store.execute(f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2100)"
                      f" INSERT INTO run ({', '.join(columns)}) SELECT {taken} FROM run, c")
        store.execute("INSERT OR REPLACE INTO tally VALUES ('run', 4, 2100)")
    store.close()
    conf = dict(daemon.conf)
    conf["hooks"] = [{"name": "h", "exec": ["/bin/false"], "retry": {"attempts": 1}}]
    daemon = run.daemon(conf=conf)
    ids = daemon.cli("retry", "--dead", "--rate", "9999")[1]["runs"]
    assert len(ids) == len(set(ids)) == 2100


# -- cancel-run -----------------------------------------------------------------------------------


def test_a_waiting_run_is_cancelled_with_those_that_wait_for_it(run):
    hooks = [{"name": "first", "exec": ["/bin/true"]},
             {"name": "then", "after": "first", "exec": ["/bin/true"]}]
    _, daemon = run.stack(*FAST, hooks=hooks)
    daemon.cli("pause", "first")
    task = daemon.submit()
    first, _ = daemon.wait_runs("ready", "waiting")
    assert daemon.cli("cancel-run", first["id"])[1] == {"run": first["id"], "running": False}
    first, then = daemon.wait_runs("cancelled", "cancelled")
    assert first["detail"] == "cancelled by the operator" and "first" in then["detail"]
    assert timeline(daemon, task, "cancel") == [f"hook first, run {first['id']} is cancelled"]
    daemon.cli("resume", "first")
    status, answer = daemon.cli("cancel-run", first["id"], check=False)
    assert status == 1 and "is over: cancelled" in answer["error"]
    assert daemon.cli("cancel-run", 4711, check=False)[0] == 4
    daemon.cli("retry", first["id"])  # and the way back
    daemon.wait_runs("done", "done")


def test_a_running_command_gets_TERM_and_is_not_tried_again(run):
    flag = run.home / "flag"
    command = f"trap 'echo ended; exit 3' TERM; touch {flag}; while :; do sleep 0.01; done"
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", command],
                                         "retry": {"attempts": 5, "from": "1ms", "to": "1ms"}}])
    task = daemon.submit()
    wait_for(flag.exists, "a command")
    one, = daemon.wait_runs("running")
    done = daemon.command("cancel-run", one["id"])
    assert done.returncode == 0 and "TERM" in done.stdout
    one = wait_for(lambda: next((r for r in daemon.runs() if r["output"]), None), "its end")
    assert one["state"] == "cancelled" and one["attempt"] == 1 and one["output"].endswith("ended\n")
    assert one["detail"] == "exit status 3, cancelled" and one["exit_code"] == 3
    assert [d.partition(": ")[2] for d in timeline(daemon, task, "cancelled")] == [one["detail"]]


def test_a_cancelled_run_is_not_made_again_by_a_daemon_that_died(run):
    flag = run.home / "flag"
    command = f"trap '' TERM; echo x >> {flag}; while :; do sleep 0.01; done"
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", command]}])
    task = daemon.submit()
    wait_for(flag.exists, "a command")
    one, = daemon.wait_runs("running")
    daemon.cli("cancel-run", one["id"])  # it has not ended, and is not said to have
    assert timeline(daemon, task, "cancel") == ["hook h, run 1 is cancelled, and is being ended"]
    daemon.kill()
    daemon = run.daemon(conf=daemon.conf)
    one, = daemon.runs()
    assert one["state"] == "cancelled"
    daemon.submit()  # a later run has been claimed, so the cancelled one was not
    wait_for(lambda: len(flag.read_text().split()) == 2, "the second command")
    assert [r["state"] for r in daemon.runs()] == ["cancelled", "running"]
    daemon.cli("cancel-run", daemon.runs()[1]["id"])


def test_a_run_that_is_held_ready_for_its_place_can_be_cancelled(run):
    flag = run.home / "flag"
    command = f"echo $VIDUHOOK_RUN_ID >> {flag}; while test ! -e {run.home}/go; do sleep 0.01; done"
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", command],
                                         "concurrency": 1}])
    for _ in range(3):
        daemon.submit()
    wait_for(flag.exists, "a command")
    a, b, c = wait_for(lambda: len(daemon.runs()) == 3 and daemon.runs(), "three runs")
    first = int(flag.read_text())
    assert first == a["id"]
    daemon.cli("cancel-run", b["id"])
    (run.home / "go").touch()
    daemon.wait_runs("done", "cancelled", "done")
    assert flag.read_text().split() == [str(a["id"]), str(c["id"])]


# -- tail -----------------------------------------------------------------------------------------


class Tail:
    """`viduhook tail RUN` in the background."""

    def __init__(self, run, daemon, number, *args, stdout=None):
        count = len(list(run.home.glob("tail-*.out")))
        self.out, self.err = run.home / f"tail-{count}.out", run.home / f"tail-{count}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.popen = subprocess.Popen(
                [program("viduhook"), "-c", daemon.conf_path, *args, "tail", str(number)],
                stdout=stdout or out, stderr=err, stdin=subprocess.DEVNULL)

    def wait_for(self, text):
        wait_for(lambda: text in self.out.read_text(), lambda: f"{text} in {self.out.read_text()!r}")

    def end(self):
        """(exit status, stdout, stderr)"""
        status = self.popen.wait(15)
        return status, self.out.read_text(), self.err.read_text()


def gated(run, *lines, end=0):
    """A command that writes a line whenever the file of its number appears."""
    steps = [f"while test ! -e {run.home}/go{i}; do sleep 0.01; done; printf '{line}'"
             for i, line in enumerate(lines)]
    return ["/bin/sh", "-c", "; ".join([*steps, f"exit {end}"])]


def go(run, number):
    (run.home / f"go{number}").touch()


def test_tail_shows_what_a_command_says_as_it_says_it(run):
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": gated(run, "one\\n", "t\\303\\274", "o\\n")}])
    daemon.submit()
    one, = daemon.wait_runs("running")
    go(run, 0)
    first = Tail(run, daemon, one["id"])
    first.wait_for("one\n")
    second = Tail(run, daemon, one["id"], "--json")  # begins with what was said before
    second.wait_for("one")
    go(run, 1)
    first.wait_for("one\ntü")
    go(run, 2)
    assert first.end() == (0, "one\ntüo\n", f"run {one['id']} h on success: done, attempt 1, took "
                           + first.err.read_text().partition("took ")[2])
    assert "exit status 0" in first.err.read_text()
    status, out, _ = second.end()
    *events, last = map(json.loads, out.splitlines())
    assert status == 0 and last["state"] == "done"
    assert "".join(e["text"] for e in events if e["event"] == "output") == "one\ntüo\n"
    assert Tail(run, daemon, one["id"]).end()[:2] == (0, "one\ntüo\n")  # what is kept, when it is over
    assert daemon.cli("tail", 4711, check=False)[0] == 4


def test_tail_waits_for_a_run_to_begin_and_ends_with_its_attempt(run):
    hook = {"name": "h", "exec": gated(run, "hel", "lo\\n", end=3),
            "retry": {"attempts": 2, "from": "1h", "to": "1h"}}
    _, daemon = run.stack(*FAST, hooks=[hook])
    daemon.cli("pause", "h")
    daemon.submit()
    one, = daemon.wait_runs("ready")
    tail = Tail(run, daemon, one["id"])
    wait_for(lambda: daemon.cli("status")[1]["rooms"] and watchers(daemon) == 1, "a watcher")
    go(run, 0)
    daemon.cli("resume", "h")
    tail.wait_for("hel")
    go(run, 1)
    status, out, err = tail.end()
    assert (status, out) == (1, "hello\n") and "exit status 3" in err and "ready" in err


def watchers(daemon):
    return next(r["counters"].get("watchers", 0) for r in daemon.cli("status")[1]["rooms"]
                if r["name"] == "gateway")


def test_tail_of_a_cancelled_run_shows_its_last_words(run):
    command = "trap 'echo bye; exit 1' TERM; echo up; while :; do sleep 0.01; done 2>/dev/null"
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", command]}])
    daemon.submit()
    one, = daemon.wait_runs("running")
    tail = Tail(run, daemon, one["id"])
    tail.wait_for("up")
    daemon.cli("cancel-run", one["id"])
    status, out, err = tail.end()
    assert status == 1 and out.endswith("bye\n") and "cancelled" in err


def test_who_reads_slowly_misses_lines_and_is_told_but_holds_nothing_up(run):
    total = 64 << 20
    command = f"head -c {total} /dev/zero | tr '\\0' x; echo; echo end"
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": ["/bin/sh", "-c", command]}])
    daemon.cli("pause", "h")
    daemon.submit()
    one, = daemon.wait_runs("ready")
    reading, writing = os.pipe()
    tail = Tail(run, daemon, one["id"], stdout=writing)
    os.close(writing)
    wait_for(lambda: watchers(daemon) == 1, "a watcher")
    daemon.cli("resume", "h")
    daemon.wait_runs("done")  # though nobody has read a byte
    seen = b""
    while chunk := os.read(reading, 1 << 16):
        seen += chunk
    os.close(reading)
    status, _, err = tail.end()
    lost = sum(int(n) for n in re.findall(r"\[(\d+) bytes were left out\]", err))
    assert status == 0 and lost > 0
    assert abs(len(seen) + lost - (total + 5)) <= err.count("left out")  # line ends before a gap
    assert seen.endswith(b"end\n")


def test_tail_goes_on_over_a_reload(run):
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": gated(run, "one\\n", "two\\n")}])
    daemon.submit()
    one, = daemon.wait_runs("running")
    go(run, 0)
    tail = Tail(run, daemon, one["id"])
    tail.wait_for("one")
    daemon.cli("reload")
    wait_for(lambda: watchers(daemon) == 1, "the watcher's return")
    go(run, 1)
    assert tail.end()[:2] == (0, "one\ntwo\n")


# -- trigger --------------------------------------------------------------------------------------


def test_a_trigger_that_fails_is_not_tried_again_and_is_no_dead_letter(run):
    hooks = [{"name": n, "exec": ["/bin/sh", "-c", "echo no luck; exit 4"],
              "retry": {"attempts": attempts, "from": "1ms", "to": "1ms"}}
             for n, attempts in (("once", 1), ("often", 5))]
    hooks.append({"name": "later", "exec": ["/bin/sh", "-c", "exit 75"]})
    hooks.append({"name": "nowhere", "exec": [script(run, "gone", "#!/bin/sh\n")]})
    _, daemon = run.stack(*FAST, hooks=hooks)
    (run.home / "gone").unlink()
    for hook in hooks:
        status, answer = daemon.cli("trigger", "--hook", hook["name"], check=False)
        one, = answer["runs"]
        assert status == 1 and one["state"] == "failed" and one["attempt"] == 1
    assert daemon.runs("--state", "dead") == []
    assert len(daemon.runs("--state", "failed")) == 4
    assert daemon.cli("retry", "--dead")[1]["runs"] == []
    assert daemon.cli("status")[1]["runs"] == {"failed": 4}


def test_a_trigger_shows_exactly_what_the_command_was_given(run):
    _, daemon = run.stack(*FAST, hooks=[{**recorder(run), "exec": [
        script(run, "record", RECORD), str(run.home / "seen"), "{task.prompt}"]}])
    answer = daemon.cli("trigger", "--hook", "record", "--set", "prompt=two words\n$HOME")[1]
    command = answer["runs"][0]["command"]
    given = seen(run, answer["runs"][0]["id"])
    assert command["argv"] == [str(run.home / "record"), str(run.home / "seen"),
                               "two words\n$HOME"]
    env = dict(e.partition("=")[::2] for e in command["env"])
    given["env"].pop("LC_CTYPE", None)  # Python's own doing
    assert env == given["env"]
    assert json.loads(command["stdin"]) == given["context"]
    shown = daemon.command("trigger", "--hook", "record").stdout
    assert "    env   VIDUHOOK_EVENT=test\n" in shown and '    stdin {"event":"test"' in shown
    assert f"    argv  {run.home}/record\n" in shown and "exit status 0" in shown
    daemon.submit()
    wait_for(lambda: len(daemon.runs("--state", "done")) == 3, "a real run")
    assert "command" not in daemon.runs()[-1]  # which nobody asked to see


def test_a_trigger_is_told_its_state_and_fields(run):
    _, daemon = run.stack(*FAST, hooks=[recorder(run, on=["processing", "failed", "success"])])

    def trigger(*args):
        return seen(run, daemon.cli("trigger", *args)[1]["runs"][0]["id"])

    given = trigger("--hook", "record", "--state", "failed", "--set", "err_code=Odd", "--set",
                    "task.credits=7", "--set", "tags.album=x", "--set", "model=m")
    assert given["env"]["VIDUHOOK_EVENT"] == given["env"]["VIDUHOOK_STATE"] == "failed"
    assert given["env"]["VIDUHOOK_ERR_CODE"] == "Odd" and given["env"]["VIDUHOOK_URL"] == ""
    task = given["context"]["task"]
    assert (task["credits"], task["tags"]["album"], task["model"]) == (7, "x", "m")
    given = trigger("--state", "processing")
    assert given["env"]["VIDUHOOK_STATE"] == given["env"]["VIDUHOOK_EVENT"] == "processing"
    given = trigger("--event", "success", "--set", "url=https://media.example/mine.mp4")
    assert given["env"]["VIDUHOOK_URL"] == "https://media.example/mine.mp4"
    for args, said in ((("--state", "odd"), "odd"), (("--set", "colour=red"), "there are provider"),
                       (("--set", "credits=many"), "a number"), (("--set", "x"), "FIELD=VALUE"),
                       (("--state", "submitted"), "no event for")):
        status, answer = daemon.cli("trigger", *args, check=False)
        assert status == 2 and said in str(answer), answer


def test_a_trigger_of_an_event_brings_what_the_event_brings(run):
    """Each member that viduhook-hooks(7) names; and no task where there is none."""
    told = {"quarantined": "why", "dead": "run hook event attempt exit_code detail",
            "disk_low": "directory available limit",
            "cert_expiring": "certificate expires_at within_days",
            "signature_failures": "failures within_ms",
            "provider_down": "provider for_ms failures error"}
    _, daemon = run.stack(*FAST, hooks=[recorder(run, on=list(told)),
                                        recorder(run, name="picky", on=list(told),
                                                 match={"model": ["viduq3*"]})])
    for event, members in told.items():
        runs = daemon.cli("trigger", "--event", event)[1]["runs"]
        of_task = event in ("quarantined", "dead")
        assert {r["hook"] for r in runs} == ({"record", "picky"} if of_task else {"record"}), event
        given = seen(run, min(r["id"] for r in runs))
        assert set(given["context"]["details"]) == set(members.split()), event
        assert given["context"]["details"].get("provider", "vidu") == "vidu", event
        assert ("task" in given["context"]) == ("result" in given["context"]) == of_task, event
        assert (given["env"]["VIDUHOOK_TASK_ID"] != "") == of_task, event


# -- downloads ------------------------------------------------------------------------------------


def test_downloads_whose_links_end_soonest_come_first(run):
    """Three tasks succeed in one order, their links end in another; one download at a time."""
    class Media(QuietHandler):
        asked = []

        def do_GET(self):
            Media.asked.append(self.path.partition("?")[0])
            self.send_error(410)

    media = Served(Media)
    run.closers.append(media)
    sim, daemon = run.stack("--switch", "lost-callback", "--time", "1h", hooks=[
        {"name": "get", "download": {"dir": str(run.home)}, "concurrency": 1,
         "retry": {"attempts": 1}}],
        fetch={"allow": [f"{LOOPBACK}:{media.port}"]}, limits={"runs": 1})
    daemon.cli("pause", "get")
    for count, end in enumerate((3000000900, 3000000100, 3000000500), 1):
        daemon.submit()
        created = sim.wait_ledger("create", count)[-1]
        post_callback(created["callback_url"], callback_body(
            created["task"], "success", f"{media.url}/{end}.mp4?Expires={end}"), ca=run.ca())
    daemon.wait_runs("ready", "ready", "ready")
    daemon.cli("resume", "get")
    wait_for(lambda: len(set(Media.asked)) == 3, lambda: f"three downloads: {Media.asked}")
    assert list(dict.fromkeys(Media.asked)) == [
        "/3000000100.mp4", "/3000000500.mp4", "/3000000900.mp4"]
