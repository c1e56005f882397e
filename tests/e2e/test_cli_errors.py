# SPDX-License-Identifier: MIT
"""What the command says when something is wrong: errors in JSON, results that nobody takes."""
import json
import os
import subprocess

import pytest

from harness import program, viduhook, wait_for

FAST = ("--time", "20ms", "--retry-gap", "20ms")
PLAIN = ("submit", "text2video", "--model", "viduq3-turbo", "--prompt", "a paper boat")


def without(*descriptors):
    """For subprocess: closes these in the child."""
    return lambda: [os.close(fd) for fd in descriptors]


def into_full(daemon, *args):
    """The command with a disk that is full behind its output: (status, stderr)."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("viduhook"), "-c", daemon.conf_path, *args], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("args, said", [
    (["frob", "--json"], "unknown command frob"), (["config", "--json"], "unknown command config;"),
    (["help", "frob", "--json"], "unknown command frob")], ids=lambda v: v[0] if isinstance(v, list) else "")
def test_an_unknown_command_is_json_wherever_json_stands(args, said):
    done = viduhook(*args)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"].startswith(said)


def test_versions_are_told_behind_a_command_too():
    done = viduhook("list", "--version")
    assert done.returncode == 0 and done.stdout == viduhook("--version").stdout


def test_several_failures_are_one_document(run):
    _, daemon = run.stack(*FAST, hooks=[{"name": "note", "exec": ["/bin/true"]}])
    daemon.submit()
    daemon.wait_runs("done")
    status, answer = daemon.cli("retry", 99, 1, 98, check=False)
    assert status == 4 and answer == {"runs": [1], "error": "there is no run 99"}


def test_errors_of_commands_that_print_lines_are_lines(run):
    _, daemon = run.stack(*FAST)
    for args, status in ((("watch", "--timeout", "50ms"), 6), (("watch", "tzzz"), 4), (("tail", "9"), 4)):
        done = daemon.command("--json", *args)
        assert done.returncode == status and done.stdout.count("\n") == 1
        assert json.loads(done.stdout)["error"]


def test_an_error_with_foreign_bytes_is_json(run):
    (run.home / "request").write_bytes(b"POST \xff HTTP/1.1\r\n\r\n")
    run.file("secret", "s")
    done = viduhook("--json", "verify", run.home / "request", "--secret-file", run.home / "secret")
    assert done.returncode == 2 and "\\xff" in json.loads(done.stdout)["error"]
    done = viduhook("--json", "list", "--state", "ä" * 1000)
    assert json.loads(done.stdout)["error"].endswith("ä")


def test_findings_in_a_file_with_a_strange_name_are_told(run):
    folder = run.home / "new"
    assert viduhook("init", folder).returncode == 0
    (folder / "conf.d").mkdir()
    with open(os.fsencode(folder) + b"/conf.d/\xff.yaml", "w") as strange:
        strange.write("bad: 1\n")
    found = json.loads(viduhook("--json", "config", "check", folder / "viduhook.yaml").stdout)
    assert [f["text"] for f in found["findings"]] == ["unknown option 'bad'"]
    assert found["findings"][0]["file"].endswith("conf.d/\\xff.yaml")


def test_a_configuration_that_cannot_be_shown_is_the_reason(run):
    path = run.file("bad.yaml", f"control: {run.home}/none\nbad: 1\n")
    done = viduhook("-c", path, "config", "show")
    assert done.returncode == 7 and "unknown option 'bad'" in done.stderr


@pytest.mark.parametrize("args", [(*PLAIN, "--wait"), ("list",), ("config", "options")],
                         ids=["submit", "list", "options"])
def test_a_result_that_cannot_be_written_is_a_failure(run, args):
    _, daemon = run.stack(*FAST)
    daemon.submit()
    status, said = into_full(daemon, *args)
    assert status == 1 and said.count("writing the output: No space left on device") == 1


def test_nothing_is_written_in_the_place_of_a_closed_output(run):
    _, daemon = run.stack(*FAST)
    done = subprocess.run([program("viduhook"), "-c", daemon.conf_path, *PLAIN, "--wait"],
                          stderr=subprocess.PIPE, text=True, preexec_fn=without(1), timeout=60)
    assert done.returncode == 1 and "Bad file descriptor" in done.stderr


def test_a_daemon_without_a_log_writes_it_nowhere(run):
    """The descriptors of its log are not those of its store or its sockets."""
    sim = run.sim("--ca", run.ca())
    daemon = run.daemon(sim, wait=False, popen={"preexec_fn": without(0, 1, 2)})
    wait_for(lambda: daemon.cli("status", check=False)[0] == 0, "an answer")
    for fd in (0, 1, 2):
        assert os.readlink(f"/proc/{daemon.pid}/fd/{fd}") == "/dev/null"
