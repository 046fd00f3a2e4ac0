"""Problems: every error the server answers, in the one shape of RFC 9457, the framework's own included.

Invariant: nothing echoes a secret, a stack, SQL or a path of the server.
"""

import re
from collections.abc import Callable
from typing import Any

from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.params import ParameterKwarg

from quintet.kernel import json
from quintet.kernel.http.answer import PROBLEM_JSON, Rendered
from quintet.kernel.http.call import Call
from quintet.kernel.refusals import (
    Fault,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Refusal,
)
from quintet.kernel.telemetry import get_logger

_OUT_OF_RANGE = re.compile(r"Expected `\w+`(?: of length)? [<>=]|out of range|Invalid (enum )?value")


class Problem:
    """A refusal on its way out; Litestar asks it for an ASGI response."""

    def __init__(self, refusal: Refusal, request_id: str) -> None:
        self._refusal = refusal
        self._request_id = request_id

    def to_asgi_response(self, **_: Any) -> Rendered:
        """The refusal as ASGI messages."""
        return render(self._refusal, self._request_id)


def render(refusal: Refusal, request_id: str) -> Rendered:
    """The problem document of a refusal."""
    document = document_of(refusal, request_id)
    headers = [(name.lower().encode(), text.encode()) for name, text in refusal.headers.items()]
    headers += [(b"content-type", PROBLEM_JSON), (b"cache-control", b"no-store")]
    return Rendered(refusal.status, headers, json.encode(document))


def document_of(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """The members of a refusal's problem document."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail or refusal.title,
        "request_id": request_id,
    }
    if refusal.errors:
        document["errors"] = refusal.errors
    return document | dict(refusal.members)


def answer_exception(request: Call, error: Exception) -> Problem:
    """Whatever was raised, as a problem; what is not a refusal is a bug and is logged."""
    request_id = request.call_state.request_id
    refusal = refusal_of(error, lambda: _told_names(request))
    if isinstance(refusal, Internal):
        get_logger().error("bug", request_id=request_id, exc_info=error)
    return Problem(refusal, request_id)


def _told_names(request: Call) -> dict[str, str]:
    """The names that callers know parameters by, where the handler's own differ."""
    fields = request.route_handler.parsed_fn_signature.parameters
    definitions = {name: field.kwarg_definition for name, field in fields.items()}
    return {
        name: definition.name
        for name, definition in definitions.items()
        if isinstance(definition, ParameterKwarg) and definition.name
    }


def refusal_of(error: Exception, told_names: Callable[[], dict[str, str]] = dict) -> Refusal:
    """The refusal that an exception stands for; `told_names` maps a handler's parameters to their names."""
    match error:
        case Refusal():
            return error
        case ValidationException():
            return _invalid_parameters(error, told_names())
        case NotFoundException():
            return NotFound()
        case MethodNotAllowedException():
            allowed = (error.headers or {}).get("allow", "")
            names = set(filter(None, (one.strip() for one in allowed.split(",")))) | {"OPTIONS"}
            names |= {"HEAD"} if "GET" in names else set()
            return MethodNotAllowed(headers={"Allow": ", ".join(sorted(names))})
        case HTTPException() if 400 <= error.status_code < 500:
            return InvalidRequest(error.detail)
        case _:
            return Internal()


def _invalid_parameters(error: ValidationException, told_names: dict[str, str]) -> InvalidRequest:
    """Litestar's list of what is wrong with path, query and headers, as our entries."""
    faults: list[Fault] = []
    entries: Any = error.extra if isinstance(error.extra, list) else []
    for entry in entries:
        message, name = str(entry.get("message", "")), str(entry.get("key", ""))
        name = told_names.get(name, name)
        if name == "data":
            faults.append(Fault("missing", "a JSON body is needed", pointer=""))
        elif _OUT_OF_RANGE.search(message):
            too_long = "of length <=" in message
            faults.append(Fault("too_long" if too_long else "out_of_range", message, parameter=name))
        else:
            faults.append(Fault("wrong_type", message or "cannot be read", parameter=name))
    if not faults:  # a required parameter that is not there at all
        match = re.search(r"[Mm]issing required \w+ parameter '([^']+)'", error.detail)
        name = match[1] if match else ""
        faults.append(Fault("missing" if match else "wrong_type", "is needed", parameter=name))
    return InvalidRequest("; ".join(f"{f.parameter or 'body'}: {f.message}" for f in faults), errors=faults)
