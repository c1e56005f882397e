# SPDX-License-Identifier: MIT
"""What tasks cost, what is refused for it, and which callbacks looks had to replace."""
import datetime
import json
import socket
import struct

from harness import DEADLINE, wait_for
from life import NO_SOURCE_LIMITS
from provider import VIDEO, Provider, submit
from test_missed import LIMITS, change, conf_with, provider_of

DAY_MS = 86400000
COST = 40  # of every task in Provider and in the simulator


def days(daemon, *args):
    return daemon.cli("spend", *args)[1]["days"]


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def pay(daemon, credits):
    """What the daemon says to a client of its control socket that wants this counted."""
    question = json.dumps({"command": "pay", "provider": "vidu", "credits": credits}).encode()
    payload = struct.pack("<II", 0, len(question)) + question + b"\0" + struct.pack("<I", 0) + b"\0"
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(DEADLINE)
        control.connect(daemon.conf["control"])
        control.sendall(struct.pack("<IHHQ", len(payload), 13, 0, 77) + payload)
        said = b""
        while struct.pack("<HHQ", 14, 0, 77) not in said or not said.endswith(b"}\0"):
            said += control.recv(65536)
    return said.rpartition(b"{")[2]


def test_credits_that_cannot_be_added_up_stop_nothing(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=run.conf(provider, limits=LIMITS))
    tasks = [submit(daemon, provider) for _ in range(3)]
    for task in tasks[:2]:
        assert task.say("success", credits=2**63 - 1) == 200
        assert b"pay needs" in pay(daemon, 2**63 - 1)
    assert pay(daemon, 5) == b"}\0"
    assert tasks[2].say("success", credits=COST + 1) == 200
    assert [d["credits"] for d in days(daemon)] == [3 * COST + 1 + 5]
    assert not daemon.log("store.refused")


def test_credits_add_up_by_day_and_provider_and_failed_tasks_cost_nothing(run):
    provider = provider_of(run)
    daemon = run.daemon(conf=run.conf(provider, providers=["vidu", "vidu-cn"], limits=LIMITS))
    tasks = [submit(daemon, provider) for _ in range(3)] + [submit(daemon, provider, "vidu-cn")]
    tasks[0].say("success", credits=COST + 5)  # the last word counts
    tasks[0].say("success", credits=COST + 5)
    tasks[1].say("failed", err_code="CreationPolicyViolation")
    seen = {d["provider"]: d for d in days(daemon)}
    assert {d["day"] for d in seen.values()} == {today()}
    assert (seen["vidu"]["tasks"], seen["vidu"]["credits"]) == (3, 2 * COST + 5)
    assert (seen["vidu-cn"]["tasks"], seen["vidu-cn"]["credits"]) == (1, COST)
    daemon.stop()
    change(run, "UPDATE day SET day = day - 10 WHERE provider = 'vidu'")
    daemon = run.daemon(conf=daemon.conf)
    assert len(days(daemon, "--since", "7d")) == 1 and len(days(daemon)) == 2
    both = daemon.cli("spend", "--by", "provider")[1]["providers"]
    assert sorted((p["provider"], p["credits"]) for p in both) == [
        ("vidu", 2 * COST + 5), ("vidu-cn", COST)]
    each = daemon.cli("spend", "--by", "task", "--since", "1h")[1]["tasks"]
    assert sorted(t["credits"] for t in each) == [COST] * 3 + [COST + 5]
    text = daemon.command("spend").stdout.splitlines()
    assert text[0].split() == ["DAY", "PROVIDER", "TASKS", "CREDITS", "REPLACED"]
    assert text[-1].split() == ["total", "4", str(3 * COST + 5), "0"]


def test_what_is_wrong_about_since_and_by_is_said(run):
    daemon = run.daemon(run.sim())
    for args in (["spend", "--since", "yesterday"], ["spend", "--by", "week"],
                 ["list", "--since", "2026-13"]):
        status, answer = daemon.cli(*args, check=False)
        assert status == 2 and args[1] in answer["error"], answer


def test_a_list_can_begin_at_a_time(run):
    provider = provider_of(run)
    daemon = run.daemon(provider)
    old, new = submit(daemon, provider), submit(daemon, provider)
    daemon.stop()
    change(run, f"UPDATE task SET created_ms = created_ms - {3 * DAY_MS} WHERE id = ?", old.id)

    def ids(*args):
        return [t["id"] for t in again.cli("list", *args)[1]["tasks"]]

    again = daemon  # the store is read without a daemon as well
    assert ids("--since", "1d") == [new.id] and ids("--since", "7d") == [new.id, old.id]
    again = run.daemon(conf=daemon.conf)
    assert ids("--since", "1d") == [new.id] and ids("--since", "7d") == [new.id, old.id]
    assert ids("--since", today()) == [new.id]
    assert ids("--since", f"{today()}T00:00:00Z") == [new.id]


def test_beyond_the_limit_of_a_day_nothing_is_sent(run):
    provider = provider_of(run)
    limits = {**NO_SOURCE_LIMITS, "credits_per_day": 2 * COST}
    daemon = run.daemon(conf={**run.conf(provider), "limits": limits})
    tasks = [submit(daemon, provider) for _ in range(2)]
    args = ("submit", "text2video", "--model", "viduq3-turbo", "--prompt", "x")
    status, answer = daemon.cli(*args, check=False)
    assert status == 3 and answer["code"] == "ViduhookCreditsPerDay", answer
    assert "nothing was sent" in answer["error"] and "80" in answer["error"]
    assert "limits.credits_per_day" in daemon.command(*args).stderr
    assert len(provider.created) == 2 and len(daemon.cli("list")[1]["tasks"]) == 2
    adopted = daemon.cli("adopt", "912345678901230000", "--provider", "vidu", check=False)
    assert adopted[0] == 0, "what exists already may be taken over"
    tasks[0].say("failed", err_code="CreationPolicyViolation")  # refunded
    submit(daemon, provider)
    assert daemon.cli(*args, check=False)[0] == 3
    daemon.stop()
    change(run, "UPDATE day SET day = day - 1")
    daemon = run.daemon(conf=daemon.conf)
    assert daemon.cli(*args)[0] == 0, "another day"


def test_callbacks_that_looks_replaced_are_counted_for_each_provider(run):
    provider = provider_of(run)
    conf = conf_with(run, provider, overdue="1s")
    conf["providers"]["polled"] = {**conf["providers"]["vidu"], "profile": "vidu", "mode": "poll"}
    daemon = run.daemon(conf=conf)
    assert daemon.cli("status")[1]["replaced"] == {}
    told, silent = submit(daemon, provider), submit(daemon, provider)
    polled = submit(daemon, provider, "polled")
    told.say("success")
    for task in (silent, polled):
        provider.will_say(task, "success", VIDEO)
        wait_for(lambda task=task: task.state == "success", "success", 30)
    assert daemon.cli("status")[1]["replaced"] == {"vidu": 1}
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)
    assert daemon.cli("status")[1]["replaced"] == {"vidu": 1}
    assert "vidu 1" in daemon.command("status").stdout


def test_a_success_that_a_look_confirms_was_told_by_its_callback(run):
    provider = Provider()
    run.closers.append(provider)
    conf = conf_with(run, provider, confirm="always")
    daemon = run.daemon(conf=conf)
    task = submit(daemon, provider)
    provider.will_say(task, "success", VIDEO)
    task.say("success")
    task.wait_state("success")
    assert daemon.cli("status")[1]["replaced"] == {}
