// What the chat does beyond Gradio: it keeps the panel in step with what is shown, opens words and copies with sources.
//
// Whatever is drawn is drawn with textContent and createElement alone: text of articles and models never becomes markup.
import { linkToQuestion } from "./article.js";
import { addAsking, corpusNow, drawNext, placeAsking, readCorpus } from "./asking.js";
import { chat, citationLinks, findLink, messages, namesFound, questionOf, readCitation, readMessage } from "./conversation.js";
import { ask, ready, untilShown } from "./gradio.js";
import { keepShown, openConversation } from "./history.js";
import { addHover, focus, hideCard, isCardShown } from "./hover.js";
import { forgetPerson, openId, setOpenId, setSetting, setting } from "./keep.js";
import { addKeys, cameFrom, openHelp } from "./keys.js";
import { addressOf, button, iconButton, make } from "./make.js";
import {
  addPanel, body, closeSheet, goBack, heading, isSheetOpen, markOpen, openArticle, openArticles, opener, openSheet,
  readArticle, showArticles, showList, showNote, state,
} from "./panel.js";
import { openPast } from "./past.js";
import { addRating, markRatings, rate } from "./rating.js";
import { addStatus, copy, say } from "./say.js";
import { phrase } from "./words.js";

const tools = [
  iconButton("byline-open-past", phrase("conversations"), () => openPast()),
  iconButton("byline-open-articles", phrase("articles"), () => openArticles()),
];
// Shown to who has logged in; a form, since only a request of the page's own may log somebody out.
const leave = iconButton("byline-log-out", "", () => { forgetPerson(); leaving.submit(); });
leave.hidden = true;
const leaving = make("form");
leaving.method = "post";
leaving.hidden = true;
leave.append(leaving);
document.addEventListener("byline-corpus", () => {
  const name = corpusNow().user;
  // Who comes after somebody whose session ran out finds nothing of theirs either.
  const before = setting("person");
  if (name && before && before !== name) { forgetPerson(); location.reload(); return; }
  if (name && !before) setSetting("person", name);
  leave.hidden = !name;
  leaving.action = addressOf("logout").href;
  leave.title = phrase("log out", { name });
  leave.setAttribute("aria-label", leave.title);
});
tools.push(leave);
let pinned = null; // the message whose sources a person asked to see, until a new answer
let newest = "0:"; // how many messages there are, and the `#s-` link of the last answer

// Brings the panel and the chat's accessibility in line with what the chat shows now.
const sync = () => {
  const log = chat();
  if (!log) return;
  const header = document.getElementById("byline-header");
  if (header && !header.contains(opener)) header.append(...tools, opener);
  placeAsking();
  begin();
  const all = messages();
  const last = all[all.length - 1];
  const busy = Boolean(log.querySelector(".byline-caret"));
  document.body.classList.toggle("byline-busy", busy);
  const live = log.querySelector('[role="log"]');
  if (live && live.getAttribute("aria-busy") !== String(busy)) live.setAttribute("aria-busy", String(busy));
  for (const link of log.querySelectorAll('a[href^="#c-"][title]')) {
    link.dataset.label = link.title;
    link.setAttribute("aria-label", phrase("chip", { number: link.textContent.trim(), label: link.title }));
    link.removeAttribute("title");
  }
  for (const doubt of log.querySelectorAll(".byline-doubt[title]")) {
    // Gradio shows a title under the mouse alone; the card shows it to whoever comes by keyboard or touch as well.
    doubt.dataset.reason = doubt.title;
    doubt.setAttribute("role", "note");
    doubt.setAttribute("aria-description", doubt.title);
    doubt.removeAttribute("title");
  }
  markRatings(log);
  for (const link of log.querySelectorAll('a[href="#l-question"]:not([role])')) link.setAttribute("role", "button");
  for (const area of log.querySelectorAll("textarea")) decodeEdited(area);
  for (const message of log.querySelectorAll("[data-testid='bot'][aria-label], [data-testid='user'][aria-label]")) {
    // Gradio's label is the message's markdown, read aloud instead of the message.
    message.removeAttribute("aria-label");
  }
  for (const [name, label] of [["submit-button", phrase("send")], ["stop-button", phrase("stop")]]) {
    for (const control of document.querySelectorAll(`#byline-question .${name}:not([aria-label])`)) {
      control.setAttribute("aria-label", label);
    }
  }
  if (focus.at && document.activeElement === document.body) findLink(focus.at)?.focus({ preventScroll: true });

  if (!busy) { keepShown(); drawNext(); }
  const lastLink = all.length + ":" + (last?.querySelector('a[href^="#s-"]')?.getAttribute("href") || "");
  if (lastLink !== newest) { newest = lastLink; pinned = null; if (!busy || all.length === 0) state.opened = null; }
  const read = readMessage(pinned !== null && all[pinned] ? all[pinned] : last);
  if (!read) {
    opener.hidden = true;
    state.shown = null;
    if (state.opened || state.library) return;
    const note = busy ? phrase("passages appear")
      : last && !last.querySelector(".byline-problem, .byline-notice") ? phrase("refused") : "";
    if (note) { if (body.textContent !== note) showNote(note); }
    else if (!body.querySelector(".byline-library")) showArticles();
    return;
  }
  opener.hidden = false;
  const label = phrase("sources of", { count: read.ids.length });
  if (opener.textContent !== label) opener.textContent = label;
  // While an answer grows the order stays; what is cited moves up once it is whole.
  if (busy) read.cited = new Map();
  const drawn = `${read.key}|${read.refused}|` +
    Array.from(read.cited.values()).flat().map((one) => `${one.id}${one.start}-${one.end}`);
  if (state.shown && state.shown.drawn === drawn) { markOpen(); return; }
  state.shown = { ...read, drawn };
  if (state.opened) markOpen();
  else showList();
};

// The page keeps special characters as references; a person who edits a question gets the characters themselves.
const decodeEdited = (area) => {
  if (area.dataset.bylineDecoded || !/&#\d+;/.test(area.value)) return;
  area.dataset.bylineDecoded = "yes";
  area.value = area.value.replace(/&#(\d{1,7});/g, (_, code) => String.fromCodePoint(Number(code)));
  area.dispatchEvent(new Event("input", { bubbles: true }));
};

let waiting = false;
new MutationObserver(() => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; sync(); });
}).observe(document.documentElement, { childList: true, subtree: true, characterData: true });

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const link = event.target.closest('#byline-chat a[href^="#"]');
  if (link) {
    event.preventDefault();
    event.stopPropagation();
    hideCard();
    if (rate(link, sync)) return;
    if (link.getAttribute("href") === "#l-question") { copyQuestion(link); return; }
    const index = messages().findIndex((element) => element.contains(link));
    const citation = readCitation(link);
    if (index >= 0) { pinned = index; }
    if (citation) { sync(); openArticle(citation, cameFrom(link)); }
    else if (namesFound(link)) { state.opened = null; sync(); showList(); openSheet(heading); }
    return;
  }
  const control = event.target.closest('#byline-chat button[aria-label*="opy"], #byline-chat button[title*="opy"]');
  if (control) copyMessage(control, event);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target instanceof Element && event.target.matches('#byline-chat a[role="button"]')) {
    event.preventDefault();
    event.target.click();
  }
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (isCardShown()) hideCard();
  if (state.opened) { event.preventDefault(); goBack({ toChip: true }); }
  else if (isSheetOpen()) { event.preventDefault(); closeSheet(); }
  else if (state.library && state.shown) showList();
});

const copyQuestion = (link) => {
  const message = messages().find((one) => one.contains(link));
  copy(linkToQuestion(questionOf(message)), { copied: phrase("link copied"), failed: phrase("not copied") });
};

// Copies what a person sees, with the sources below, instead of the page's own markdown.
const copyMessage = (control, event) => {
  const row = control.closest(".message-row, .bot-row, .user-row") || control.closest(".message-wrap > div");
  const content = row && row.querySelector('[data-testid="bot"], [data-testid="user"]');
  if (!content || !navigator.clipboard) return;
  event.preventDefault();
  event.stopPropagation();
  const sources = new Map();
  for (const link of citationLinks(content)) {
    sources.set(Number(link.textContent), link.dataset.label || link.title);
  }
  const plain = content.cloneNode(true);
  for (const own of plain.querySelectorAll('a[href^="#s-"], .byline-rating')) own.remove();
  for (const link of plain.querySelectorAll('a[href^="#c-"]')) link.textContent = `[${link.textContent}]`;
  const lines = [];
  for (const block of plain.querySelectorAll("p, li:not(:has(p)), tr")) {
    const cells = Array.from(block.cells || [block], (cell) => cell.textContent.trim());
    if (cells.some(Boolean)) lines.push(cells.join(": "));
  }
  let text = lines.join("\n\n") || plain.textContent.trim();
  if (sources.size) {
    text += "\n\n" + Array.from(sources).sort((a, b) => a[0] - b[0]).map(([n, label]) => `[${n}] ${label}`).join("\n");
  }
  copy(text, { copied: phrase("copied"), failed: phrase("not copied") });
};

// --- where to begin -------------------------------------------------------------------------------------------------

// The address says what to show: a question, words of an article, an article; else the conversation this tab had open.
let begun = false;
const begin = () => {
  if (begun || !ready()) return;
  begun = true;
  readCorpus();
  const address = new URL(location.href);
  const given = (name) => (address.searchParams.get(name) || "").trim();
  const question = given("q");
  const id = given("passage");
  const article = given("article");
  if (question || id || article) {
    // Once is enough: after a reload the conversation that came of it is there.
    const plain = new URL(address);
    for (const name of ["q", "passage", "start", "end", "article"]) plain.searchParams.delete(name);
    window.history.replaceState(null, "", plain);
  }
  if (question) { setOpenId(""); untilShown(() => ask(question), 8000); return; }
  if (openId()) untilShown(() => openConversation(openId()), 1500);
  const place = (name) => Math.max(0, Math.floor(Number(given(name))) || 0);
  if (/^[0-9a-f]{32}$/.test(id)) openArticle({ id, start: place("start"), end: place("end"), number: "" }, {});
  else if (article) readArticle({ article_id: article });
};

const start = () => {
  addPanel();
  addStatus();
  addHover();
  addRating();
  addKeys();
  addAsking(button("byline-quiet byline-open-keys", phrase("keys"), () => openHelp()));
  sync();
};
if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);
