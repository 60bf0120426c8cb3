// What the chat does beyond Gradio: it keeps the panel in step with what is shown, opens words and copies with sources.
//
// Whatever is drawn is drawn with textContent and createElement alone: text of articles and models never becomes markup.
import { chat, citationLinks, findLink, messages, namesFound, placeOf, readCitation, readMessage } from "./conversation.js";
import { addHover, focus, hideCard, isCardShown } from "./hover.js";
import {
  addPanel, body, closeSheet, goBack, heading, isSheetOpen, markOpen, openArticle, opener, openSheet, showArticles, showList,
  showNote, state,
} from "./panel.js";
import { addRating, markRatings, rate, say } from "./rating.js";
import { WORDS } from "./words.js";

let pinned = null; // the message whose sources a person asked to see, until a new answer
let newest = ""; // the `#s-` link of the last answer

// Brings the panel and the chat's accessibility in line with what the chat shows now.
const sync = () => {
  const log = chat();
  if (!log) return;
  const header = document.getElementById("byline-header");
  if (header && !header.contains(opener)) header.append(opener);
  const all = messages();
  const last = all[all.length - 1];
  const busy = Boolean(log.querySelector(".byline-caret"));
  document.body.classList.toggle("byline-busy", busy);
  const live = log.querySelector('[role="log"]');
  if (live && live.getAttribute("aria-busy") !== String(busy)) live.setAttribute("aria-busy", String(busy));
  for (const link of log.querySelectorAll('a[href^="#c-"][title]')) {
    link.dataset.label = link.title;
    link.setAttribute("aria-label", WORDS.chip(link.textContent.trim(), link.title));
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
  for (const area of log.querySelectorAll("textarea")) decodeEdited(area);
  for (const message of log.querySelectorAll("[data-testid='bot'][aria-label], [data-testid='user'][aria-label]")) {
    // Gradio's label is the message's markdown, read aloud instead of the message.
    message.removeAttribute("aria-label");
  }
  for (const [name, label] of [["submit-button", WORDS.send], ["stop-button", WORDS.stop]]) {
    for (const control of document.querySelectorAll(`#byline-question .${name}:not([aria-label])`)) {
      control.setAttribute("aria-label", label);
    }
  }
  if (focus.at && document.activeElement === document.body) findLink(focus.at)?.focus({ preventScroll: true });

  const lastLink = all.length + ":" + (last?.querySelector('a[href^="#s-"]')?.getAttribute("href") || "");
  if (lastLink !== newest) { newest = lastLink; pinned = null; if (!busy || all.length === 0) state.opened = null; }
  const read = readMessage(pinned !== null && all[pinned] ? all[pinned] : last);
  if (!read) {
    opener.hidden = busy;
    if (opener.textContent !== WORDS.articles) opener.textContent = WORDS.articles;
    state.shown = null;
    if (state.opened) return;
    const note = busy ? WORDS.searching : last && !last.querySelector(".byline-problem, .byline-notice") ? WORDS.refused : "";
    if (note) { if (body.textContent !== note) showNote(note); }
    else if (!body.querySelector(".byline-library")) showArticles();
    return;
  }
  opener.hidden = false;
  const label = WORDS.sourcesOf(read.ids.length);
  if (opener.textContent !== label) opener.textContent = label;
  // While an answer grows the order stays; what is cited moves up once it is whole.
  if (busy) read.cited = new Map();
  const drawn = read.key + "|" + Array.from(read.cited.values()).flat().map((one) => `${one.id}${one.start}-${one.end}`);
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
    const index = messages().findIndex((element) => element.contains(link));
    const citation = readCitation(link);
    if (index >= 0) { pinned = index; }
    const place = placeOf(link);
    if (citation) { sync(); openArticle(citation, { link: place, passage: citation.id }); }
    else if (namesFound(link)) { state.opened = null; sync(); showList(); openSheet(heading); }
    return;
  }
  const copy = event.target.closest('#byline-chat button[aria-label*="opy"], #byline-chat button[title*="opy"]');
  if (copy) copyMessage(copy, event);
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
});

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
  const copy = content.cloneNode(true);
  for (const own of copy.querySelectorAll('a[href^="#s-"], .byline-rating')) own.remove();
  for (const link of copy.querySelectorAll('a[href^="#c-"]')) link.textContent = `[${link.textContent}]`;
  const lines = [];
  for (const block of copy.querySelectorAll("p, li:not(:has(p)), tr")) {
    const cells = Array.from(block.cells || [block], (cell) => cell.textContent.trim());
    if (cells.some(Boolean)) lines.push(cells.join(": "));
  }
  let text = lines.join("\n\n") || copy.textContent.trim();
  if (sources.size) {
    text += "\n\n" + Array.from(sources).sort((a, b) => a[0] - b[0]).map(([n, label]) => `[${n}] ${label}`).join("\n");
  }
  navigator.clipboard.writeText(text).then(() => say(WORDS.copied), () => {});
};

const start = () => {
  addPanel();
  addHover();
  addRating();
  sync();
};
if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);
