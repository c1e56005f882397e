# SPDX-License-Identifier: MIT
"""Into the library of a real Kodi, under Xvfb: it finds the clip, with what the NFO says of it.

Optional: where Kodi is not installed this is skipped; `./dev check-kodi` installs and runs it."""
import base64
import contextlib
import glob
import json
import os
import shutil
import sqlite3

import pytest

from harness import LOOPBACK, ROOT, Process, request, wait_for

KODI = next(iter(glob.glob("/usr/lib/*/kodi/kodi.bin")), None)
USER, PASSWORD = "kodi", "secret"
PROMPT = "A paper boat's \N{CJK UNIFIED IDEOGRAPH-732B} & friends"
START_S = 60  # software rendering on a busy machine

pytestmark = pytest.mark.skipif(KODI is None or shutil.which("Xvfb") is None,
                                reason="Kodi or Xvfb is not installed: ./dev check-kodi")

SETTINGS = """<settings version="2">
<setting id="services.webserver">true</setting>
<setting id="services.webserverport">{port}</setting>
<setting id="services.webserverauthentication">true</setting>
<setting id="services.webserverusername">{user}</setting>
<setting id="services.webserverpassword">{password}</setting>
<setting id="services.zeroconf">false</setting>
<setting id="services.esenabled">false</setting>
<setting id="general.addonupdates">2</setting>
</settings>
"""
SOURCES = """<sources><video><default pathversion="1"></default><source><name>library</name>
<path pathversion="1">{library}/</path><allowsharing>true</allowsharing></source></video></sources>
"""
# What its dialog "Set content" writes: movies, local information only, each in a folder of its own.
CONTENT = """INSERT INTO path(strPath, strContent, strScraper, scanRecursive, useFolderNames,
strSettings, noUpdate, exclude, allAudio) VALUES(?, 'movies', 'metadata.local', 2147483647, ?,
'<settings version="2"></settings>', 0, 0, 0)"""


class Kodi:
    """Everything that it writes lies below its home; it listens for JSON-RPC."""

    def __init__(self, run, library, own_folders):
        self.port, home = run.port(), run.home / "kodi"
        userdata = home / ".kodi" / "userdata"
        userdata.mkdir(parents=True)
        (userdata / "guisettings.xml").write_text(
            SETTINGS.format(port=self.port, user=USER, password=PASSWORD))
        (userdata / "sources.xml").write_text(SOURCES.format(library=library))
        word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        env = {"HOME": str(home), "DISPLAY": self.display(run), "LIBGL_ALWAYS_SOFTWARE": "1"}
        self.process = run.add(Process(["nice", KODI, "--standalone"], run.home, "kodi", env,
                                       expected=None))
        wait_for(self.answers, lambda: f"Kodi's answer: {self.log(home)}", START_S)
        self.set_content(userdata / "Database", library, own_folders)

    def display(self, run):
        """A screen that nobody sees, of a number that is free."""
        ours, its = os.pipe()
        argv = ["Xvfb", "-displayfd", its, "-screen", "0", "640x480x24", "-nolisten", "tcp"]
        run.add(Process(argv, run.home, "xvfb", expected=None, popen={"pass_fds": [its]}))
        os.close(its)
        with open(ours) as said:
            return f":{said.readline().strip()}"

    def log(self, home):
        path = home / ".kodi" / "temp" / "kodi.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else self.process.tail()

    def answers(self):
        assert self.process.alive(), self.process.tail()
        with contextlib.suppress(OSError, AssertionError):
            return self.call("JSONRPC.Ping") == "pong"

    def call(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = request("POST", f"http://{LOOPBACK}:{self.port}/jsonrpc", body, self.headers)
        assert answer.status == 200 and "result" in answer.json, answer
        return answer.json["result"]

    def set_content(self, folder, library, own_folders):
        database = wait_for(lambda: next(iter(folder.glob("MyVideos*.db")), None),
                            "Kodi's database of videos", START_S)
        with contextlib.closing(sqlite3.connect(database, timeout=START_S)) as store, store:
            store.execute(CONTENT, (f"{library}/", int(own_folders)))

    def movies(self, name):
        """Those whose file has this name, once there are some."""
        found = self.call("VideoLibrary.GetMovies", properties=[
            "file", "title", "plot", "art", "studio", "genre", "tag", "uniqueid", "premiered"],
            filter={"field": "filename", "operator": "is", "value": name})
        return found.get("movies", [])

    def quit(self):
        with contextlib.suppress(OSError, AssertionError):
            self.call("Application.Quit")
        self.process.wait(START_S)


@pytest.mark.parametrize("layout", ["flat", "folder"])
def test_a_clip_is_found_with_what_its_nfo_says(run, layout):
    library = run.home / "library"
    library.mkdir()
    kodi = Kodi(run, library, layout == "folder")
    sim = run.sim("--ca", run.ca(), "--time", "20ms", "--retry-gap", "20ms")
    daemon = run.daemon(sim, hooks=[{"name": "library", "download": {
        "dir": str(library), "layout": layout, "nfo": "yes", "posters": "yes"}}])

    task = daemon.submit("--tag", "album=sea", prompt=PROMPT)
    daemon.wait_runs("done")
    files = {f["kind"]: f["path"] for f in daemon.cli("show", task)[1]["files"]}
    name = os.path.basename(files["video"])
    assert kodi.movies(name) == []
    assert kodi.call("VideoLibrary.Scan", directory=f"{library}/", showdialogs=False) == "OK"

    movie, = wait_for(lambda: kodi.movies(name), "the clip in Kodi's library", START_S)
    assert movie["file"] == files["video"]
    assert movie["title"] == movie["plot"] == PROMPT
    assert movie["studio"] == ["Vidu"] and movie["genre"] == ["AI video"]
    assert movie["uniqueid"]["vidu"] == task
    assert movie["premiered"] == daemon.task(task)["created_at"][:10]
    assert "poster" in movie["art"] and "viduq3-turbo" in movie["tag"]
    with open(files["video"], "rb") as video:
        assert video.read() == (ROOT / "src/sim/clip.mp4").read_bytes()
    kodi.quit()
