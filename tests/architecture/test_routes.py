"""What every route declares of itself."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.world import World

from quintet.app import HANDLERS, build_app
from quintet.kernel.actor import Access
from quintet.kernel.http.call import Rules
from quintet.kernel.http.openapi import refusals_of
from quintet.kernel.refusals import InvalidCursor, Refusal
from quintet.settings import load_settings


@pytest.fixture(scope="module")
def app() -> Any:
    """The routed application, never started."""
    return build_app(load_settings({}, dotenv=None), "postgresql:///nowhere").app


def test_every_route_of_the_application_is_one_of_ours(app: Any) -> None:
    names = {str(handler) for handler in HANDLERS}
    for route in app.routes:
        for handler in route.route_handlers:
            if handler.http_methods != {"OPTIONS"}:
                assert isinstance(handler.opt.get("rules"), Rules), route.path
                assert str(handler) in names


@pytest.mark.parametrize("name", sorted({str(handler.fn.__name__) for handler in HANDLERS}))
def test_a_route_says_what_it_is(app: Any, name: str) -> None:
    routed = [
        (route, handler)
        for route in app.routes
        for handler in route.route_handlers
        if handler.fn.__name__ == name
    ]
    assert routed
    for route, handler in routed:
        rules: Rules = handler.opt["rules"]
        assert isinstance(rules.access, Access)
        assert handler.summary
        assert handler.summary[0].isupper()
        assert not handler.summary.endswith(".")
        assert handler.tags
        assert (handler.fn.__doc__ or "").strip(), "a docstring states the promise"
        assert route.path.startswith("/")
        assert route.path == "/" or not route.path.endswith("/")
        if rules.access > Access.PUBLIC:
            assert rules.reads_token
        told = refusals_of(handler, rules)
        if "cursor" in handler.parsed_fn_signature.parameters:
            assert InvalidCursor in told, "a list with a cursor can refuse one"
        if handler.parsed_data_field is not None or rules.takes_json is not None:
            assert rules.example is not None, "a body needs an example"
        if handler.http_methods & {"GET"}:
            assert handler.parsed_data_field is rules.takes_form is rules.takes_json is None, "no body to GET"


async def test_examples_are_what_they_are_examples_of(world: World) -> None:
    document = (await world.get("/openapi.json")).json()
    wrong: list[str] = []
    examples = 0
    for path, item in document["paths"].items():
        for method, told in item.items():
            for part in (told.get("requestBody", {}), *told["responses"].values()):
                for content in part.get("content", {}).values():
                    if "example" not in content:
                        continue
                    examples += 1
                    schema = {**content["schema"], "components": document["components"]}
                    wrong += [
                        f"{method.upper()} {path}: {error.message}"
                        for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(
                            content["example"]
                        )
                    ]
    assert examples > 10
    assert wrong == []


def descendants(kind: type[Refusal]) -> set[type[Refusal]]:
    return {kind} | {one for child in kind.__subclasses__() for one in descendants(child)}


def test_every_refusal_has_its_sentence_and_its_code() -> None:
    for refusal in descendants(Refusal) - {Refusal}:
        assert (refusal.__doc__ or "").strip().endswith("."), refusal
        assert refusal.__doc__ != refusal.__base__.__doc__ or refusal.__name__ == "InvalidRequest", refusal
        assert refusal.title
        assert refusal.code == refusal.code.lower()
        assert 400 <= refusal.status < 600


def test_refusals_of_routes_can_be_told(app: Any) -> None:
    for handler in (h for route in app.routes for h in route.route_handlers if "rules" in h.opt):
        for refusal in refusals_of(handler, handler.opt["rules"]):
            assert (refusal.__doc__ or "").strip()


async def test_the_document_tells_all_of_it(world: World) -> None:
    document = (await world.get("/openapi.json")).json()
    operations = [
        (path, method, told) for path, item in document["paths"].items() for method, told in item.items()
    ]
    assert len({told["operationId"] for *_, told in operations}) == len(operations)
    for path, method, told in operations:
        assert told["summary"], path
        assert told["responses"], path
        written = method in {"post", "put", "patch", "delete"}
        codes = {
            code
            for response in told["responses"].values()
            for content in response.get("content", {}).values()
            for code in (content["schema"].get("allOf") or [{}, {}])[-1]
            .get("properties", {})
            .get("code", {})
            .get("enum", [])
        }
        names = {parameter["name"] for parameter in told.get("parameters", [])}
        assert ("Idempotency-Key" in names) == (
            {"idempotency_in_flight", "idempotency_key_reused"} <= codes
        ), path
        if written and "requestBody" in told:
            assert {"too_large", "request_timeout", "unsupported_media_type"} <= codes
            content = told["requestBody"]["content"]
            assert ({"malformed_json", "too_deep"} <= codes) == ("application/json" in content)
            assert ("malformed_multipart" in codes) == ("multipart/form-data" in content)
        if "cursor" in names:
            assert "invalid_cursor" in codes
    schemas = document["components"]["schemas"]
    file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
    assert schemas["ChapterForm"]["properties"]["file"] == file  # not base64
    references = {
        part.split('"')[0]
        for part in msgspec.json.encode(document).decode().split("#/components/schemas/")[1:]
    }
    assert references <= set(schemas)
