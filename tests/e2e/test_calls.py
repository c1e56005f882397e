# SPDX-License-Identifier: MIT
"""Calls that create nothing: credits, cancel, adopt and import."""
import json
import subprocess

import pytest

from harness import SIM_KEY, program, wait_for
from provider import Provider, submit
from test_missed import LIMITS, provider_of

CREDITS = "/ent/v2/credits?show_detail=true"
ROW = {"type": "metered", "credit_remain": "1234", "concurrency_limit": 5,
       "current_concurrency": 2, "queue_count": 7}


# -- credits --------------------------------------------------------------------------------------


def test_credits_are_those_of_the_account(run):
    sim = run.sim("--ca", run.ca(), "--credits", "100", "--time", "1h")
    daemon = run.daemon(sim)
    daemon.submit()
    account, = daemon.cli("credits")[1]["accounts"]
    row, = account["remains"]
    assert account["provider"] == "vidu" and row["credit_remain"] == 60
    assert row["concurrency_limit"] == 5 and row["queue_count"] == 0
    text = daemon.command("credits", "--provider", "vidu").stdout.splitlines()
    assert text[1].split() == ["vidu", "metered", "60", "0", "5", "0"]


@pytest.mark.parametrize("name", ["remains", "remaining_credits"])
def test_both_names_of_the_array_are_understood(run, name):
    provider = provider_of(run)
    provider.paths[CREDITS] = {name: [ROW], "packages": []}
    daemon = run.daemon(provider)
    account, = daemon.cli("credits")[1]["accounts"]
    assert account["remains"] == [{**ROW, "credit_remain": 1234}]


def test_a_provider_that_does_not_tell_is_named(run):
    provider = provider_of(run)
    conf = run.conf(provider, providers=["vidu", "powertokens"])
    daemon = run.daemon(conf=conf)
    provider.paths[CREDITS] = {"other": 1}
    status, answer = daemon.cli("credits", "--provider", "vidu", check=False)
    assert status == 1 and "does not name any credits" in answer["error"], answer
    provider.paths[CREDITS] = {"remains": [ROW]}
    provider.paths["/vidu" + CREDITS] = ({"code": 403, "reason": "Forbidden", "message": "no"}, 403)
    done = daemon.command("credits")
    assert done.returncode == 0 and "1234" in done.stdout
    assert "powertokens refused: HTTP 403 Forbidden: no" in done.stderr
    account, = daemon.cli("credits")[1]["accounts"]  # one document of JSON, whoever does not tell
    assert account["provider"] == "vidu"
    provider.paths[CREDITS] = provider.paths["/vidu" + CREDITS]
    status, answer = daemon.cli("credits", check=False)
    assert status == 3 and answer == {"error": "no provider tells its credits"}
    assert daemon.cli("credits", "--provider", "powertokens", check=False)[0] == 3
    assert daemon.cli("credits", "--provider", "nobody", check=False)[0] == 2
    provider.down.set()
    status, answer = daemon.cli("credits", "--provider", "vidu", check=False)
    assert status == 1 and "no answer from vidu" in answer["error"], answer


# -- cancel ---------------------------------------------------------------------------------------


def test_a_queued_task_is_cancelled(run):
    sim = run.sim("--ca", run.ca(), "--time", "1h", "--switch", "lost-callback")
    daemon = run.daemon(sim)
    task = daemon.submit()
    answer = daemon.cli("cancel", task[:9])[1]
    assert answer["task"] == task and answer["provider"] == "vidu"
    assert [e["task"] for e in sim.ledger("cancel")] == [answer["remote_id"]]
    wait_for(lambda: daemon.task(task)["finished_at"], "end, told by a look")
    assert daemon.task(task)["err_code"] == "UserCancelled"
    events = daemon.cli("explain", task)[1]["events"]
    assert [e["verdict"] for e in events if e["source"] == "operator"] == ["cancel"]
    status, answer = daemon.cli("cancel", task, check=False)
    assert status == 1 and "is over already" in answer["error"]
    assert len(sim.ledger("cancel")) == 1


def test_a_task_that_is_too_far_is_not_cancelled(run):
    sim = run.sim("--ca", run.ca(), "--time", "300ms")
    daemon = run.daemon(sim)
    task = daemon.submit()
    daemon.wait_task(task, "processing")
    status, answer = daemon.cli("cancel", task, check=False)
    if status != 3:  # it was faster than the command
        assert "is over already" in answer["error"]
        return
    assert answer["code"] == "BadRequest" and "too far" in answer["error"], answer


def test_what_cannot_be_cancelled_is_said(run):
    provider = Provider()
    daemon = run.daemon(provider)
    assert daemon.cli("cancel", "tnothing", check=False)[0] == 4
    task = submit(daemon, provider)
    provider.close()
    provider.down.set()
    status, answer = daemon.cli("cancel", task.id, check=False)
    assert status == 1 and daemon.task(task.id)["state"] == "submitted", answer


# -- adopt and import -----------------------------------------------------------------------------


def test_adopt_can_wait_for_the_end(run):
    sim = run.sim("--ca", run.ca(), "--time", "50ms")
    daemon = run.daemon(sim)
    remote = sim.create()["task_id"]
    answer = daemon.cli("adopt", remote, "--provider", "vidu", "--wait", seconds=60)[1]
    assert answer["state"] == "success" and answer["result"][0]["url"]
    slow = run.sim("--time", "1h")
    daemon.write({**daemon.conf, "providers": {
        "vidu": {**daemon.conf["providers"]["vidu"], "base_url": slow.url}}})
    daemon.cli("reload")
    other = slow.create()["task_id"]
    assert daemon.cli("adopt", other, "--provider", "vidu", "--timeout", "1s", check=False)[0] == 6


def lines(run, *objects):
    text = "".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects)
    return run.file("tasks.jsonl", text)


def test_import_takes_over_every_line_once(run):
    sim = run.sim("--ca", run.ca(), "--time", "20ms")
    daemon = run.daemon(conf={**run.conf(sim), "limits": {**LIMITS, "looks": 100}})
    remote = [sim.create()["task_id"] for _ in range(30)]
    path = lines(run, {"remote_id": remote[0], "provider": "vidu", "endpoint": "img2video",
                       "tags": {"album": "own", "n": "0"}}, "",
                 *({"remote_id": r} for r in remote[1:]))
    args = ("import", path, "--provider", "vidu", "--tag", "album=all", "--tag", "imported")
    said = daemon.cli(*args)[1]["tasks"]
    assert [t["remote_id"] for t in said] == remote
    first = daemon.task(said[0]["task"])
    assert first["endpoint"] == "img2video"
    assert first["tags"] == {"album": "own", "n": "0", "imported": ""}
    assert daemon.task(said[1]["task"])["tags"] == {"album": "all", "imported": ""}
    for task in said:
        daemon.wait_task(task["task"], "success", 30)
    assert daemon.cli(*args)[1]["tasks"] == said, "the same again"
    assert "30 of 30 taken over" in daemon.command(*args).stdout
    assert len(daemon.cli("list")[1]["tasks"]) == 30
    assert len(sim.ledger("create")) == 30, "nothing was created"


def test_import_reports_every_bad_line_and_takes_over_nothing(run):
    daemon = run.daemon(run.sim())
    good = {"remote_id": "1", "provider": "vidu"}
    bad = {2: "not json", 3: [1], 4: {"provider": "vidu"}, 5: {"remote_id": "2"},
           6: {**good, "provider": "nobody"}, 7: {**good, "endpoint": "x"},
           8: {**good, "tags": {"a": 1}}, 9: {**good, "colour": "red"}, 10: {**good, "remote_id": 7},
           11: {**good, "tags": {"a": "x" * 70000}}, 12: {**good, "tags": {"": "x"}},
           13: {**good, "tags": {"n" * 65: "x"}}, 14: {**good, "tags": {"a": "x" * 5000}},
           15: {**good, "endpoint": "audio-tts"}, 16: {**good, "endpoint": "one-click/mv/{id}/edit"},
           17: {**good, "tags": {f"t{i}": "x" * 200 for i in range(100)}}}
    path = lines(run, good, *bad.values(), good)
    done = daemon.command("import", path)
    assert done.returncode == 2
    for number in bad:
        assert f"{path}:{number}: " in done.stderr, number
    assert f"{path}:1: " not in done.stderr and f"{path}:18: " not in done.stderr
    assert f"{path}:4: remote_id is missing\n" in done.stderr
    assert f"{path}:6: provider nobody is not configured; there are: vidu\n" in done.stderr
    assert "16 bad lines; nothing was taken over" in done.stderr
    assert daemon.cli("list")[1]["tasks"] == []
    assert daemon.cli("import", run.home / "none", check=False)[0] == 1
    assert SIM_KEY not in done.stderr
    # each line may be, but not with the tags that are meant for all
    half = {f"t{i}": "x" * 200 for i in range(50)}
    more = [f"--tag=u{i}={'x' * 200}" for i in range(30)]
    done = daemon.command("import", lines(run, good, {**good, "tags": half}), *more)
    assert "the tags have more than 16 KiB in all" in done.stderr and "1 bad line; nothing" in done.stderr


def test_an_import_that_ends_halfway_is_one_document(run):
    daemon = run.daemon(run.sim())
    path = lines(run, *({"remote_id": str(i), "provider": "vidu"} for i in range(20000)))
    with subprocess.Popen([program("viduhook"), "-c", daemon.conf_path, "--json", "import", path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        wait_for(lambda: daemon.log("adopt.recorded"), "the first task", 30)
        daemon.kill()
        text, errors = command.communicate(timeout=60)
    answer = json.loads(text)
    taken = [task["remote_id"] for task in answer["tasks"]]
    assert "viduhookd" in answer["error"]
    assert command.returncode == 7 and 0 < len(taken) < 20000
    assert taken == [str(i) for i in range(len(taken))]
    assert f"{path}:{len(taken) + 1}: not taken over, and neither is what follows" in errors


def test_import_has_limits(run):
    daemon = run.daemon(run.sim())
    many = run.file("many", '{"remote_id":"1","provider":"vidu"}\n' * 100001)
    done = daemon.command("import", many)
    assert done.returncode == 2 and "many:100001: more than 100000 tasks" in done.stderr
    assert ": 1 bad line; nothing" in done.stderr
    assert daemon.cli("list")[1]["tasks"] == []
