"""Errors become EMQX's codes and the right status."""

from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rookery import errors
from rookery.web.errors import answer_error, status_of

REQUEST = Request({"type": "http", "method": "GET", "path": "/", "headers": []})


def all_errors(base: type[errors.RookeryError]) -> list[type[errors.RookeryError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in all_errors(child))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadRequestError("x"), 400),
        (errors.ConfigError(["x"]), 400),
        (errors.NotAllowedError("x"), 403),
        (errors.NotFoundError("x"), 404),
        (errors.ConflictError("x"), 409),
        (errors.NotAvailableError("x"), 501),
        (errors.UnavailableError("x"), 503),
        (errors.TimedOutError("x"), 504),
        (errors.InternalError("x"), 500),
    ],
)
async def test_an_error_has_a_status_and_a_code(error: errors.RookeryError, status: int) -> None:
    answer = await answer_error(REQUEST, error)

    assert answer.status_code == status
    assert json.loads(bytes(answer.body)) == {"code": error.code, "message": "x"}


def test_every_error_has_a_status() -> None:
    for kind in all_errors(errors.RookeryError):
        assert 400 <= status_of(kind.__new__(kind)) < 600


async def test_a_wrong_path_is_answered_in_the_same_form() -> None:
    answer = await answer_error(REQUEST, HTTPException(404))

    assert json.loads(bytes(answer.body)) == {"code": "NOT_FOUND", "message": "Not Found"}


async def test_an_answer_is_in_the_language_of_who_asked() -> None:
    headers = [(b"accept-language", b"zh-CN")]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})

    whole = await answer_error(request, errors.NotFoundError("no a", message_zh="没有 a"))
    plain = await answer_error(request, errors.NotFoundError("no a"))

    assert json.loads(bytes(whole.body))["message"] == "没有 a"
    assert json.loads(bytes(plain.body))["message"] == "未找到：no a"


async def test_a_busy_node_says_when_to_come_again() -> None:
    answer = await answer_error(REQUEST, errors.BusyError("busy"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (
        "retry-after"
        not in (await answer_error(REQUEST, errors.UnavailableError("stopping"))).headers
    )


async def test_a_defect_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    answer = await answer_error(REQUEST, ZeroDivisionError("secret"))

    assert answer.status_code == 500
    assert b"secret" not in answer.body
    assert "secret" in caplog.text
