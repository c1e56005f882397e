# SPDX-License-Identifier: MIT
"""The files that downloads stored: `viduhook files`."""
import hashlib
import os
import pathlib

import pytest

from harness import LOOPBACK, ROOT, wait_for

CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
FAST = ("--time", "20ms", "--retry-gap", "20ms")


@pytest.fixture
def library(run):
    """(daemon, the tasks of two downloads), each a video and a cover."""
    sim = run.sim("--ca", run.ca(), *FAST)
    daemon = run.daemon(
        sim, hooks=[{"name": "dl", "download": {"dir": str(run.home / "media")}}],
        fetch={"allow": [f"{LOOPBACK}:{sim.port}"]})
    tasks = [daemon.submit(), daemon.submit()]
    daemon.wait_runs("done", "done")
    return daemon, tasks


def stored(daemon, *args, status=0):
    done, answer = daemon.cli("files", *args, check=False)
    assert done == status, answer
    return answer["files"]


def states(daemon, *args, status):
    return {f["path"]: f["state"] for f in stored(daemon, "--verify", *args, status=status)}


def test_every_stored_file_is_listed_with_size_and_digest(library):
    daemon, tasks = library
    files = stored(daemon)
    assert len(files) == 4 and {f["task"] for f in files} == set(tasks)
    for f in files:
        content = pathlib.Path(f["path"]).read_bytes()
        assert f["bytes"] == len(content)
        assert f["sha256"] == hashlib.sha256(content).hexdigest()
        assert "state" not in f
    assert [f["task"] for f in stored(daemon, "--task", tasks[0])] == [tasks[0]] * 2
    said = daemon.command("files")
    assert said.returncode == 0 and len(said.stdout.splitlines()) == 5
    assert files[0]["sha256"][:12] in said.stdout and files[0]["path"] in said.stdout
    assert said.stderr.startswith("4 files, ")


def test_verifying_finds_what_is_missing_or_changed(library):
    daemon, tasks = library
    assert set(states(daemon, status=0).values()) == {"ok"}
    video, gone = [f["path"] for f in stored(daemon, "--task", tasks[0])]
    os.unlink(gone)
    with open(video, "r+b") as f:
        f.seek(len(CLIP) // 2)
        f.write(bytes([f.read(1)[0] ^ 1]))
    seen = states(daemon, status=1)
    assert seen.pop(gone) == "missing" and set(seen.values()) == {"ok", "changed"}
    assert seen[video] == "changed"
    assert set(states(daemon, "--task", tasks[1], status=0).values()) == {"ok"}
    said = daemon.command("files", "--verify")
    assert said.returncode == 1
    assert f"{gone}: is not there" in said.stderr
    assert f"{video}: holds other bytes than were stored" in said.stderr
    assert said.stderr.splitlines()[-1].endswith("; 1 missing; 1 changed")


def test_without_files_there_is_no_table_and_nothing_is_wrong(run):
    daemon = run.daemon(run.sim("--ca", run.ca(), *FAST))
    assert stored(daemon, "--verify") == []
    said = daemon.command("files")
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "0 files, 0 B\n")


def test_a_task_that_is_not_there_is_said(library):
    daemon, _ = library
    done, _ = daemon.cli("files", "--task", "zzz", check=False)
    assert done == 4


# -- max_total ------------------------------------------------------------------------------------


def limited(run, **download):
    sim = run.sim("--ca", run.ca(), *FAST)
    return run.daemon(sim, fetch={"allow": [f"{LOOPBACK}:{sim.port}"]}, hooks=[
        {"name": "dl", "retry": {"from": "20ms", "to": "50ms"},
         "download": {"dir": str(run.home / "media"), "cover": "no", **download}}])


def videos(run):
    return sorted((run.home / "media").rglob("*.mp4"))


def test_the_oldest_results_make_room_for_new_ones_when_asked_for(run):
    daemon = limited(run, layout="folder", sidecar="yes", max_total=2 * len(CLIP) + 9000,
                     prune="yes")
    tasks = []
    for n in range(4):
        tasks.append(daemon.submit())
        runs = daemon.wait_runs(*["done"] * (n + 1))
    assert [v.stem.partition("vidu-")[2][:-1] for v in videos(run)] == sorted(tasks[2:])
    assert len(list((run.home / "media").iterdir())) == 2  # no empty folders
    assert "2 old files" in runs[-1]["detail"]
    assert {f["task"] for f in stored(daemon, "--verify")} == set(tasks[2:])


def test_a_full_library_makes_downloads_wait(run):
    daemon = limited(run, max_total=len(CLIP))
    daemon.submit()
    daemon.wait_runs("done")
    daemon.submit()
    waits, = wait_for(lambda: [r for r in daemon.runs() if r["state"] == "ready" and r["attempt"]
                               and "max_total" in r["detail"]], "run that waits for room")
    assert len(videos(run)) == 1
    step = wait_for(lambda: [n for n in daemon.cli("explain", waits["task"])[1]["next"]
                             if n["kind"] == "ready"], "the step of the run")[0]
    assert "its files take" in step["why"] and "failed" not in step["why"]
