"""APIs that a file describes: what is read out of a request, and what stays closed."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import tomllib
from pathlib import Path

import pytest
from consentry.gateway.configured.description import (
    parse_description,
    read_description,
)
from consentry.gateway.configured.dialect import ConfiguredDialect
from consentry.gateway.configured.graph import read_graph
from consentry.gateway.configured.request import without
from consentry.gateway.exchange import Call, Head
from consentry.gateway.json_body import MAX_DEPTH
from consentry.gateway.refusals import Kind, Refusal, Stage
from consentry.gateway.request import DataUrl, Sent, StoredFile, WebAddress
from consentry.kernel.errors import (
    BadRequest,
    CorruptImage,
    Unreachable,
    UnsupportedMediaType,
)
from consentry.kernel.taxonomy import PublicReason
from fakes.coloured_faces import picture
from fakes.home import INTENT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
PNG = picture((1, 2, 3))
B64 = base64.b64encode(PNG).decode()
DATA = "data:image/png;base64," + B64
WEB = "https://pictures.example.com/a.png"
PAINTER = """
name = "painter"
upstream = "http://127.0.0.1:9000"
credentials = ["x-api-key", "authorization"]
[refusal]
status = 400
consent_status = 409
body = { error = { code = "{code}", message = "{message}", nested = ["{request_id}", 1, true] } }
[[route]]
method = "POST"
path = "v1/paint"
prompt = ["prompt"]
words = ["style.text"]
unwanted = ["negative_prompt"]
guidance = "cfg_scale"
images = ["init_image", "mask", "references.image", "units.*.picture"]
settings = ["sampler", "user_agent"]
ignored = ["client"]
closed = ["style_id", "script"]
asker = "user"
results = ["images", "preview.data"]
[[route]]
method = "GET"
path = "v1/jobs/{id}"
kind = "pass"
[[route]]
method = "POST"
path = "v1/cancel"
kind = "pass"
inspects = false
"""


def painter(**changes):
    table = copy.deepcopy(tomllib.loads(PAINTER))
    table["route"][0] |= changes
    return ConfiguredDialect(parse_description(table))


def example(name):
    return ConfiguredDialect(read_description(EXAMPLES / f"{name}.toml"))


def ask(dialect, body, path="v1/paint", media_type="application/json", query=b""):
    headers = ((b"content-type", media_type.encode()),)
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call(head=Head(method="POST", path=path, query=query, headers=headers), body=encoded)
    return asyncio.run(dialect.endpoint("POST", path).ask(call, None))


def read(body, dialect=None, **more):
    (request,) = ask(dialect or painter(), body, **more)
    return request


# Requests


@pytest.mark.parametrize(
    ("given", "pictures"),
    [
        ({"init_image": B64}, (Sent(PNG),)),
        ({"init_image": DATA}, (DataUrl(DATA),)),
        ({"init_image": [DATA, WEB]}, (DataUrl(DATA), WebAddress(WEB))),
        ({"references": [{"image": DATA}, {"image": WEB}]}, (DataUrl(DATA), WebAddress(WEB))),
        ({"units": {"one": {"picture": DATA}, "two": [{"picture": WEB}]}}, (DataUrl(DATA), WebAddress(WEB))),
        ({"init_image": None, "mask": ""}, ()),
        ({"somewhere": {"else": [B64]}}, (Sent(PNG),)),
        ({"prompt": f"like {DATA} but blue"}, (DataUrl(DATA),)),
    ],
)  # fmt: skip
def test_pictures_are_found_where_they_are_described_and_by_their_looks(given, pictures):
    assert read({"prompt": "x"} | given).pictures == pictures


def test_each_kind_of_word_has_its_place():
    request = read(
        {
            "prompt": "a portrait", "style": {"text": "in oil"}, "unknown": "a further word", "sampler": "euler",
            "client": {"info": "take her clothes off"}, "user": "me", "steps": 20, "negative_prompt": "blurry, hat",
        }
    )  # fmt: skip

    assert (request.prompt, request.asker) == ("a portrait", "me")
    assert request.context == ("in oil", "a further word", "without blurry; without hat")


@pytest.mark.parametrize("given", [{"style_id": "x"}, {"style_id": 7}, {"script": ["x"]}, {"script": {"deep": {"name": True}}}])  # fmt: skip
def test_what_is_closed_must_be_empty(given):
    with pytest.raises(BadRequest, match="closed"):
        read({"prompt": "x"} | given)


@pytest.mark.parametrize("given", [{"style_id": None}, {"style_id": ""}, {"script": []}, {"script": [False, 0, ""]}])  # fmt: skip
def test_what_is_closed_may_be_there_empty(given):
    assert read({"prompt": "x"} | given).prompt == "x"


@pytest.mark.parametrize("image", ["the house", 7, True, ["x"]])
def test_what_is_no_picture_is_refused_where_one_belongs(image):
    with pytest.raises(CorruptImage):
        read({"prompt": "x", "init_image": image})


def test_a_setting_as_long_as_words_is_words():
    assert read({"prompt": "x", "sampler": "a name " * 20}).context == ("a name " * 20,)


def judged(body):
    request = read(body)
    return INTENT.assess(request.prompt, request.context).category.is_revealing


@pytest.mark.parametrize(
    ("negative", "more", "is_revealing"),
    [
        ("ugly, deformed, nsfw, nude, bad anatomy", {}, False),
        ("nude, naked, nsfw", {"cfg_scale": 7}, False),
        ("(nude:1.3), [naked], worst quality", {}, False),
        ("clothes, dress", {}, True),
        ("(clothes:1.5)", {}, True),
        ("blurry\nunderwear|bra, clothing", {}, True),
        ("nude woman", {"cfg_scale": -7}, True),
        ("nude woman", {"cfg_scale": 0.5}, True),
        ("nude woman", {"cfg_scale": "7"}, True),
        ("nude woman", {"cfg_scale": None}, True),
    ],
)
def test_unwanted_words_ask_for_their_opposite(negative, more, is_revealing):
    body = {"prompt": "a woman on a beach", "negative_prompt": negative} | more

    assert judged(body) == is_revealing


@slowly
@given(st.text())
def test_each_term_that_is_not_wanted_is_named_as_such(text):
    assert all(each.startswith("without ") for each in without(text).split("; ") if each)


@slowly
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)  # fmt: skip
def test_no_word_of_a_request_is_left_out(value):
    found = "secretword"
    request = read({"prompt": "x", "anything": [value, {"deep": found}]})

    assert found in request.context


def test_words_and_pictures_in_the_address_count():
    request = read({"prompt": "x"}, query=b"style=without+clothes&image=" + WEB.encode() + b"&n=1")

    assert request.context == ("without clothes", "1")
    assert request.pictures == (WebAddress(WEB),)


def test_an_address_that_is_not_read_with_certainty_is_refused():
    for query in (b"a=%ff", b"a=\xff"):
        with pytest.raises(BadRequest):
            read({"prompt": "x"}, query=query)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"[" * (MAX_DEPTH + 2)])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(BadRequest):
        read(body)


def test_another_kind_of_body_is_not_read():
    with pytest.raises(UnsupportedMediaType):
        read(b"prompt=x", media_type="application/x-www-form-urlencoded")


# Routes, answers and refusals


@pytest.mark.parametrize(
    ("method", "path", "is_open"),
    [
        ("POST", "v1/paint", True), ("GET", "v1/jobs/a-1.b_2", True), ("POST", "v1/cancel", True), ("GET", "v1/paint", False),
        ("POST", "v1/paint/", False), ("GET", "v1/jobs/a/b", False), ("GET", "v1/jobs/", False), ("POST", "v1/other", False),
        ("POST", "v1xpaint", False), ("", "", False), ("GET", "v1/jobs/..", False), ("GET", "v1/jobs/.", False),
    ],
)  # fmt: skip
def test_only_what_is_described_is_open(method, path, is_open):
    assert (painter().endpoint(method, path) is not None) == is_open


def test_credentials_are_asked_for_where_the_server_has_accounts():
    def has(dialect, *names):
        return dialect.has_credentials(
            Head(method="POST", path="", headers=tuple((each, b"x") for each in names))
        )

    assert has(painter(), b"x-api-key")
    assert has(painter(), b"authorization")
    assert not has(painter(), b"cookie")
    assert has(example("comfyui"))


def found(answer, media_type="application/json", path="v1/paint", method="POST"):
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return painter().endpoint(method, path).found(media_type, body)


def test_results_are_found_where_they_are_described_and_by_their_looks():
    assert found({"images": [B64, DATA], "preview": {"data": WEB}, "note": "done"}) == [
        Sent(PNG), DataUrl(DATA), WebAddress(WEB),
    ]  # fmt: skip
    assert found({"elsewhere": B64}) == [Sent(PNG)]
    assert found(PNG, media_type="image/png", path="v1/jobs/1", method="GET") == [Sent(PNG)]


@pytest.mark.parametrize(("answer", "error"), [({"images": ["no base64!"]}, CorruptImage), (b"{", Unreachable)])  # fmt: skip
def test_a_result_that_cannot_be_read_is_not_delivered(answer, error):
    with pytest.raises(error):
        found(answer)


def test_a_medium_that_is_not_examined_is_not_delivered():
    with pytest.raises(UnsupportedMediaType):
        found(b"...", media_type="video/mp4")


def test_refusals_have_the_shape_that_is_described():
    refusal = Refusal(kind=Kind.BLOCKED, reasons=(PublicReason.REVEALING_REAL_PERSON,))
    reply = painter().refusal(refusal, "req_1")

    assert reply.status == 400
    assert json.loads(reply.body) == {
        "error": {"code": "revealing_real_person", "message": "The request was refused.", "nested": ["req_1", 1, True]}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reasons", "stage", "status"),
    [
        ((PublicReason.CONSENT_REQUIRED,), Stage.INPUT, 409),
        ((PublicReason.CONSENT_REQUIRED,), Stage.OUTPUT, 400),
        ((PublicReason.CONSENT_REQUIRED, PublicReason.ERROR), Stage.INPUT, 400),
        ((PublicReason.MINOR,), Stage.INPUT, 400),
    ],
)
def test_only_what_consent_could_lift_has_the_status_for_it(reasons, stage, status):
    refusal = Refusal(kind=Kind.BLOCKED, reasons=reasons, stage=stage)

    assert painter().refusal(refusal, "req_1").status == status


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_refusal_has_a_status(kind):
    reply = painter().refusal(Refusal(kind=kind, message='He said "no" {code}'), "req_1")

    assert 400 <= reply.status < 600
    assert json.loads(reply.body)
    assert b"data: {" in painter().endpoint("POST", "v1/paint").last_event(Refusal(kind=kind), "r")


# Descriptions


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"name": "Has Capitals"}, "name"),
        ({"name": 7}, "name"),
        ({"upstream": None}, "upstream"),
        ({"route": []}, "route"),
        ({"route": [{"method": "POST"}]}, "path"),
        ({"route": [{"method": "POST", "path": "/x"}]}, "path"),
        ({"route": [{"method": "POST", "path": "x y"}]}, "path"),
        ({"route": [{"method": "POST", "path": "x", "promt": ["prompt"]}]}, "promt"),
        ({"route": [{"method": "POST", "path": "x", "prompt": "prompt"}]}, "prompt"),
        ({"route": [{"method": "POST", "path": "x", "kind": "open"}]}, "kind"),
        ({"route": [{"method": "POST", "path": "x", "inspects": "no"}]}, "inspects"),
        ({"route": [{"method": "POST", "path": "x", "graph": {"place": "p", "nodes": {"A": {"text": ["t"]}}}}]}, "text"),
        ({"refusal": {"status": 200, "body": {}}}, "status"),
        ({"refusal": {"status": 400}}, "body"),
        ({"stored": {"paht": "x"}}, "paht"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_description_is_told(change, says):
    table = {name: value for name, value in (tomllib.loads(PAINTER) | change).items() if value is not None}  # fmt: skip

    with pytest.raises(BadRequest, match=says):
        parse_description(table)


def test_a_file_that_is_no_description_is_told(tmp_path):
    (tmp_path / "a.toml").write_text("name = ")

    for path in (tmp_path / "a.toml", tmp_path / "none.toml"):
        with pytest.raises(BadRequest, match="cannot be read"):
            read_description(path)


# Graphs


def graph(**nodes):
    base = {
        "wanted": {"class_type": "CLIPTextEncode", "inputs": {"text": "a portrait", "clip": ["model", 1]}},
        "unwanted": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["model", 1]}},
        "sampler": {
            "class_type": "KSampler",
            "inputs": {"positive": ["wanted", 0], "negative": ["unwanted", 0], "cfg": 7.0, "sampler_name": "euler"},
        },
        "model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["sampler", 0], "filename_prefix": "x"}},
    }  # fmt: skip
    return {
        "prompt": base | nodes,
        "client_id": "me",
        "extra_data": {"note": "take her clothes off"},
    }


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def comfy(body):
    return read(body, example("comfyui"), path="prompt")


def test_words_of_a_graph_are_wanted_or_not_by_how_they_are_used():
    request = comfy(graph())

    assert (request.prompt, request.context) == ("a portrait", ("without blurry",))


def test_words_that_are_used_both_ways_or_by_nobody_are_wanted():
    both = comfy(graph(second=node("KSampler", positive=["unwanted", 0], negative=["wanted", 0])))
    unused = comfy(graph(lone=node("CLIPTextEncode", text="nude")))

    assert set(both.prompt.splitlines()) == {"a portrait", "blurry"}
    assert "nude" in unused.prompt


def test_words_behind_further_nodes_are_followed():
    request = comfy(
        graph(
            more=node("CLIPTextEncode", text="hat"),
            mix=node("ConditioningCombine", conditioning_1=["unwanted", 0], conditioning_2=["more", 0]),
            sampler=node("KSampler", positive=["wanted", 0], negative=["mix", 0], cfg=7),
        )
    )  # fmt: skip

    assert (request.prompt, request.context) == ("a portrait", ("without blurry", "without hat"))


@pytest.mark.parametrize("cfg", [-7.0, 0.5, "7", ["lone", 0]])
def test_a_guidance_that_turns_words_around_makes_the_unwanted_wanted(cfg):
    changed = node("KSampler", positive=["wanted", 0], negative=["unwanted", 0], cfg=cfg)

    assert comfy(graph(sampler=changed)).context == ("without blurry", "blurry")


def test_pictures_of_a_graph_are_looked_up_by_their_names():
    request = comfy(graph(one=node("LoadImage", image="a.png"), two=node("LoadImageMask", image="sub/b.png", channel="red")))  # fmt: skip

    assert request.pictures == (StoredFile("a.png"), StoredFile("sub/b.png"))


@pytest.mark.parametrize(
    "bad",
    [
        node("LoadImageFromUrl", url=WEB),
        node("SomethingNew"),
        {"inputs": {}},
        {"class_type": 7, "inputs": {}},
        {"class_type": "LoadImage", "inputs": ["a.png"]},
        "a node",
        node("CLIPTextEncode", text=["other", 0]),
        node("LoadImage", image=["other", 0]),
        node("SaveImage", filename_prefix=DATA),
        node("SaveImage", filename_prefix={"deep": [WEB]}),
    ],
    ids=["url-node", "unknown", "no-kind", "odd-kind", "odd-inputs", "text", "linked-words", "linked-name", "hidden", "hidden-deep"],
)  # fmt: skip
def test_a_node_that_nobody_can_look_into_closes_the_request(bad):
    with pytest.raises(BadRequest):
        comfy(graph(bad=bad))


def in_capitals(nodes):
    return {
        name: {
            "CLASS_TYPE": each["class_type"],
            "INPUTS": {other.upper(): value for other, value in each["inputs"].items()},
        }
        for name, each in nodes.items()
    }


def test_the_names_in_a_graph_count_in_whatever_case():
    """There are generators that do not mind it."""
    body = graph(Load=node("LoadImage", image="a.png"), mask=node("VAEEncode", pixels=["Load", 0]))
    shouted = {"Prompt": in_capitals(body["prompt"]), "Client_ID": "me"}

    assert comfy(shouted) == comfy(body)
    assert comfy(shouted).pictures == (StoredFile("a.png"),)


def test_a_guidance_in_capitals_turns_words_around_too():
    changed = {"class_type": "KSampler", "inputs": {"Negative": ["unwanted", 0], "CFG": -7.0}}

    assert comfy(graph(sampler=changed)).context == ("without blurry", "blurry")


@pytest.mark.parametrize(
    "body",
    [
        graph() | {"Prompt": {"1": node("LoadImage", image="ada.png"), "2": node("EvilNode")}},
        graph(one={"class_type": "LoadImage", "inputs": {"image": "eve.png", "Image": "ada.png"}}),
        graph(one=node("LoadImage", image="eve.png") | {"Inputs": {"image": "ada.png"}}),
        graph(one=node("SaveImage") | {"Class_Type": "EvilNode"}),
    ],
    ids=["two graphs", "two inputs", "two sets of inputs", "two kinds"],
)
def test_names_that_differ_by_their_case_alone_are_refused(body):
    with pytest.raises(BadRequest, match="case"):
        comfy(body)


def test_names_that_differ_by_their_case_alone_are_refused_without_a_graph():
    with pytest.raises(BadRequest, match="case"):
        read({"prompt": "x", "style": {"text": "in oil", "Text": "nude"}})


@pytest.mark.parametrize("body", [{"prompt": "a woman"}, {"prompt": None}, {}, {"prompt": []}])
def test_a_request_without_a_graph_is_refused(body):
    with pytest.raises(BadRequest):
        comfy(body)


def test_long_strings_in_other_inputs_are_words():
    hidden = "take her clothes off " * 10

    assert hidden in comfy(graph(save=node("SaveImage", filename_prefix=hidden))).context


class Lookup:
    def __init__(self, error=None):
        self.asked, self.error = [], error

    async def get(self, path, query=b""):
        self.asked.append((path, query))
        if self.error:
            raise self.error
        return PNG


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("a.png", b"filename=a.png&subfolder=&type=input"),
        ("my cat & dog.png", b"filename=my%20cat%20%26%20dog.png&subfolder=&type=input"),
        ("sub/deep/a.png", b"filename=a.png&subfolder=sub%2Fdeep&type=input"),
        ("a.png [output]", b"filename=a.png&subfolder=&type=output"),
        ("a.png [temp]", b"filename=a.png&subfolder=&type=temp"),
        ("a.png [other]", b"filename=a.png%20%5Bother%5D&subfolder=&type=input"),
        ("bild-ü.png", b"filename=bild-%C3%BC.png&subfolder=&type=input"),
    ],
)
def test_an_uploaded_picture_is_looked_up_as_the_generator_will(name, query):
    lookup = Lookup()

    assert asyncio.run(example("comfyui").file(name, lookup)) == PNG
    assert lookup.asked == [("view", query)]


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../b.png", "..", "folder/", "a\\b.png", ""]
)
def test_a_name_that_leads_elsewhere_is_not_looked_up(name):
    lookup = Lookup()

    with pytest.raises(BadRequest):
        asyncio.run(example("comfyui").file(name, lookup))
    assert lookup.asked == []


def test_a_picture_that_is_not_given_refuses():
    with pytest.raises(BadRequest):
        asyncio.run(example("comfyui").file("a.png", Lookup(BadRequest("x"))))
    with pytest.raises(BadRequest):
        asyncio.run(painter().file("a.png", Lookup()))


def form(*parts):
    lines = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="' + name + b'"' + extra + b"\r\n\r\n" + data + b"\r\n"
        for name, extra, data in parts
    )  # fmt: skip
    return lines + b"--b--\r\n"


def upload(*parts):
    return ask(example("comfyui"), form(*parts), path="upload/image", media_type="multipart/form-data; boundary=b")  # fmt: skip


def test_an_upload_passes_and_is_checked_where_it_is_used():
    assert upload((b"image", b'; filename="a.png"', PNG), (b"type", b"", b"input"), (b"overwrite", b"", b"false")) == ()  # fmt: skip


@pytest.mark.parametrize("value", [b"true", b"1", b"True", b"yes"])
def test_an_upload_that_may_exchange_a_picture_is_closed(value):
    with pytest.raises(BadRequest, match="overwrite"):
        upload((b"image", b'; filename="a.png"', PNG), (b"overwrite", b"", value))


# The examples


@pytest.mark.parametrize("name", ["automatic1111", "comfyui"])
def test_an_example_can_be_read(name):
    assert example(name).name == name


def test_what_a_usual_client_sends_to_automatic1111_is_understood():
    body = {
        "prompt": "a portrait of a woman in a red dress, <lora:detail:0.6>", "negative_prompt": "nude, nsfw, blurry", "styles": [],
        "seed": -1, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "batch_size": 1, "steps": 25, "cfg_scale": 7, "width": 512,
        "init_images": [B64], "mask": DATA, "denoising_strength": 0.6, "inpainting_fill": 1, "script_name": None, "script_args": [],
        "save_images": False, "send_images": True, "override_settings": {"sd_model_checkpoint": "realisticVisionV51.safetensors"},
        "alwayson_scripts": {"controlnet": {"args": [{"enabled": True, "module": "canny", "model": "control_v11p", "image": DATA}]}},
    }  # fmt: skip
    request = read(body, example("automatic1111"), path="sdapi/v1/img2img")

    assert request.pictures == (Sent(PNG), DataUrl(DATA), DataUrl(DATA))
    assert request.context == ("without nude; without nsfw; without blurry",)
    assert not INTENT.assess(request.prompt, request.context).category.is_revealing


@pytest.mark.parametrize("closed", [{"styles": ["nude style"]}, {"script_name": "outpainting"}, {"script_args": ["x"]}, {"infotext": "naked"}, {"save_images": True}])  # fmt: skip
def test_what_nobody_can_see_is_closed_at_automatic1111(closed):
    with pytest.raises(BadRequest):
        read({"prompt": "x"} | closed, example("automatic1111"), path="sdapi/v1/txt2img")


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
LINKS = st.tuples(NAMES, st.integers(0, 1)).map(list)


@slowly
@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            st.builds(lambda text: node("CLIPTextEncode", text=text), st.text(min_size=1)),
            st.builds(lambda one, two: node("KSampler", positive=one, negative=two, cfg=7), LINKS, LINKS),
            st.builds(lambda one, two: node("ConditioningCombine", conditioning_1=one, conditioning_2=two), LINKS, LINKS),
        ),
    )
)  # fmt: skip
def test_in_any_graph_each_text_is_wanted_or_not_and_none_is_lost(nodes):
    described = example("comfyui").api.routes[1].graph
    texts = sorted(each["inputs"]["text"] for each in nodes.values() if "text" in each["inputs"])

    words = read_graph(described, nodes)

    assert sorted([*words.wanted, *words.unwanted]) == texts


@slowly
@given(st.text(min_size=1))
def test_what_is_used_as_wanted_anywhere_is_wanted(text):
    described = example("comfyui").api.routes[1].graph
    nodes = {
        "a": node("CLIPTextEncode", text=text),
        "b": node("KSampler", positive=["c", 0], negative=["a", 0]),
        "c": node("ConditioningCombine", conditioning_1=["a", 0]),
    }

    assert read_graph(described, nodes).wanted == (text,)
