"""`python -m eval`: run a question set, compare runs, hold a change to them, report, benchmark retrieval."""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.adding import adding_json, adding_lines, measure_adding
from eval.beir import read_beir
from eval.bridge import export_rows
from eval.compare import compare_runs, comparison_json
from eval.crash import crash_json, crash_lines, kill_at_random
from eval.dataset import check_questions
from eval.feedback import draft_json, draft_questions
from eval.gate import below_thresholds, read_threshold, worse_than
from eval.gate_check import NOISE_LEVELS, REPEATS, check_faults, check_quiet
from eval.judge import judge_run
from eval.load import load_json, load_lines, measure_load
from eval.matrix import read_matrix
from eval.metrics import METRIC, METRICS
from eval.provenance import ROOT
from eval.reading import measure_reading, reading_lines
from eval.report import comparison_lines, write_reports
from eval.retrieval_benchmark import benchmark, benchmark_json, benchmark_lines
from eval.retrieval_scale import SIZES, measure_scale, scale_json, scale_lines
from eval.runner import ARTICLES, QUESTIONS, Plan, new_folder, read_all, run_questions
from eval.runs import Run, list_runs, read_run
from eval.support import measure_support
from index.commands import progress_bar, run, write_json
from index.embeddings import load_embedding
from index.errors import QuestionSetError, SettingsError
from index.settings import load_settings
from rag.feedback import FILE, read_feedback
from rag.models import load_llm, model_label

app = typer.Typer(
    help="Evaluate Byline: run question sets, compare, gate, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Questions = Annotated[Path, typer.Option(help="The question set, JSONL.")]
Articles = Annotated[Path, typer.Option(help="The articles it is about: a file or folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many questions.")]
Concurrency = Annotated[int | None, typer.Option(min=1, max=64, help="Questions in flight; 4 with a model, else 1.")]
FailUnder = Annotated[list[str] | None, typer.Option(help="metric=value: exit 1 if it is worse. Repeatable.")]
NoWorseThan = Annotated[Path | None, typer.Option(help="A run: exit 1 if this one is worse by more than chance.")]
RunFolder = Annotated[Path, typer.Argument(help="A run's folder.")]

SUPPORT_CASES = ROOT / "tests" / "data" / "support_cases.jsonl"

_BRIEF = ("correct", "correct_and_cited", "ndcg@10", "all_evidence@10", "support_recall", "support_precision",
          "evidence_recall", "evidence_precision", "wrong_source", "unresolved_markers", "refusal_f1", "token_f1",
          "judged_correct", "judged_faithful", "latency_p50", "latency_p95")  # fmt: skip


@app.command("run")
def run_set(
    questions: Questions = QUESTIONS,
    articles: Articles = ARTICLES,
    out: Annotated[Path | None, typer.Option(help="The run's folder; a stopped run in it goes on.")] = None,
    concurrency: Concurrency = None,
    limit: Limit = None,
    fail_under: FailUnder = None,
    no_worse_than: NoWorseThan = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question set, score the answers, write the run and its report."""
    settings = load_settings()
    thresholds = [read_threshold(text) for text in fail_under or ()]
    baseline = read_run(no_worse_than) if no_worse_than else None
    folder = out or new_folder(settings.home)
    plan = Plan(settings, questions, articles, folder, concurrency, limit)
    try:
        with progress_bar("Asking") as on_progress:
            done = run_questions(plan, on_progress=on_progress)
    except KeyboardInterrupt:
        _say(f"Stopped. `--out {folder}` with the same options goes on from here.")
        raise
    page, _ = write_reports(done, baseline=baseline)
    failures = [*below_thresholds(done.results, thresholds), *(worse_than(done, baseline) if baseline else ())]
    gated = bool(thresholds or baseline)
    if as_json:
        write_json(_run_json(done) | ({"failures": failures} if gated else {}))
    else:
        _print_figures(done)
        print(f"Report: {page}")
    _gate(failures if gated else [])


@app.command()
def check(questions: Annotated[Path, typer.Argument(help="A question set.")], articles: Articles = ARTICLES) -> None:
    """Look for mistakes in a question set, each with its line; exit 1 if there are any."""
    problems = check_questions(questions, read_all(articles))
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print(f"{questions}: no mistakes found.")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the finished runs under BYLINE_HOME, newest first."""
    runs = list_runs(load_settings().home / "runs")
    if as_json:
        write_json({"runs": [{"folder": str(folder), **_info_json(info)} for folder, info in runs]})
        return
    for folder, info in runs:
        correct = info["figures"]["all"]["metrics"].get("correct", {}).get("value")
        print(f"{folder}  {info['questions']} questions  {info['model']}  correct {correct}")


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two runs or more; the others are compared with the first.")],
    out: Annotated[Path | None, typer.Option(help="Also write reports with the comparison into this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs on the same questions: paired tests, what flipped, which settings differ."""
    if len(runs) < 2:
        raise QuestionSetError("Name two runs or more to compare.")
    first, *others = [read_run(folder) for folder in runs]
    _compare(first, others, out=out, as_json=as_json)


@app.command()
def matrix(
    file: Annotated[Path, typer.Argument(help="The matrix, TOML: one table [runs.NAME] a run.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the runs; those finished are not run again.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Run one question set with several settings, and compare them with the first."""
    settings = load_settings()
    folder = out or new_folder(settings.home, name=file.stem)
    done: list[Run] = []
    for name, plan in read_matrix(file, settings, folder, limit=limit).items():
        with progress_bar(name) as on_progress:
            done.append(run_questions(plan, on_progress=on_progress, keep_finished=True))
        write_reports(done[-1], baseline=done[0] if len(done) > 1 else None)
    if len(done) > 1:
        _compare(done[0], done[1:], out=None, as_json=as_json)
    elif as_json:
        write_json(_run_json(done[0]))
    if not as_json:
        print(f"Reports: {folder}/*/report.html")


@app.command()
def gate(
    folder: RunFolder, fail_under: FailUnder = None, no_worse_than: NoWorseThan = None, as_json: AsJson = False
) -> None:
    """Hold a run to figures or to another run; exit 1, with a sentence for each failure."""
    if not fail_under and not no_worse_than:
        raise SettingsError("Say what to hold the run to: --fail-under metric=value or --no-worse-than RUN.")
    done = read_run(folder)
    failures = below_thresholds(done.results, [read_threshold(text) for text in fail_under or ()])
    if no_worse_than:
        failures += worse_than(done, read_run(no_worse_than))
    if as_json:
        write_json({"run": done.name, "passed": not failures, "failures": failures})
    elif not failures:
        print(f"{done.name} passes.")
    _gate(failures)


@app.command("gate-check")
def gate_check(questions: Questions = QUESTIONS, articles: Articles = ARTICLES, as_json: AsJson = False) -> None:
    """Show that the gate is quiet on noise and trips on known faults; exit 1 if it is not so."""
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="byline-gate-") as folder, progress_bar("Faults") as on_progress:
        sound, faults = check_faults(
            settings, questions, articles, folder=Path(folder) / "index", on_progress=on_progress
        )
    quiet = [check_quiet(sound, noise=noise) for noise in NOISE_LEVELS]
    if as_json:
        write_json(
            {
                "quiet": [{"noise": one.noise, "quiet": one.quiet, "repeats": one.repeats} for one in quiet],
                "faults": [{"fault": fault.name, "failures": list(fault.failures)} for fault in faults],
            }
        )
    else:
        for one in quiet:
            print(f"A/A, {one.noise:.0%} of the answers changed by chance: quiet in {one.quiet} of {one.repeats}.")
        for fault in faults:
            print(f"{fault.name}: {'caught' if fault.failures else 'NOT CAUGHT'}")
            for failure in fault.failures:
                print(f"  {failure}")
    missed = [fault.name for fault in faults if not fault.failures]
    missed += [f"noise of {one.noise:.0%}" for one in quiet if one.quiet < 0.95 * REPEATS]
    _gate([f"The gate is wrong about: {', '.join(missed)}."] if missed else [])


@app.command()
def retrieval(
    folders: Annotated[list[Path], typer.Argument(help="BEIR folders; FOLDER:VARIANT reads corpus_VARIANT.jsonl.")],
    limit: Limit = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many queries of each folder, always the same ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the retriever beside BM25, dense vectors and their plain fusion, on BEIR folders."""
    settings = load_settings()
    results = []
    for folder in folders:
        path, colon, variant = folder.name.partition(":")
        beir = read_beir(folder.with_name(path), variant=variant) if colon else read_beir(folder)
        with progress_bar(beir.name) as on_progress:
            results.append(benchmark(beir, settings, limit=limit, sample=sample, on_progress=on_progress))
        if not as_json:
            print("\n".join(benchmark_lines(results[-1])), flush=True)
    if as_json:
        write_json({"sets": [benchmark_json(result) for result in results]})


@app.command()
def scale(
    sizes: Annotated[
        list[int] | None, typer.Argument(min=1, help="Numbers of passages, rising; 1000 10000 100000 where left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time the retriever over ever more made-up passages, beside the embedding and a bare Chroma query."""
    with progress_bar("Passages") as on_progress:
        figures = measure_scale(load_settings(), sizes=tuple(sorted(sizes or SIZES)), on_progress=on_progress)
    if as_json:
        write_json(scale_json(figures))
    else:
        print("\n".join(scale_lines(figures)))


@app.command()
def adding(
    folder: Annotated[Path, typer.Argument(help="Articles whose paragraphs are put together anew.")] = ARTICLES,
    articles: Annotated[int, typer.Option(min=5, help="How many to make and add.")] = 1000,
    home: Annotated[
        Path | None, typer.Option(help="Keep their index in this folder; a run that was stopped goes on there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time the adding of articles beside the bundled embedding model alone, in the same run."""
    with progress_bar("Adding") as on_progress:
        figures = measure_adding(load_settings(), folder, articles=articles, home=home, on_progress=on_progress)
    if as_json:
        write_json(adding_json(figures))
    else:
        print("\n".join(adding_lines(figures)))


@app.command()
def crash(
    times: Annotated[int, typer.Option(min=1, help="How many processes to kill.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides what changes and when a kill comes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Kill the index at random moments of add, change and remove; exit 1 if anything is lost, doubled or disagrees."""
    with progress_bar("Kills") as on_progress:
        figures = kill_at_random(load_settings(), times=times, seed=seed, on_progress=on_progress)
    if as_json:
        write_json(crash_json(figures))
    else:
        print("\n".join(crash_lines(figures)))
    _gate([f"{len(figures.faults)} faults."] if figures.faults else [])


@app.command()
def load(
    people: Annotated[int, typer.Option(min=1, max=200, help="How many ask at the same time.")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="How often one person asks; many, a fifth as often.")] = 30,
    pause: Annotated[float, typer.Option(min=0, help="Seconds a person reads before asking on.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Time the first text beside a model's server of known speed: alone, with many people, in long conversations."""
    with progress_bar("Asking") as on_progress:
        figures = measure_load(
            load_settings(), people=people, rounds=rounds, pause_seconds=pause, on_progress=on_progress
        )
    if as_json:
        write_json(load_json(figures))
    else:
        print("\n".join(load_lines(figures)))


@app.command()
def judge(
    folder: RunFolder,
    llm: Annotated[str | None, typer.Option(help="The judge, provider/model; BYLINE_LLM where left out.")] = None,
    concurrency: Concurrency = None,
    as_json: AsJson = False,
) -> None:
    """Have a language model grade a run's answers, and say how far it agrees with what is counted."""
    settings = load_settings()
    settings = settings.model_copy(update={"llm": llm}) if llm else settings
    model = load_llm(settings)
    if model is None:
        raise SettingsError("A judge is a language model: set BYLINE_LLM, or name one with --llm provider/model.")
    with progress_bar("Grading") as on_progress:
        summary = judge_run(
            read_run(folder),
            model,
            label=model_label(settings),
            concurrency=concurrency or 4,
            silence_seconds=settings.llm_read_seconds,
            on_progress=on_progress,
        )
    write_reports(read_run(folder))
    if as_json:
        write_json(summary)
        return
    print(f"{summary['model']}: {summary['graded']} graded, {summary['unscored']} replies could not be read.")
    for row in summary["agreement"]:
        print(f"  {row['kind']} and {row['metric']}: {row['share']:.3f} alike, kappa {row['kappa']:.3f}")
    _print_figures(read_run(folder))


@app.command()
def report(
    folder: RunFolder,
    baseline: Annotated[Path | None, typer.Option(help="Another run to compare it with.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; the run's own where left out.")] = None,
) -> None:
    """Write a run's report again: report.html and report.md."""
    for path in write_reports(read_run(folder), baseline=read_run(baseline) if baseline else None, folder=out):
        print(path)


@app.command()
def export(folder: RunFolder) -> None:
    """Print a run as JSON lines of question, contexts, answer, ground_truth (as ragas and others read it)."""
    for row in export_rows(read_run(folder)):
        sys.stdout.write(f"{json.dumps(row, ensure_ascii=False)}\n")


@app.command("from-feedback")
def from_feedback(
    file: Annotated[Path | None, typer.Argument(help=f"Feedback; BYLINE_HOME/{FILE} where left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the drafts go, a new file; printed where left out.")] = None,
) -> None:
    """Draft questions from what readers rated; each draft has a note to be deleted when it is finished."""
    drafts = draft_questions(read_feedback(file or load_settings().home / FILE))
    text = "".join(f"{json.dumps(draft_json(*draft), ensure_ascii=False)}\n" for draft in drafts)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        with out.open("x", encoding="utf-8") as target:
            target.write(text)
    except OSError as exc:
        raise QuestionSetError(f"Cannot write {out}: {exc.strerror or exc}.") from exc
    _say(f"{len(drafts)} drafts in {out}. Finish them, delete their notes, and check them with `python -m eval check`.")


@app.command()
def support(
    cases: Annotated[Path, typer.Option(help="Answers over articles, true and false.")] = SUPPORT_CASES,
    articles: Articles = ARTICLES,
    texts: Annotated[Path | None, typer.Option(help="A folder with clapnq, onestopqa, squad2.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the check of support: how many false sentences it marks, and how many true ones."""
    settings = load_settings()
    measured = measure_support(
        embedding=load_embedding(settings),
        articles=articles,
        cases=cases,
        texts=texts,
        passage_tokens=settings.passage_tokens,
    )
    shares = [
        *((f"{origin}, false", share) for origin, share in measured.planted_marked.items()),
        *((f"{origin}, true", share) for origin, share in measured.true_marked.items()),
        *((f"{origin}: {kind}", share) for (origin, kind), share in measured.by_kind.items()),
    ]
    if as_json:
        write_json({"marked": {name: asdict(share) for name, share in shares}})
        return
    for name, share in shares:
        print(f"{name:36} {share.value:.3f} marked  [{share.low:.3f}, {share.high:.3f}]  n {share.count}")


@app.command()
def reading(
    bench: Annotated[Path, typer.Argument(help="A folder with squad2, clapnq, selqa and onestopqa.")],
    most: Annotated[int | None, typer.Option(min=1, help="Questions of a set at most.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the reader on articles that its training held out, beside plain sentence selection."""
    figures = measure_reading(bench, embedding=load_embedding(load_settings()), most=most)
    if as_json:
        write_json({"reading": [asdict(one) for one in figures]})
        return
    print("\n".join(reading_lines(figures)))


@app.command()
def metrics(as_json: AsJson = False) -> None:
    """List every metric: its name, what is counted, whose definition it is."""
    if as_json:
        write_json(
            {"metrics": [{"name": metric.name, "title": metric.title, "about": metric.about} for metric in METRICS]}
        )
        return
    for metric in METRICS:
        direction = "" if metric.larger_is_better else " (smaller is better)"
        print(f"{metric.name:22} {metric.title}{direction}: {metric.about}")


def _compare(first: Run, others: Sequence[Run], *, out: Path | None, as_json: bool) -> None:
    comparisons = [compare_runs(first, other) for other in others]
    for other in others if out else ():
        write_reports(other, baseline=first, folder=out / other.name if out else None)
    if as_json:
        write_json({"comparisons": [comparison_json(comparison) for comparison in comparisons]})
        return
    for comparison in comparisons:
        print("\n".join(comparison_lines(comparison)), end="\n\n")
    if out:
        print(f"Reports: {out}/*/report.html")


def _run_json(done: Run) -> dict[str, Any]:
    return {"folder": str(done.folder), **_info_json(done.info)}


def _info_json(info: Any) -> dict[str, Any]:
    return {name: info[name] for name in ("model", "questions", "articles", "finished", "seconds", "figures")}


def _print_figures(done: Run) -> None:
    figures = done.info["figures"]["all"]
    print(f"{figures['questions']} questions, {figures['unscored']} unscored; model {done.info['model']}")
    for name in _BRIEF:
        figure = figures["metrics"].get(name)
        if figure:
            places = 3 if METRIC[name].unit == "share" else 0
            value, low, high = (f"{figure[part]:.{places}f}" for part in ("value", "low", "high"))
            print(f"  {METRIC[name].title:34} {value:>6}  [{low}, {high}]  n {figure['count']}")


def _gate(failures: Sequence[str]) -> None:
    for failure in failures:
        _say(failure)
    if failures:
        raise typer.Exit(1)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    run(app)
