// The keyboard: from citation to citation, to the question box, and a list of these keys.
//
// Single keys work outside of text fields only, and can be switched off: somebody who speaks to the computer would press
// them without meaning to.
import { citationLinks, messages, placeOf, readCitation } from "./conversation.js";
import { makeDialog } from "./dialogs.js";
import { beginAnew, questionBox } from "./gradio.js";
import { setting, setSetting } from "./keep.js";
import { make } from "./make.js";
import { openArticle, openArticles, state } from "./panel.js";
import { openPast } from "./past.js";
import { phrase } from "./words.js";

const shown = (link) => {
  const of = messages().find((message) => message.contains(link));
  const links = of ? citationLinks(of) : [];
  return [links.indexOf(link) + 1, links.length];
};

// Where an opened citation came from, to go back to it, and where it stands among those of its answer.
export const cameFrom = (link) => {
  const citation = readCitation(link);
  return { link: placeOf(link), passage: citation?.id, place: citation?.number ? shown(link) : undefined };
};

export const step = (direction) => {
  const all = messages().flatMap(citationLinks);
  if (!all.length) return;
  const open = all.find((link) => link.getAttribute("aria-current") === "true");
  const focused = all.indexOf(document.activeElement);
  const at = open ? all.indexOf(open) : focused;
  // Without one to start from: the first of the last answer.
  const last = citationLinks(messages()[messages().length - 1])[0];
  const fallback = last ? all.indexOf(last) : 0;
  const link = all[at < 0 ? fallback : (at + direction + all.length) % all.length];
  link.scrollIntoView({ block: "nearest" });
  openArticle(readCitation(link), cameFrom(link));
};

const help = { dialog: null };

const KEYS = [
  ["n", "key next"], ["p", "key previous"], ["/", "key question"], ["c", "key new"], ["h", "key conversations"],
  ["a", "key articles"], ["?", "key help"], ["Esc", "key escape"],
];

export const openHelp = () => {
  if (!help.dialog) {
    Object.assign(help, makeDialog("byline-help", phrase("keys title")));
    const list = make("dl", "byline-keys");
    for (const [key, meaning] of KEYS) {
      const row = make("div");
      const name = make("dt");
      name.append(make("kbd", "", key));
      row.append(name, make("dd", "", phrase(meaning)));
      list.append(row);
    }
    const label = make("label", "byline-outlet");
    const box = make("input");
    box.type = "checkbox";
    box.checked = isOn();
    box.addEventListener("change", () => setSetting("keys", box.checked ? "on" : "off"));
    label.append(box, make("span", "", phrase("keys on")));
    help.body.append(list, label);
  }
  help.dialog.showModal();
};

const isOn = () => setting("keys") !== "off";

const ACTS = {
  n: () => step(1),
  p: () => step(-1),
  "/": () => questionBox()?.focus(),
  c: () => beginAnew(),
  h: () => openPast(),
  a: () => openArticles(),
  "?": () => openHelp(),
};

export const addKeys = () => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !isOn()) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const act = ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("byline-step", ({ detail }) => {
    if (state.opened) step(detail);
  });
};
