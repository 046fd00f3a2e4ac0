"""The OpenAPI 3.1 document, made from the routes themselves.

Litestar's own generator omits that unknown fields are refused and drops zero minima; msgspec, which does the
decoding, describes its types exactly. So the schemas are msgspec's, and the operations come from what each
route declares.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition
from msgspec import NODEFAULT, Meta

from quintet.kernel.actor import Access
from quintet.kernel.clock import Instant
from quintet.kernel.http.call import Rules
from quintet.kernel.refusals import (
    Fault,
    Forbidden,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidIdempotencyKey,
    InvalidRequest,
    MalformedJson,
    MalformedMultipart,
    NotSignedIn,
    NotUtf8,
    RateLimited,
    Refusal,
    RequestTimeout,
    TooDeep,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

_REF = "#/components/schemas/{name}"
_ACCESS = {
    Access.PUBLIC: "For anybody.",
    Access.SIGNED_IN: "For signed-in callers.",
    Access.MODERATOR: "For moderators and admins.",
    Access.ADMIN: "For admins.",
}
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class ProblemDocument(msgspec.Struct):
    """Every error, as RFC 9457 writes it; further members name what is in the way."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[Fault] = []


def document(routes: Iterable[Any], *, title: str, version: str, server: str) -> dict[str, Any]:
    """The OpenAPI document of every route that is to be shown."""
    operations = [
        (path, method, handler, handler.opt["rules"]) for path, method, handler in shown_handlers(routes)
    ]
    types = [ProblemDocument, *(kind for *_, handler, _ in operations for kind in _types(handler))]
    schemas, components = msgspec.json.schema_components(
        list(dict.fromkeys(types)), schema_hook=_schema_of_own, ref_template=_REF
    )
    for *_, rules in operations:
        if rules.takes_form is not None:
            _show_files(components[rules.takes_form.__name__])
    schema_of = dict(zip(dict.fromkeys(types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, rules in operations:
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, handler, rules, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": "See /docs for a page to read."},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _show_files(form: dict[str, Any]) -> None:
    """A form carries bytes as they are; msgspec, which thinks of JSON, says that they are base64."""
    for told in form["properties"].values():
        for one in (told, *told.get("anyOf", ())):
            one.pop("contentEncoding", None)


def _schema_of_own(kind: type) -> dict[str, Any]:
    """Our own types, which msgspec does not know."""
    if kind is Instant:
        return {"type": "string", "format": "date-time"}
    raise NotImplementedError(kind)  # how msgspec wants to hear "not mine"


def shown_handlers(routes: Iterable[Any]) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every path, method and handler that callers are told of."""
    for route in routes:
        if not isinstance(route, HTTPRoute):
            continue
        # The framework's own order differs from start to start; the document's must not.
        for handler in sorted(route.route_handlers, key=lambda one: sorted(one.http_methods)):
            if "rules" in handler.opt and handler.include_in_schema:
                for method in sorted(handler.http_methods):
                    yield route.path_format, method, handler


def _types(handler: HTTPRouteHandler) -> Iterator[Any]:
    yield from _bodies(handler, handler.opt["rules"]).values()
    yield _answered(handler)
    for _, field in _parameters(handler):
        yield _parameter_type(field)


def _bodies(handler: HTTPRouteHandler, rules: Rules) -> dict[str, Any]:
    """The type of the body by its kind of content; empty where the route takes none."""
    json_type = handler.parsed_data_field.annotation if handler.parsed_data_field else rules.takes_json
    told = {"application/json": json_type, "multipart/form-data": rules.takes_form}
    return {kind: type_ for kind, type_ in told.items() if type_ is not None}


def _answered(handler: HTTPRouteHandler) -> Any:
    arguments = get_args(handler.parsed_return_field.annotation)
    return arguments[0] if arguments else None


def _parameters(handler: HTTPRouteHandler) -> Iterator[tuple[str, FieldDefinition]]:
    for name, field in handler.parsed_fn_signature.parameters.items():
        if name not in {"request", "data"}:
            yield name, field


def _parameter_type(field: FieldDefinition) -> Any:
    """The parameter's type with its bounds, for msgspec to describe."""
    bounds = field.kwarg_definition
    if not isinstance(bounds, ParameterKwarg):
        return field.annotation
    said = {
        name: getattr(bounds, name)
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
        if getattr(bounds, name, None) is not None
    }
    annotation = field.annotation
    if not said or field.is_optional:
        return annotation
    return Annotated[annotation, Meta(**said)]


def _operation(
    path: str, method: str, handler: HTTPRouteHandler, rules: Rules, schema_of: dict[Any, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(path, method, handler),
        "summary": handler.summary,
        "description": f"{(handler.fn.__doc__ or '').strip()} {_ACCESS[rules.access]}",
        "tags": list(handler.tags or ()),
        "responses": _responses(handler, rules, schema_of),
    }
    if parameters := list(_told_parameters(path, handler, rules, schema_of)):
        operation["parameters"] = parameters
    if bodies := _bodies(handler, rules):
        contents: dict[str, Any] = {kind: {"schema": schema_of[type_]} for kind, type_ in bodies.items()}
        if rules.example is not None and "application/json" in contents:
            contents["application/json"]["example"] = rules.example
        operation["requestBody"] = {"required": True, "content": contents}
    if rules.access > Access.PUBLIC:
        operation["security"] = [{"bearer": []}]
    elif rules.reads_token:
        operation["security"] = [{}, {"bearer": []}]
    return operation


def _operation_id(path: str, method: str, handler: HTTPRouteHandler) -> str:
    """The handler's name; where one handler has several addresses, the address makes the others unique."""
    name = str(handler.handler_name)
    first = min(handler.paths, key=lambda one: (len(one), one))
    if path.replace("{", "").replace("}", "") == _bare(first):
        return name
    return f"{name}_{method.lower()}_{path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}"


def _bare(template: str) -> str:
    """`/a/{b:str}` as `/a/b`."""
    parts = [part.strip("{}").partition(":")[0] for part in template.split("/")]
    return "/".join(parts)


def _told_parameters(
    path: str, handler: HTTPRouteHandler, rules: Rules, schema_of: dict[Any, Any]
) -> Iterator[dict[str, Any]]:
    for name, field in _parameters(handler):
        schema = dict(schema_of[_parameter_type(field)])
        if f"{{{name}}}" in path:
            yield {"name": name, "in": "path", "required": True, "schema": schema}
            continue
        bounds = field.kwarg_definition
        told = bounds.name if isinstance(bounds, ParameterKwarg) and bounds.name else name
        if field.has_default and field.default not in {None, NODEFAULT}:
            schema["default"] = field.default
        parameter = {"name": told, "in": "query", "required": not field.has_default, "schema": schema}
        if isinstance(bounds, ParameterKwarg) and bounds.description:
            parameter["description"] = bounds.description
        yield parameter
    if takes_idempotency_key(handler, rules):
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key again gets the first answer again, for a day.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }


def takes_idempotency_key(handler: HTTPRouteHandler, rules: Rules) -> bool:
    """Whether an Idempotency-Key means something to the route."""
    return bool(handler.http_methods & _WRITES) and rules.access > Access.PUBLIC and rules.idempotent


def refusals_of(handler: HTTPRouteHandler, rules: Rules) -> list[type[Refusal]]:
    """Every refusal a caller of the route can get: the declared ones and those that come with the edge."""
    told: list[type[Refusal]] = [*rules.refusals, Unavailable]
    if rules.reads_token:
        told.append(NotSignedIn)
    if rules.access > Access.SIGNED_IN:
        told.append(Forbidden)
    if rules.limited:
        told.append(RateLimited)
    if bodies := _bodies(handler, rules):
        told += [NotUtf8, TooLarge, UnsupportedMediaType, RequestTimeout]
        told += [MalformedJson, TooDeep] if "application/json" in bodies else []
        told += [MalformedMultipart] if "multipart/form-data" in bodies else []
    if takes_idempotency_key(handler, rules):
        told += [IdempotencyInFlight, IdempotencyKeyReused, InvalidIdempotencyKey]
    if "cursor" in handler.parsed_fn_signature.parameters:
        told.append(InvalidCursor)
    told += [InvalidRequest, NotUtf8]
    return list(dict.fromkeys(told))


def _responses(handler: HTTPRouteHandler, rules: Rules, schema_of: dict[Any, Any]) -> dict[str, Any]:
    answered = _answered(handler)
    success: dict[str, Any] = {"description": str(handler.summary)}
    if answered is not type(None) and answered is not None and handler.status_code != 204:
        content: dict[str, Any] = {"schema": schema_of[answered]}
        if rules.example is not None and not _bodies(handler, rules):
            content["example"] = rules.example
        success["content"] = {"application/json": content}
    if rules.streams:
        success["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    if rules.answers:
        schemas = {kind: {"type": "string", "contentMediaType": kind} for kind in rules.answers}
        success["content"] = {kind: {"schema": schema} for kind, schema in schemas.items()}
    responses: dict[str, Any] = {str(handler.status_code): success}
    if handler.http_methods <= {"POST", "PUT"} and handler.status_code == 201:
        responses["200"] = success | {"description": "It was there already"}
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals_of(handler, rules):
        by_status.setdefault(refusal.status, []).append(refusal)
    for status, refusals in sorted(by_status.items()):
        codes = sorted({refusal.code for refusal in refusals})
        responses[str(status)] = {
            "description": "; ".join(f"`{r.code}`: {r.title}" for r in refusals),
            "content": {
                "application/problem+json": {
                    "schema": {
                        "allOf": [
                            {"$ref": _REF.format(name="ProblemDocument")},
                            {"type": "object", "properties": {"code": {"enum": codes}}},
                        ]
                    }
                }
            },
        }
    return responses
