// Beside the question box: questions to begin or go on with, which articles are searched, which model answers.
import { askedSoFar, messages, answerIdOf } from "./conversation.js";
import { makeDialog } from "./dialogs.js";
import { ask, isAnswering, setChoices } from "./gradio.js";
import { answerOf } from "./history.js";
import { setting, setSetting } from "./keep.js";
import { button, field, get, make, post } from "./make.js";
import { phrase } from "./words.js";

const SHOWN = 3;
const choices = { outlets: [], since: "", until: "", model: "" };
let corpus = null;

export const corpusNow = () => corpus;

// --- questions to begin with ----------------------------------------------------------------------------------------

const begin = make("div", "byline-suggestions");
begin.setAttribute("role", "group");
begin.setAttribute("aria-label", phrase("suggested"));
let from = 0;

const drawSuggestions = () => {
  const all = corpus?.suggestions || [];
  const shown = [...all.slice(from), ...all.slice(0, from)].slice(0, SHOWN);
  begin.replaceChildren(...shown.map((question) => button("byline-suggestion", question, () => ask(question))));
  if (all.length > SHOWN) {
    begin.append(button("byline-quiet", phrase("other questions"), () => {
      from = (from + SHOWN) % all.length;
      drawSuggestions();
      begin.querySelector("button")?.focus();
    }));
  }
};

// --- questions to go on with ----------------------------------------------------------------------------------------

const next = make("div", "byline-next");
next.setAttribute("role", "group");
next.setAttribute("aria-label", phrase("ask next"));
let nextFor = "";

export const drawNext = async () => {
  const all = messages();
  const last = all[all.length - 1];
  const id = last && !isAnswering() ? answerIdOf(last) : "";
  if (id === nextFor) return;
  nextFor = id;
  next.replaceChildren();
  const answer = id && await answerOf(id);
  if (!answer || nextFor !== id) return;
  const articles = [...answer.citations, ...answer.passages].map((one) => one.article_id);
  const body = {
    article_ids: [...new Set(articles)].slice(0, 8),
    asked: askedSoFar().slice(-40),
    seen: answer.citations.slice(0, 100).map(({ article_id, start }) => ({ article_id, start })),
  };
  const { questions } = await post("page/next", body).catch(() => ({ questions: [] }));
  if (nextFor !== id) return;
  const scrolled = document.querySelector("#byline-chat .panel-wrap");
  const atEnd = scrolled && scrolled.scrollHeight - scrolled.scrollTop - scrolled.clientHeight < 160;
  next.replaceChildren(...questions.map((question) => button("byline-next-question", question, () => ask(question))));
  if (atEnd) scrolled.scrollTop = scrolled.scrollHeight;
};

// --- which articles, which model ------------------------------------------------------------------------------------

const row = make("div", "byline-choices");
const narrowed = button("byline-choice", phrase("narrow"), () => openFilter());
narrowed.setAttribute("aria-haspopup", "dialog");
const models = make("select", "byline-choice byline-model");
models.setAttribute("aria-label", phrase("model"));
models.addEventListener("change", () => choose({ model: models.value }));

const inWords = () => {
  const parts = [];
  if (choices.outlets.length === 1) parts.push(choices.outlets[0]);
  if (choices.outlets.length > 1) parts.push(phrase("chosen outlets", { count: choices.outlets.length }));
  if (choices.since) parts.push(phrase("from day", { day: choices.since }));
  if (choices.until) parts.push(phrase("until day", { day: choices.until }));
  return parts.join(", ");
};

export const choose = (changed) => {
  Object.assign(choices, changed);
  const said = inWords();
  narrowed.textContent = said || phrase("narrow");
  narrowed.classList.toggle("byline-chosen", Boolean(said));
  if (models.value !== choices.model && corpus) models.value = choices.model || corpus.models[0];
  if ("model" in changed) setSetting("model", choices.model);
  setChoices(choices);
};

const drawModels = () => {
  models.hidden = corpus.models.length < 2;
  models.replaceChildren(...corpus.models.map((name) => {
    const option = make("option", "", name === "none" ? phrase("quoting") : name);
    option.value = name;
    return option;
  }));
  const chosen = choices.model || setting("model") || "";
  choose({ model: corpus.models.includes(chosen) ? chosen : corpus.models[0] });
};

const filter = { dialog: null };

const openFilter = () => {
  if (!filter.dialog) {
    Object.assign(filter, makeDialog("byline-filter", phrase("narrow title")));
    filter.dialog.addEventListener("close", () => narrowed.focus());
  }
  drawFilter();
  filter.dialog.showModal();
};

const day = (value, name) => {
  const input = make("input", "byline-day");
  input.type = "date";
  input.name = name;
  input.value = value;
  if (corpus?.first) { input.min = corpus.first; input.max = corpus.last; }
  return input;
};

const drawFilter = () => {
  const form = make("form", "byline-filter-form");
  const since = day(choices.since, "since");
  const until = day(choices.until, "until");
  const days = make("div", "byline-days");
  days.append(field(phrase("since"), since), field(phrase("until"), until));
  const problem = make("p", "byline-dialog-problem");
  problem.setAttribute("role", "alert");
  const outlets = drawOutlets();
  const parts = [outlets];
  if (corpus?.first) parts.push(days);
  if (corpus?.first && corpus.undated) parts.push(make("p", "byline-note", phrase("undated", { count: corpus.undated })));
  const buttons = make("div", "byline-dialog-buttons");
  const all = button("byline-cancel", phrase("everything"), () => {
    choose({ outlets: [], since: "", until: "" });
    filter.dialog.close();
  });
  const apply = make("button", "byline-send", phrase("apply"));
  apply.type = "submit";
  buttons.append(all, apply);
  form.append(...parts, problem, buttons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (since.value && until.value && since.value > until.value) { problem.textContent = phrase("day order"); return; }
    const named = Array.from(form.querySelectorAll("input[type=checkbox]:checked"), (box) => box.value);
    choose({ outlets: named, since: since.value, until: until.value });
    filter.dialog.close();
  });
  filter.body.replaceChildren(form);
};

const drawOutlets = () => {
  const group = make("fieldset", "byline-outlets");
  group.append(make("legend", "byline-field-name", phrase("outlets")));
  const known = corpus?.outlets || [];
  if (!known.length) { group.append(make("p", "byline-note", phrase("outlet unknown"))); return group; }
  const list = make("div", "byline-outlet-list");
  for (const { name, articles } of known) {
    const label = make("label", "byline-outlet");
    const box = make("input");
    box.type = "checkbox";
    box.value = name;
    box.checked = choices.outlets.includes(name);
    label.append(box, make("span", "", name), make("span", "byline-count", String(articles)));
    list.append(label);
  }
  if (known.length > 8) {
    const find = make("input", "byline-input");
    find.type = "search";
    find.placeholder = phrase("find outlet");
    find.setAttribute("aria-label", phrase("find outlet"));
    find.addEventListener("input", () => {
      const wanted = find.value.trim().toLocaleLowerCase();
      for (const label of list.children) label.hidden = !label.textContent.toLocaleLowerCase().includes(wanted);
    });
    group.append(find);
  }
  group.append(list);
  return group;
};

// --- all of it ------------------------------------------------------------------------------------------------------

// Reads again what the articles are: at the start, and after they were changed.
export const readCorpus = async () => {
  corpus = await get("page/corpus").catch(() => corpus);
  if (!corpus) return;
  from = 0;
  drawSuggestions();
  drawModels();
  const line = document.querySelector("#byline-about p");
  if (line && line.textContent !== corpus.about) line.textContent = corpus.about;
  document.dispatchEvent(new CustomEvent("byline-corpus"));
};

// Gradio draws its parts late and anew: each of ours is put where it belongs whenever it is not there.
export const placeAsking = () => {
  const empty = document.getElementById("byline-empty");
  if (empty && begin.parentElement !== empty) empty.append(begin);
  const box = document.getElementById("byline-question");
  const place = box?.closest("#byline-conversation > *") || box;
  if (place && next.nextElementSibling !== place) place.before(next);
  if (place && row.previousElementSibling !== place) place.after(row);
};

export const addAsking = (...further) => row.append(narrowed, models, ...further);
