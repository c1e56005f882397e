# SPDX-License-Identifier: MIT
"""Several accounts at one provider, and keys that change while tasks are under way."""
from test_catalogue import CLIP

KEYS = {"first": "key-of-the-first", "second": "key-of-the-second"}


def two_accounts(run, *sim_args, **options):
    """(recorder, sim, daemon): both at one host, by the same profile."""
    sim = run.sim("--ca", run.ca(), "--retry-gap", "20ms", *sim_args,
                  *(word for key in [*KEYS.values(), "newer"] for word in ("--key", key)))
    recorder = run.recorder(sim)
    conf = run.conf(sim)
    conf["providers"] = {
        name: {"profile": "vidu", "base_url": recorder.url,
               "key": {"file": str(run.file(f"{name}.key", key))}, **options}
        for name, key in KEYS.items()}
    return recorder, sim, run.daemon(conf=conf)


def key_of(exchange):
    return exchange.headers["Authorization"].removeprefix("Token ")


def test_every_call_goes_with_the_key_of_its_account(run):
    recorder, sim, daemon = two_accounts(run, "--time", "50ms", mode="poll")
    for name, key in KEYS.items():
        seen = len(recorder.all())
        saved = run.home / f"{name}.mp4"
        _, answer = daemon.cli("submit", "text2video", "--provider", name, "--model",
                               "viduq3-turbo", "--prompt", name, "-o", saved)
        daemon.cli("credits", "--provider", name)
        calls = recorder.all()[seen:]
        assert {e.method for e in calls} == {"GET", "POST"}
        assert {key_of(e) for e in calls} == {key}
        assert saved.read_bytes() == CLIP
        assert daemon.task(answer["task"])["provider"] == name
        assert key not in daemon.log()
    assert [e["prompt"] for e in sim.ledger("create")] == list(KEYS)
    listed = daemon.cli("list", "--provider", "second")[1]["tasks"]
    assert [t["prompt"] for t in listed] == ["second"]


def test_without_a_name_the_first_account_is_meant(run):
    recorder, sim, daemon = two_accounts(run, "--time", "50ms")
    daemon.submit("--wait")
    assert [key_of(e) for e in recorder.all("POST")] == [KEYS["first"]]
    assert len(sim.ledger("create")) == 1
    done = daemon.command("submit", "text2video", "--provider", "third", "--prompt", "x")
    assert done.returncode == 2 and "there are: first, second" in done.stderr
    assert len(sim.ledger("create")) == 1


def test_a_key_is_replaced_while_tasks_are_under_way(run):
    """By SIGHUP; callbacks that the old key signs are proof enough, so nothing is looked up."""
    recorder, sim, daemon = two_accounts(run, "--time", "1s")
    tasks = {name: daemon.submit("--provider", name) for name in KEYS}
    conf = daemon.conf
    conf["providers"]["first"].update(
        key={"file": str(run.file("newer.key", "newer"))},
        previous_keys=[{"file": str(run.home / "first.key")}])
    daemon.write(conf)
    daemon.reload()
    daemon.wait_log("config.reloaded")
    assert all(daemon.task(task)["state"] != "success" for task in tasks.values())
    late = daemon.submit("--provider", "first")
    for task in [*tasks.values(), late]:
        daemon.wait_task(task, "success")
    assert recorder.all("GET") == []
    assert [key_of(e) for e in recorder.all("POST")] == [*KEYS.values(), "newer"]
    assert len(sim.ledger("create")) == 3
    assert all(e["status"] == 200 for e in sim.ledger("callback"))


def test_a_key_that_is_no_longer_named_proves_nothing(run):
    recorder, sim, daemon = two_accounts(run, "--time", "1s")
    task = daemon.submit("--provider", "first")
    conf = daemon.conf
    conf["providers"]["first"]["key"] = {"file": str(run.file("newer.key", "newer"))}
    daemon.write(conf)
    daemon.reload()
    daemon.wait_log("config.reloaded")
    sim.wait_ledger("callback", status=401)
    assert daemon.task(task)["state"] != "success"
