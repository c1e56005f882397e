# SPDX-License-Identifier: MIT
"""Nothing is missed: callbacks that do not come are replaced by looks at the provider."""
import contextlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from harness import post_callback, program, wait_for
from life import NO_SOURCE_LIMITS, rooms
from provider import VIDEO, Provider, submit

HOUR_MS = 3600000
LIMITS = {**NO_SOURCE_LIMITS, "looks": 100}


def change(run, statement, *values):
    """Of the store, while no daemon has it."""
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db, db:
        assert db.execute(statement, values).rowcount > 0


def told_hook(run, **more):
    """Appends EVENT SOURCE for each task to a file named after it; see told()."""
    (run.home / "told").mkdir(exist_ok=True)
    script = f'echo "$VIDUHOOK_EVENT $VIDUHOOK_SOURCE" >>{run.home}/told/$VIDUHOOK_TASK_ID'
    return {"name": "tell", "on": ["success", "failed", "lost"],
            "exec": ["/bin/sh", "-c", script], **more}


def told(run, task):
    path = run.home / "told" / task
    return path.read_text().splitlines() if path.exists() else []


def wait_told(run, task, line):
    wait_for(lambda: told(run, task) == [line], lambda: f"{line}, only {told(run, task)}")


def provider_of(run):
    provider = Provider()
    run.closers.append(provider)
    return provider


def conf_with(run, provider, hooks=(), **changes):
    """changes: of the provider."""
    conf = run.conf(provider, hooks, limits=LIMITS)
    conf["providers"]["vidu"].update(changes)
    return conf


# -- how news come --------------------------------------------------------------------------------


def test_polling_needs_no_public_address(run):
    sim = run.sim("--time", "50ms")
    conf = conf_with(run, sim, [told_hook(run)], mode="poll")
    for name in ("public_url", "listen", "tls"):
        del conf[name]
    daemon = run.daemon(conf=conf, wait=False)
    daemon.wait_log("daemon.ready")
    wait_for(daemon._answers, "answer on the control socket")
    assert set(rooms(daemon)) == {"gateway", "runner"}, "nobody listens"
    shown = daemon.cli("config", "show")[1]["yaml"]
    assert "mode: poll" in shown and "public_url" not in shown and "listen" not in shown
    daemon.reload()
    daemon.wait_log("config.reloaded")
    task = daemon.submit()
    create, = sim.ledger("create")
    assert create["callback_url"] == ""
    daemon.wait_task(task, "success", 30)
    wait_told(run, task, "success poll")


def test_a_provider_with_callbacks_needs_an_address(run):
    conf = conf_with(run, run.sim())
    del conf["public_url"], conf["listen"]
    daemon = run.daemon(conf=conf, wait=False, expected=78)
    assert daemon.wait() == 78
    assert "'public_url' is missing: provider 'vidu' sends callbacks" in daemon.log()
    assert "mode: poll" in daemon.log()


def test_lost_callbacks_are_found_by_looks(run):
    sim = run.sim("--ca", run.ca(), "--time", "50ms", "--switch", "lost-callback")
    conf = conf_with(run, sim, [told_hook(run)], overdue="1s")
    daemon = run.daemon(conf=conf)
    tasks = [daemon.submit() for _ in range(3)]
    for task in tasks:
        daemon.wait_task(task, "success", 30)
        wait_told(run, task, "success poll")
    assert sim.ledger("callback") == []
    assert len({e["task"] for e in sim.ledger("create")}) == len(sim.ledger("create")) == 3


def test_both_asks_for_callbacks_and_looks_as_well(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, mode="both", overdue="24h"))
    task = submit(daemon, provider)
    assert "/callback/" in task.url
    wait_for(lambda: provider.looks_at(task), "look", 30)
    assert task.say("success") == 200 and task.state == "success"


# -- a provider that has trouble ------------------------------------------------------------------


def test_errors_of_the_provider_are_waited_out(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, overdue="1s"))
    tasks = {status: submit(daemon, provider)
             for status in (408, 409, 425, 429, 500, 502, 503, 504, 401, 403)}
    for status, task in tasks.items():
        provider.will_refuse(task, status)
    for status, task in tasks.items():
        wait_for(lambda task=task: provider.looks_at(task) >= 2, f"second look after {status}", 30)
        assert task.state == "submitted"
    for status, task in tasks.items():
        provider.will_say(task, "success", VIDEO)
    for task in tasks.values():
        task.wait_state("success")


def test_who_asks_for_a_pause_gets_it_for_all_its_tasks(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, overdue="2s"))
    first = submit(daemon, provider)
    provider.will_refuse(first, 429, "TooManyRequests", Retry_After="7200")
    wait_for(lambda: provider.looks_at(first), "look", 30)
    wait_for(lambda: daemon.task(first.id)["next_look_at"] > soon(7000), "pause")
    second = submit(daemon, provider)
    wait_for(lambda: daemon.task(second.id)["next_look_at"] > soon(7000), "pause for the other", 30)
    assert provider.looks_at(second) == 0
    assert provider.looks_at(first) == 1


def soon(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + seconds))


def test_a_provider_that_is_down_for_a_while_delays_and_loses_nothing(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, [told_hook(run)], overdue="1s"))
    task = submit(daemon, provider)
    provider.down.set()
    daemon.wait_log("look.failed", 2, seconds=30)
    assert task.state == "submitted"
    provider.will_say(task, "success", VIDEO)
    provider.down.clear()
    task.wait_state("success")
    wait_told(run, task.id, "success poll")


def test_whatever_goes_wrong_nothing_is_created_twice(run):
    """Answers that are lost, errors, refusals, and a gateway that is killed with requests on their
    way. What was created and has its callback succeeds all the same."""
    sim = run.sim("--ca", run.ca(), "--time", "100ms", "--switch",
                  "lost-answer=3,error-500=5,rate-limit=2")
    daemon = run.daemon(conf=conf_with(run, sim, [told_hook(run)], overdue="1s"))
    commands = [subprocess.Popen(
        [program("viduhook"), "-c", daemon.conf_path, "submit", "text2video", "--model",
         "viduq3-turbo", "--prompt", f"number {n}"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL) for n in range(20)]
    sim.wait_ledger("create", 5)
    os.kill(rooms(daemon)["gateway"], signal.SIGKILL)
    for command in commands:
        command.wait(60)
    creates = sim.ledger("create")
    assert len({e["prompt"] for e in creates}) == len(creates) <= 20
    wait_for(lambda: len(list((run.home / "told").iterdir())) == len(creates),
             lambda: f"{len(creates)} successes, only {os.listdir(run.home / 'told')}", 30)
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)
    daemon.submit()
    assert len(sim.ledger("create")) == len(creates) + 1 and sim.created_twice() == []


# -- tasks that are gone --------------------------------------------------------------------------


def misses(run):
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db:
        return db.execute("SELECT misses FROM task").fetchone()[0]


def look_once_more(run, daemon, provider, task):
    """After a restart, an hour later as far as the task is concerned; the new daemon."""
    before = provider.looks_at(task)
    daemon.stop()
    change(run, "UPDATE task SET missed_ms = missed_ms - ?, next_look_ms = 1", HOUR_MS)
    daemon = run.daemon(conf=daemon.conf)
    wait_for(lambda: provider.looks_at(task) > before, "look")
    return daemon


def test_a_task_is_gone_after_three_404_in_a_row_not_after_one(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, [told_hook(run)], mode="poll"))
    task = submit(daemon, provider)
    task.wait_state("processing")
    provider.will_refuse(task, 404, "TaskNotFound")
    daemon = look_once_more(run, daemon, provider, task)
    daemon.wait_log("look.failed")
    provider.will_say(task, "processing")  # it is there after all: the row begins anew
    daemon = look_once_more(run, daemon, provider, task)
    daemon.wait_log("poll.done")
    provider.will_refuse(task, 404, "TaskNotFound")
    for _ in range(2):
        daemon = look_once_more(run, daemon, provider, task)
        daemon.wait_log("look.failed")
        assert daemon.task(task.id)["state"] == "processing" and told(run, task.id) == []
    daemon = look_once_more(run, daemon, provider, task)
    daemon.wait_task(task.id, "lost")
    wait_told(run, task.id, "lost poll")
    told_of = daemon.cli("explain", task.id)[1]
    assert "its provider has said three times that there is no such task" in [
        e["detail"] for e in told_of["events"]]
    assert "lost" not in [n["kind"] for n in told_of["next"]], "it is lost already"


def test_a_success_that_waits_to_be_confirmed_is_not_given_up_for_404(run):
    """Its callback has said so; a provider whose query is broken for an hour does not undo it."""
    provider = provider_of(run)
    conf = run.conf(provider, [told_hook(run)], ["powertokens"], limits=LIMITS)
    daemon = run.daemon(conf=conf)
    task = submit(daemon, provider, "powertokens")
    provider.will_refuse(task, 404, "TaskNotFound")
    plain = {"Content-Type": "application/json"}  # a reseller's, without a signature
    assert post_callback(task.url, task.body("success"), headers=plain, ca=daemon.ca).status == 200
    wait_for(lambda: provider.looks_at(task), "look")
    for _ in range(3):
        daemon = look_once_more(run, daemon, provider, task)
        daemon.wait_log("look.failed")
    assert daemon.task(task.id)["state"] == "submitted" and told(run, task.id) == []
    provider.will_say(task, "success", VIDEO)
    daemon = look_once_more(run, daemon, provider, task)
    wait_told(run, task.id, "success poll")


def test_404_at_once_after_another_does_not_count(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, mode="poll"))
    task = submit(daemon, provider)
    provider.will_refuse(task, 404, "TaskNotFound")
    wait_for(lambda: provider.looks_at(task), "look", 30)
    for n in range(3):
        daemon.stop()
        assert misses(run) == 1
        daemon = run.daemon(conf=daemon.conf)
        wait_for(lambda n=n: provider.looks_at(task) == 2 + n, "look")
        daemon.wait_log("look.failed")
    assert daemon.task(task.id)["state"] == "submitted"
    assert daemon.task(task.id)["next_look_at"] > soon(50), "time for the next 404 to count"


@pytest.mark.parametrize("off_peak, hours, state", [
    (0, 23, "submitted"), (0, 25, "lost"), (1, 48, "submitted"), (1, 50, "lost")])
def test_off_peak_tasks_have_two_days(run, off_peak, hours, state):
    provider = provider_of(run)
    daemon = run.daemon(conf=conf_with(run, provider, [told_hook(run)]))
    task = submit(daemon, provider)
    provider.will_refuse(task, 404)
    daemon.stop()
    change(run, "UPDATE task SET off_peak = ?, created_ms = created_ms - ?", off_peak,
           hours * HOUR_MS)
    daemon = run.daemon(conf=daemon.conf)
    daemon.wait_log("look.failed")
    daemon.wait_task(task.id, state)
    if state == "lost":
        wait_told(run, task.id, "lost poll")


# -- starts ---------------------------------------------------------------------------------------


def test_what_came_while_the_daemon_was_down_is_found(run):
    """The provider's three attempts are over by the time it is back."""
    sim = run.sim("--ca", run.ca(), "--time", "300ms", "--retry-gap", "10ms")
    daemon = run.daemon(conf=conf_with(run, sim, [told_hook(run)], overdue="24h"))
    task = daemon.submit()
    daemon.stop()
    sim.wait_ledger("callback", 3)
    daemon = run.daemon(conf=daemon.conf)
    daemon.wait_task(task, "success")
    wait_told(run, task, "success poll")


COUNT = 10000


def fill(run, count):
    """As many unfinished tasks as that; copies of the one there is."""
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db, db:
        names = [c[1] for c in db.execute("PRAGMA table_info(task)")]
        row = dict(zip(names, db.execute("SELECT * FROM task").fetchone()))
        text = db.execute("SELECT prompt, request, payload FROM task_text").fetchone()
        last = max(row["row"], 1)
        for n in range(1, count):
            new = {**row, "row": last + n, "id": f"t{n:012d}", "key_hash": None, "last_event": 0,
                   "remote_id": str(10**15 + n), "next_look_ms": row["next_look_ms"] + HOUR_MS + n}
            db.execute(f"INSERT INTO task VALUES ({','.join('?' * len(new))})",
                       [new[name] for name in names])
            db.execute("INSERT INTO task_text VALUES (?, ?, ?, ?)", (last + n, *text))


def resident(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) // 1024


def test_ten_thousand_unfinished_tasks_are_looked_at_once_paced_and_in_little_memory(run):
    provider = provider_of(run)
    conf = conf_with(run, provider)
    conf["limits"] = {**LIMITS, "looks": 50}
    daemon = run.daemon(conf=conf)
    first = submit(daemon, provider)
    daemon.stop()
    fill(run, COUNT)
    began = time.monotonic()
    daemon = run.daemon(conf=conf)
    assert time.monotonic() - began < 10, "a slow start"
    wait_for(lambda: len(provider.looks) >= 200, "200 looks", 60)
    took = time.monotonic() - began
    with provider.lock:
        seen = list(provider.looks)
    assert len(seen) <= 50 * (took + 2), f"{len(seen)} looks in {took} s"
    assert len(set(seen)) == len(seen), "each once"
    assert resident(daemon.pid) < 64 and resident(rooms(daemon)["gateway"]) < 64
    assert first.remote_id in seen, "the oldest first"
    task, = daemon.cli("list", "--limit", 1)[1]["tasks"]
    assert task["id"].startswith("t0"), "and the rest keep their place"


def test_every_unfinished_task_has_its_turn_after_a_start(run):
    """In several steps of the sweep, none of which waits for a look that is planned."""
    provider = provider_of(run)
    conf = {**conf_with(run, provider, overdue="24h"), "limits": {**LIMITS, "looks": 150}}
    daemon = run.daemon(conf=conf)
    submit(daemon, provider)
    daemon.stop()
    fill(run, 1000)
    daemon = run.daemon(conf=conf)
    wait_for(lambda: len(set(provider.looks)) == 1000, lambda: f"all, only {len(provider.looks)}",
             20)
    assert len(provider.looks) == 1000, "none of them twice"
    assert len(daemon.log("looks.at_start")) == 2


def test_an_unfinished_task_behind_many_finished_ones_has_its_turn_after_a_start(run):
    """A step of the sweep passes 4096 tasks at most; one that finds nothing is not the last."""
    provider = provider_of(run)
    conf = conf_with(run, provider, overdue="24h")
    daemon = run.daemon(conf=conf)
    submit(daemon, provider)
    daemon.stop()
    fill(run, 5000)
    change(run, "UPDATE task SET next_look_ms = 0 WHERE row < (SELECT max(row) FROM task)")
    daemon = run.daemon(conf=conf)
    wait_for(lambda: provider.looks == [str(10**15 + 4999)], lambda: f"a look: {provider.looks}")


# -- accounts -------------------------------------------------------------------------------------


def test_two_accounts_on_one_host_keep_apart(run):
    sim = run.sim("--ca", run.ca(), "--time", "50ms", "--key", "one", "--key", "two")
    conf = run.conf(sim, [told_hook(run)], limits=LIMITS)
    conf["providers"] = {
        name: {"profile": "vidu", "base_url": sim.url, "overdue": "1s",
               "key": {"file": str(run.file(f"{name}.key", key))}}
        for name, key in (("first", "one"), ("second", "two"))}
    daemon = run.daemon(conf=conf)
    tasks = {name: daemon.submit("--provider", name) for name in ("first", "second")}
    for name, task in tasks.items():
        seen = daemon.wait_task(task, "success")
        assert seen["provider"] == name
        wait_told(run, task, "success callback")
    other = daemon.task(tasks["first"])["remote_id"]
    adopted = daemon.cli("adopt", other, "--provider", "second")[1]["task"]
    daemon.wait_log("look.failed")  # its key does not know the other account's task
    assert daemon.task(adopted)["state"] == "submitted"


def test_a_key_that_was_replaced_is_still_good_for_callbacks_of_its_tasks(run):
    sim = run.sim("--ca", run.ca(), "--time", "500ms", "--key", "old", "--key", "new")
    conf = run.conf(sim, [told_hook(run)], limits=LIMITS)
    conf["providers"]["vidu"]["key"] = {"file": str(run.file("old.key", "old"))}
    daemon = run.daemon(conf=conf)
    task = daemon.submit()
    conf["providers"]["vidu"].update(
        key={"file": str(run.file("new.key", "new"))},
        previous_keys=[{"file": str(run.home / "old.key")}])
    daemon.write(json.loads(json.dumps(conf)))
    daemon.cli("reload")
    daemon.wait_task(task, "success")
    wait_told(run, task, "success callback")
    create = daemon.submit()
    daemon.wait_task(create, "success")
