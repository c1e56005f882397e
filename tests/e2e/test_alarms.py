# SPDX-License-Identifier: MIT
"""Events of no task: each is told once, when it begins, and again only after it was over."""
import contextlib
import json
import sqlite3
import subprocess

from harness import callback_body, post_callback, wait_for
from provider import Provider
from test_hooks import recorder, seen


def told(daemon, event):
    return [r["details"] for r in daemon.runs("--hook", "record") if r["event"] == event]


def wait_told(daemon, event, count):
    wait_for(lambda: len(told(daemon, event)) == count,
             lambda: f"{count} x {event}: {daemon.runs()}", 20)
    return told(daemon, event)[-1]


def change(daemon, **changes):
    daemon.write({**daemon.conf, **changes})
    daemon.cli("reload")


def certificate(run, days):
    key, pem = run.home / "key.pem", run.home / f"{days}.pem"
    subprocess.run(["openssl", "req", "-x509", "-key", key, "-out", pem, "-days", str(days),
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    return {"certificate": str(pem), "key": str(key)}


def test_little_room_for_the_store_is_told_once_until_it_is_over(run):
    sim = run.sim("--ca", run.ca())
    daemon = run.daemon(sim, hooks=[recorder(run, on=["disk_low"])],
                        alarms={"disk_free": "16TiB"})
    details = wait_told(daemon, "disk_low", 1)
    assert daemon.cli("status")[1]["alarms"] == ["disk_low"]
    assert 'alarms      ["disk_low"]' in daemon.command("status").stdout
    assert details["directory"] == str(run.home)
    assert 0 < details["available"] < details["limit"] == 16 << 40
    one, = seen(run)
    assert one["env"]["VIDUHOOK_EVENT"] == "disk_low" and one["env"]["VIDUHOOK_TASK_ID"] == ""
    assert json.loads(one["env"]["VIDUHOOK_DETAILS"]) == details
    document = json.loads(one["stdin"])
    assert document["details"] == details and "task" not in document
    listed, = daemon.runs()
    assert (listed["task"], listed["event"]) == ("", "disk_low")
    assert "disk_low" in daemon.command("runs").stdout
    daemon.stop()
    daemon = run.daemon(conf=daemon.conf)
    change(daemon, alarms={"disk_free": "0"})
    daemon.wait_log("alarm.over")
    assert daemon.cli("status")[1]["alarms"] == []
    assert len(told(daemon, "disk_low")) == 1
    change(daemon, alarms={"disk_free": "16TiB"})
    wait_told(daemon, "disk_low", 2)


def test_a_run_of_no_task_survives_the_daemon_and_can_die_and_be_retried(run):
    flag = run.home / "flag"
    hooks = [{"name": "alarm", "on": ["disk_low"], "retry": {"attempts": 1},
              "exec": ["/bin/sh", "-c", f"test -e {flag}"]},
             recorder(run, on=["dead"])]
    sim = run.sim("--ca", run.ca())
    conf = run.conf(sim, hooks, alarms={"disk_free": "16TiB"})
    daemon = run.daemon(conf=conf)
    dead, _ = daemon.wait_runs("dead", "done")
    one, = seen(run)
    details = json.loads(one["stdin"])["details"]
    assert (details["run"], details["event"]) == (dead["id"], "disk_low")
    flag.touch()
    daemon.cli("pause", "alarm")
    daemon.cli("retry", dead["id"])
    daemon.kill()
    daemon = run.daemon(conf=conf)
    daemon.cli("resume", "alarm")
    daemon.wait_runs("done", "done")


def test_a_certificate_that_ends_is_told_at_each_threshold(run):
    sim = run.sim("--ca", run.ca())
    daemon = run.daemon(sim, hooks=[recorder(run, on=["cert_expiring"])])
    conf = daemon.conf
    daemon.stop()
    expected = []
    for days, within in ((10, 14), (2, 3), (2, 3), (1, 1), (100, None)):
        tls = certificate(run, days) if (days, within) not in expected else conf["tls"]
        conf = {**conf, "tls": tls}
        daemon = run.daemon(conf=conf)
        if within and (days, within) not in expected:
            expected.append((days, within))
            details = wait_told(daemon, "cert_expiring", len(expected))
            assert details["within_days"] == within and details["certificate"] == tls["certificate"]
        if within is None:
            daemon.wait_log("alarm.over")
        daemon.stop()
    daemon = run.daemon(conf=conf)
    assert [d["within_days"] for d in told(daemon, "cert_expiring")] == [14, 3, 1]


def test_many_wrong_signatures_are_one_event(run):
    provider = Provider()
    daemon = run.daemon(provider, hooks=[recorder(run, on=["signature_failures"])],
                        alarms={"signature_failures": "3/h"})
    daemon.submit()
    url = provider.created[-1]["callback_url"]

    def refuse(times):
        for _ in range(times):
            assert post_callback(url, callback_body("1", "success"), key="wrong",
                                 ca=run.ca()).status == 401

    refuse(3)
    details = wait_told(daemon, "signature_failures", 1)
    assert details == {"failures": 3, "within_ms": 3600000}
    refuse(3)
    change(daemon, alarms={"signature_failures": "10/s"})  # fewer than that, and it is over
    daemon.wait_log("alarm.over")
    assert len(told(daemon, "signature_failures")) == 1


def test_a_provider_that_does_not_answer_is_told_once(run):
    provider = Provider()
    hooks = [recorder(run, on=["provider_down"], match={"provider": "vidu"}),
             {"name": "other", "on": ["provider_down"], "match": {"provider": "x"},
              "exec": ["/bin/true"]}]
    daemon = run.daemon(provider, hooks=hooks, alarms={"provider_down": "1s"})
    up, down = daemon.conf["providers"], run.port()
    change(daemon, providers={"vidu": {**up["vidu"], "base_url": f"http://127.0.0.1:{down}"}})

    def fail():
        daemon.cli("submit", "text2video", "--model", "m", "--prompt", "x", check=False)

    def failed_until_told():
        fail()
        return told(daemon, "provider_down")

    details, = wait_for(failed_until_told, lambda: f"provider_down:\n{daemon.tail()}", 20)
    assert details["provider"] == "vidu" and details["failures"] >= 3
    assert details["for_ms"] >= 1000 and details["error"]
    fail()
    change(daemon, providers=up)
    daemon.submit()
    daemon.wait_log("alarm.over")
    assert len(told(daemon, "provider_down")) == 1
    assert {r["hook"] for r in daemon.runs()} == {"record"}


def test_a_provider_that_answers_ends_no_alarm_of_one_whose_name_begins_so(run):
    provider = Provider()
    daemon = run.daemon(provider, hooks=[recorder(run, on=["provider_down", "disk_low"])],
                        alarms={"provider_down": "1s", "disk_free": "0"})
    up, down = daemon.conf["providers"]["vidu"], f"http://127.0.0.1:{run.port()}"
    change(daemon, providers={"vidu": up, "vidu-b": {**up, "profile": "vidu", "base_url": down}})

    def failed_until_told():
        daemon.cli("submit", "text2video", "--provider", "vidu-b", "--model", "m", "--prompt", "x",
                   check=False)
        return told(daemon, "provider_down")

    wait_for(failed_until_told, lambda: f"provider_down:\n{daemon.tail()}", 20)
    assert daemon.cli("status")[1]["alarms"] == ["provider_down:vidu-b"]
    daemon.submit("--provider", "vidu")
    change(daemon, alarms={"provider_down": "1s", "disk_free": "16TiB"})
    wait_told(daemon, "disk_low", 1)  # by a look at all of them
    assert daemon.cli("status")[1]["alarms"] == ["provider_down:vidu-b", "disk_low"]
    assert not daemon.log("alarm.over")
    assert len(told(daemon, "provider_down")) == 1


def test_an_alarm_of_a_provider_that_is_no_longer_configured_is_over(run):
    """What a hundred of them left behind filled the list, and no alarm could be told any more."""
    provider = Provider()
    daemon = run.daemon(provider, hooks=[recorder(run, on=["disk_low"])], alarms={"disk_free": "0"})
    daemon.stop()
    stale = [f"provider_down:{i:049}" for i in range(255)] + [f"provider_down:{'x' * 30}"]
    full = "\n".join([*stale, "provider_down:vidu", ""]).encode()
    assert len(full) == 16384  # not a byte is free
    with contextlib.closing(sqlite3.connect(run.home / "viduhook.db")) as db, db:
        db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('alarms', ?)", (full,))
    daemon = run.daemon(conf={**daemon.conf, "alarms": {"disk_free": "16TiB"}})
    wait_told(daemon, "disk_low", 1)
    assert daemon.cli("status")[1]["alarms"][0] in stale  # one a second
    daemon.wait_log("alarm.over", 2)
    assert "provider_down:vidu" in daemon.cli("status")[1]["alarms"]
    assert len(daemon.log("alarm.raised")) == 1
