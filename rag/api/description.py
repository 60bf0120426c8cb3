"""The doors described: an OpenAPI schema for programs, and a page drawn from it that needs no script and no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from rag.api.replies import EVENTS

_TEMPLATE: Final = Path(__file__).parent / "description.html"
_VERSION: Final = "1"
_ABOUT: Final = "Asks news articles; every sentence of an answer carries a citation that was checked."
_REFERENCE: Final = "#/components/schemas/{model}"
_ERROR: Final = {"$ref": "#/components/schemas/ErrorReply"}
_OPENAI_ERROR: Final = {"$ref": "#/components/schemas/OpenAIErrorReply"}


def description_router(routes: Sequence[BaseRoute]) -> APIRouter:
    """The routes that describe `routes`; made when first asked for."""
    router = APIRouter()
    made: list[dict[str, Any]] = []

    def schema(request: Request) -> dict[str, Any]:
        if not made:
            made.append(describe(routes))
        return made[0] | {"servers": [{"url": request.scope.get("root_path") or "/"}]}

    router.get("/api/openapi.json", include_in_schema=False)(schema)

    @router.get("/api", include_in_schema=False, response_class=HTMLResponse)
    def page(request: Request) -> str:
        return description_html(schema(request), address=str(request.base_url).rstrip("/"))

    return router


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI schema of the routes, with errors as they are really sent."""
    described = get_openapi(title="Byline", version=_VERSION, description=_ABOUT, routes=routes)
    schemas = described["components"]["schemas"]
    shapes = models_json_schema([(one, "serialization") for one in EVENTS.values()], ref_template=_REFERENCE)
    schemas |= shapes[1]["$defs"]
    schemas["ErrorReply"] = _error_schema({"type": "string", "description": "what failed and what to do"})
    schemas["OpenAIErrorReply"] = _error_schema({"type": "object", "description": "as OpenAI's servers send it"})
    for path, operations in described["paths"].items():
        content = {"application/json": {"schema": _OPENAI_ERROR if path.startswith("/v1/") else _ERROR}}
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "What failed and what to do", "content": content}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    described["components"]["securitySchemes"] = {
        "password": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer", "description": "NAME:PASSWORD"},
    }
    # Only where the server asks for a name and a password.
    described["security"] = [{}, {"password": []}, {"bearer": []}]
    return described


def _error_schema(error: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def description_html(described: dict[str, Any], *, address: str) -> str:
    """The page: how to begin, every route, every shape."""
    operations = [
        (path, method, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    tags = list(dict.fromkeys(operation["tags"][0] for _, _, operation in operations))
    routes = "\n".join(
        f"<h2>{escape(tag)}</h2>\n" + "\n".join(_route(*one) for one in operations if one[2]["tags"][0] == tag)
        for tag in tags
    )
    schemas = "\n".join(
        f'<h3 id="{escape(name)}">{escape(name)}</h3>\n<p>{escape(schema.get("description", ""))}</p>\n'
        + _table(schema.get("properties", {}), schema.get("required", ()))
        for name, schema in sorted(described["components"]["schemas"].items())
    )
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        address=escape(address), routes=routes, schemas=schemas
    )


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    about = escape(operation.get("description", operation.get("summary", "")))
    parts = [f"<h3><code>{escape(method.upper())} {escape(path)}</code></h3>", f"<p>{about}</p>"]
    parameters = {one["name"]: one["schema"] | {"in": one["in"]} for one in operation.get("parameters", ())}
    if parameters:
        required = [one["name"] for one in operation["parameters"] if one["required"]]
        parts.append(_table(parameters, required))
    if body := operation.get("requestBody"):
        parts.append(f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>")
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        sent = ", ".join(f"{_type(one['schema'])} as <code>{escape(kind)}</code>" for kind, one in content.items())
        if sent and status != "default":
            parts.append(f"<p>Sends {sent}</p>")
    return "\n".join(parts)


def _table(properties: dict[str, Any], required: Sequence[str]) -> str:
    """Names, kinds and meanings."""
    if not properties:
        return ""
    rows = "\n".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{_type(schema)}'
        f"{'' if name in required else ', optional'}</td><td>{escape(_meaning(schema))}</td></tr>"
        for name, schema in properties.items()
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Name", "Kind", "Meaning"))
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Fields"><table>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _meaning(schema: dict[str, Any]) -> str:
    """What is said of a field: where it goes, what it means, how large it may be."""
    limits = {"maxLength": "at most {} characters", "maxItems": "at most {}", "minimum": "from {}", "maximum": "to {}"}
    said = ["in the path" if schema.get("in") == "path" else "", str(schema.get("description", ""))]
    said += [words.format(schema[key]) for key, words in limits.items() if key in schema]
    return ", ".join(filter(None, said))


def _type(schema: dict[str, Any]) -> str:
    """The kind of a value, as HTML; another shape as a link to it."""
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if events := schema.get("contentSchema", {}).get("items", {}).get("oneOf"):
        kinds = [one["properties"] for one in events]
        told = [f"<code>{escape(one['event']['const'])}</code> {_type(one['data']['contentSchema'])}" for one in kinds]
        return f"events, {', '.join(told)},"
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "anything")))
