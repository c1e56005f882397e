# SPDX-License-Identifier: MIT
"""Images that do not fit into a request: uploaded beforehand where the provider takes uploads."""
import hashlib
import json
import os
import pathlib
import re
import socket
import threading

import pytest

from harness import LOOPBACK, SIM_KEY, viduhook
from life import rooms
from test_catalogue import CLIP, FAST, PNG, stack, write

MIB = 1 << 20


class Stalled:
    """A provider that reads the head of a request, calls on_head, then reads all that comes."""

    def __init__(self):
        self.heads, self.on_head = [], None
        self.listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                self.heads.append(peer.recv(100))
                self.on_head()
                while peer.recv(1 << 20):
                    pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def image(run, name, size):
    """A large one, different from others of its size."""
    path = write(run, name, PNG + name.encode())
    os.truncate(path, size)
    return path


def test_only_what_does_not_fit_is_uploaded(run):
    recorder, sim, daemon = stack(run)
    sizes = {"a.png": 7 * MIB, "b.png": 8 * MIB, "c.png": 6 * MIB}
    images = [image(run, *item) for item in sizes.items()]
    _, answer = daemon.cli("submit", "reference2video", "--model", "viduq3", "--prompt", "x",
                           *(w for i in images for w in ("--image", i)), "--wait")
    assert answer["state"] == "success"
    put, = sim.ledger("upload")
    content = images[1].read_bytes()
    assert (put["bytes"], put["sha256"]) == (8 * MIB, hashlib.sha256(content).hexdigest())
    assert (put["type"], put["status"]) == ("image/png", 200)
    paths = [(e.method, e.path) for e in recorder.all()]
    assert paths[:3] == [("POST", "/tools/v2/files/uploads"),
                         ("PUT", f"/tools/v2/files/uploads/{put['upload']}/finish"),
                         ("POST", "/ent/v2/reference2video")]
    assert all(e.headers["Authorization"] == f"Token {SIM_KEY}" for e in recorder.all())
    sent = recorder.all("POST")[1].json["images"]
    assert sent[1] == f"ssupload:?id={put['upload']}"
    assert all(sent[i].startswith("data:image/png;base64,") for i in (0, 2))
    assert len(sim.ledger("create")) == 1


def test_every_kind_of_image_can_be_uploaded(run):
    _, sim, daemon = stack(run)
    first, second = image(run, "1.png", 9 * MIB), image(run, "2.png", 9 * MIB)
    daemon.cli("submit", "multiframe", "--model", "viduq2-pro", "--image", first, "--frame",
               f"{second},3", "--frame", "https://h/2", "--wait")
    daemon.cli("submit", "reference2video", "--model", "viduq3", "--prompt", "@a", "--subject",
               f"a={first},{second}", "--wait")
    assert [e["status"] for e in sim.ledger("upload")] == [200, 200]
    assert len(sim.ledger("create")) == 2


@pytest.mark.parametrize("provider, size, message", [
    ("vidu", 16 * MIB, "only images of up to 10 MiB can be uploaded"),
    ("octopusx", 9 * MIB, "octopusx has no way to upload one"),
], ids=["too large", "no uploads"])
def test_what_fits_nowhere_is_an_error_with_the_numbers(run, provider, size, message):
    _, sim, daemon = stack(run, "--gateway", "octopusx", provider=provider)
    done = daemon.command("submit", "start-end2video", "--model", "viduq3-pro", "--image",
                          image(run, "a.png", size), "--image", image(run, "b.png", size))
    assert done.returncode == 1 and message in done.stderr, done.stderr
    total = re.search(r"\((\d+) bytes\) and a provider takes at most 20 MiB \(20971520 bytes\)",
                      done.stderr)
    assert 2 * size * 4 // 3 <= int(total.group(1)) <= 2 * size * 4 // 3 + 1000
    assert sim.ledger() == [] and daemon.cli("list")[1]["tasks"] == []


def test_a_video_is_never_uploaded(run):
    _, sim, daemon = stack(run)
    clip = write(run, "clip.mp4", b"\0\0\0\x18ftypmp42")
    os.truncate(clip, 16 * MIB)
    done = daemon.command("submit", "extend", "--model", "viduq2-pro", "--video", clip)
    assert done.returncode == 1 and "has 16.0 MiB" in done.stderr and "15.0 MiB" in done.stderr
    os.truncate(clip, 9 * MIB)
    done = daemon.command("submit", "reference2video", "--model", "viduq2-pro", "--video", clip,
                          "--video", clip)
    assert done.returncode == 1 and "only images of up to 10 MiB can be uploaded" in done.stderr
    assert sim.ledger() == []


def test_an_image_that_is_none_is_not_uploaded(run):
    _, sim, daemon = stack(run)
    bad = write(run, "bad.png", b"GIF89a")
    os.truncate(bad, 9 * MIB)
    done = daemon.command("submit", "start-end2video", "--model", "viduq3-pro", "--image", bad,
                          "--image", image(run, "b.png", 8 * MIB))
    assert done.returncode == 2 and "bad.png: this is no PNG, JPEG or WebP image" in done.stderr
    assert sim.ledger("upload") == [] and sim.ledger("create") == []


def test_an_address_that_may_not_be_reached_gets_no_byte(run):
    sim = run.sim()
    daemon = run.daemon(conf=run.conf(sim) | {"fetch": {}})
    done = daemon.command("submit", "start-end2video", "--model", "viduq3-pro", "--image",
                          image(run, "a.png", 9 * MIB), "--image", image(run, "b.png", 8 * MIB))
    assert done.returncode == 1 and "a.png: uploading it: address 127.0.0.1 refused" in done.stderr
    assert sim.ledger("upload") == [] and sim.ledger("create") == []


def test_a_dry_run_says_what_would_be_uploaded(run):
    done = viduhook("submit", "start-end2video", "--model", "viduq3-pro", "--image",
                    image(run, "a.png", 9 * MIB), "--image", image(run, "b.png", 8 * MIB),
                    "--dry-run", "--socket", run.home / "none")
    assert done.returncode == 0
    assert "a.png, 9437184 bytes, uploaded beforehand]" in done.stdout
    assert "data:image/png;base64," in done.stdout


def test_the_simulator_wants_an_upload_finished_and_its_own(run):
    sim = run.sim()
    begun = sim.request("POST", "/tools/v2/files/uploads", {"scene": "vidu"}).json
    path = begun["put_url"].removeprefix(sim.url)

    def create():
        return sim.request("POST", "/ent/v2/img2video", {
            "model": "viduq3-pro", "images": [f"ssupload:?id={begun['id']}"]}).status

    def finish(etag):
        return sim.request("PUT", f"/tools/v2/files/uploads/{begun['id']}/finish", {"etag": etag})

    assert create() == 400
    assert sim.request("PUT", path, PNG).status == 400  # with a key
    assert sim.request("PUT", path + "0", PNG, key=None).status == 403
    assert sim.request("PUT", path, bytes(10 * MIB + 1), key=None).status == 413
    assert finish("").status == 400
    put = sim.request("PUT", path, PNG, key=None)
    assert put.status == 200 and create() == 400
    assert finish("0" * 32).status == 400
    assert finish(put.headers["ETag"].strip('"')).json["uri"] == f"ssupload:?id={begun['id']}"
    assert create() == 200
    assert sim.request("POST", "/tools/v2/files/uploads", {"scene": "x"}).status == 400


# -- the file of a form ---------------------------------------------------------------------------


def peak_mib(pid):
    """The most memory a process has ever held."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) // 1024


def openai_stack(run, *sim_args):
    sim = run.sim("--ca", run.ca(), *FAST, "--gateway", "openai", *sim_args)
    return sim, run.daemon(conf=run.conf(sim, providers=["octopusx-openai"]))


def submit_video(daemon, path, *args, **options):
    return daemon.cli("submit", "videos", "--model", "viduq3-turbo", "--prompt", "a boat", "--image",
                      path, *args, **options)


def test_the_file_of_a_form_is_streamed_from_the_disk(run):
    sim, daemon = openai_stack(run)
    gateway = rooms(daemon)["gateway"]
    before = peak_mib(gateway)
    size = 40_000_000
    path = image(run, "big.png", size)
    saved = run.home / "out.mp4"
    _, answer = submit_video(daemon, path, "-o", saved)
    assert answer["state"] == "success" and saved.read_bytes() == CLIP
    made, = sim.ledger("create")
    assert (made["file_bytes"], made["file_type"]) == (size, "image/png")
    assert made["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert peak_mib(gateway) - before <= 4  # a tenth of the file
    request = daemon.task(answer["task"])["request"]
    assert request["input_reference"] == f"[image/png {size} bytes]"
    assert request["prompt"] == "a boat"


def test_a_file_that_shrinks_on_its_way_creates_nothing(run):
    """The reading side of the provider stops until the file is shorter than it was said to be."""
    stalled = Stalled()
    run.closers.append(stalled)
    sim = run.sim()
    conf = run.conf(sim, providers=["octopusx-openai"])
    conf["providers"]["octopusx-openai"]["base_url"] = stalled.url
    daemon = run.daemon(conf=conf)
    path = image(run, "big.png", 40_000_000)
    stalled.on_head = lambda: os.truncate(path, 1000)
    status, answer = submit_video(daemon, path, check=False)
    assert status == 1
    assert "nothing was created" in answer["error"] and "shorter than it was" in answer["error"]
    assert daemon.task(answer["task"])["state"] == "rejected"
    assert len(stalled.heads) == 1


@pytest.mark.parametrize("head, size, message, status", [
    (b"GIF89a", 100, "no PNG, JPEG or WebP image", 2),
    (b"", 0, "no PNG, JPEG or WebP image", 2),
    (PNG, (50 << 20) + 1, "at most 50 MiB", 1),
], ids=["gif", "empty", "over 50 MiB"])
def test_a_bad_file_is_an_error_before_anything_is_sent(run, head, size, message, status):
    sim, daemon = openai_stack(run)
    path = write(run, "bad.png", head)
    os.truncate(path, size)
    done = daemon.command("submit", "videos", "--prompt", "x", "--model", "m", "--image", path)
    assert done.returncode == status and message in done.stderr, done.stderr
    assert sim.ledger() == [] and daemon.cli("list")[1]["tasks"] == []


def test_a_form_may_name_an_image_by_its_address_too(run):
    sim, daemon = openai_stack(run)
    submit_video(daemon, "https://img.example/a.png", "--wait")
    made, = sim.ledger("create")
    assert made["file_bytes"] == 0
    status, text = submit_video(daemon, write(run, "a.png", PNG), "--set", "input_reference=x",
                                check=False)
    assert status == 2 and "there twice" in json.dumps(text)
    assert len(sim.ledger("create")) == 1
