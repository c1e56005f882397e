# SPDX-License-Identifier: MIT
"""Every row of the catalogue, as it is written in the provider's documentation: what is sent, which
id counts, and where the task is looked up. The simulator refuses a field that must not be sent."""
import re

import pytest

from harness import SIM_KEY, viduhook
from test_catalogue import CLIP, stack

IMAGE = ("--image", "https://img.example/a.png")
VIDEO = ("--video", "https://v.example/a.mp4")
AUDIO = ("--audio", "https://a.example/a.mp3")
Q3 = ("--model", "viduq3-turbo")
Q2 = ("--model", "viduq2-pro")
PROMPT = ("--prompt", "a paper boat")
TASK = "/ent/v2/tasks/{id}/creations"
MV, GENERAL = "/ent/v2/one-click/mv/", "/ent/v2/one-click/general_one_click/"

# endpoint, options, takes payload, id in the answer, where it is looked up; {mv} and {general} are
# the ids of tasks above them
ROWS = [
    ("text2video", (*Q3, *PROMPT), True, "task_id", TASK),
    ("img2video", (*Q3, *IMAGE), True, "task_id", TASK),
    ("start-end2video", (*Q3, *IMAGE, *IMAGE), True, "task_id", TASK),
    ("reference2video", (*Q3, *PROMPT, *IMAGE), True, "task_id", TASK),
    ("multiframe", (*Q2, *IMAGE, "--frame", "https://h/1", "--frame", "https://h/2"), True,
     "task_id", TASK),
    ("extend", (*Q2, *VIDEO), True, "task_id", TASK),
    ("template", (*IMAGE, "--set", "template=hug"), True, "task_id", TASK),
    ("template-story", (*IMAGE, "--set", "story=one_shot"), True, "task_id", TASK),
    ("reference2image", ("--model", "viduq2", *PROMPT), True, "task_id", TASK),
    ("upscale-new", VIDEO, True, "task_id", TASK),
    ("image2dance", (*IMAGE, *VIDEO), True, "task_id", TASK),
    ("digital-human", (*Q2, *IMAGE, *AUDIO), True, "task_id", TASK),
    ("lip-sync", (*VIDEO, *AUDIO), False, "task_id", TASK),
    ("text2audio", ("--model", "audio1.0", *PROMPT), False, "task_id", TASK),
    ("timing2audio", ("--model", "audio1.0", "--set",
                      'timing_prompts=[{"from":0,"to":1,"prompt":"x"}]'), False, "task_id", TASK),
    ("ad-one-click", IMAGE, False, "task_id", TASK),
    ("ad-one-click/edit", ("--set", "ad_one_click_task_id=1"), True, "sub_task_id", TASK),
    ("ad-one-click/compose", ("--set", "ad_one_click_task_id=1"), True, "compose_sub_task_id",
     TASK),
    ("trending-replicate", (*IMAGE, *VIDEO), False, "task_id", TASK),
    ("one-click/mv", (*IMAGE, *AUDIO), False, "id", MV + "{id}"),
    ("one-click/mv/{mv}/edit", PROMPT, False, "id", MV + "{mv}"),
    ("one-click/mv/{mv}/compose", (), False, "id", MV + "{mv}"),
    ("one-click/general_one_click", (*IMAGE, "--set", "duration=10"), True, "id", GENERAL + "{id}"),
    ("one-click/genernal_one_click", (*IMAGE, "--set", "duration=10"), True, "id", GENERAL + "{id}"),
    ("one-click/general_one_click/{general}/edit", PROMPT, False, "id", GENERAL + "{general}"),
    ("one-click/general_one_click/{general}/compose", (), False, "id", GENERAL + "{general}"),
]
AT_ONCE = {"audio-tts": True, "audio-clone": True, "img2video-prompt-recommendation": False,
           "subjects": False}
GATEWAYS = {"videos", "video/generations"}


def name_of(endpoint):
    return endpoint.replace("{mv}", "{id}").replace("{general}", "{id}")


def submit_all(daemon, recorder):
    """[(row, task, the create's answer, where it is to be looked up)], and each create checked."""
    parents, made = {}, []
    for row in ROWS:
        endpoint, words, payload, id_key, look = row
        path = endpoint.format(**parents)
        more = ("--payload", "order 42") if payload else ()
        _, answer = daemon.cli("submit", path, *words, *more)
        create = recorder.all("POST")[-1]
        assert create.path == f"/ent/v2/{path}"
        assert create.headers["Authorization"] == f"Token {SIM_KEY}"
        assert answer["remote_id"] == create.answer.json[id_key], endpoint
        if endpoint in ("one-click/mv", "one-click/general_one_click"):
            parents[path.rpartition("/")[2].partition("_")[0]] = answer["remote_id"]
        made.append((row, answer["task"], create, look.format(id=answer["remote_id"], **parents)))
    return made


def assert_nothing_was_created_twice(sim, made):
    creates = sim.ledger("create")
    assert len(creates) == len(made) == len({e["task"] for e in creates})
    assert sim.ledger("refusal") == []


def test_every_row_is_called_back(run):
    recorder, sim, daemon = stack(run)
    made = submit_all(daemon, recorder)
    for row, task, create, _ in made:
        seen = daemon.wait_task(task, "success")
        assert seen["result"][0]["url"].startswith(sim.url), row
        assert create.json["callback_url"].startswith(daemon.url("/callback/"))
        assert create.json.get("payload") == ("order 42" if row[2] else None)
    assert recorder.all("GET") == []  # the signed callback said everything
    assert_nothing_was_created_twice(sim, made)


def test_every_row_is_looked_up_where_it_is_to_be_found(run):
    recorder, sim, daemon = stack(run, mode="poll")
    made = submit_all(daemon, recorder)
    for row, task, create, look in made:
        seen = daemon.wait_task(task, "success")
        assert seen["result"][0]["url"].startswith(sim.url), row
        assert "callback_url" not in create.json
        assert look in {e.path for e in recorder.all("GET")}
    assert {e.path for e in recorder.all("GET")} == {look for *_, look in made}
    assert_nothing_was_created_twice(sim, made)


def test_a_tree_is_downloaded_after_a_look(run):
    _, sim, daemon = stack(run, mode="poll")
    for endpoint, words in (("one-click/mv", (*IMAGE, *AUDIO)),
                            ("one-click/general_one_click", (*IMAGE, "--set", "duration=10"))):
        saved = run.home / "tree.mp4"
        _, answer = daemon.cli("submit", endpoint, *words, "-f", "-o", saved)
        assert answer["state"] == "success" and saved.read_bytes() == CLIP
        saved.unlink()
    assert len(sim.ledger("create")) == 2


@pytest.mark.parametrize("endpoint", AT_ONCE)
def test_rows_that_answer_at_once_have_no_callback(run, endpoint):
    recorder, sim, daemon = stack(run)
    daemon.cli("submit", endpoint, *(("--payload", "p") if AT_ONCE[endpoint] else ()))
    sent, = recorder.all()
    assert (sent.method, sent.path) == ("POST", f"/ent/v2/{endpoint}")
    assert set(sent.json) == ({"payload"} if AT_ONCE[endpoint] else set())
    assert sim.ledger("create") == [] and len(sim.ledger("answer")) == 1


def test_help_lists_exactly_these_rows(run):
    listed = re.search(r"endpoints:\n(.*?)\n\n", viduhook("help", "submit").stdout, re.S).group(1)
    names = {line.split()[0] for line in listed.splitlines()}
    assert names == {name_of(row[0]) for row in ROWS} | set(AT_ONCE) | GATEWAYS
    for row in ROWS:
        shown = viduhook("submit", "--help", name_of(row[0])).stdout
        fields = set(re.findall(r"^  (\w+) ", shown.partition("fields:\n")[2], re.M))
        assert "callback_url" in fields and ("payload" in fields) == row[2], row
