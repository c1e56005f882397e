# SPDX-License-Identifier: MIT
"""Commands as hooks: when they run, what they are given, how they end, what is kept of them."""
import datetime
import json
import os
import pathlib
import pwd
import signal
import sys

import pytest

from harness import LOOPBACK, callback_body, post_callback, wait_for

FAST = ("--time", "20ms", "--retry-gap", "20ms")
QUICK = {"attempts": 3, "from": "1ms", "to": "5ms"}

RECORD = f"""#!{sys.executable}
import json, os, signal, sys
out = sys.argv[1]
ignored = [n for n in range(1, 32) if n not in (9, 19) and
           signal.getsignal(n) == signal.SIG_IGN]
seen = {{"argv": sys.argv[2:], "env": dict(os.environ), "stdin": sys.stdin.read(),
        "fds": sorted(map(int, os.listdir("/proc/self/fd")))[:-1], "ignored": ignored,
        "blocked": list(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "leader": os.getpid() == os.getsid(0) == os.getpgrp()}}
name = "%s/%s-%s.json" % (out, os.environ["VIDUHOOK_RUN_ID"], os.environ["VIDUHOOK_ATTEMPT"])
with open(name + ".tmp", "w") as f:
    json.dump(seen, f)
os.rename(name + ".tmp", name)
"""


def script(run, name, text, shell="#!/bin/sh\n"):
    path = run.home / name
    path.write_text(shell + text)
    path.chmod(0o755)
    return str(path)


def recorder(run, **hook):
    """A hook that writes down what it was given, into files below the folder `seen`."""
    (run.home / "seen").mkdir(exist_ok=True)
    argv = hook.pop("argv", [])
    return {"name": "record", **hook,
            "exec": [script(run, "record", RECORD, ""), str(run.home / "seen"), *argv]}


def seen(run, count=1):
    """What was written down, in the order of the runs."""
    def there():
        files = list((run.home / "seen").glob("*.json"))
        return files if len(files) >= count else None

    files = wait_for(there, f"{count} commands")
    files.sort(key=lambda p: tuple(map(int, p.stem.split("-"))))
    return [json.loads(p.read_text()) for p in files]


def stack(run, *hooks, sim_args=(), **changes):
    return run.stack(*FAST, *sim_args, hooks=hooks, **changes)


def ran(daemon, task):
    """Names of the hooks that ran for a task."""
    return {r["hook"] for r in daemon.runs("--task", task)}


def pids_in(path, count=1):
    def there():
        words = path.read_text().split() if path.exists() else []
        return words if len(words) >= count else None

    return [int(word) for word in wait_for(there, f"{count} pids in {path}")]


def gone(pid):
    return not pathlib.Path(f"/proc/{pid}").exists()


# -- when -----------------------------------------------------------------------------------------


def test_a_hook_runs_on_its_events_only(run):
    names = ("processing", "success", "failed", "test")
    hooks = [{"name": n, "on": [n], "exec": ["/bin/true"]} for n in names]
    hooks += [{"name": "default", "exec": ["/bin/true"]},
              {"name": "all", "on": list(names), "exec": ["/bin/true"]}]
    _, daemon = stack(run, *hooks, sim_args=("--switch", "policy-failure=1"))
    failed = daemon.submit()
    daemon.wait_task(failed, "failed")
    good = daemon.submit()
    daemon.wait_task(good, "success")
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "end of all runs")
    assert ran(daemon, failed) == {"processing", "failed", "all"}
    assert ran(daemon, good) == {"processing", "success", "default", "all"}
    events = [r["event"] for r in daemon.runs("--task", good, "--hook", "all")]
    assert events == ["processing", "success"]


def test_a_cancelled_task_is_an_event_of_its_own(run):
    hooks = [{"name": n, "on": [n], "exec": ["/bin/true"]} for n in ("cancelled", "failed")]
    sim, daemon = stack(run, *hooks, sim_args=("--switch", "lost-callback"))
    task = daemon.submit()
    created, = sim.ledger("create")
    post_callback(created["callback_url"], callback_body(created["task"], "canceled"), ca=run.ca())
    daemon.wait_runs("done")
    assert ran(daemon, task) == {"cancelled"}


def test_match_narrows_by_provider_endpoint_model_and_tags(run):
    matches = {
        "any": {}, "vidu": {"provider": "vidu"}, "cn": {"provider": ["*-cn", "x"]},
        "text": {"endpoint": ["text*"]}, "pictures": {"endpoint": "*2video", "model": "viduq2*"},
        "q3": {"model": ["viduq3*"]}, "exact": {"model": "viduq3"},
        "album": {"tags": ["album"]}, "summer": {"tags": ["album=sum*"]},
        "both": {"tags": ["album=*", "draft"]}, "empty": {"tags": ["album="]},
    }
    hooks = [{"name": n, "match": m, "exec": ["/bin/true"]} if m else
             {"name": n, "exec": ["/bin/true"]} for n, m in matches.items()]
    _, daemon = stack(run, *hooks, providers=["vidu", "vidu-cn"])
    first = daemon.submit("--tag", "album=summer", "--tag", "draft")
    second = daemon.submit("--provider", "vidu-cn", "--tag", "album=")
    third = daemon.cli("submit", "reference2video", "--model", "viduq2-pro", "--prompt", "x",
                       "--image", "https://img.example/a.png")[1]["task"]
    for task in (first, second, third):
        daemon.wait_task(task, "success")
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "end of all runs")
    assert ran(daemon, first) == {"any", "vidu", "text", "q3", "album", "summer", "both"}
    assert ran(daemon, second) == {"any", "cn", "text", "q3", "album", "empty"}
    assert ran(daemon, third) == {"any", "vidu", "pictures"}


def test_match_narrows_by_payload_reason_duration_and_price(run):
    matches = {"order": {"payload": ["order-*"]}, "long": {"duration": [">=8"]},
               "short": {"duration": ["1-5", 7]}, "free": {"credits": "0"},
               "priced": {"credits": [">0"]}, "both": {"payload": "*42", "duration": "4-8"}}
    hooks = [{"name": n, "match": m, "exec": ["/bin/true"]} for n, m in matches.items()]
    hooks += [{"name": n, "on": ["failed"], "match": {"err_code": m}, "exec": ["/bin/true"]}
              for n, m in (("policy", ["*Policy*"]), ("audit", "Audit*"))]
    _, daemon = stack(run, *hooks, sim_args=("--switch", "policy-failure=1"))
    bad = daemon.submit("--payload", "order-41")
    daemon.wait_task(bad, "failed")
    first = daemon.submit("--payload", "order-42", "--set", "duration=5")
    second = daemon.submit("--set", "duration=8")
    third = daemon.submit()
    for task in (first, second, third):
        daemon.wait_task(task, "success")
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "end of all runs")
    assert ran(daemon, bad) == {"policy"}
    assert ran(daemon, first) == {"order", "short", "both", "priced"}
    assert ran(daemon, second) == {"long", "priced"}
    assert ran(daemon, third) == {"priced"}


def test_a_chain_runs_in_its_order(run):
    log = run.home / "order"
    hooks = [{"name": n, "exec": ["/bin/sh", "-c", f"echo {n} >>{log}"],
              **({"after": after} if after else {})}
             for n, after in (("one", None), ("two", "one"), ("three", "two"), ("four", "two"))]
    _, daemon = stack(run, *hooks)
    daemon.submit()
    daemon.wait_runs("done", "done", "done", "done")
    order = log.read_text().split()
    assert order[:2] == ["one", "two"] and sorted(order[2:]) == ["four", "three"]


def test_a_chain_whose_parent_dies_is_cancelled_and_goes_on_after_a_retry(run):
    flag, log = run.home / "flag", run.home / "log"
    hooks = [
        {"name": "parent", "exec": ["/bin/sh", "-c", f"test -e {flag}"], "retry": {"attempts": 1}},
        {"name": "child", "after": "parent", "exec": ["/bin/sh", "-c", f"echo child >>{log}"]},
        {"name": "grandchild", "after": "child", "exec": ["/bin/sh", "-c", f"echo grand >>{log}"]},
    ]
    _, daemon = stack(run, *hooks)
    daemon.submit()
    dead, child, grandchild = daemon.wait_runs("dead", "cancelled", "cancelled")
    assert "parent" in child["detail"] and "parent" in grandchild["detail"]
    assert not log.exists()
    flag.touch()
    assert daemon.cli("retry", dead["id"])[1]["runs"] == [dead["id"]]
    told = daemon.cli("explain", dead["task"])[1]["events"]
    assert [e["detail"] for e in told if (e["source"], e["verdict"]) == ("operator", "retry")] == [
        f"hook parent, run {dead['id']} is made again"]
    daemon.wait_runs("done", "done", "done")
    assert log.read_text().split() == ["child", "grand"]


def test_a_hook_after_a_failure_is_told_how_it_ended(run):
    flag = run.home / "flag"
    hooks = [{"name": "parent", "exec": ["/bin/sh", "-c", f"test -e {flag} || exit 7"],
              "retry": {"attempts": 2, "from": "1ms", "to": "1ms"}},
             recorder(run, after_failure="parent", argv=["{after.exit_code}:{after.detail}"]),
             {"name": "mend", "after": "record", "exec": ["/bin/true"]},
             {"name": "child", "after": "parent", "exec": ["/bin/true"]}]
    _, daemon = stack(run, *hooks)
    task = daemon.submit()
    dead, _, _, child = daemon.wait_runs("dead", "done", "done", "cancelled")
    one, = seen(run)
    assert one["argv"] == ["7:exit status 7"]
    assert {k: v for k, v in one["env"].items() if k.startswith("VIDUHOOK_AFTER")} == {
        "VIDUHOOK_AFTER_HOOK": "parent", "VIDUHOOK_AFTER_STATE": "dead",
        "VIDUHOOK_AFTER_EXIT_CODE": "7", "VIDUHOOK_AFTER_DETAIL": "exit status 7"}
    assert json.loads(one["stdin"])["after"] == {
        "hook": "parent", "run": dead["id"], "state": "dead", "attempt": 2, "exit_code": 7,
        "detail": "exit status 7"}
    assert "parent, which did not succeed" in child["detail"]
    flag.touch()
    daemon.cli("retry", dead["id"])
    wait_for(lambda: [r["state"] for r in daemon.runs("--task", task)] == ["done"] * 4,
             "end of the chain after a retry")
    daemon.submit()
    wait_for(lambda: [r["state"] for r in daemon.runs()] ==
             ["done"] * 5 + ["cancelled", "cancelled", "done"], "a chain without a failure")
    cancelled = daemon.runs("--hook", "record")[1]
    assert cancelled["detail"] == "waited for a failure of parent, which succeeded"
    assert len(seen(run)) == 1


def test_files_tell_which_run_stored_them(run):
    _, daemon = stack(run, {"name": "dl", "download": {"dir": str(run.home / "media")}},
                      recorder(run, after="dl"))
    daemon.submit()
    one, = seen(run)
    told = json.loads(one["stdin"])
    assert {f["run"] for f in told["files"]} == {told["after"]["run"]}
    assert told["after"]["hook"] == "dl" and told["after"]["state"] == "done"


def test_dead_runs_call_other_hooks_and_never_in_a_circle(run):
    once = {"attempts": 1}
    hooks = [{"name": "bad", "exec": ["/bin/sh", "-c", "exit 3"], "retry": once},
             recorder(run, on=["dead"]),
             {"name": "worse", "on": ["success", "dead"], "exec": ["/bin/false"], "retry": once},
             {"name": "other", "on": ["dead"], "match": {"model": "x*"}, "exec": ["/bin/true"]}]
    _, daemon = stack(run, *hooks)
    task = daemon.submit()

    def made():
        return sorted((r["hook"], r["event"], r["state"]) for r in daemon.runs())

    expected = sorted([("bad", "success", "dead"), ("worse", "success", "dead"),
                       ("worse", "dead", "dead"), ("record", "dead", "done"),
                       ("record", "dead", "done")])
    wait_for(lambda: made() == expected, lambda: f"the runs: {made()}")
    first = seen(run, 2)
    details = {json.loads(s["env"]["VIDUHOOK_DETAILS"])["hook"]: s for s in first}
    assert set(details) == {"bad", "worse"}
    bad, = daemon.runs("--hook", "bad")
    told = json.loads(details["bad"]["stdin"])
    assert told["event"] == "dead" and told["task"]["id"] == task
    assert told["details"] == {"run": bad["id"], "hook": "bad", "event": "success", "attempt": 1,
                               "exit_code": 3, "detail": "exit status 3"}
    daemon.cli("retry", bad["id"])  # dies once more, and that is told once more
    expected = sorted(expected + [("record", "dead", "done"), ("worse", "dead", "dead")])
    wait_for(lambda: made() == expected, lambda: f"the runs: {made()}")


def test_quarantined_callbacks_are_an_event(run):
    sim, daemon = stack(run, recorder(run, on=["quarantined"]),
                        sim_args=("--switch", "lost-callback"))
    task = daemon.submit()
    created, = sim.ledger("create")
    for _ in range(2):
        post_callback(created["callback_url"], callback_body("999999999", "success"), ca=run.ca())
    first, second = seen(run, 2)
    for one in (first, second):
        assert one["env"]["VIDUHOOK_EVENT"] == "quarantined"
        told = json.loads(one["stdin"])
        assert told["task"]["id"] == task
        assert told["details"] == {"why": "names another task than the one its key belongs to"}


# -- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command, attempts, detail", [
    ("exit 3", 3, "exit status 3"), ("exit 65", 1, "exit status 65"),
    ("kill -9 $$", 3, "killed by SIGKILL"), ("kill -SEGV $$", 3, "killed by SIGSEGV"),
], ids=["3", "65", "KILL", "SEGV"])
def test_a_failing_command_ends_in_the_dead_letters(run, command, attempts, detail):
    hook = {"name": "h", "exec": ["/bin/sh", "-c", f"echo $VIDUHOOK_ATTEMPT; {command}"],
            "retry": QUICK}
    _, daemon = stack(run, hook)
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert dead["attempt"] == attempts and detail in dead["detail"]
    assert dead["output"] == f"{attempts}\n"
    assert len(daemon.wait_log("run.dead")) == 1


def test_what_is_tried_again_later_uses_up_no_attempt(run):
    hook = {"name": "h", "retry": {"attempts": 2, "from": "10ms", "to": "20ms"},
            "exec": ["/bin/sh", "-c", "test $VIDUHOOK_ATTEMPT -gt 3 || exit 75; exit 1"]}
    _, daemon = stack(run, hook)
    daemon.submit()
    dead, = wait_for(lambda: [r for r in daemon.runs() if r["state"] == "dead"], "the dead run")
    assert dead["attempt"] == 5 and dead["exit_code"] == 1


def test_exit_75_is_tried_again_beyond_the_count_of_attempts(run):
    hook = {"name": "h", "retry": QUICK,
            "exec": ["/bin/sh", "-c", "test $VIDUHOOK_ATTEMPT -ge 6 || exit 75"]}
    _, daemon = stack(run, hook)
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["attempt"] == 6 and done["exit_code"] == 0


def test_a_run_that_is_too_old_is_given_up(run):
    hook = {"name": "h", "retry": {"attempts": 1000, "from": "50ms", "to": "50ms", "max_age": "1s"},
            "exec": ["/bin/sh", "-c", "exit 75"]}
    _, daemon = stack(run, hook)
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert dead["attempt"] > 2 and dead["exit_code"] == 75
    assert dead["detail"] == "exit status 75, and the run is older than retry.max_age"
    daemon.cli("retry", dead["id"])  # its age counts from here
    wait_for(lambda: 2 < daemon.runs()[0]["attempt"], "more than two attempts of the retry")


def test_a_failure_is_tried_again_and_then_done(run):
    hook = recorder(run, retry=QUICK)
    hook["exec"] = ["/bin/sh", "-c", '"$@"; test $VIDUHOOK_ATTEMPT = 3', "sh", *hook["exec"]]
    _, daemon = stack(run, hook)
    daemon.submit()
    done, = daemon.wait_runs("done")
    env = [s["env"] for s in seen(run, 3)]
    assert [e["VIDUHOOK_ATTEMPT"] for e in env] == ["1", "2", "3"]
    assert {e["VIDUHOOK_RUN_ID"] for e in env} == {str(done["id"])}
    assert done["attempt"] == 3 and len(env) == 3


def test_a_program_that_is_not_there_is_a_failure_with_its_reason(run):
    path = script(run, "hook", "echo good\n")
    _, daemon = stack(run, {"name": "h", "exec": [path], "retry": QUICK})
    daemon.submit()
    daemon.wait_runs("done")
    os.unlink(path)
    daemon.submit()
    _, dead = daemon.wait_runs("done", "dead")
    assert dead["exit_code"] == 127 and dead["attempt"] == 3
    assert path in dead["detail"] and "No such file" in dead["detail"]
    script(run, "hook", "echo back\n")
    daemon.cli("retry", "--dead")
    _, done = daemon.wait_runs("done", "done")
    assert done["output"] == "back\n"


def test_a_hook_that_left_the_configuration_is_a_dead_letter(run):
    flag = run.home / "flag"
    hooks = [{"name": "gone", "retry": {"attempts": 99, "from": "1s", "to": "1s"},
              "exec": ["/bin/sh", "-c", "exit 75"]}, {"name": "kept", "exec": ["/bin/true"]}]
    _, daemon = stack(run, *hooks)
    daemon.submit()
    wait_for(lambda: [r for r in daemon.runs("--hook", "gone") if r["attempt"] > 0], "an attempt")
    daemon.write({**daemon.conf, "hooks": hooks[1:]})
    daemon.cli("reload")
    dead, = daemon.wait_runs("dead", args=("--hook", "gone"))
    assert "no longer in the configuration" in dead["detail"]
    assert not flag.exists()


# -- paused --------------------------------------------------------------------------------------


def test_a_paused_hook_waits_and_goes_on_when_resumed(run):
    log = run.file("log", "")
    hooks = [{"name": n, "exec": ["/bin/sh", "-c", f"echo {n} >>{log}"]} for n in ("held", "free")]
    _, daemon = stack(run, *hooks)
    assert daemon.cli("pause", "held")[1] == {"hook": "held", "paused": True}
    daemon.submit()
    wait_for(lambda: log.read_text() == "free\n", "run of the other hook")
    assert daemon.cli("status")[1]["paused"] == ["held"]
    waiting, = daemon.runs("--hook", "held")
    assert (waiting["state"], waiting["attempt"]) == ("ready", 0)
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)
    daemon.submit()
    wait_for(lambda: log.read_text() == "free\nfree\n", "run of the other hook")
    assert [r["state"] for r in daemon.runs("--hook", "held")] == ["ready", "ready"]
    assert daemon.cli("resume", "held")[1] == {"hook": "held", "paused": False}
    wait_for(lambda: log.read_text().count("held") == 2, "the runs that waited")
    assert daemon.cli("status")[1]["paused"] == []


def test_what_cannot_begin_holds_up_no_retry_of_others(run):
    """It is due all the time, and the next thing to be done is something else."""
    hooks = [{"name": "held", "exec": ["/bin/true"]},
             {"name": "often", "exec": ["/bin/false"],
              "retry": {"attempts": 8, "from": "20ms", "to": "20ms"}}]
    _, daemon = stack(run, *hooks)
    daemon.cli("pause", "held")
    task = daemon.submit()
    daemon.wait_runs("ready", "dead")
    ends = [e["at"] for e in daemon.cli("explain", task)[1]["events"]
            if e["source"] == "hook" and "often" in e["detail"]]
    first, last = (datetime.datetime.fromisoformat(end.replace("Z", "+00:00"))
                   for end in (ends[0], ends[-1]))
    assert len(ends) == 8
    assert (last - first).total_seconds() < 4  # at the keeper's tick alone they would take seven


def test_a_run_under_way_is_not_held_up_by_a_pause(run):
    flag = run.home / "flag"
    hook = {"name": "h", "exec": ["/bin/sh", "-c", f"until test -e {flag}; do sleep 0.01; done"]}
    _, daemon = stack(run, hook)
    daemon.submit()
    daemon.wait_runs("running")
    daemon.cli("pause", "h")
    flag.touch()
    daemon.wait_runs("done")


def test_there_is_nothing_to_pause_without_a_hook_of_that_name(run):
    _, daemon = stack(run, {"name": "h", "exec": ["/bin/true"]})
    for command in ("pause", "resume"):
        status, answer = daemon.cli(command, "g", check=False)
        assert status == 4 and answer["error"] == "there is no hook g"


# -- what it is given -----------------------------------------------------------------------------


def test_the_environment_is_the_documented_one(run):
    sim, daemon = stack(run, {"name": "dl", "download": {"dir": str(run.home / "media")}},
                        recorder(run, after="dl"), env={"SECRET": "x", "LD_LIBRARY_PATH": "/x"})
    task = daemon.submit("--tag", "album=x", "--payload", "order 42", prompt="a boat")
    one, = seen(run)
    fresh = daemon.task(task)
    files = daemon.cli("show", task)[1]["files"]
    result, = fresh["result"]
    run_id = daemon.runs("--hook", "record")[0]["id"]
    env = {k: v for k, v in one["env"].items() if k.startswith("VIDUHOOK_")}
    assert set(one["env"]) - set(env) <= {"PATH", "HOME", "LANG", "TZ", "LC_CTYPE"}
    assert one["env"]["LANG"] == "C.UTF-8"
    assert json.loads(env.pop("VIDUHOOK_TAGS")) == {"album": "x"}
    assert env == {
        "VIDUHOOK_EVENT": "success", "VIDUHOOK_TASK_ID": task,
        "VIDUHOOK_REMOTE_ID": sim.ledger("create")[0]["task"], "VIDUHOOK_PROVIDER": "vidu",
        "VIDUHOOK_ENDPOINT": "text2video", "VIDUHOOK_MODEL": "viduq3-turbo",
        "VIDUHOOK_STATE": "success", "VIDUHOOK_ERR_CODE": "", "VIDUHOOK_PROMPT": "a boat",
        "VIDUHOOK_URL": result["url"], "VIDUHOOK_COVER_URL": result["cover_url"],
        "VIDUHOOK_FILE": files[0]["path"], "VIDUHOOK_COVER_FILE": files[1]["path"],
        "VIDUHOOK_HOOK": "record", "VIDUHOOK_RUN_ID": str(run_id), "VIDUHOOK_ATTEMPT": "1",
        "VIDUHOOK_REPLAY": "", "VIDUHOOK_SOURCE": "callback", "VIDUHOOK_DETAILS": "",
        "VIDUHOOK_AFTER_HOOK": "dl", "VIDUHOOK_AFTER_STATE": "done",
        "VIDUHOOK_AFTER_EXIT_CODE": "0",
        "VIDUHOOK_AFTER_DETAIL": daemon.runs("--hook", "dl")[0]["detail"],
    }
    told = json.loads(one["stdin"])
    assert told["event"] == "success" and told["source"] == "callback"
    assert told["run"] == {"id": run_id, "attempt": 1, "hook": "record", "replay": False}
    assert told["task"]["id"] == task and told["task"]["payload"] == "order 42"
    assert told["task"]["tags"] == {"album": "x"} and told["result"] == fresh["result"]
    assert [(f["path"], f["sha256"]) for f in told["files"]] == [
        (f["path"], f["sha256"]) for f in files]


def test_filters_fit_values_into_arguments(run):
    argv = ["{task.prompt|trunc:6|json}", "{task.created_at|%Y-%m}", "{task.tags.album|xml}",
            "{task.tags.none}"]
    _, daemon = stack(run, recorder(run, argv=argv))
    task = daemon.submit("--tag", "album=R&B", prompt="a paper boat")
    one, = seen(run)
    created = daemon.task(task)["created_at"]
    assert one["argv"] == ['"a pape"', created[:7], "R&amp;B", ""]


def test_a_misspelt_placeholder_is_found_before_anything_runs(run):
    _, daemon = stack(run)
    conf = dict(daemon.conf, hooks=[{"name": "h", "exec": ["/bin/true", "{task.prompt|trnc:3}"]}])
    daemon.write(conf)
    status, answer = daemon.cli("reload", check=False)
    assert status == 1 and 'unknown filter "trnc"; did you mean "trunc"?' in json.dumps(answer).replace("\\", "")


def test_a_command_starts_clean(run):
    _, daemon = stack(run, recorder(run))
    daemon.submit()
    one, = seen(run)
    assert one["fds"] == [0, 1, 2] and one["leader"]
    # Python itself ignores PIPE and XFSZ
    assert set(one["ignored"]) <= {signal.SIGPIPE, signal.SIGXFSZ} and one["blocked"] == []


def test_variables_are_empty_rather_than_missing_and_a_failure_says_why(run):
    _, daemon = stack(run, recorder(run, on=["failed"]), sim_args=("--switch", "policy-failure"))
    daemon.submit()
    env = seen(run)[0]["env"]
    assert env["VIDUHOOK_EVENT"] == env["VIDUHOOK_STATE"] == "failed"
    assert env["VIDUHOOK_ERR_CODE"] == "CreationPolicyViolation"
    assert env["VIDUHOOK_URL"] == env["VIDUHOOK_FILE"] == env["VIDUHOOK_COVER_FILE"] == ""


HOSTILE = "$(touch {0}/pwned) `touch {0}/pwned`; touch {0}/pwned & | > {0}/pwned \"'\n-rf \\ é%s *"


def test_values_never_reach_a_shell(run):
    prompt = HOSTILE.format(run.home)
    hook = recorder(run, argv=["{task.prompt}", "--p={task.prompt}", "{task.prompt|json}", "{{x}}",
                               "{task.tags}", "{file.path}", "{task.payload|raw}"])
    _, daemon = stack(run, hook)
    daemon.submit("--payload", "{task.id} " + prompt, "--tag", "x=$(id)", prompt=prompt)
    one, = seen(run)
    assert one["argv"] == [prompt, "--p=" + prompt, json.dumps(prompt, ensure_ascii=False), "{x}",
                           '{"x":"$(id)"}', "", "{task.id} " + prompt]
    assert one["env"]["VIDUHOOK_PROMPT"] == prompt
    assert json.loads(one["stdin"])["task"]["prompt"] == prompt
    assert not (run.home / "pwned").exists()


def test_a_long_prompt_is_cut_in_its_variable_only(run):
    prompt = "\u6c34" * 1500  # 4,500 bytes
    _, daemon = stack(run, recorder(run, argv=["{task.prompt}"]))
    daemon.submit(prompt=prompt)
    one, = seen(run)
    assert one["env"]["VIDUHOOK_PROMPT"] == "\u6c34" * (4096 // 3)
    assert one["argv"] == [prompt] and json.loads(one["stdin"])["task"]["prompt"] == prompt


# -- output ---------------------------------------------------------------------------------------


def test_the_end_of_both_streams_is_kept(run):
    _, daemon = stack(run, {"name": "h", "exec": [script(
        run, "talk", "echo out; echo err >&2; printf '\\033[31mred\\007\\377\\n'; printf last")]})
    task = daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["output"].startswith("out\nerr\n") and done["output"].endswith("last")
    shown = daemon.command("runs").stdout + daemon.command("explain", task).stdout
    assert "\033" not in shown and "\007" not in shown


def test_a_flood_of_output_keeps_its_tail_and_costs_no_memory(run):
    flood = script(run, "flood", "head -c 1073741824 /dev/zero | tr '\\0' x; echo; echo the end")
    _, daemon = stack(run, {"name": "h", "exec": [flood]}, limits={"output": "1KiB"})
    daemon.submit()
    done, = daemon.wait_runs("done", seconds=60)
    assert done["output"].endswith("xxx\nthe end\n")
    assert 1024 <= len(done["output"]) < 1300
    runner, = [r["pid"] for r in daemon.cli("status")[1]["rooms"] if r["name"] == "runner"]
    status = pathlib.Path(f"/proc/{runner}/status").read_text()
    peak_kib = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kib < (64 << 10)


# -- time, and who is left ------------------------------------------------------------------------


def test_after_its_timeout_a_command_gets_TERM(run):
    hook = {"name": "h", "timeout": "300ms", "retry": {"attempts": 1}, "exec": [script(
        run, "slow", "trap 'echo got TERM; exit 9' TERM\necho $$\nwhile :; do sleep 0.05; done")]}
    _, daemon = stack(run, hook)
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert "timeout of 300ms" in dead["detail"] and "got TERM" in dead["output"]
    assert gone(int(dead["output"].split()[0]))


def test_whoever_ignores_TERM_gets_KILL_and_so_do_those_who_left(run):
    pids = run.home / "pids"
    stubborn = "trap '' TERM; echo $$ >>{}; while :; do sleep 1; done".format(pids)
    hook = {"name": "h", "timeout": "500ms", "retry": {"attempts": 1}, "exec": [script(
        run, "stubborn", f"setsid sh -c '{stubborn.replace(chr(39), chr(34))}' &\n"
        f"sh -c '{stubborn.replace(chr(39), chr(34))}' &\n{stubborn}\n")]}
    _, daemon = stack(run, hook)
    daemon.submit()
    known = pids_in(pids, 3)
    dead, = daemon.wait_runs("dead", seconds=30)
    assert "SIGKILL" in dead["detail"] and "timeout" in dead["detail"]
    for pid in known:
        wait_for(lambda pid=pid: gone(pid), f"end of {pid}", 5)


def test_a_grandchild_that_holds_the_output_does_not_hold_up_the_run(run):
    pids = run.home / "pids"
    _, daemon = stack(run, {"name": "h", "exec": [script(
        run, "daemonise", f"setsid sh -c 'echo $$ >{pids}; exec sleep 1000' &\n"
        f"while ! test -s {pids}; do sleep 0.01; done; echo started\n")]})
    daemon.submit()
    done, = daemon.wait_runs("done")
    assert done["output"] == "started\n"
    pid, = pids_in(pids)
    daemon.stop()
    wait_for(lambda: gone(pid), "end of the grandchild with the daemon", 5)


def test_orphans_leave_no_zombies(run):
    pids = run.home / "pids"
    _, daemon = stack(run, {"name": "h", "exec": [script(
        run, "orphan", f"(setsid sh -c 'echo $$ >>{pids}' &) >/dev/null 2>&1\n")]})
    for _ in range(3):
        daemon.submit()
    daemon.wait_runs("done", "done", "done")
    for pid in pids_in(pids, 3):
        wait_for(lambda pid=pid: gone(pid), f"end of {pid}", 5)


# -- how many -------------------------------------------------------------------------------------


GATE = """
mkdir -p {0}/$VIDUHOOK_HOOK
echo x >{0}/$VIDUHOOK_HOOK/$VIDUHOOK_RUN_ID
ls {0}/$VIDUHOOK_HOOK | wc -l >>{0}/$VIDUHOOK_HOOK.counts
ls {0}/a {0}/b 2>/dev/null | grep -c '^[0-9]' >>{0}/all.counts
while ! test -e {0}/go; do sleep 0.02; done
sleep 0.03
rm {0}/$VIDUHOOK_HOOK/$VIDUHOOK_RUN_ID
"""


def test_many_tasks_keep_the_limits(run):
    gate = run.home / "gate"
    gate.mkdir()
    path = script(run, "gated", GATE.format(gate))
    hooks = [{"name": "a", "exec": [path], "concurrency": 2},
             {"name": "b", "exec": [path], "concurrency": 8}]
    _, daemon = stack(run, *hooks, limits={"runs": 5})
    for _ in range(20):
        daemon.submit()

    def states():
        found = {}
        for r in daemon.runs():
            found[r["state"]] = found.get(r["state"], 0) + 1
        return found

    wait_for(lambda: states() == {"running": 5, "ready": 35}, lambda: f"five runs: {states()}")
    (gate / "go").touch()
    wait_for(lambda: states() == {"done": 40}, lambda: f"the end of all runs: {states()}", 40)

    def most(name):
        return max(map(int, (gate / f"{name}.counts").read_text().split()))

    assert most("a") == 2 and most("b") <= 5 and most("all") == 5


def test_one_at_a_time_is_one_at_a_time(run):
    lock = run.home / "lock"
    path = script(run, "alone", f"mkdir {lock} || exit 65; sleep 0.03; rmdir {lock}")
    _, daemon = stack(run, {"name": "h", "exec": [path], "concurrency": 1})
    for _ in range(8):
        daemon.submit()
    daemon.wait_runs(*["done"] * 8)


def test_runs_of_a_hook_keep_its_rate_and_others_do_not_wait(run):
    hooks = [{"name": "slow", "rate": "3/s", "exec": ["/bin/true"]},
             {"name": "rare", "rate": "2/h", "exec": ["/bin/true"]},
             {"name": "quick", "exec": ["/bin/true"]}]
    _, daemon = stack(run, *hooks)
    for _ in range(7):
        daemon.submit()
    daemon.wait_runs(*["done"] * 7, args=("--hook", "slow"))
    began = sorted(datetime.datetime.fromisoformat(r["started_at"].replace("Z", "+00:00"))
                   for r in daemon.runs("--hook", "slow"))
    for first, fourth in zip(began, began[3:]):
        assert (fourth - first).total_seconds() > 0.99
    daemon.wait_runs(*["done"] * 7, args=("--hook", "quick"))
    wait_for(lambda: sorted(r["state"] for r in daemon.runs("--hook", "rare")) ==
             ["done"] * 2 + ["ready"] * 5, "two of seven")


# -- as whom, where, within which limits --


def command_of(run, script, **hook):
    """Runs a shell command once: its run, when it is over."""
    _, daemon = stack(run, {"name": "h", "exec": ["/bin/sh", "-c", script],
                            "retry": {"attempts": 1}, **hook})
    daemon.submit()
    return wait_for(lambda: [r for r in daemon.runs() if r["state"] in ("done", "dead")],
                    "end of the run")[0]


def test_a_command_has_its_folder_mask_and_variables(run):
    place = run.home / "work"
    place.mkdir()
    ran = command_of(run, 'pwd; umask; echo "$GREETING|$LANG|$EMPTY|$HOME"; env | grep -c ^LANG=; '
                     'touch new; stat -c %a new', cwd=str(place), umask="0077",
                     env={"GREETING": "a {task.id} $HOME", "LANG": "de_DE.UTF-8", "EMPTY": ""})
    home = os.environ.get("HOME", "/")
    assert ran["output"].splitlines() == [
        str(place), "0077", "a {task.id} $HOME|de_DE.UTF-8||" + home, "1", "600"]


def test_commands_come_after_callbacks(run):
    ran = command_of(run, "nice")
    assert int(ran["output"]) == min(19, os.nice(0) + 5)


def test_a_command_without_settings_has_limits(run):
    ran = command_of(run, "pwd; umask; ulimit -d; ulimit -t; ulimit -n; ulimit -Hn; ulimit -f; "
                     "cat /proc/self/limits | grep processes")
    lines = ran["output"].splitlines()
    assert lines[:7] == ["/", "0022", str(4 << 20), str(86400), "1024", "1024", str(64 << 21)]
    assert lines[7].split()[2:4] == ["4096", "4096"]


@pytest.mark.parametrize("limits, script, detail", [
    ({"file_size": "1MiB"}, "exec head -c 2M /dev/zero >\"$OUT\"", "killed by SIGXFSZ"),
    ({"cpu": "1s"}, "while :; do :; done", "killed by SIGXCPU"),
    ({"memory": "32MiB"}, f"exec {sys.executable} -c 'x = bytearray(100 << 20)'", "exit status 1"),
    ({"files": 20}, f"exec {sys.executable} -c 'x = [open(\"/\" + \"dev/null\") for _ in range(30)]'",
     "exit status 1"),
], ids=["file_size", "cpu", "memory", "files"])
def test_a_command_is_held_to_its_limits(run, limits, script, detail):
    ran = command_of(run, script, limits=limits, env={"OUT": str(run.home / "out")})
    assert ran["state"] == "dead" and ran["detail"] == detail, ran


def test_a_command_that_cannot_enter_its_folder_says_so(run):
    place = run.home / "work"
    place.mkdir()
    _, daemon = stack(run, {"name": "h", "exec": ["/bin/true"], "cwd": str(place),
                            "retry": {"attempts": 1}})
    place.rmdir()
    daemon.submit()
    dead, = daemon.wait_runs("dead")
    assert dead["detail"] == "cannot start: /bin/true: cwd: No such file or directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_command_runs_as_its_user_and_never_again_as_root(run):
    run.home.chmod(0o755)
    ran = command_of(run, 'id -u; id -g; id -G; echo "$HOME"; grep -E "^(Uid|Gid|NoNewPrivs)" '
                     "/proc/self/status; cat /dev/stdin | head -c 1; echo said >/dev/stdout",
                     user="nobody")
    lines = ran["output"].splitlines()
    user = pwd.getpwnam("nobody")
    uid, gid = str(user.pw_uid), str(user.pw_gid)
    assert lines[:4] == [uid, gid, gid, user.pw_dir]
    assert [line.split() for line in lines[4:7]] == [
        ["Uid:", *[uid] * 4], ["Gid:", *[gid] * 4], ["NoNewPrivs:", "1"]]
    assert lines[7:] == ["{said"] and ran["state"] == "done"


# -- in which order --


def test_the_runs_of_one_hook_for_one_task_keep_their_order(run):
    log, gate = run.home / "log", run.home / "gate"
    hook = {"name": "h", "on": ["processing", "success"], "retry": QUICK, "exec": ["/bin/sh", "-c",
            f"echo $VIDUHOOK_EVENT $VIDUHOOK_ATTEMPT >>{log}; test -e {gate} && exit 0; "
            "test $VIDUHOOK_EVENT = success || exit 75"]}
    _, daemon = stack(run, hook)
    task = daemon.submit()
    daemon.wait_task(task, "success")
    wait_for(lambda: len(log.read_text().split("\n")) > 5, "some attempts")
    assert "success" not in log.read_text()
    gate.touch()
    daemon.wait_runs("done", "done")
    lines = [line.split()[0] for line in log.read_text().splitlines()]
    assert lines == ["processing"] * (len(lines) - 1) + ["success"]


def test_what_stands_behind_a_resting_run_rests_with_it(run):
    """It is due with that run, and at once when an operator has that run made sooner."""
    flag = run.home / "flag"
    hook = {"name": "h", "on": ["quarantined"], "retry": {"from": "1h", "to": "1h"},
            "exec": ["/bin/sh", "-c", f"until test -e {flag}; do sleep 0.02; done; "
                     f"test $(wc -c <{flag}) -gt 1 || exit 75"]}
    sim, daemon = stack(run, hook, sim_args=("--switch", "lost-callback"))
    daemon.submit()
    created, = sim.ledger("create")

    def contradict():
        post_callback(created["callback_url"], callback_body("999999999", "success"), ca=run.ca())

    contradict()
    contradict()
    daemon.wait_runs("running", "ready")
    flag.write_text("x")
    daemon.wait_runs("ready", "ready")
    contradict()
    first, second, third = daemon.wait_runs("ready", "ready", "ready")
    assert first["attempt"] == 1 and second["attempt"] == third["attempt"] == 0
    assert first["due_at"] == second["due_at"] == third["due_at"]
    flag.write_text("xx")
    daemon.cli("retry", first["id"])
    daemon.wait_runs("done", "done", "done")


def test_a_task_with_many_runs_leaves_room_for_others(run):
    """Twenty runs of one task and then one of another: a hook with two places gives it one."""
    gate = run.home / "gate"
    hook = {"name": "h", "on": ["quarantined", "success"], "concurrency": 2,
            "exec": ["/bin/sh", "-c", f"test $VIDUHOOK_EVENT = success || "
                     f"until test -e {gate}; do sleep 0.02; done"]}
    sim, daemon = stack(run, hook, sim_args=("--switch", "lost-callback"))
    greedy = daemon.submit()
    created, = sim.ledger("create")
    for _ in range(20):
        post_callback(created["callback_url"], callback_body("999999999", "success"), ca=run.ca())
    wait_for(lambda: len(daemon.runs("--task", greedy)) >= 20, "twenty runs")
    other = daemon.submit()
    created = sim.ledger("create")[1]
    post_callback(created["callback_url"], callback_body(created["task"], "success"), ca=run.ca())
    wait_for(lambda: [r["state"] for r in daemon.runs("--task", other)] == ["done"],
             "the other task's run")
    states = [r["state"] for r in daemon.runs("--task", greedy)]
    assert states.count("running") == 1 and states.count("ready") >= 18
    gate.touch()
    wait_for(lambda: all(r["state"] == "done" for r in daemon.runs()), "end of all runs", 30)


# -- by hand --------------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_retried_by_hook_or_all(run):
    flag = run.home / "flag"
    test = {"exec": ["/bin/sh", "-c", f"test -e {flag}"], "retry": {"attempts": 1}}
    _, daemon = stack(run, {"name": "a", **test}, {"name": "b", **test})
    daemon.submit()
    a, b = daemon.wait_runs("dead", "dead")
    assert [r["id"] for r in daemon.runs("--state", "dead")] == [a["id"], b["id"]]
    flag.touch()
    status, said = daemon.cli("retry", "--dead", "--hook", "nope", check=False)
    assert status == 4 and "there is no hook nope" in str(said)
    assert daemon.cli("retry", "--dead", "--hook", "b")[1]["runs"] == [b["id"]]
    daemon.wait_runs("dead", "done")
    assert daemon.cli("retry", "--dead")[1]["runs"] == [a["id"]]
    daemon.wait_runs("done", "done")
    assert daemon.cli("retry", "--dead")[1]["runs"] == []
    status, answer = daemon.cli("retry", 4711, check=False)
    assert status == 4 and "4711" in answer["error"]


def test_a_run_asked_for_again_says_so(run):
    _, daemon = stack(run, recorder(run))
    daemon.submit()
    done, = daemon.wait_runs("done")
    first, = seen(run)
    assert first["env"]["VIDUHOOK_REPLAY"] == "" and not json.loads(first["stdin"])["run"]["replay"]
    next((run.home / "seen").glob("*.json")).unlink()
    daemon.cli("retry", done["id"])
    again, = seen(run)
    assert again["env"]["VIDUHOOK_REPLAY"] == "1" and json.loads(again["stdin"])["run"]["replay"]


def test_a_run_that_runs_is_not_retried(run):
    _, daemon = stack(run, {"name": "h", "exec": ["/bin/sleep", "1000"]}, shutdown_grace="0s")
    daemon.submit()
    running, = daemon.wait_runs("running")
    status, answer = daemon.cli("retry", running["id"], check=False)
    assert status == 1 and "running" in answer["error"]


def test_trigger_runs_a_hook_with_sample_data_and_shows_its_output(run):
    hooks = [recorder(run, on=["test"]),
             {"name": "bad", "exec": ["/bin/sh", "-c", "echo no luck; exit 4"],
              "retry": {"attempts": 1}}]
    _, daemon = stack(run, *hooks)
    status, answer = daemon.cli("trigger", "--hook", "record")
    assert status == 0 and [r["state"] for r in answer["runs"]] == ["done"]
    one, = seen(run)
    assert one["env"]["VIDUHOOK_EVENT"] == "test" and one["env"]["VIDUHOOK_REPLAY"] == "1"
    assert json.loads(one["stdin"])["run"]["replay"] is True
    done = daemon.command("trigger", "--hook", "bad")
    assert done.returncode == 1 and "no luck" in done.stdout and "exit status 4" in done.stdout
    assert daemon.cli("trigger", "--hook", "none", check=False)[0] == 4


def test_trigger_without_a_name_runs_what_the_event_would_call(run):
    match = {"hit": {"tags": ["sample"]}, "miss": {"model": ["other*"]}}
    hooks = [{"name": "plain", "exec": ["/bin/true"]},
             {"name": "chained", "after": "plain", "exec": ["/bin/true"]},
             {"name": "bad", "on": ["failed"], "exec": ["/bin/true"]},
             {"name": "lonely", "on": ["success", "failed"], "after": "bad", "exec": ["/bin/true"]},
             {"name": "probe", "on": ["test"], "exec": ["/bin/true"]},
             *({"name": n, "match": m, "exec": ["/bin/true"]} for n, m in match.items())]
    _, daemon = stack(run, *hooks)

    def called(*args):
        return {r["hook"] for r in daemon.cli("trigger", *args)[1]["runs"]}

    assert called() == {"plain", "chained", "probe", "hit"}
    assert called("--event", "success") == {"plain", "chained", "hit"}
    assert called("--event", "failed") == {"bad", "lonely"}
    assert called("--hook", "miss") == {"miss"}
    status, answer = daemon.cli("trigger", "--event", "lost", check=False)
    assert status == 4 and "--hook names one" in answer["error"]
    assert len(daemon.cli("list")[1]["tasks"]) == 4  # no sample for nothing


def test_a_repeated_success_makes_no_second_run(run):
    sim, daemon = stack(run, {"name": "h", "exec": ["/bin/true"]},
                        sim_args=("--switch", "duplicate"))
    daemon.submit()
    sim.wait_ledger("callback", 4)
    daemon.wait_runs("done")


def test_a_hook_sees_who_told_the_news(run):
    hook = recorder(run)
    sim = run.sim("--ca", run.ca(), *FAST, "--switch", "lost-callback")
    daemon = run.daemon(sim, hooks=[hook])
    sim.create()
    sim.wait_ledger("state", state="success")
    remote_id = sim.ledger("create")[0]["task"]
    daemon.cli("adopt", remote_id, "--provider", "vidu", "--tag", "x=y")
    env = seen(run)[0]["env"]
    assert env["VIDUHOOK_SOURCE"] == "poll" and env["VIDUHOOK_REMOTE_ID"] == remote_id
    assert json.loads(env["VIDUHOOK_TAGS"]) == {"x": "y"}


def test_the_daemon_keeps_going_when_hooks_misbehave(run):
    hooks = [{"name": "fork", "retry": {"attempts": 1}, "exec": ["/bin/sh", "-c", (
        "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.2; kill -9 $$) & done; wait")]},
        {"name": "binary", "exec": ["/bin/sh", "-c", "head -c 100000 /dev/urandom"]},
        {"name": "closed", "exec": ["/bin/sh", "-c", "exec 0<&- 1>&- 2>&-; sleep 0.1; exit 0"]}]
    _, daemon = stack(run, *hooks)
    task = daemon.submit()
    daemon.wait_runs("dead", "done", "done")
    assert daemon.command("show", task).returncode == 0
    assert daemon.command("runs").returncode == 0
    assert LOOPBACK in daemon.url()
