"""The page "Evaluation": which runs there are, their main figures, and the report of each.

Only what `list_runs` lists is served, under the number of its folder and its own name: an address never becomes a path.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from eval.metrics import METRIC, Metric
from eval.runs import list_runs

SHOWN: Final = ("correct", "correct_and_cited", "evidence_precision", "refusal_f1", "latency_p50")
"""The figures of the list; the report has them all."""

_TEMPLATE: Final = Path(__file__).parent / "runs_page.html"
# A report has its style inside and nothing else: whatever else stands in the file has no effect.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_NONE: Final = (
    "<p>No finished run yet. <code>python -m eval run</code> asks the question set and writes one, "
    "which then stands here.</p>"
)


def runs_router(folders: Sequence[Path]) -> APIRouter:
    """The routes over folders that hold runs; include them before the chat, which takes every other path."""
    router = APIRouter()
    places = list(dict.fromkeys(folder.resolve() for folder in folders))

    @router.get("/evaluation", response_class=HTMLResponse)
    def listed() -> str:
        return runs_html(_runs(places))

    @router.get("/evaluation/{place}/{name}", response_class=HTMLResponse)
    def report(place: int, name: str) -> HTMLResponse:
        found = {(number, folder.name): folder for number, folder, _ in _runs(places)}.get((place, name))
        page = found / "report.html" if found else None
        if page is None or not page.is_file():
            raise HTTPException(404, "There is no report of such a run.")
        return HTMLResponse(page.read_text(encoding="utf-8"), headers={"Content-Security-Policy": _POLICY})

    return router


def _runs(places: Sequence[Path]) -> list[tuple[int, Path, dict[str, Any]]]:
    """The finished runs, newest first: the number of the folder each lies in, its own folder, its run.json."""
    found = [(number, *run) for number, place in enumerate(places) for run in list_runs(place)]
    return sorted(found, key=lambda run: (str(run[2]["finished"]), run[1].name), reverse=True)


def runs_html(runs: Sequence[tuple[int, Path, dict[str, Any]]]) -> str:
    """The page: a table of runs, each with the way to its report where it has one."""
    heads = "".join(f'<th scope="col" class="n">{escape(METRIC[name].title)}</th>' for name in SHOWN)
    rows = "\n".join(_row(*run) for run in runs)
    table = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table>\n'
        f'<thead><tr><th scope="col">Run</th>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n'
        "<p>In brackets: the 95 % interval over questions. Times are UTC. Hold only runs of the same set and articles "
        "beside each other: <code>python -m eval compare</code> does it with a test.</p>\n"
        f"<dl>{''.join(_definition(METRIC[name]) for name in SHOWN)}</dl>"
    )
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(content=table if runs else _NONE)


def _row(place: int, folder: Path, info: dict[str, Any]) -> str:
    name = escape(folder.name)
    if (folder / "report.html").is_file():
        name = f'<a href="evaluation/{place}/{quote(folder.name)}">{name}</a>'
    model = str(info.get("model", "none"))
    set_of = str(info.get("sha256", {}).get("questions", ""))[:8]
    about = (
        "no model, by quoting" if model == "none" else model,
        f"{'the first ' if info.get('limit') else ''}{info.get('questions', 0)} questions of set {set_of or 'unknown'}",
        f"over {info.get('articles', 0)} articles",
        str(info["finished"])[:16].replace("T", " "),
    )
    cells = "".join(_figure(info, METRIC[metric]) for metric in SHOWN)
    return f'<tr><th scope="row">{name}{"".join(f"<span>{escape(line)}</span>" for line in about)}</th>{cells}</tr>'


def _figure(info: dict[str, Any], metric: Metric) -> str:
    """A cell with a figure and its interval; a dash where the run has none."""
    figure = info.get("figures", {}).get("all", {}).get("metrics", {}).get(metric.name)
    head = f'<td class="n" data-head="{escape(metric.title)}">'
    if not figure:
        return f"{head}–</td>"
    value, low, high = (_number(float(figure[key]), metric) for key in ("value", "low", "high"))
    unit = " ms" if metric.unit == "milliseconds" else ""
    return f"{head}{value}{unit} <span>({low}–{high})</span></td>"


def _definition(metric: Metric) -> str:
    better = "Larger is better" if metric.larger_is_better else "Smaller is better"
    about = metric.about[0].upper() + metric.about[1:]
    return f"<dt>{escape(metric.title)}</dt><dd>{escape(about)}. {better}.</dd>"


def _number(value: float, metric: Metric) -> str:
    return f"{value:.2f}" if metric.unit == "share" else f"{value:,.0f}"
