"""Report: a run as one HTML file that needs nothing else, and as Markdown.

The page has no script: filters are radio buttons and CSS, plots are SVG. It asks no other address for anything.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from eval.compare import Comparison, compare_runs
from eval.metrics import METRIC, METRICS, Figures, Metric, by_category, risk_curve, summarise
from eval.plots import Row, bar, curve_plot, histogram_plot, interval_plot
from eval.report_questions import question_html, state_of
from eval.runs import Run
from eval.statistics import Interval, PairedTest

_TILES = ("correct", "correct_and_cited", "ndcg@10", "all_evidence@10", "evidence_precision", "support_recall",
          "refusal_f1", "latency_p50")  # fmt: skip
_GROUPS = {
    "outcome": "Outcome",
    "retrieval": "Passages found",
    "answer": "What is said",
    "citations": "Citations",
    "refusal": "Refusal and confidence",
    "coverage": "Coverage and differences",
    "cost": "Time and tokens",
}
_HERE = Path(__file__).parent


def write_reports(run: Run, *, baseline: Run | None = None, folder: Path | None = None) -> tuple[Path, Path]:
    """Write `report.html` and `report.md`.

    Args:
        run: what is reported.
        baseline: another run to compare it with.
        folder: where they go; the run's own folder where left out.

    Returns:
        The two files.
    """
    folder = folder or run.folder
    folder.mkdir(parents=True, exist_ok=True)
    comparison = compare_runs(baseline, run) if baseline else None
    page, text = folder / "report.html", folder / "report.md"
    page.write_text(html_report(run, comparison), encoding="utf-8")
    text.write_text(markdown_report(run, comparison), encoding="utf-8")
    return page, text


def html_report(run: Run, comparison: Comparison | None = None) -> str:
    """The whole report as one page."""
    figures = summarise(run.results)
    categories = by_category(run.results)
    content = [
        _tiles(figures),
        _plots(run, figures, categories),
        _comparison(comparison) if comparison else "",
        _figures_table(figures),
        _questions(run, list(categories)),
        _making(run),
    ]
    filters = "\n".join(
        f"body:has(#cat{number}:checked) details.q:not(.c{number}) {{ display: none; }}"
        for number in range(len(categories))
    )
    filters += "".join(
        f"\nbody:has(#show-{name}:checked) details.q:not(.{name}) {{ display: none; }}"
        for name in ("failed", "passed", "refused", "unscored")
    )
    return Template((_HERE / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"Byline evaluation: {run.name}"),
        heading=escape(run.name),
        about=escape(_about(run)),
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        filters=filters,
        content="\n".join(content),
        footer="Intervals are 95 % percentile bootstrap intervals over questions. n is how many questions a figure "
        "rests on; those that could not be scored are in none.",
    )


def markdown_report(run: Run, comparison: Comparison | None = None) -> str:
    """The report's figures and failures as Markdown."""
    figures = summarise(run.results)
    lines = [f"# Byline evaluation: {run.name}", "", _about(run), "", "| Metric | Value | 95 % interval | n |"]
    lines.append("|---|---:|---:|---:|")
    for name, figure in figures.metrics.items():
        metric = METRIC[name]
        low, high = _shown(metric, figure.low), _shown(metric, figure.high)
        lines.append(
            f"| {metric.title} (`{name}`) | {_shown(metric, figure.value)} | {low} to {high} | {figure.count} |"
        )
    lines += ["", "| Category | Questions | Correct | Correct and rightly cited |", "|---|---:|---:|---:|"]
    for category, of_category in by_category(run.results).items():
        shares = [of_category.metrics.get(name) for name in ("correct", "correct_and_cited")]
        cells = " | ".join(f"{share.value:.3f}" if share else "" for share in shares)
        lines.append(f"| {category} | {of_category.questions} | {cells} |")
    if comparison:
        lines += ["", *comparison_lines(comparison)]
    lines += ["", "## What failed", ""]
    for question, result in zip(run.questions, run.results, strict=True):
        if state_of(result)[0] in {"failed", "unscored"}:
            why = result.error or " ".join(result.faults)
            lines.append(f"- **{question.id}** ({question.category}): {_one_line(question.question)} {_one_line(why)}")
    return "\n".join([*lines, ""])


def comparison_lines(comparison: Comparison) -> list[str]:
    """A comparison as lines of Markdown."""
    lines = [
        f"## {comparison.second} against {comparison.first}",
        "",
        f"{comparison.questions} questions in common, {comparison.left_out} left out. "
        "The difference is the second less the first; p is adjusted for the number of metrics (Holm).",
        "",
        f"| Metric | {comparison.first} | {comparison.second} | Difference | 95 % interval | p |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in comparison.metrics:
        metric = METRIC[row.name]
        first, second = _shown(metric, row.first), _shown(metric, row.second)
        ends = f"{_signed(metric, row.test.low)} to {_signed(metric, row.test.high)}"
        difference = _signed(metric, row.test.difference)
        lines.append(f"| {metric.title} | {first} | {second} | {difference} | {ends} | {row.adjusted_p:.3f} |")
    for gained, heading in ((False, "No longer correct"), (True, "Now correct")):
        flips = [flip for flip in comparison.flips if flip.gained is gained]
        lines += ["", f"{heading}: {len(flips)}", ""]
        lines += [f"- {flip.id} ({flip.category}): {_one_line(flip.question)}" for flip in flips]
    lines += ["", "Made differently:", ""]
    lines += [f"- {name}: {before} -> {after}" for name, (before, after) in comparison.settings.items()]
    return lines


def _about(run: Run) -> str:
    info = run.info
    model = "answers by quoting, no language model" if info["model"] == "none" else f"answers by {info['model']}"
    unscored = sum(bool(result.error) for result in run.results)
    asked = f"{len(run.results)} questions over {info['articles']} articles"
    return f"{asked}, {unscored} unscored; {model}; finished {info['finished'][:16].replace('T', ' ')} UTC."


def _tiles(figures: Figures) -> str:
    tiles = []
    for name in _TILES:
        figure, metric = figures.metrics.get(name), METRIC[name]
        if figure:
            tiles.append(
                f'<div class="tile"><b>{_shown(metric, figure.value, short=True)}</b><span>{metric.title}</span>'
                f"<small>{_shown(metric, figure.low)} to {_shown(metric, figure.high)}, n {figure.count}</small></div>"
            )
    return f'<section class="tiles">{"".join(tiles)}</section>'


def _plots(run: Run, figures: Figures, categories: Mapping[str, Figures]) -> str:
    rows = []
    for category, of_category in categories.items():
        if "correct_and_cited" in of_category.metrics:
            rows.append(Row(category, of_category.metrics["correct_and_cited"]))
    rows.sort(key=lambda row: (-row.interval.value, row.label))
    title = "Correct and rightly cited, by category"
    parts = [_figure(title, "Share of questions, with its 95 % interval", interval_plot(rows, title=title))]
    curve = risk_curve(run.results)
    if curve:
        risk = curve_plot(
            curve, title="Risk by coverage", x_name="share of questions answered", y_name="share of those wrong"
        )
        about = "Answering only the most confident; the confidence is how likely the articles answer"
        parts.append(_figure("Risk and coverage", about, risk))
    times = [float(result.latency_ms) for result in run.results if not result.error]
    if times:
        marks = [
            (f"{label} {figures.metrics[name].value:.0f} ms", figures.metrics[name].value)
            for name, label in (("latency_p50", "median"), ("latency_p95", "95th percentile"))
        ]
        parts.append(
            _figure(
                "Latency",
                f"Time to the whole answer, {run.info.get('concurrency', 1)} at a time",
                histogram_plot(times, title="Latency", x_name="milliseconds", marks=marks),
            )
        )
    return f'<section><h2>At a glance</h2><div class="plots">{"".join(parts)}</div></section>'


def _figure(title: str, about: str, plot: str) -> str:
    return f'<figure><figcaption>{escape(title)} <span class="soft">{escape(about)}</span></figcaption>{plot}</figure>'


def _figures_table(figures: Figures) -> str:
    parts = []
    for group, heading in _GROUPS.items():
        metrics = [metric for metric in METRICS if metric.group == group and metric.name in figures.metrics]
        if metrics:
            parts.append(f'<tr><th colspan="5">{heading}</th></tr>')
        parts += [_figure_row(metric, figures.metrics[metric.name]) for metric in metrics]
    return (
        '<section><h2>All figures</h2><div class="scroll"><table><thead><tr><th>Metric</th><th class="n">Value</th>'
        '<th class="n">95 % interval</th><th class="n">n</th><th class="wide"></th></tr></thead>'
        f"<tbody>{''.join(parts)}</tbody></table></div></section>"
    )


def _figure_row(metric: Metric, figure: Interval) -> str:
    arrow = "" if metric.larger_is_better else ' <span class="soft">(smaller is better)</span>'
    picture = bar(figure.value, low=figure.low, high=figure.high) if metric.unit == "share" else ""
    return (
        f'<tr><td>{escape(metric.title)}{arrow}<br><span class="soft">{escape(metric.about)}</span></td>'
        f'<td class="n">{_shown(metric, figure.value)}</td>'
        f'<td class="n">{_shown(metric, figure.low)} to {_shown(metric, figure.high)}</td>'
        f'<td class="n">{figure.count}</td><td class="wide">{picture}</td></tr>'
    )


def _comparison(comparison: Comparison) -> str:
    rows = [
        Row(
            METRIC[row.name].title,
            Interval(row.test.difference, row.test.low, row.test.high, row.test.count),
            tone=_tone(METRIC[row.name], row.test),
        )
        for row in comparison.metrics
        if METRIC[row.name].unit == "share"
    ]
    ends = [abs(end) for row in rows for end in (row.interval.low, row.interval.high)]
    widest = next(limit for limit in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if max([0.0, *ends]) <= limit)
    about = "Shares; green where better and red where worse, the interval leaving out zero"
    plot = interval_plot(rows, title="Differences", low=-widest, high=widest, zero=True)
    lists = []
    for gained, heading in ((False, "No longer correct"), (True, "Now correct")):
        flips = [flip for flip in comparison.flips if flip.gained is gained]
        items = "".join(
            f"<li>{escape(flip.question)} <span class='soft'>{escape(flip.category)}</span></li>" for flip in flips
        )
        lists.append(f'<h3>{heading}: {len(flips)}</h3><ul class="faults">{items}</ul>')
    changed = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_brief(before))} → {escape(_brief(after))}</dd>"
        for name, (before, after) in comparison.settings.items()
    )
    table = "".join(
        f'<tr class="{"clear" if row.adjusted_p < 0.05 else ""}"><td>{escape(METRIC[row.name].title)}</td>'
        f'<td class="n">{_shown(METRIC[row.name], row.first)}</td>'
        f'<td class="n">{_shown(METRIC[row.name], row.second)}</td>'
        f'<td class="n">{_signed(METRIC[row.name], row.test.difference)}</td>'
        f'<td class="n">{row.adjusted_p:.3f}</td></tr>'
        for row in comparison.metrics
    )
    return (
        f"<section><h2>Against {escape(comparison.first)}</h2>"
        f"<p>{comparison.questions} questions in common, {comparison.left_out} left out. Differences are this run less "
        "that one; p is of a paired permutation test, adjusted for the number of metrics (Holm).</p>"
        f'<div class="plots">{_figure("Differences", about, plot)}<div>{"".join(lists)}</div></div>'
        '<div class="scroll"><table><thead><tr><th>Metric</th><th class="n">That run</th><th class="n">This run</th>'
        f'<th class="n">Difference</th><th class="n">p</th></tr></thead><tbody>{table}</tbody></table></div>'
        f"<h3>Made differently</h3><dl>{changed}</dl></section>"
    )


def _tone(metric: Metric, test: PairedTest) -> str:
    if test.low <= 0 <= test.high:
        return ""
    return "better" if (test.difference > 0) == metric.larger_is_better else "worse"


def _questions(run: Run, categories: Sequence[str]) -> str:
    states = [state_of(result)[0] for result in run.results]
    counts = {name: states.count(name) for name in ("failed", "passed", "unscored")}
    counts["refused"] = sum(result.refused for result in run.results)
    show = _choices(
        "Show",
        "show",
        [("all", f"All {len(states)}"), *((name, f"{name.capitalize()} {counts[name]}") for name in counts)],
    )
    named = [(f"cat{number}", category) for number, category in enumerate(categories)]
    by_kind = _choices("Category", "category", [("cat-all", "Every category"), *named])
    blocks = [
        question_html(run, number, categories.index(result.category)) for number, result in enumerate(run.results)
    ]
    return (
        '<section><h2>Question by question</h2><p class="soft">Cited words are highlighted in their article; evidence '
        f"marked by the set's makers is underlined.</p>{show}{by_kind}{''.join(blocks)}</section>"
    )


def _choices(legend: str, name: str, options: Sequence[tuple[str, str]]) -> str:
    parts = []
    for number, (value, label) in enumerate(options):
        identity = value if name == "category" else f"{name}-{value}"
        checked = "" if number else " checked"
        parts.append(
            f'<input type="radio" name="{name}" id="{identity}"{checked}>'
            f'<label for="{identity}">{escape(label)}</label>'
        )
    return f'<fieldset class="filters"><legend>{legend}</legend>{"".join(parts)}</fieldset>'


def _making(run: Run) -> str:
    info = run.info
    facts = {
        "Language model": info["model"],
        "Index": f"{info['articles']} articles, {info.get('passages', '?')} passages",
        "Seconds": ", ".join(f"{name} {value:g}" for name, value in info.get("seconds", {}).items()),
        "Tokens": ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in info.get("tokens", {}).items()),
        "Code": _revision(info.get("git")),
        **{f"Setting {name}": value for name, value in info["settings"].items() if value not in (None, {}, "")},
        **{f"SHA-256 of {name}": value for name, value in info["sha256"].items()},
        "Versions": ", ".join(f"{name} {value}" for name, value in info["versions"].items()),
        "Machine": info["machine"],
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items() if value)
    return f"<section><h2>How it was made</h2><dl>{rows}</dl></section>"


def _revision(git: dict[str, object] | None) -> str:
    if not git:
        return ""
    changed = f", {git['changed_files']} files changed since" if git["changed_files"] else ""
    return f"{git['revision']}{changed}"


def _shown(metric: Metric, value: float, *, short: bool = False) -> str:
    if metric.unit == "milliseconds":
        return f"{value:.0f} ms"
    if metric.unit == "tokens":
        return f"{value:.0f}"
    return f"{value:.2f}" if short else f"{value:.3f}"


def _signed(metric: Metric, value: float) -> str:
    return f"{value:+.3f}" if metric.unit == "share" else f"{value:+.0f}"


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:16]}…"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
