# SPDX-License-Identifier: MIT
"""Into the library of a real media server: MiniDLNA sees the clip with title, plot, cover, bytes."""
import pathlib
import re
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import pytest

from harness import LOOPBACK, ROOT, Process, get, request, wait_for

CLIP = (ROOT / "src/sim/clip.mp4").read_bytes()
PROMPT = "A paper boat's \N{CJK UNIFIED IDEOGRAPH-732B}, a sample: part 1"
CONTENT = "urn:schemas-upnp-org:service:ContentDirectory:1"
SOAP = "http://schemas.xmlsoap.org/soap/"
DIDL = {"d": "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/",
        "dc": "http://purl.org/dc/elements/1.1/", "upnp": "urn:schemas-upnp-org:metadata-1-0/upnp/"}
ALL_VIDEOS = "2$8"


class MiniDlna:
    """minidlnad over one directory: unprivileged, on loopback, everything it writes below home."""

    def __init__(self, run, media):
        self.port = run.port()
        cache = run.home / "minidlna"
        cache.mkdir()
        conf = run.file("minidlna.conf", "\n".join([
            f"port={self.port}", "network_interface=lo", f"media_dir=V,{media}",
            f"db_dir={cache}", f"log_dir={cache}", "inotify=yes", "friendly_name=test",
            "uuid=5d5d5d5d-0000-4000-8000-000000000001", ""]))
        self.process = run.add(Process(
            ["/usr/sbin/minidlnad", "-d", "-f", conf, "-P", cache / "pid"], run.home, "minidlna"))
        wait_for(self.answers, "MiniDLNA's page")
        wait_for(self.watches, "MiniDLNA's watch on the directory")

    def answers(self):
        try:
            return "Video files" in self.get("/").body.decode(errors="replace")
        except OSError:
            return False

    def watches(self):
        """It begins to watch a second after its first scan, and misses what comes in between."""
        infos = pathlib.Path(f"/proc/{self.process.pid}/fdinfo").iterdir()
        return any("inotify wd:" in info.read_text() for info in infos)

    def get(self, path):
        return get(f"http://{LOOPBACK}:{self.port}{path}")

    def call(self, action, container, arguments):
        body = (f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}envelope/" '
                f's:encodingStyle="{SOAP}encoding/"><s:Body><u:{action} xmlns:u="{CONTENT}">'
                f"{container}{arguments}<Filter>*</Filter><StartingIndex>0</StartingIndex>"
                "<RequestedCount>0</RequestedCount><SortCriteria></SortCriteria>"
                f"</u:{action}></s:Body></s:Envelope>")
        answer = request("POST", f"http://{LOOPBACK}:{self.port}/ctl/ContentDir", body.encode(), {
            "Content-Type": 'text/xml; charset="utf-8"', "SOAPACTION": f'"{CONTENT}#{action}"'})
        assert answer.status == 200, answer.body
        result = ElementTree.fromstring(answer.body).find(".//Result").text
        return ElementTree.fromstring(result).findall("d:item", DIDL)

    def browse(self):
        return self.call("Browse", f"<ObjectID>{ALL_VIDEOS}</ObjectID>",
                         "<BrowseFlag>BrowseDirectChildren</BrowseFlag>")

    def search(self, words):
        criteria = ('upnp:class derivedfrom "object.item.videoItem" and '
                    f'dc:title contains "{words}"')
        return self.call("Search", "<ContainerID>0</ContainerID>",
                         f"<SearchCriteria>{escape(criteria)}</SearchCriteria>")

    def fetch(self, url):
        return self.get(re.sub(r"^http://[^/]+", "", url)).body


def resource(item, kind):
    """Where the item's own file (MediaItems) is to be had, or its cover (AlbumArt)."""
    return next((r.text for r in item.findall("d:res", DIDL) if f"/{kind}/" in r.text), None)


def with_cover(server):
    """The only item, once its cover has been found as well."""
    items = server.browse()
    return items if items and resource(items[0], "AlbumArt") else None


@pytest.mark.parametrize("layout", ["flat", "folder"])
def test_a_clip_is_found_with_title_plot_cover_and_bytes(run, layout):
    media = run.home / "media"
    media.mkdir()
    server = MiniDlna(run, media)
    assert server.browse() == []
    sim = run.sim("--ca", run.ca(), "--time", "20ms", "--retry-gap", "20ms")
    daemon = run.daemon(sim, hooks=[{"name": "library", "download": {
        "dir": str(media), "layout": layout, "nfo": "yes", "posters": "yes"}}])

    task = daemon.submit(prompt=PROMPT)
    daemon.wait_runs("done")

    item, = wait_for(lambda: with_cover(server), "the clip in MiniDLNA")
    assert item.findtext("dc:title", None, DIDL) == PROMPT
    assert item.findtext("dc:description", None, DIDL) == PROMPT
    assert item.findtext("upnp:genre", None, DIDL) == "AI video"
    assert server.fetch(resource(item, "MediaItems")) == CLIP
    assert server.fetch(resource(item, "AlbumArt")).startswith(b"\xff\xd8\xff")  # scaled by it
    found, = server.search("paper boat")
    assert found.findtext("dc:title", None, DIDL) == PROMPT
    assert server.search("paper plane") == []
    kinds = [f["kind"] for f in daemon.cli("show", task)[1]["files"]]
    assert kinds == ["nfo", "video", "cover", "poster", "thumb"] + ["poster"] * (layout == "folder")
