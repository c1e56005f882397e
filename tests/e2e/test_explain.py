# SPDX-License-Identifier: MIT
"""The story of a task, and what it says happens next: what, when and why."""
import datetime
import os
import re
import signal
import time

import pytest

from harness import LOOPBACK, callback_body, post_callback, wait_for
from life import rooms
from provider import Provider, submit

FAST = ("--time", "20ms", "--retry-gap", "20ms")
SLOW = ("--time", "1h")  # nothing comes by itself


def story(daemon, task):
    return daemon.cli("explain", task)[1]


def nexts(daemon, task, kind):
    return [n for n in story(daemon, task)["next"] if n["kind"] == kind]


def wait_next(daemon, task, kind, why=""):
    """The one step of this kind, once there is one for this reason."""
    def there():
        return [n for n in nexts(daemon, task, kind) if why in n["why"]]

    return wait_for(there, lambda: f"{kind}: {why}, only {story(daemon, task)['next']}")[0]


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def seconds_ahead(step):
    return moment(step["at"]).timestamp() - time.time()


def shell(name, script="exit 0", **more):
    return {"name": name, "exec": ["/bin/sh", "-c", script], **more}


def finished(run, *hooks, url="", **changes):
    """(daemon, task): it has succeeded by a callback of ours."""
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=hooks, **changes)
    return daemon, succeed(run, sim, daemon, url)


def succeed(run, sim, daemon, url=""):
    count = len(sim.ledger("create"))
    task = daemon.submit()
    created = sim.wait_ledger("create", count + 1)[-1]
    post_callback(created["callback_url"], callback_body(
        created["task"], "success", url or "https://media.example/a.mp4?Expires=3000000100"),
        ca=run.ca())
    return task


# -- what was -------------------------------------------------------------------------------------


def test_a_finished_story_has_numbers_durations_and_files_and_nothing_next(run):
    _, daemon = run.stack(*FAST, hooks=[
        {"name": "get", "download": {"dir": str(run.home / "media")}},
        shell("note", "sleep 0.05; exit 1", retry={"attempts": 1})])
    task = daemon.submit()
    daemon.wait_runs("done", "dead")
    told = story(daemon, task)
    assert [e["entry"] for e in told["events"]] == list(range(1, len(told["events"]) + 1))
    ends = [e["detail"] for e in told["events"] if e["source"] == "hook"]
    assert all(re.search(r"run \d, attempt 1, took [\d.]+m?s", e) for e in ends) and len(ends) == 2
    took = next(e for e in ends if "note" in e)
    assert int(re.search(r"took (\d+)ms", took).group(1)) >= 50
    text = daemon.command("explain", task).stdout
    lines = text.splitlines()
    assert [i for i, line in enumerate(lines) if ".mp4" in line and " file video, " in line]
    assert [i for i, line in enumerate(lines) if ".jpg" in line and " file cover, " in line]
    files = [i for i, line in enumerate(lines) if " file " in line]
    end = next(i for i, line in enumerate(lines) if "hook done: hook get" in line)
    assert max(files) < end < next(i for i, line in enumerate(lines) if line.startswith("run "))
    run_of_note = next(r["id"] for r in told["runs"] if r["hook"] == "note")
    dead, = told["next"]
    assert dead["kind"] == "dead" and f"viduhook retry {run_of_note}" in dead["why"]


def test_nothing_is_next_when_all_is_done(run):
    _, daemon = run.stack(*FAST, hooks=[shell("h")])
    task = daemon.submit()
    daemon.wait_runs("done")
    assert story(daemon, task)["next"] == []
    assert daemon.command("explain", task).stdout.endswith(
        "next: nothing more, this task is finished\n")


def test_an_entry_with_a_body_can_be_replayed_by_its_number(run):
    daemon, task = finished(run, shell("h"))
    daemon.wait_runs("done")
    bodies = {e["entry"]: e["source"] for e in story(daemon, task)["events"] if e["body"]}
    number, = [n for n, source in bodies.items() if source == "callback"]
    assert re.search(rf"(?m)^ +{number}  .*callback accepted",
                     daemon.command("explain", task).stdout)
    assert daemon.cli("replay", task, "--as-received", "--event", number)[0] == 0
    other = next(e["entry"] for e in story(daemon, task)["events"] if not e["body"])
    assert daemon.cli("replay", task, "--as-received", "--event", other, check=False)[0] == 4


def test_an_attempt_that_died_with_the_runner_is_told(run):
    daemon, task = finished(run, shell("h", f"echo x >>{run.home}/begun; "
                                            f"while ! test -e {run.home}/go; do sleep 0.01; done"))
    wait_for(lambda: (run.home / "begun").exists(), "the command")
    os.kill(rooms(daemon)["runner"], signal.SIGKILL)
    daemon.wait_log("run.interrupted")
    ends = wait_for(lambda: [e for e in story(daemon, task)["events"] if e["source"] == "hook"],
                    "the lost attempt")
    assert ends[0]["verdict"] == "interrupted" and "attempt 1" in ends[0]["detail"]
    (run.home / "go").touch()
    daemon.wait_runs("done")


def test_an_attempt_that_died_with_the_daemon_is_told(run):
    daemon, task = finished(run, shell("h", f"echo x >>{run.home}/begun; "
                                            f"while ! test -e {run.home}/go; do sleep 0.01; done"))
    wait_for(lambda: (run.home / "begun").exists(), "the command")
    daemon.kill()
    (run.home / "go").touch()
    daemon = run.daemon(conf=daemon.conf)
    daemon.wait_runs("done")
    lost, done = [e for e in story(daemon, task)["events"] if e["source"] == "hook"]
    assert lost["verdict"] == "interrupted" and "attempt 1: the daemon died" in lost["detail"]
    assert done["verdict"] == "done" and "attempt 2, took" in done["detail"]


# -- what comes next: the task --------------------------------------------------------------------


def test_a_task_waits_for_its_callback_and_is_looked_at_when_it_is_overdue(run):
    sim, daemon = run.stack(*SLOW)
    daemon.write({**daemon.conf, "providers": {"vidu": {
        **daemon.conf["providers"]["vidu"], "overdue": "10h"}}})
    daemon.cli("reload")
    task = daemon.submit()
    assert [n["kind"] for n in story(daemon, task)["next"]] == ["callback", "look", "lost"]
    look = wait_next(daemon, task, "look", "overdue")
    assert 9.9 * 3600 < seconds_ahead(look) < 12.1 * 3600
    assert 23.9 * 3600 < seconds_ahead(wait_next(daemon, task, "lost")) < 24 * 3600
    text = daemon.command("explain", task).stdout
    assert re.search(r"next: a look at the provider in 1[0-2]h \(20.*Z\): a callback is overdue", text)
    off_peak = daemon.submit("--set", "off_peak=true")
    assert 48 * 3600 < seconds_ahead(wait_next(daemon, off_peak, "lost")) < 49 * 3600


@pytest.mark.parametrize("mode, kinds, why", [
    ("poll", ["look", "lost"], "calls nobody back"),
    ("both", ["callback", "look", "lost"], "polled as well")])
def test_who_is_polled_is_said_to_be(run, mode, kinds, why):
    sim = run.sim("--ca", run.ca(), *SLOW)
    conf = run.conf(sim)
    conf["providers"]["vidu"]["mode"] = mode
    daemon = run.daemon(conf=conf)
    task = daemon.submit()
    look = wait_next(daemon, task, "look", why)
    assert -1 < seconds_ahead(look) < 60
    assert [n["kind"] for n in story(daemon, task)["next"]] == kinds


@pytest.fixture
def provider(run):
    one = Provider()
    run.closers.append(one)
    return one


def test_a_success_without_links_and_a_contradiction_are_looked_up(run, provider):
    daemon = run.daemon(provider)
    task = submit(daemon, provider)
    with provider.hold():
        task.say("success", url="")
        step = wait_next(daemon, task.id, "look", "to be confirmed")
        assert seconds_ahead(step) < 1
        assert not nexts(daemon, task.id, "lost")
    provider.will_say(task, "success", "https://media.example/a.mp4")
    other = submit(daemon, provider)
    other.say("success")
    with provider.hold():
        other.say("failed")
        wait_next(daemon, other.id, "look", "contradicts the end")
        assert not nexts(daemon, other.id, "callback")


def test_a_provider_that_wishes_to_be_left_alone_is_said_to(run, provider):
    conf = run.conf(provider)
    conf["providers"]["vidu"]["mode"] = "both"
    daemon = run.daemon(conf=conf)
    with provider.hold():
        task = submit(daemon, provider)
        provider.will_refuse(task, 429, "TooManyRequests", Retry_After="1800")
    step = wait_next(daemon, task.id, "look", "left alone until then")
    assert 1700 < seconds_ahead(step) < 2200
    other = submit(daemon, provider)  # whose own look was planned for sooner
    step = wait_next(daemon, other.id, "look", "left alone until then")
    assert 1700 < seconds_ahead(step) < 2200


def test_a_task_that_its_provider_does_not_know_is_given_up_sooner(run, provider):
    conf = run.conf(provider)
    conf["providers"]["vidu"]["mode"] = "both"
    daemon = run.daemon(conf=conf)
    with provider.hold():
        task = submit(daemon, provider)
        wait_next(daemon, task.id, "lost", "unless its end is told before")
        provider.will_refuse(task, 404, "NotFound")
    wait_next(daemon, task.id, "lost", "said 1 of 3 times that there is none")


def test_a_task_without_an_id_can_only_be_told_by_a_callback(run, provider):
    def no_answer(_):
        raise ConnectionError

    provider.create = no_answer
    daemon = run.daemon(provider)
    daemon.cli("submit", "text2video", "--model", "viduq3-turbo", "--prompt", "x", check=False)
    task, = daemon.cli("list")[1]["tasks"]
    assert task["state"] == "ambiguous"
    wait_next(daemon, task["id"], "look", "only a callback can tell")


# -- what comes next: runs ------------------------------------------------------------------------


def test_a_failed_attempt_is_followed_by_the_next_and_others_wait_for_it(run):
    daemon, task = finished(
        run, shell("first", "exit 1", retry={"attempts": 3, "from": "2h", "to": "2h"}),
        shell("second", after="first"), shell("rescue", after_failure="first"))
    again = wait_next(daemon, task, "ready", "attempt 1 failed")
    assert (again["hook"], again["attempt"]) == ("first", 2)
    assert 1.9 * 3600 < seconds_ahead(again) < 3.1 * 3600
    order = [n["run"] for n in story(daemon, task)["next"] if "run" in n]
    assert order == sorted(order) and len(order) == 3
    waiting = {n["hook"]: n["why"] for n in nexts(daemon, task, "waiting")}
    assert waiting == {"second": f"it waits for run {again['run']} of first to be done",
                       "rescue": f"it waits for run {again['run']} of first to fail for good"}
    text = daemon.command("explain", task).stdout
    assert re.search(rf"next: run {again['run']} of first begins attempt 2 in [12]?\d*[hm].*"
                     r"Z\): attempt 1 failed\n", text)


def test_a_run_waits_for_the_one_of_its_own_event(run, monkeypatch):
    events = ["success", "failed"]
    retry = {"from": "2h", "to": "2h"}
    daemon, task = finished(run, shell("first", "exit 1", on=events, retry=retry),
                            shell("second", on=events, after="first"))
    wait_next(daemon, task, "ready", "attempt 1 failed")
    monkeypatch.setenv("VISUAL", 'sed -i s/"success"/"failed"/')
    assert daemon.cli("replay", task, "--edit")[1]["event"] == "failed"
    first = {n["run"]: n for n in nexts(daemon, task, "waiting")}
    assert sorted(n["why"] for n in first.values()) == [
        "it waits for run 1 of first to be done", "it waits for run 3 of first to be done"]


def test_a_run_that_is_over_holds_no_other_up(run):
    flag = run.home / "flag"
    daemon, task = finished(run, shell("h", f"test ! -e {flag} && touch {flag}",
                                       retry={"from": "2h", "to": "2h"}))
    daemon.wait_runs("done")
    daemon.cli("replay", task)
    assert wait_next(daemon, task, "ready", "attempt 1 failed")["run"] == 2


def test_what_a_dead_runner_left_is_told_to_be_tried_again(run):
    """One suspect at a time: the other one waits."""
    wait = f"while ! test -e {run.home}/go; do sleep 0.01; done"
    daemon, task = finished(run, shell("a", wait), shell("b", wait))
    daemon.wait_runs("running", "running")
    os.kill(rooms(daemon)["runner"], signal.SIGKILL)
    step = wait_next(daemon, task, "ready", "died during attempt 1")
    assert step["attempt"] == 2
    (run.home / "go").touch()
    daemon.wait_runs("done", "done")


def test_a_run_under_way_whose_hook_is_gone_has_no_limit_to_tell(run):
    daemon, task = finished(
        run, shell("h", f"while ! test -e {run.home}/go; do sleep 0.01; done"))
    wait_next(daemon, task, "running", "5m")
    daemon.write({**daemon.conf, "hooks": [shell("other")]})
    daemon.cli("reload")
    step = wait_next(daemon, task, "running")
    assert (step["at"], step["why"]) == ("", "")
    (run.home / "go").touch()
    daemon.wait_runs("done")


def test_a_hook_that_left_the_configuration_is_told(run):
    daemon, task = finished(run, shell("h", "exit 1", retry={"from": "2h", "to": "2h"}))
    wait_next(daemon, task, "ready", "attempt 1 failed")
    daemon.write({**daemon.conf, "hooks": [shell("other")]})
    daemon.cli("reload")
    wait_next(daemon, task, "ready", "left the configuration")


def test_of_many_runs_the_rest_is_counted(run):
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[
        shell(f"h{i}") for i in range(11)])
    for i in range(11):
        daemon.cli("pause", f"h{i}")
    task = succeed(run, sim, daemon)
    for _ in range(9):
        daemon.cli("replay", task)
    assert len(nexts(daemon, task, "ready")) == 100
    more = wait_next(daemon, task, "more")
    assert more["what"].startswith("10 more runs") and task in more["what"]


def test_a_paused_hook_is_said_to_be_and_how_it_goes_on(run):
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[shell("h")])
    daemon.cli("pause", "h")
    task = succeed(run, sim, daemon)
    step = wait_next(daemon, task, "ready", "paused")
    assert step["at"] == "" and "`viduhook resume h`" in step["why"] and step["attempt"] == 1
    daemon.cli("resume", "h")
    daemon.wait_runs("done")


def test_a_hook_that_was_switched_off_is_told_with_its_reason(run):
    receiver = run.receiver(answers=[410])
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[
        {"name": "tell", "http": {"url": receiver.url()}}],
        fetch={"allow": [f"{LOOPBACK}:{receiver.port}"]})
    succeed(run, sim, daemon)
    daemon.wait_runs("dead")
    task = succeed(run, sim, daemon)
    step = wait_next(daemon, task, "ready", "switched off")
    assert "410" in step["why"] and "`viduhook resume tell`" in step["why"]


def test_a_hook_with_a_rate_has_its_time(run):
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[shell("h", rate="1/h")])
    succeed(run, sim, daemon)
    daemon.wait_runs("done")
    task = succeed(run, sim, daemon)
    step = wait_next(daemon, task, "ready", "no more than 1 of its hook may begin within 1h00m")
    assert 3500 < seconds_ahead(step) < 3601


def test_a_retry_that_is_due_later_than_the_rate_allows_has_its_own_time(run):
    daemon, task = finished(run, shell("h", "exit 1", rate="1/h", retry={"from": "2h", "to": "2h"}))
    assert seconds_ahead(wait_next(daemon, task, "ready", "attempt 1 failed")) > 3601


def test_what_is_under_way_has_its_limit_and_what_stands_behind_waits(run):
    wait = f"while ! test -e {run.home}/go; do sleep 0.01; done"
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[
        shell("h", wait, timeout="3h", concurrency=1)])
    first, second = (succeed(run, sim, daemon) for _ in range(2))
    step = wait_next(daemon, first, "running")
    assert 2.9 * 3600 < seconds_ahead(step) < 3 * 3600 and "3h" in step["why"]
    held = wait_next(daemon, second, "ready", "no more than 1 of its hook")
    assert held["attempt"] == 1
    daemon.cli("replay", first)
    behind = wait_next(daemon, first, "ready", f"run {step['run']} is not over")
    assert behind["run"] > held["run"] and behind["attempt"] == 1
    (run.home / "go").touch()
    daemon.wait_runs("done", "done", "done")
    assert story(daemon, first)["next"] == []


# -- what comes next: links -----------------------------------------------------------------------


@pytest.mark.parametrize("expires, said", [(3000000100, "end"), (1000000000, "ended")])
def test_a_result_that_is_not_fetched_yet_tells_until_when_its_links_work(run, expires, said):
    sim, daemon = run.stack(*SLOW, "--switch", "lost-callback", hooks=[
        {"name": "get", "download": {"dir": str(run.home / "media")}}, shell("h", after="get")])
    daemon.cli("pause", "get")
    task = succeed(run, sim, daemon, f"https://media.example/a.mp4?Expires={expires}")
    links = wait_next(daemon, task, "links", "run 1 has not fetched all")
    assert links["what"] == f"the links of the result {said}"
    assert abs(seconds_ahead(links) + time.time() - expires) < 1


def test_links_that_were_asked_for_anew_are_reckoned_from_then(run, provider):
    get = {"name": "get", "download": {"dir": str(run.home / "media"), "cover": False}}
    daemon = run.daemon(provider, hooks=[get], fetch={"allow": [f"{LOOPBACK}:{provider.port}"]})
    provider.paths = {"/old.mp4": ({}, 403), "/new.mp4": ({}, 503, {"Retry-After": "3600"})}
    task = submit(daemon, provider)
    provider.will_say(task, "success", f"{provider.url}/new.mp4")
    assert task.say("success", url=f"{provider.url}/old.mp4") == 200
    wait_for(lambda: provider.looks_at(task), "a look for a fresh link")
    wait_next(daemon, task.id, "ready", "attempt 1: the server answered with status 503")
    told, links = daemon.task(task.id), wait_next(daemon, task.id, "links")
    assert told["finished_at"] < told["updated_at"]
    assert [e["detail"] for e in story(daemon, task.id)["events"] if e["verdict"] == "fresh"] == [
        "new links"]
    assert task.say("success", url=f"{provider.url}/old.mp4") == 200
    wait_for(lambda: [e for e in story(daemon, task.id)["events"] if e["verdict"] == "duplicate"],
             "the callback once more")
    assert daemon.task(task.id)["updated_at"] == told["updated_at"]  # its links are no younger
    assert moment(links["at"]) - moment(told["updated_at"]) == datetime.timedelta(hours=1)


def test_links_that_are_renewed_again_and_again_do_not_fill_the_story(run, provider):
    get = {"name": "get", "download": {"dir": str(run.home / "media"), "cover": False},
           "retry": {"attempts": 100, "from": "1ms", "to": "1ms"}}
    daemon = run.daemon(provider, hooks=[get], fetch={"allow": [f"{LOOPBACK}:{provider.port}"]})
    task, looks = submit(daemon, provider), []

    def look(remote_id):
        looks.append(f"/{len(looks) + 1}.mp4")
        provider.paths[looks[-1]] = ({}, 403)
        return callback_body(remote_id, "success", provider.url + looks[-1])

    provider.paths["/0.mp4"], provider.look = ({}, 403), look
    assert task.say("success", url=f"{provider.url}/0.mp4") == 200
    wait_for(lambda: len(looks) > 40, "many looks for fresh links")
    fresh = [e for e in story(daemon, task.id)["events"] if e["verdict"] == "fresh"]
    assert len(fresh) in (17, 18)  # sixteen, then the 32nd, perhaps the 64th


@pytest.mark.parametrize("words", [("explain",), ("replay", "--as-received")])
def test_a_timeline_that_cannot_be_read_is_told_as_one(run, provider, words):
    """Not as a task of which nobody has said anything. The disk loses what is behind a body."""
    daemon = run.daemon(provider)
    task = submit(daemon, provider)
    assert task.say("success", url=f"{provider.url}/a.mp4", more="x" * 30000) == 200
    daemon.wait_task(task.id, "success")
    daemon.stop()
    with open(run.home / "viduhook.db", "r+b") as store:
        pages = store.read()
        store.seek(pages.index(b"x" * 4000) // 4096 * 4096)
        store.write(b"\xff" * 4)
    daemon = run.daemon(provider)
    daemon.expected = 74  # it writes no more
    status, answer = daemon.cli(words[0], task.id, *words[1:], check=False)
    assert status == 1 and "the store could not be read" in str(answer)


def test_links_of_a_result_that_nobody_fetches_are_not_told(run):
    daemon, task = finished(run, shell("h", "exit 1", retry={"from": "2h", "to": "2h"}))
    wait_next(daemon, task, "ready", "failed")
    assert nexts(daemon, task, "links") == []


# -- without a daemon -----------------------------------------------------------------------------


def test_without_the_daemon_nothing_is_promised(run):
    _, daemon = run.stack(*SLOW)
    task = daemon.submit()
    daemon.stop()
    step, = story(daemon, task)["next"]
    assert step["kind"] == "stopped" and step["at"] == ""
    assert "next: nothing before viduhookd runs again" in daemon.command("explain", task).stdout
