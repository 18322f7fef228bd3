"""What every answer has, whatever it answers: a name, a line of the log, and a HEAD."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from app.main import create_app
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import drop, full, get, gettable, head_of, problem_of, raw
from tests.serving import PLAIN

Submit = Callable[..., dict[str, Any]]

HARMLESS = ["42", "a" * 128, "01a2081a-03ff-7409-928e-9e4a93bd3029", "trace:1/2=a+b@c_d.e"]
ODD = [b"", b"two words", b"a\tb", b"a\x85b", b"caf\xe9", b'"quoted"', b"a,b", b"<b>", b"a" * 129]


@contextmanager
def served_alone(register: Register) -> Iterator[str]:
    """The service behind Uvicorn with nothing in between, as `register serve` runs it."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(register.settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def answers_of_all_kinds(register: Register) -> dict[str, httpx.Response]:
    """An answer of each status that a request can easily have."""
    anybody, trust = register.client(), register.client(register.key("R0A"))
    created = trust.post("/v1/innovations", json=WARD_ROUNDS)
    at, tag = created.headers["location"], created.headers["etag"]
    json = {"Content-Type": "application/json"}
    return {
        "200": anybody.get(at),
        "201": created,
        "304": anybody.get(at, headers={"If-None-Match": tag}),
        "400 of an address": anybody.get("/v1/%FF"),
        "400 of a host": anybody.get("/v1", headers={"Host": "evil.example"}),
        "400 of a body": trust.post("/v1/innovations", content=b"{", headers=json),
        "401": anybody.post("/v1/innovations", json=WARD_ROUNDS),
        "404": anybody.get("/nowhere"),
        "405": anybody.delete("/v1"),
        "412": trust.patch(at, json={}, headers={"If-Match": '"0"'}),
        "413": trust.post("/v1/innovations", content=b" " * 2**21, headers=json),
        "415": trust.post("/v1/innovations", content=b"title=a"),
        "422": anybody.get("/v1/innovations?limit=0"),
        "428": trust.patch(at, json={}),
        "204": _removed(trust, at),
        "200 of a page": anybody.get("/docs"),
        "200 of an asset": anybody.get("/assets/register.css"),
        "200 of a probe": anybody.get("/livez"),
        "500": _broken(register),
    }


def _removed(trust: httpx.Client, at: str) -> httpx.Response:
    piece = {"kind": "audit", "statement": "It held."}
    where = trust.post(f"{at}/evidence", json=piece).headers["location"]
    return trust.delete(where, headers={"If-Match": "*"})


def _broken(register: Register) -> httpx.Response:
    drop(register, "innovation_key")
    return register.client().get("/v1/innovations?tag=video")


def test_every_answer_has_its_name_and_its_line_of_the_log(
    register: Register, subtests: pytest.Subtests
) -> None:
    names = set()
    for kind, answer in answers_of_all_kinds(register).items():
        with subtests.test(kind):
            assert answer.status_code == int(kind[:3])
            for header in ("x-request-id", "register-sequence", "x-content-type-options"):
                assert len(answer.headers.get_list(header)) == 1, header
            assert answer.headers["register-sequence"].isdecimal()
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-request-id"] not in names
            names.add(answer.headers["x-request-id"])


def test_the_senders_name_of_a_request_is_kept_if_harmless(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for name in HARMLESS:
        for path in ("/v1", "/nowhere", "/v1/%FF"):
            with subtests.test(f"{name[:40]} {path}"):
                answer = anybody.get(path, headers={"X-Request-ID": name})
                assert answer.headers["x-request-id"] == name
    problem_of(anybody.get("/nowhere", headers={"X-Request-ID": "trace:1/2"}), 404, "not-found")


def test_an_odd_name_of_a_request_is_replaced(
    register: Register, subtests: pytest.Subtests
) -> None:
    for name in ODD:
        with subtests.test(repr(name[:20])):
            (answer,) = raw(register.url, get(b"/v1", b"X-Request-ID: " + name))
            assert answer.status_code == 200
            made = answer.headers["x-request-id"]
            assert made.encode("latin-1") != name
            assert len(made) == 36


def test_the_line_of_the_log_follows_what_is_written(trust: httpx.Client) -> None:
    before = head_of(trust)
    created = trust.post("/v1/innovations", json=WARD_ROUNDS)
    assert int(created.headers["register-sequence"]) == before + 1
    for path in (created.headers["location"], "/v1/innovations", "/v1/themes", "/nowhere"):
        assert int(trust.get(path).headers["register-sequence"]) == before + 1


def test_head_is_get_without_the_body(
    trust: httpx.Client, icb: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    paths = gettable(trust, full(submit, icb))
    assert len(paths) > 20
    for path in [*paths, "/nowhere", "/v1/innovations?limit=0"]:
        with subtests.test(path):
            whole = trust.get(path, headers={"X-Request-ID": "1"})
            head = trust.head(path, headers={"X-Request-ID": "1"})
            assert (head.status_code, head.content) == (whole.status_code, b"")
            told = [dict(answer.headers) for answer in (head, whole)]
            # What is written as it is sent has no length before (RFC 9110, section 9.3.2).
            streamed = told[1].pop("transfer-encoding", None) == "chunked"
            assert {**told[0], "date": ""} == {**told[1], "date": ""}
            assert len(whole.content) > 0
            if not streamed:
                assert int(head.headers["content-length"]) == len(whole.content)


def test_a_head_leaves_the_connection_fit_for_the_next_request(register: Register) -> None:
    with served_alone(register) as url:
        wait_for(url)
        for path in (b"/v1", b"/v1/innovations", b"/nowhere", b"/docs", b"/assets/register.css"):
            head, after = raw(url, get(path, method=b"HEAD"), get(b"/livez"))
            assert int(head.headers["content-length"]) > 0
            assert after.json() == {"status": "ok"}


def wait_for(url: str) -> None:
    """Until a server answers."""
    for _ in range(200):
        try:
            httpx.get(f"{url}/livez", verify=PLAIN)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return


def test_a_head_can_be_told_that_nothing_has_changed(trust: httpx.Client, submit: Submit) -> None:
    at = submit()["links"]["self"]
    tag = trust.get(at).headers["etag"]
    answer = trust.head(at, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_read_varies_with_the_key_and_is_asked_for_again(
    trust: httpx.Client, icb: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    for path in gettable(trust, full(submit, icb)):
        if path.startswith("/v1"):
            with subtests.test(path):
                answer = trust.get(path)
                assert answer.headers["vary"] == "Accept, Authorization"
                # What a text is like is a matter of what the process has learnt, too.
                learnt = path.endswith(("/similar", "/emerging"))
                caching = "no-store" if learnt else "no-cache"
                assert answer.headers["cache-control"] == caching


def test_only_the_services_own_hosts_are_served(
    register: Register, subtests: pytest.Subtests
) -> None:
    ours = [b"localhost", b"LOCALHOST:8000", b"127.0.0.1", b"[::1]", b"[::1]:8000"]
    others = [b"evil.example", b"localhost.evil.example", b"evil.example:80", b"", b"[::2]"]
    others += [b"localhost:80:evil.example", b"evil.example@localhost", b"local\xe9host"]
    for host in ours:
        with subtests.test(repr(host)):
            (answer,) = raw(register.url, get(b"/v1", b"Host: " + host))
            assert answer.status_code == 200
    for host in others:
        with subtests.test(repr(host)):
            (answer,) = raw(register.url, get(b"/v1", b"Host: " + host))
            problem_of(answer, 400, "host-not-allowed")
            assert b"evil" not in answer.content
