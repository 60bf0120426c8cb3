"""Tracing: what LlamaIndex tells of a question is sent to a viewer that speaks OpenTelemetry; off unless it is set."""

from importlib import import_module

from index.errors import SettingsError
from index.settings import Settings

_started: set[str] = set()


def start_tracing(settings: Settings) -> None:
    """Send traces to the address that the settings name; once in a process, and nothing where none is named.

    Raises:
        SettingsError: the packages that this needs are not installed.
    """
    address = settings.traces
    if address is None or address in _started:
        return
    try:
        exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        instrumentation = import_module("openinference.instrumentation.llama_index")
        sdk = import_module("opentelemetry.sdk.trace")
        export = import_module("opentelemetry.sdk.trace.export")
        resources = import_module("opentelemetry.sdk.resources")
    except ImportError as exc:
        raise SettingsError(
            "BYLINE_TRACES needs packages that are not installed: pip install openinference-instrumentation-llama-index"
            " opentelemetry-exporter-otlp-proto-http"
        ) from exc
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "byline"}))
    provider.add_span_processor(export.BatchSpanProcessor(exporter.OTLPSpanExporter(endpoint=address)))
    instrumentation.LlamaIndexInstrumentor().instrument(tracer_provider=provider)
    _started.add(address)
