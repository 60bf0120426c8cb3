"""Settings: what the environment and `.env` say, validated once at the edge and passed in.

Only `app.py` and the `__main__` modules call `load_settings`; everything else receives a `Settings`.
"""

import hashlib
import ipaddress
import json
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from index.errors import SettingsError

# They say where things are kept and how long to wait, not what the answers are.
_NOT_DECIDING = frozenset(
    {"home", "runs", "lock_seconds", "chroma", "chroma_tenant", "chroma_database", "chroma_seconds", "keep_versions"}
    | {"fetch_private", "llm_connect_seconds", "llm_read_seconds"}
    | {"hosts", "proxies", "root_path", "questions_per_minute", "llm_choices", "page_changes"}
)


class Settings(BaseSettings):
    """All settings, each read from `BYLINE_<NAME>` (and two of OpenAI's own names)."""

    model_config = SettingsConfigDict(
        env_prefix="BYLINE_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    home: Path = Field(default=Path(".byline"), description="folder of the index and everything kept")
    llm: str = Field(default="auto", description="auto, none, or provider/model")
    llm_base_url: str | None = Field(default=None, description="address of an OpenAI-compatible server")
    llm_api_key: SecretStr | None = Field(default=None, description="key for the language model's server")
    llm_context_tokens: int = Field(
        default=8192, ge=1024, le=10_000_000, description="context window to budget for, in tokens"
    )
    llm_answer_tokens: int = Field(default=600, ge=50, le=100_000, description="longest answer asked for, in tokens")
    answer_samples: int = Field(
        default=1,
        ge=1,
        le=8,
        description="most answers drawn, each at full cost, where the first is not all verified; the best is shown",
    )
    repair: bool = Field(
        default=True, description="ask a model once more where no source carries a sentence of its answer"
    )
    llm_connect_seconds: float = Field(
        default=5.0, gt=0, le=600, description="longest time to reach the model's server, in seconds"
    )
    llm_read_seconds: float = Field(
        default=60.0, gt=0, le=3600, description="longest silence before and between tokens, in seconds"
    )
    llm_citing: Literal["auto", "markers", "matching", "quoting"] = Field(
        default="auto",
        description="who cites: markers (the model), matching or quoting (Byline), auto (as doctor found)",
    )
    llm_options: Annotated[dict[str, Any], NoDecode] = Field(
        default_factory=dict, repr=False, description="more arguments of the language model's LlamaIndex class, as JSON"
    )
    llm_price_read: float | None = Field(
        default=None, ge=0, description="price of a million tokens read; with the next, a cost is shown"
    )
    llm_price_written: float | None = Field(default=None, ge=0, description="price of a million tokens written")
    llm_choices: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="more models to choose from in the page, separated by commas; `none` quotes"
    )
    embedding: str = Field(default="bundled", description="bundled, or provider/model")
    embedding_base_url: str | None = Field(default=None, description="address of the embedding model's server")
    embedding_api_key: SecretStr | None = Field(default=None, description="key for the embedding model's server")
    embedding_options: Annotated[dict[str, Any], NoDecode] = Field(
        default_factory=dict, repr=False, description="arguments of the embedding's LlamaIndex class, as JSON"
    )
    embedding_query_prefix: str | None = Field(
        default=None, max_length=400, description="put before each question that is embedded; unset: as the model wants"
    )
    embedding_passage_prefix: str | None = Field(
        default=None, max_length=400, description="put before each passage that is embedded; unset: as the model wants"
    )
    chroma: str | None = Field(default=None, description="http(s)://host:port of a Chroma server; unset: embedded")
    chroma_tenant: str = Field(default="default_tenant", description="tenant on that server")
    chroma_database: str = Field(default="default_database", description="database of that tenant")
    chroma_token: SecretStr | None = Field(
        default=None, description="sent to that server; for Chroma Cloud its API key"
    )
    chroma_seconds: float = Field(default=30.0, gt=0, le=3600, description="longest silence of that server, in seconds")
    keep_versions: int = Field(
        default=5, ge=0, le=1000, description="earlier versions kept of each article, for citations of them"
    )
    lock_seconds: float = Field(default=10.0, ge=0, le=3600, description="longest wait for an index in use, in seconds")
    fetch_private: bool = Field(
        default=False, description="let `add` fetch from private, local and reserved addresses too"
    )
    passage_tokens: int = Field(default=128, ge=32, le=1024, description="longest passage, in tokens")
    top_k: int = Field(default=8, ge=1, le=50, description="passages found for a question")
    question_parts: Literal["off", "clauses", "model"] = Field(
        default="off",
        description="search a question's parts one by one as well: off, clauses, or model, which names them",
    )
    reranker: str = Field(
        default="none", description="none, or a cross-encoder of sentence-transformers, by name or folder"
    )
    runs: Path = Field(default=Path("runs"), description="folder of evaluation runs that the page lists")
    auth: SecretStr | None = Field(
        default=None,
        description="who may come in: NAME:HASH pairs, or a file of them; unset: whoever reaches the server",
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="more names the server is addressed by, separated by commas"
    )
    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="addresses or networks of proxies in front, which say who asks; separated by commas"
    )
    root_path: str = Field(
        default="", description="path under which a proxy shows the page, such as /news", pattern=r"^(/[\w.~-]+)*/?$"
    )
    questions_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="most that one client may ask; unset: 20 where other machines reach the server",
    )
    page_changes: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="add and remove articles in the page: on, off, auto (where only this machine reaches it)",
    )
    traces: str | None = Field(
        default=None, description="address for OpenTelemetry traces, questions and articles in them; unset: none"
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="key for OpenAI's models; set, `auto` uses them"
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", description="another address for `openai/...` models"
    )

    @field_validator("llm", "embedding")
    @classmethod
    def _named(cls, value: str) -> str:
        # A LlamaIndex class by its import path has dots instead of a slash.
        if value in {"auto", "none", "bundled"} or all(value.partition("/")) or "." in value:
            return value
        raise ValueError("expected a name such as 'openai/gpt-4o-mini'")

    @field_validator("llm_choices")
    @classmethod
    def _all_named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(cls._named, value))

    @field_validator("llm_base_url", "embedding_base_url", "chroma", "traces", "openai_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("expected an address that starts with http:// or https://")
        return value.rstrip("/") if value else None

    @field_validator("llm_choices", "hosts", "proxies", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(filter(None, (one.strip() for one in value.split(",")))) if isinstance(value, str) else value

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as exc:
                raise ValueError(f"{one!r} is no address or network such as 10.0.0.0/8") from exc
        return value

    @field_validator("root_path")
    @classmethod
    def _path(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("llm_options", "embedding_options", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError as exc:
            raise ValueError('expected a JSON object such as \'{"model_name": "..."}\'') from exc

    @property
    def llm_name(self) -> str:
        """The language model that `llm` means: `auto` is OpenAI where its key is set, else `none`."""
        if self.llm != "auto":
            return self.llm
        return "openai/gpt-4o-mini" if self.openai_api_key else "none"


def load_settings() -> Settings:
    """Read the environment and `.env`.

    Raises:
        SettingsError: a value cannot be used; the message names the key, never a secret's value.
    """
    try:
        return Settings()
    except ValidationError as exc:
        lines = []
        for error in exc.errors(include_input=False, include_url=False):
            name = str(error["loc"][0])
            key = name if name.isupper() else f"BYLINE_{name.upper()}"
            field = Settings.model_fields.get(name)
            about = f" ({field.description})" if field and field.description else ""
            lines.append(f"{key}{about}: {error['msg'].removeprefix('Value error, ')}")
        raise SettingsError("Setting not usable. " + "; ".join(lines)) from exc


def public_settings(settings: Settings) -> dict[str, Any]:
    """The settings that decide an answer, without secrets; what may hide one is given as its digest only."""
    shown: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name in _NOT_DECIDING or isinstance(value, SecretStr) or name.endswith("api_key"):
            continue
        if not field.repr:
            shown[name] = f"sha256:{_digest(value)[:16]}" if value else None
        elif isinstance(value, str) and value.startswith(("http://", "https://")):
            shown[name] = _without_user(value)
        else:
            shown[name] = str(value) if isinstance(value, Path) else value
    return shown


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _without_user(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
