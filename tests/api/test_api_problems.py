"""One shape for every error, one line of log for every request, and nothing private in either."""

from __future__ import annotations

import json
import logging
import threading

import anyio
import pytest
from consentry.accounts.principals import Scope
from consentry.api.metrics import Metrics
from consentry.api.problems import problem_response, title_of
from consentry.api.work import Kind, Traffic, Work
from consentry.kernel import errors
from consentry.kernel.errors import (
    ConsentryError,
    ModelUnavailable,
    OperatorError,
    Overloaded,
    QualityTooLow,
    TooManyRequests,
)
from fakes.coloured_faces import picture
from fakes.site import ORIGIN, PASSWORD, is_problem, opened

RED = (200, 0, 0)


def kinds():
    found = [getattr(errors, name) for name in dir(errors)]
    return [k for k in found if isinstance(k, type) and issubclass(k, ConsentryError)]


def raised(kind):
    if issubclass(kind, TooManyRequests):
        return kind("the text", retry_after_s=7)
    if issubclass(kind, QualityTooLow):
        return kind("the text", issues=("blurred",))
    return kind("the text")


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_the_one_shape(kind):
    response = problem_response(raised(kind), "urn:uuid:1")
    body = json.loads(response.body)
    assert set(body) - {"issues"} == {"type", "title", "status", "detail", "code", "instance"}
    assert (body["status"], body["code"]) == (kind.status, kind.code)
    assert response.status_code == kind.status
    assert (body["detail"] == "the text") is (not issubclass(kind, OperatorError))
    if kind.status in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1


def test_a_title_is_the_name_in_words():
    assert title_of(TooManyRequests) == "Too many requests"


def test_every_route_answers_every_wrong_request_with_a_problem(lit):
    for client in (lit.owner(), lit.nobody(), lit.nobody(origin=ORIGIN), lit.bearer(*Scope)):
        for route in lit.app.router.routes:
            for method in ("GET", "POST", "DELETE", "PUT", "OPTIONS"):
                answer = client.request(method, route.path, content=b"?")
                if answer.status_code >= 400:
                    body = answer.json()
                    assert is_problem(answer, answer.status_code, body["code"]), route.path


def test_a_mistake_of_ours_is_told_in_constant_words_and_logged_without_its_text(
    lit, monkeypatch, caplog
):
    def broken(_self):
        raise ValueError("Ada's embedding is 0.1 0.2")

    monkeypatch.setattr(type(lit.home.people), "all", broken)
    with caplog.at_level(logging.DEBUG):
        answer = lit.owner().get("/v1/subjects")
    assert is_problem(answer, 500, "internal-error")
    assert "Ada" not in answer.text
    assert "Ada" not in caplog.text
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "unexpected ValueError at test_api_problems.py:" in line
    assert answer.json()["instance"] in line


def test_what_broke_on_our_side_is_logged_and_not_told(lit, caplog):
    lit.home.faces.failure = ModelUnavailable("the file centerface.onnx is not the pinned one")
    with caplog.at_level(logging.INFO):
        answer = lit.owner().post("/v1/faces", files={"image": picture(RED)})
    assert is_problem(answer, 503, "model-unavailable")
    assert "centerface" not in answer.text
    assert "centerface" in caplog.text
    assert answer.headers["retry-after"] == "2"


def test_one_line_of_log_for_each_request_and_nothing_private_in_it(lit, caplog):
    with caplog.at_level(logging.DEBUG):
        owner = lit.owner()
        enrolled = owner.post(
            "/v1/subjects", files=[("photos", ("ada.png", picture(RED)))], data={"name": "Ada Test"}
        ).json()
        check = owner.post(
            "/v1/checks",
            files=[("images", ("ada.png", picture(RED)))],
            data={"prompt": "make Ada's sky blue", "platform": "secret-platform", "region": "NL"},
        ).json()
        owner.get(f"/v1/receipts/{check['check_id']}?limit=99")
        owner.post("/v1/subjects/revoke", json={"subject": "Ada Test"})
        owner.post("/v1/vault/unlock", json={"passphrase": PASSWORD})
        token = owner.post("/v1/tokens", json={"name": "Ada's browser", "scopes": ["faces:read"]})
        lit.nobody(authorization=f"Bearer {token.json()['secret']}").get("/v1/vault")
        lit.browser().get("/v1/vault")
        owner.get("/v1/somebody@example.org")
    lines = [r.getMessage() for r in caplog.records if r.name == "consentry.access"]
    assert len(lines) == 9
    assert lines[0].startswith("POST /v1/subjects 201 ")
    assert lines[2].startswith("GET /v1/receipts/{check_id} 200 ")
    assert [line.split()[4] for line in lines[-3:]] == [
        "door=token",
        "door=dashboard",
        "door=none",
    ]
    for private in (
        "Ada",
        "ada.png",
        "sky",
        "secret-platform",
        "NL ",
        "limit=99",
        PASSWORD,
        "cst_",
        "example.org",
        enrolled["subject"],
        check["check_id"],
        check["receipt"],
        token.json()["token"],
    ):
        # httpx is the client of this test: it logs what it asks for.
        assert all(private not in r.getMessage() for r in caplog.records if r.name != "httpx")


def test_a_full_queue_turns_away_at_once_and_says_when_to_come_back(home):
    home.create()
    inside, leave = threading.Semaphore(0), threading.Event()

    def slow(_pixels, *, thorough):
        inside.release()
        leave.wait(10)
        return ()

    home.faces.detect = slow
    with opened(home, worker_threads=1) as site:
        client = site.owner()
        threads = [
            threading.Thread(
                target=client.post, args=("/v1/faces",), kwargs={"files": {"image": picture(RED)}}
            )
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        assert inside.acquire(timeout=10)
        runtime = site.socket_app.state.runtime
        while runtime.work._pools[Kind.PICTURES].admitted < 5:
            threading.Event().wait(0.01)
        turned_away = client.post("/v1/faces", files={"image": picture(RED)})
        still_answered = client.get("/v1/vault")
        leave.set()
        for thread in threads:
            thread.join()
        metrics = client.get("/metrics").text
    assert is_problem(turned_away, 503, "overloaded")
    assert turned_away.headers["retry-after"] == "2"
    assert still_answered.is_success
    assert 'consentry_work_overloaded_total{kind="pictures"} 1.0' in metrics


def test_stopping_admits_no_more_work():
    async def scenario():
        work = Work(threads=1, metrics=Metrics())
        async with work.place(Kind.PICTURES):
            work.close()
            assert await work.run(Kind.PICTURES, lambda: "finished") == "finished"
        with pytest.raises(Overloaded):
            async with work.place(Kind.PICTURES):
                pass

    anyio.run(scenario)


def test_stopping_waits_for_what_is_being_answered_and_not_for_ever():
    async def scenario():
        traffic = Traffic()
        with traffic.request():
            with anyio.fail_after(5):
                await traffic.until_quiet(grace_s=0.05)
            assert not traffic.is_quiet
        await traffic.until_quiet(grace_s=60)
        assert traffic.is_quiet

    anyio.run(scenario)


def test_stopping_locks_the_vault(lit):
    async def serve_and_stop():
        async with lit.app.router.lifespan_context(lit.app):
            assert lit.home.custody.state == "unlocked"

    anyio.run(serve_and_stop)
    assert lit.home.custody.state == "locked"


def test_the_process_is_alive_and_ready_and_says_no_more_to_strangers(lit):
    assert lit.nobody().get("/healthz").json() == {"status": "ok"}
    assert lit.nobody().get("/readyz").json() == {"status": "ready"}
    assert lit.owner().get("/readyz").json() == {
        "status": "ready",
        "vault": "unlocked",
        "gallery": "empty",
    }


def test_a_missing_model_is_not_ready_and_is_asked_for_again(home):
    answers = [ModelUnavailable("gone"), None]
    asked = []

    def probe():
        asked.append(True)
        failure = answers.pop(0)
        if failure is not None:
            raise failure

    with opened(home, probes=(probe,)) as site:
        assert is_problem(site.nobody().get("/readyz"), 503, "not-ready")
        for _ in range(3):
            assert site.nobody().get("/readyz").is_success
    assert len(asked) == 2  # a good answer holds for a while


def test_metrics_count_and_name_nobody(lit):
    owner = lit.owner()
    enrolled = lit.home.enrol(RED)
    check = owner.post("/v1/checks", files=[("images", picture(RED))], data={"prompt": "sky"})
    owner.get(f"/v1/receipts/{check.json()['check_id']}")
    owner.request("BREW", "/v1/vault")
    text = owner.get("/metrics").text
    assert 'consentry_checks_total{mode="act",verdict="needs_consent"} 1.0' in text
    assert 'route="/v1/receipts/{check_id}",status="200"' in text
    assert "BREW" not in text
    for private in (enrolled.subject, "Ada", check.json()["check_id"], "chk_"):
        assert private not in text


def test_nothing_is_exported_whatever_the_environment_says(monkeypatch):
    from consentry.api.app import bare_app

    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    app = bare_app("0", middleware=[])
    assert not any(
        app._telemetry[name] for name in ("auto_configure", "tracing", "metrics", "logs")
    )
