// The sources panel: what was found, what is cited, an article with the words marked; a sheet on a phone.
import { findLink, wordLinks } from "./conversation.js";
import { about, button, characters, get, make, webAddress } from "./make.js";
import { WORDS } from "./words.js";

const MOST_LISTED = 100;
export const narrow = window.matchMedia("(max-width: 900px)");

// What the panel shows: `shown` is the list {key, ids, cited}, `opened` the article {citation, from} over it.
export const state = { shown: null, opened: null };

const articles = new Map(); // passage id -> promise of the passage with its article
const lists = new Map(); // ids joined by "," -> promise of passages

const remember = (store, key, load) => {
  if (!store.has(key)) {
    if (store.size > 200) store.delete(store.keys().next().value);
    store.set(key, load().catch((error) => { store.delete(key); throw error; }));
  }
  return store.get(key);
};

export const articleOf = (id) => remember(articles, id, () => get(`api/passages/${id}`));
const passagesOf = (ids) =>
  remember(lists, ids.join(","), async () => (await get(`api/passages?ids=${ids.join(",")}`)).passages);

const panel = make("div", "byline-sources");
panel.setAttribute("role", "complementary");
panel.id = "byline-sources";
panel.setAttribute("aria-label", WORDS.sources);
const backButton = button("byline-back", WORDS.back, () => goBack());
export const heading = make("h2", "byline-panel-title", WORDS.sources);
heading.tabIndex = -1;
const closeButton = button("byline-close", WORDS.close, () => closeSheet());
const top_ = make("div", "byline-panel-top");
top_.append(backButton, heading, closeButton);
export const body = make("div", "byline-panel-body");
body.tabIndex = -1;
panel.append(top_, body);
const veil = make("div", "byline-veil");
veil.addEventListener("click", () => closeSheet());
export const opener = button("byline-open-sources", WORDS.sources, () => {
  if (state.shown) showList();
  else showArticles();
  openSheet(heading);
});

const setBody = (...content) => {
  body.replaceChildren(...content);
  body.scrollTop = 0;
};

// Before the first question: what there is to ask about.
export const showArticles = async () => {
  state.shown = null;
  state.opened = null;
  backButton.hidden = true;
  heading.textContent = WORDS.articles;
  const drawn = make("div", "byline-library");
  setBody(drawn);
  try {
    const { articles: listed, total } = await get(`api/articles?limit=${MOST_LISTED}`);
    for (const item of listed) {
      const row = button("byline-article-row", undefined, () => readArticle(item));
      row.dataset.article = item.article_id;
      row.append(make("span", "byline-headline", item.title));
      if (about(item)) row.append(make("span", "byline-about", about(item)));
      drawn.append(row);
    }
    if (total > listed.length) drawn.append(make("p", "byline-note", WORDS.more(total - listed.length)));
  } catch (error) {
    drawn.append(make("p", "byline-note", error.message));
  }
};

const readArticle = async (item) => {
  state.opened = { citation: { id: "" }, from: { article: item.article_id } };
  const mine = state.opened;
  backButton.hidden = false;
  backButton.textContent = WORDS.allArticles;
  heading.textContent = "";
  try {
    const path = item.article_id.split("/").map(encodeURIComponent).join("/");
    const article = await get(`api/articles/${path}`);
    if (mine === state.opened) drawArticle(article, { start: 0, end: 0 });
  } catch (error) {
    if (mine === state.opened) setBody(make("p", "byline-note", error.message));
  }
};

export const showNote = (text) => {
  backButton.hidden = true;
  heading.textContent = WORDS.sources;
  setBody(make("p", "byline-note", text));
};

export const showList = () => {
  state.opened = null;
  markOpen();
  if (!state.shown) return;
  backButton.hidden = true;
  heading.textContent = WORDS.sources;
  const wanted = state.shown;
  passagesOf(wanted.ids).then(
    (passages) => { if (wanted === state.shown && !state.opened) drawList(passages, wanted); },
    (error) => { if (wanted === state.shown && !state.opened) showNote(error.message); },
  );
};

const drawList = (passages, { ids, cited }) => {
  const numbered = passages.map((passage) => ({ ...passage, number: ids.indexOf(passage.passage_id) + 1 }));
  const isCited = (passage) => cited.has(passage.passage_id);
  const parts = [];
  const section = (title, members) => {
    if (!members.length) return;
    const element = make("section", "byline-section");
    if (cited.size) element.append(make("h3", "byline-section-title", title));
    const groups = new Map();
    for (const member of members) {
      if (!groups.has(member.article_id)) groups.set(member.article_id, []);
      groups.get(member.article_id).push(member);
    }
    for (const group of groups.values()) element.append(drawGroup(group, cited));
    parts.push(element);
  };
  section(WORDS.cited, numbered.filter(isCited));
  section(WORDS.found, numbered.filter((passage) => !isCited(passage)));
  const place = body.scrollTop;
  setBody(...parts);
  body.scrollTop = place;
};

const drawGroup = (group, cited) => {
  const element = make("div", "byline-article-group");
  element.append(make(cited.size ? "h4" : "h3", "byline-headline", group[0].title));
  if (about(group[0])) element.append(make("p", "byline-about", about(group[0])));
  for (const passage of group) {
    const citation = (cited.get(passage.passage_id) || [])[0] ||
      { id: passage.passage_id, start: passage.start, end: passage.end, number: passage.number };
    const row = button("byline-passage", undefined, () => openArticle(citation, { passage: passage.passage_id }));
    row.dataset.passage = passage.passage_id;
    const number = make("span", "byline-number");
    number.append(make("span", "byline-unseen", WORDS.source), String(passage.number));
    row.append(number, " ", drawExcerpt(passage, cited));
    element.append(row);
  }
  return element;
};

const drawExcerpt = (passage, cited) => {
  const excerpt = make("span", "byline-excerpt");
  const text = characters(passage.text);
  const citations = cited.get(passage.passage_id);
  if (!citations) {
    excerpt.textContent = passage.text.replace(/\s+/g, " ").trim();
    return excerpt;
  }
  const quotes = citations.map(({ start, end }) =>
    text.slice(Math.max(0, start - passage.start), Math.max(0, end - passage.start)).join("").trim());
  excerpt.classList.add("byline-quoted");
  excerpt.textContent = [...new Set(quotes.filter(Boolean))].join(" … ") || passage.text.trim();
  return excerpt;
};

export const openArticle = async (citation, from) => {
  state.opened = { citation, from };
  markOpen();
  backButton.hidden = false;
  backButton.textContent = WORDS.back;
  heading.textContent = citation.number ? WORDS.article(citation.number) : "";
  if (narrow.matches) openSheet();
  const mine = state.opened;
  try {
    const { article } = await articleOf(citation.id);
    if (mine === state.opened) drawArticle(article, citation);
  } catch (error) {
    if (mine === state.opened) { setBody(make("p", "byline-note", error.message)); backButton.focus(); }
  }
};

const drawArticle = (article, { start, end }) => {
  const page = make("article", "byline-article");
  page.append(make("h3", "byline-article-title", article.title));
  if (about(article)) page.append(make("p", "byline-about", about(article)));
  let first = null;
  let place = 0;
  for (const line of article.text.split("\n")) {
    const letters = characters(line);
    const from = Math.min(Math.max(start - place, 0), letters.length);
    const to = Math.min(Math.max(end - place, 0), letters.length);
    if (line.trim()) {
      const paragraph = make("p");
      paragraph.append(letters.slice(0, from).join(""));
      if (to > from) {
        const mark = make("mark", "byline-mark", letters.slice(from, to).join(""));
        paragraph.append(mark);
        first ||= mark;
      }
      paragraph.append(letters.slice(Math.max(from, to)).join(""));
      page.append(paragraph);
    }
    place += letters.length + 1;
  }
  const address = article.url ? webAddress(article.url) : null;
  if (address) {
    const link = make("a", "byline-original", WORDS.original(address.host));
    link.href = address.href;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    page.append(link);
  }
  setBody(page);
  const target = first || page;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: first ? "center" : "start" });
};

// Back to where the article was opened from: the chip in the answer, or the passage in the list.
export const goBack = async ({ toChip = false } = {}) => {
  if (!state.opened) return;
  const { from, citation } = state.opened;
  if (from.article !== undefined) {
    await showArticles();
    const rows = Array.from(body.querySelectorAll(".byline-article-row"));
    (rows.find((row) => row.dataset.article === from.article) || heading).focus();
    return;
  }
  showList();
  if (toChip && from.link) {
    if (narrow.matches) closeSheet({ keepFocus: true });
    const link = findLink(from.link);
    if (link) { link.focus(); return; }
  }
  if (state.shown) await passagesOf(state.shown.ids).catch(() => []);
  const row = body.querySelector(`[data-passage="${CSS.escape(from.passage || citation.id)}"]`);
  if (row) row.focus();
  else heading.focus();
};

// --- the sheet on a phone -----------------------------------------------------------------------------------------

let sheetFrom = null;
const app = () => document.querySelector("gradio-app") || document.querySelector(".gradio-container");

export const openSheet = (focusOn) => {
  if (!narrow.matches) return;
  if (!isSheetOpen()) sheetFrom = document.activeElement;
  panel.classList.add("byline-open");
  veil.classList.add("byline-open");
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-modal", "true");
  const page = app();
  if (page) page.inert = true;
  if (focusOn) focusOn.focus();
};

export const closeSheet = ({ keepFocus = false } = {}) => {
  if (!isSheetOpen()) return;
  panel.classList.remove("byline-open");
  veil.classList.remove("byline-open");
  panel.setAttribute("role", "complementary");
  panel.removeAttribute("aria-modal");
  const page = app();
  if (page) page.inert = false;
  if (keepFocus) return;
  const link = state.opened && state.opened.from.link ? findLink(state.opened.from.link) : null;
  state.opened = null;
  showList();
  const target = link || (sheetFrom && sheetFrom.isConnected ? sheetFrom : opener);
  target.focus();
};

export const isSheetOpen = () => panel.classList.contains("byline-open");

export const addPanel = () => {
  document.body.append(veil, panel);
  showArticles();
};

narrow.addEventListener("change", () => closeSheet({ keepFocus: true }));

export const markOpen = () => {
  const current = state.opened && state.opened.from.link ? findLink(state.opened.from.link) : null;
  for (const link of wordLinks(document)) {
    if (link === current) link.setAttribute("aria-current", "true");
    else if (link.hasAttribute("aria-current")) link.removeAttribute("aria-current");
  }
};
