# SPDX-License-Identifier: MIT
"""The command people type: help, exit statuses, JSON, filters, prefixes, terminals."""
import fcntl
import json
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import termios
import time

import pytest

from harness import DEADLINE, ROOT, SIM_KEY, leftovers, program, viduhook, wait_for

FAST = ("--time", "20ms", "--retry-gap", "20ms")
CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
COMMANDS = ["submit", "list", "show", "explain", "watch", "runs", "tail", "files", "retry", "cancel-run",
            "replay", "pause", "resume", "trigger", "adopt", "import", "cancel", "sign", "verify", "status",
            "credits", "spend", "reload", "doctor", "config show", "config check", "config options",
            "config placeholders", "init", "sim"]
PLAIN = ("submit", "text2video", "--model", "viduq3-turbo", "--prompt", "a paper boat")
ASKING = [("list",), ("show", "t"), ("explain", "t"), ("runs",), ("tail", "1"), ("files",), ("status",),
          ("reload",), ("watch",), ("retry", "1"), ("replay", "t"), ("cancel-run", "1"),
          ("trigger",),
          ("adopt", "1", "--provider", "vidu"), ("pause", "h"), ("resume", "h"), ("cancel", "t"), ("credits",), ("spend",),
          ("config", "show"), PLAIN]
HOSTILE = "\x1b[2J\x1b]0;owned\x07 red \x9b31m \u202egnirts\u2066 \r\n\tx \x00 \x7f\ufeff"
EVIL = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def hook(run, **more):
    return {"name": "note", "exec": ["/bin/sh", "-c", "echo done"], **more}


# -- help and usage -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["option", "short", "help"])
def test_every_command_explains_itself(command, form):
    words = command.split()
    args = {"option": [*words, "--help"], "short": [*words, "-h"], "help": ["help", *words]}[form]
    done = viduhook(*args)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: viduhook {command}")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_overview_names_every_command():
    for args in (["help"], ["--help"], ["-h"], ["help", "help"], ["help", "--help"]):
        done = viduhook(*args)
        assert done.returncode == 0
        for command in COMMANDS:
            assert re.search(rf"^  {command} ", done.stdout, re.M), command
    assert viduhook("help", "--names").stdout.split() == list(
        dict.fromkeys(c.split()[0] for c in COMMANDS))
    assert "viduhook" in viduhook("--version").stdout


@pytest.mark.parametrize("args, said", [
    ([], "no command"), (["lst"], "did you mean list"), (["config"], "config"),
    (["config", "shw"], "config show"), (["list", "--stat", "x"], "did you mean --state"),
    (["list", "--limit", "x"], "not a whole number"), (["list", "--state", "odd"], "no such state"),
    (["list", "word"], "too many"), (["show"], "missing"), (["show", "a", "b"], "too many"),
    (["runs", "--state", "odd"], "no such state"), (["retry"], "--dead"),
    (["retry", "x1"], "not the number"), (["retry", "1", "--dead"], "--dead"),
    (["submit"], "missing"), (["submit", "text2video", "prompt"], "--prompt"),
    (["submit", "nonsense"], "unknown endpoint"), (["submit", "text2video", "--timeout", "soon"],
                                                   "duration"),
    (["submit", "text2video", "--set", "novalue"], "NAME=VALUE"),
    (["submit", "text2video", "--tag", "=x"], "--tag"),
    (["submit", "text2video", "--model"], "needs"), (["sign"], "--url"), (["verify"], "--url"),
    (["list", "-c", "/no/such/file"], "/no/such/file"), (["list", "-z"], "-z"),
    (["list", "--limit", "0"], "1 to 9999"), (["runs", "-l", "10000"], "1 to 9999"),
    (["submit", "text2video", "--subject", "bob="], "--subject bob="),
    (["adopt", "", "-p", "vidu"], "'': not an id"),
    (["adopt", "1", "-p", "vidu", "--endpoint", "odd"], "--endpoint: unknown endpoint odd"),
    (["adopt"], "missing"), (["adopt", "1"], "--provider"), (["list", "--json=yes"], "no value"),
    (["sim", "--nonsense"], "nonsense"), (["sim", "--swich", "x"], "did you mean --switch?"),
    (["sim", "--switch", "duplicat"], "did you mean duplicate?"), (["help", "nonsense"], "nonsense"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_usage_ends_with_2_and_says_why(args, said):
    done = viduhook(*args)
    assert done.returncode == 2, done
    assert said in done.stderr and done.stdout == ""


def test_a_mistake_is_json_wherever_json_stands():
    for args in (["list", "--bogus", "--json"], ["--json", "list", "--bogus"],
                 ["--bogus", "list", "--json"]):
        done = viduhook(*args)
        assert done.returncode == 2
        assert json.loads(done.stdout) == {"error": "unknown option --bogus"}


def test_the_id_is_told_in_json_when_waiting_fails(run):
    _, daemon = run.stack("--time", "1h")
    status, answer = daemon.cli(*PLAIN, "--timeout", "50ms", check=False)
    task = daemon.cli("list")[1]["tasks"][0]["id"]
    assert status == 6 and answer["error"] and answer["task"] == task
    status, answer = daemon.cli("watch", task[:5], "--timeout", "50ms", check=False)
    assert status == 6 and answer["error"] and answer["task"] == task


def test_the_id_is_told_when_a_trigger_takes_too_long(run):
    _, daemon = run.stack(hooks=[{"name": "long", "exec": ["/bin/sleep", "5"], "timeout": "1s"}])
    status, answer = daemon.cli("trigger", "--hook", "long", "--timeout", "50ms", check=False)
    assert status == 6 and daemon.runs()[0]["task"] == answer["task"]


# -- exit statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize("args", ASKING, ids=lambda a: a[0])
def test_without_a_daemon_the_status_is_7(run, args):
    done = viduhook("--socket", run.home / "none", "--json", *args)
    assert done.returncode == 7
    assert "none" in json.loads(done.stdout)["error"] and done.stderr.startswith("viduhook: ")


def test_something_else_behind_the_socket_is_no_daemon(run):
    path = run.file("socket", "not a socket")
    assert viduhook("--socket", path, "list").returncode == 7


def test_unknown_things_are_4(run):
    _, daemon = run.stack(*FAST)
    for args in (("show", "tzzz"), ("explain", "tzzz"), ("watch", "tzzz"), ("retry", 99)):
        status, answer = daemon.cli(*args, check=False)
        assert status == 4 and answer["error"], args


def test_prefixes_of_ids(run):
    _, daemon = run.stack(*FAST)
    one, two = daemon.submit(), daemon.submit()
    common = os.path.commonprefix([one, two])
    assert daemon.task(one[:len(common) + 1])["id"] == one
    assert daemon.cli("explain", two[:len(common) + 1])[1]["task"]["id"] == two
    for prefix, said in ((common, "several"), (one + "x", "no task"), ("%", "no task"),
                         ("t_", "no task"), ("*", "no task")):
        status, answer = daemon.cli("show", prefix, check=False)
        assert status == 4 and said in answer["error"], prefix
    assert daemon.cli("show", "", check=False)[0] == 2
    assert daemon.cli("watch", one[:len(common) + 1])[0] == 0


def test_watch_ends_as_the_task_does(run):
    hooks = [hook(run), {"name": "bad", "match": {"tags": ["bad"]}, "exec": ["/bin/false"],
                         "retry": {"attempts": 1}}]
    _, daemon = run.stack("--time", "150ms", "--switch", "policy-failure=1", hooks=hooks)
    assert daemon.cli("watch", daemon.submit(), check=False)[0] == 8
    assert daemon.cli("watch", daemon.submit(), check=False)[0] == 0
    assert daemon.cli("watch", daemon.submit("--tag", "bad"), check=False)[0] == 1
    assert daemon.cli("watch", "--timeout", "100ms", check=False)[0] == 6


# -- JSON -----------------------------------------------------------------------------------------


def test_every_command_speaks_json(run):
    sim, daemon = run.stack(*FAST, hooks=[hook(run, on=["success", "test"])])
    task = daemon.submit("--tag", "a=b")
    daemon.wait_runs("done")
    secret = run.file("secret", "x")
    for args in (["list"], ["show", task], ["explain", task], ["runs"], ["status"], ["reload"],
                 ["config", "show"], ["config", "show", "--file"], ["config", "check"],
                 ["config", "options"], ["trigger"], ["retry", "--dead"],
                 ["adopt", sim.create()["task_id"], "--provider", "vidu"],
                 ["sign", "--url", "https://x/", "--secret-file", secret],
                 ["submit", "text2video", "--model", "m", "--prompt", "x", "--dry-run"],
                 ["init", run.home / "new"]):
        done = daemon.command("--json", *args)
        assert done.returncode == 0, done
        assert isinstance(json.loads(done.stdout), (dict, list)), args
    for args in (["show", "x"], ["verify", "--url", "https://x/", "--secret-file", secret],
                 ["init", run.home / "new"], ["list", "--state", "odd"]):
        done = daemon.command("--json", *args)
        assert done.returncode != 0 and isinstance(json.loads(done.stdout), dict), args


def test_watch_speaks_json_lines(run):
    _, daemon = run.stack("--time", "100ms", hooks=[hook(run)])
    task = daemon.submit()
    done = daemon.command("--json", "watch", task)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {e["task"] for e in events} == {task}
    states = [e["state"] for e in events if e["event"] == "task"]
    assert states[-1] == "success" and set(states) <= {"submitted", "processing", "success"}
    assert [e["state"] for e in events if e["event"] == "run"][-2:] == ["running", "done"]
    times = [e["at"] for e in events]
    assert times == sorted(times)


def test_watch_without_an_id_sees_all_tasks(run):
    _, daemon = run.stack(*FAST)
    with subprocess.Popen([program("viduhook"), "-c", daemon.conf_path, "--json", "watch",
                           "--timeout", "20s"], stdout=subprocess.PIPE, text=True) as watching:
        wait_for(lambda: (daemon.submit(), select.select([watching.stdout], [], [], 0.2)[0])[1],
                 "event of any task")
        tasks = [daemon.submit(), daemon.submit()]
        seen = set()
        while seen != set(tasks):
            event = json.loads(watching.stdout.readline())
            if event["task"] in tasks and event.get("state") == "success":
                seen.add(event["task"])
        watching.terminate()


# -- lists ----------------------------------------------------------------------------------------


def test_list_filters(run):
    _, daemon = run.stack(*FAST, "--switch", "policy-failure=1", providers=["vidu", "vidu-cn"])
    failed = daemon.submit("--tag", "album=x")
    daemon.wait_task(failed, "failed")
    good = daemon.submit("--tag", "album=y")
    daemon.wait_task(good, "success")
    other = daemon.submit("--provider", "vidu-cn")
    daemon.wait_task(other, "success")

    def listed(*args):
        return [t["id"] for t in daemon.cli("list", *args)[1]["tasks"]]

    assert listed() == [other, good, failed]
    assert listed("--state", "failed") == [failed]
    assert listed("--state", "success") == [other, good]
    assert listed("--state", "lost") == []
    assert listed("--provider", "vidu") == [good, failed]
    assert listed("--tag", "album") == [good, failed] and listed("--tag", "album=x") == [failed]
    assert listed("--limit", 2) == [other, good] and listed("--limit", 1, "--provider", "vidu") == [
        good]
    assert listed("--state", "success", "--provider", "vidu", "--tag", "album=y") == [good]
    done = daemon.command("list", "--state", "lost")
    assert done.returncode == 0 and done.stdout == "" and "no tasks" in done.stderr


def test_runs_filters(run):
    hooks = [hook(run), {"name": "bad", "exec": ["/bin/false"], "retry": {"attempts": 1}}]
    _, daemon = run.stack(*FAST, hooks=hooks)
    one, two = daemon.submit(), daemon.submit()
    wait_for(lambda: len(daemon.runs("--state", "dead")) == len(daemon.runs("--state", "done")) == 2,
             "four runs")
    assert {r["task"] for r in daemon.runs("--task", one)} == {one}
    assert len(daemon.runs("--task", two)) == 2
    assert {r["hook"] for r in daemon.runs("--state", "dead")} == {"bad"}
    assert {r["state"] for r in daemon.runs("--hook", "note")} == {"done"}
    assert len(daemon.cli("runs", "--limit", 3)[1]["runs"]) == 3


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_tasks_can_be_read_without_the_daemon(run, end):
    download = {"name": "dl", "after": "note", "download": {"dir": str(run.home / "media")}}
    _, daemon = run.stack(*FAST, hooks=[hook(run), download])
    task = daemon.submit("--tag", "a=b")
    daemon.wait_runs("done", "done")
    daemon.submit("--tag", "a=c")
    daemon.wait_runs(*["done"] * 4)
    daemon.cli("trigger", "--hook", "note")  # what it was given is kept as well
    asked = (["list"], ["show", task], ["explain", task], ["runs"], ["list", "--tag", "a"],
             ["show", task[:6]], ["files"], ["files", "--task", task])
    before = [daemon.cli(*args)[1] for args in asked]
    wrong = (["show", "tzzz"], ["explain", "t"], ["show", ""], ["runs", "--task", "tzzz"])
    refused = [daemon.cli(*args, check=False) for args in wrong]
    getattr(daemon, end)()
    wait_for(lambda: not any("viduhookd: " in c for c in leftovers(run.known).values()),
             "end of all rooms")
    for args, answer in zip(asked, before):
        status, after = daemon.cli(*args)
        assert status == 0 and after == answer, args
    assert [daemon.cli(*args, check=False) for args in wrong] == refused
    assert daemon.cli("status", check=False)[0] == 7
    daemon = run.daemon(conf=daemon.conf)  # and reading has left it usable
    assert daemon.task(task)["state"] == "success"


def test_an_answer_that_is_too_large_is_said_to_be(run):
    noisy = {"name": "noisy", "exec": ["/bin/sh", "-c", (
        "head -c 3000000 /dev/zero | tr '\\0' '\\1'")]}
    _, daemon = run.stack(*FAST, hooks=[noisy], limits={"output": "4MiB"})
    daemon.submit()
    daemon.submit()
    wait_for(lambda: "done 2" in daemon.command("status").stdout, "two runs")
    status, answer = daemon.cli("runs", check=False)
    assert status == 1 and "--limit" in answer["error"]
    assert len(daemon.cli("runs", "--limit", 1)[1]["runs"]) == 1


def test_an_empty_store_lists_nothing(run):
    _, daemon = run.stack(*FAST)
    assert daemon.cli("list")[1] == {"tasks": []} and daemon.cli("runs")[1] == {"runs": []}
    assert daemon.command("runs").stdout == ""


# -- the story of a task --------------------------------------------------------------------------


def test_explain_tells_everything_in_order(run):
    _, daemon = run.stack(*FAST, "--switch", "duplicate", hooks=[hook(run)])
    task = daemon.submit()
    daemon.wait_runs("done")
    wait_for(lambda: sum(e["verdict"] == "duplicate"
                         for e in daemon.cli("explain", task)[1]["events"]) == 2, "duplicates")
    story = daemon.cli("explain", task)[1]
    events = story["events"]
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)
    told = [(e["source"], e["verdict"]) for e in events]
    assert told[:2] == [("submit", "registered"), ("submit", "submitted")]
    assert told.count(("callback", "accepted")) == 2 and ("hook", "done") in told
    text = daemon.command("explain", task).stdout
    places = [text.index(word) for word in ("registered", "submitted", "processing", "note")]
    assert places == sorted(places) and story["runs"][0]["output"] == "done\n"


def test_urls_are_cut_unless_asked_for(run):
    _, daemon = run.stack(*FAST)
    task = daemon.submit()
    daemon.wait_task(task, "success")
    for args in (["show", task], ["--json", "show", task]):
        assert "sig=" not in daemon.command(*args).stdout
        assert "sig=" in daemon.command(*args, "--urls").stdout


# -- configuration --------------------------------------------------------------------------------


def test_a_reload_with_a_mistake_changes_nothing_and_shows_it(run):
    _, daemon = run.stack(*FAST, hooks=[hook(run)])
    good = daemon.conf
    daemon.write({**good, "retian": "1d", "receivers": "many"})
    done = daemon.command("reload")
    assert done.returncode == 1
    found = re.findall(rf"{re.escape(str(daemon.conf_path))}:\d+:\d+: .*", done.stderr)
    assert any("retian" in f and "retain" in f for f in found), done.stderr
    assert any("receivers" in f for f in found)
    status, answer = daemon.cli("reload", check=False)
    assert status == 1 and len(answer["findings"]) == 2 and answer["error"]
    assert daemon.cli("list")[0] == 0  # the mistake does not lock people out
    daemon.submit()
    daemon.wait_runs("done")
    daemon.write(good)
    assert daemon.command("reload").stdout == "reloaded\n"


def test_check_reports_every_mistake(run):
    _, daemon = run.stack(*FAST)
    assert daemon.command("config", "check").returncode == 0
    bad = run.file("bad.yaml", "public_url: ftp://x\nlisten: ['https://[::]:1']\nlimts: {}\n")
    status, answer = daemon.cli("config", "check", bad, check=False)
    assert status == 1 and answer["ok"] is False and len(answer["findings"]) >= 3
    assert {f["file"] for f in answer["findings"]} == {str(bad)}
    text = daemon.command("config", "check", bad).stderr
    assert f"{bad}:3:1: " in text and "limits" in text


def test_config_show_has_no_secrets(run):
    run.file("hidden.key", "vda_very_secret")
    sim = run.sim("--ca", run.ca())
    conf = run.conf(sim)
    conf["providers"]["vidu"]["key"] = {"env": "THE_KEY"}
    conf["providers"]["vidu"]["callback_secret"] = {"file": str(run.home / "hidden.key")}
    daemon = run.daemon(conf=conf, env={"THE_KEY": "vda_other_secret"})
    for args in (["config", "show"], ["config", "show", "--file"]):
        done = subprocess.run([program("viduhook"), "-c", daemon.conf_path, *args], text=True,
                              capture_output=True, env={**os.environ, "THE_KEY": "vda_other_secret"})
        assert done.returncode == 0, done
        assert "secret" not in done.stdout.replace("callback_secret", "")
        assert "THE_KEY" in done.stdout and "hidden.key" in done.stdout
        assert f"control: {conf['control']}" in done.stdout


def test_config_show_says_what_is_wrong_with_a_file_that_no_daemon_has(run):
    path = run.file("viduhook.yaml", f"control: {run.home}/none.sock\nreceivers: 0\n")
    done = viduhook("-c", path, "config", "show")
    assert done.returncode == 7 and f"{run.home}/none.sock does not exist" in done.stderr
    assert f"{path}:2:12: 'receivers' is out of range" in done.stderr


def test_what_config_show_prints_is_a_configuration(run):
    _, daemon = run.stack(*FAST, hooks=[hook(run, match={"tags": ["a=b*"]}, timeout="90s")])
    shown = run.file("shown.yaml", daemon.command("config", "show").stdout)
    assert daemon.command("config", "check", shown).returncode == 0
    again = viduhook("-c", shown, "config", "show", "--file")
    assert again.stdout == shown.read_text()


def test_options_of_the_configuration_are_listed():
    rows = [line.split("\t") for line in viduhook("config", "options").stdout.splitlines()]
    assert {len(r) for r in rows} == {5} and all(r[0] and r[1] and r[4] for r in rows)
    assert [r[0] for r in rows] == [o["name"] for o in json.loads(
        viduhook("--json", "config", "options").stdout)]


def test_init_writes_what_runs_and_never_twice(run):
    folder = run.home / "new"
    assert viduhook("init", folder).returncode == 0
    made = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    assert made.keys() >= {"viduhook.yaml", "cert.pem", "key.pem", "vidu.key"}
    for name in ("key.pem", "vidu.key"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert viduhook("-c", folder / "viduhook.yaml", "config", "check").returncode == 0
    again = viduhook("init", folder)
    assert again.returncode == 1 and "exists" in again.stderr
    assert made == {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    (folder / "viduhook.yaml").unlink()
    assert viduhook("init", folder).returncode == 0  # keys that are there are kept
    assert (folder / "key.pem").read_bytes() == made["key.pem"]
    (folder / "viduhook.yaml").unlink()
    (folder / "cert.pem").unlink()
    again = viduhook("init", folder)  # nor is a key alone replaced
    assert again.returncode == 1 and "key.pem is there without cert.pem" in again.stderr
    odd = run.home / "it's new"
    said = viduhook("init", odd).stdout
    line = next(line for line in said.splitlines() if "viduhookd -c" in line)
    assert shlex.split(line)[2] == f"{odd}/viduhook.yaml"
    read_key = re.search(r"\$\((.*)\)", said)[1]
    assert subprocess.check_output(["sh", "-c", read_key]) == (odd / "vidu.key").read_bytes()
    assert (folder / "key.pem").read_bytes() == made["key.pem"]


# -- signatures -----------------------------------------------------------------------------------


DATE, NONCE = "Tue, 06 May 2025 12:09:42 GMT", "123e4567-e89b-12d3-a456-426614174000"
V01 = "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA="
URL = "https://hooks.example/vidu/callback?name=james&age=36"


def test_sign_gives_the_documented_signature_and_verify_believes_it(run):
    secret = run.file("secret", "your_secret_token\n")
    signed = viduhook("sign", "--url", URL, "--secret-file", secret, "--date", DATE, "--nonce", NONCE)
    assert signed.returncode == 0
    headers = signed.stdout.splitlines()
    assert len(headers) == 6 and f"X-HMAC-SIGNATURE: {V01}" in headers
    options = [word for h in headers for word in ("-H", h)]
    good = viduhook("verify", "--url", URL, "--secret-file", secret, *options)
    assert good.returncode == 0
    request = run.file("request", "\r\n".join(
        ["POST /vidu/callback?name=james&age=36 HTTP/1.1", "Host: x", *headers, "", '{"a":1}']))
    assert viduhook("verify", request, "--secret-file", secret).returncode == 0
    assert viduhook("verify", "-", "--secret-file", secret,
                    stdin=request.read_text()).returncode == 0


@pytest.mark.parametrize("change", [
    ("age=36", "age=37"), (NONCE, NONCE[:-1] + "1"), ("12:09:42", "12:09:43"), (V01, V01.lower()),
    (V01, "PrO4-kG4W-b3HOSimdHMHn8pnQ6YXQTseBDC_8yvvNA"), ("hmac-sha256", "hmac-sha1"),
    ("Date;x-request-nonce", "Date"), ("POST", "GET"), ("X-HMAC-ACCESS-KEY: vidu\r\n", ""),
], ids=["query", "nonce", "date", "case", "url64", "algorithm", "list", "method", "missing"])
def test_verify_refuses_what_was_changed(run, change):
    secret = run.file("secret", "your_secret_token")
    signed = viduhook("sign", "--url", URL, "--secret-file", secret, "--date", DATE, "--nonce", NONCE)
    text = "\r\n".join(["POST /vidu/callback?name=james&age=36 HTTP/1.1",
                        *signed.stdout.splitlines(), "", ""])
    assert change[0] in text
    request = run.file("request", text.replace(*change))
    done = viduhook("verify", request, "--secret-file", secret)
    assert done.returncode == 1 and "string to sign" in done.stdout
    assert "your_secret_token" not in done.stdout + done.stderr


def test_secrets_come_from_the_environment_or_standard_input_too(run):
    env = {**os.environ, "S": "your_secret_token"}
    args = [program("viduhook"), "sign", "--url", URL, "--date", DATE, "--nonce", NONCE]
    for more, given in ((["--secret-env", "S"], ""), (["--secret-file", "-"], env["S"])):
        done = subprocess.run([*args, *more], env=env, input=given, text=True, capture_output=True)
        assert V01 in done.stdout
    assert subprocess.run([*args, "--secret-env", "NONE"], capture_output=True).returncode == 1


# -- status ---------------------------------------------------------------------------------------


def test_status_counts_and_names_the_rooms(run):
    _, daemon = run.stack(*FAST, hooks=[hook(run)])
    assert re.search(r"^tasks +none\nruns +none$", daemon.command("status").stdout, re.M)
    daemon.submit()
    daemon.wait_runs("done")
    answer = daemon.cli("status")[1]
    assert {r["name"] for r in answer["rooms"]} == {"runner", "gateway", "receiver 1"}
    assert all(r["phase"] == "up" and r["pid"] > 0 for r in answer["rooms"])
    assert answer["tasks"] == {"success": 1} and answer["runs"] == {"done": 1}
    assert answer["verdicts"]["accepted"] == 2
    text = daemon.command("status").stdout
    assert "gateway" in text and "accepted 2" in text and SIM_KEY not in text


# -- terminals ------------------------------------------------------------------------------------


def on_terminal(daemon, *args, columns=80, env=None, seconds=DEADLINE):
    """(exit status, everything that was printed) of a command that has a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    child = subprocess.Popen([program("viduhook"), "-c", daemon.conf_path, *map(str, args)],
                             stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
                             env={**clean, "TERM": "xterm", **(env or {})})
    os.close(theirs)
    out, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # nobody holds the other side any more
            break
        out += piece
    os.close(ours)
    return child.wait(5), out.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_tables_fit_the_terminal(run, columns):
    _, daemon = run.stack(*FAST, hooks=[hook(run)])
    daemon.submit(prompt="a very long prompt " * 20)
    daemon.submit(prompt="\u7eb8\u8239\u6f02\u8fc7\u6c34\u5751" * 40)
    daemon.wait_runs("done", "done")
    for args in (["list"], ["runs"]):
        status, text = on_terminal(daemon, *args, columns=columns)
        assert status == 0 and "\x1b[32m" in text
        for line in COLOR.sub("", text).splitlines():
            wide = sum(2 if ord(c) >= 0x4e00 else 1 for c in line)
            assert wide <= columns, line


def test_colours_are_for_terminals_that_want_them(run):
    _, daemon = run.stack(*FAST)
    daemon.wait_task(daemon.submit(), "success")
    assert "\x1b" in on_terminal(daemon, "list")[1]
    assert "\x1b" not in on_terminal(daemon, "list", env={"NO_COLOR": "1"})[1]
    assert "\x1b" not in on_terminal(daemon, "list", "--no-color")[1]
    assert "\x1b" not in on_terminal(daemon, "list", env={"TERM": "dumb"})[1]
    assert "\x1b" in on_terminal(daemon, "list", env={"NO_COLOR": ""})[1]
    assert "\x1b" not in daemon.command("list").stdout


def test_waiting_for_a_file_shows_progress_and_leaves_a_clean_line(run):
    _, daemon = run.stack("--time", "500ms", "--switch", "slow")
    out = run.home / "x.mp4"
    status, text = on_terminal(daemon, *PLAIN, "-o", out, columns=60)
    assert status == 0 and out.read_bytes() == CLIP
    assert "processing" in text and "%" in text and "[#" in text
    drawn = [piece.split("\x1b[K")[0] for piece in text.split("\r") if "%" in piece]
    assert drawn and max(map(len, drawn)) < 60
    last = text.rstrip("\n").split("\n")[-1].split("\x1b[K")[-1]
    assert last == f"{out} saved (17.0 KiB)"


def test_without_a_terminal_there_is_no_progress_line(run):
    _, daemon = run.stack(*FAST, "--switch", "slow")
    status, text = on_terminal(daemon, *PLAIN, "--wait", env={"TERM": "dumb"})
    assert status == 0 and "\r" not in text and "\x1b" not in text and "success" in text
    out = run.home / "x.mp4"
    done = daemon.command(*PLAIN, "-o", out)
    assert done.returncode == 0 and "\r" not in done.stderr and "\x1b" not in done.stderr
    assert re.fullmatch(r"t[a-z2-7]{12}\n", done.stdout)
    assert "success" in done.stderr and str(out) in done.stderr


def test_watch_on_a_terminal_shows_a_bar(run):
    hooks = [{"name": "dl", "download": {"dir": str(run.home / "media"), "cover": "no"}}]
    # slow enough for the watch to be there before the end
    _, daemon = run.stack("--time", "1s", "--switch", "slow", hooks=hooks)
    status, text = on_terminal(daemon, "watch", daemon.submit())
    assert status == 0 and "%" in text and "[#" in text and "success" in text


def test_nothing_a_stranger_wrote_reaches_the_terminal_raw(run):
    """Prompts, tags, output of hooks: control bytes and direction marks are shown, not sent."""
    talk = run.file("talk", "#!/bin/sh\nprintf '\\033[2J\\007\\233\\n'\necho \"$VIDUHOOK_PROMPT\"\n",
                    0o755)
    _, daemon = run.stack(*FAST, hooks=[{"name": "h", "exec": [str(talk)]}])
    body = {"model": "viduq3-turbo", "prompt": HOSTILE.replace("\0", ""), "payload": HOSTILE}
    task = daemon.cli("submit", "text2video", "-", "--tag", "x=\x1b[31m\u202e",
                      stdin=json.dumps(body))[1]["task"]
    done, = daemon.wait_runs("done")
    assert "[2J" in done["output"]
    for args in (["list"], ["show", task], ["explain", task], ["runs"], ["watch", task]):
        status, text = on_terminal(daemon, *args, columns=200)
        left = COLOR.sub("", text.replace("\r\x1b[K", ""))
        assert status == 0 and not EVIL.search(left) and "\x1b" not in left, (args, text)
        assert "\x1b[31m\u202e" not in text
        for more in ([], ["--json"]):
            printed = daemon.command(*more, *args).stdout
            assert not EVIL.search(printed) and "\x1b" not in printed, args
    assert daemon.cli("show", task)[1]["task"]["prompt"] == body["prompt"]


def test_a_reader_that_goes_away_is_no_disaster(run):
    _, daemon = run.stack(*FAST)
    for _ in range(3):
        daemon.submit()
    with subprocess.Popen([program("viduhook"), "-c", daemon.conf_path, "list", "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode in (0, 1)
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("viduhook"), "-c", daemon.conf_path, "list"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space" in done.stderr
