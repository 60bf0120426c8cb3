// The panel: what was found, what is cited, the articles there are, an article with the words marked; a sheet on a phone.
import { drawArticle, linkToArticle, linkToWords } from "./article.js";
import { findLink, wordLinks } from "./conversation.js";
import { drawLibrary } from "./library.js";
import { about, button, characters, get, iconButton, make } from "./make.js";
import { phrase } from "./words.js";

export const narrow = window.matchMedia("(max-width: 900px)");

// What the panel shows: `shown` is the list {key, ids, cited}, `opened` the article {citation, from} over it,
// `library` whether a person asked for the articles instead.
export const state = { shown: null, opened: null, library: false };

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
panel.setAttribute("aria-label", phrase("sources"));
const backButton = button("byline-back", phrase("back"), () => goBack());
export const heading = make("h2", "byline-panel-title", phrase("sources"));
heading.tabIndex = -1;
const closeButton = button("byline-close", phrase("close"), () => closeSheet());
const steps = make("div", "byline-steps");
steps.hidden = true;
const stepTo = (direction) => document.dispatchEvent(new CustomEvent("byline-step", { detail: direction }));
const place = make("span", "byline-place");
steps.append(
  iconButton("byline-previous", phrase("previous citation"), () => stepTo(-1)),
  place,
  iconButton("byline-next-one", phrase("next citation"), () => stepTo(1)),
);
const top_ = make("div", "byline-panel-top");
top_.append(backButton, heading, steps, closeButton);
export const body = make("div", "byline-panel-body");
body.tabIndex = -1;
panel.append(top_, body);
const veil = make("div", "byline-veil");
veil.addEventListener("click", () => closeSheet());
export const opener = button("byline-open-sources", phrase("sources"), () => {
  state.library = false;
  if (state.shown) showList();
  else showArticles();
  openSheet(heading);
});

const setTop = (title, back = "") => {
  heading.textContent = title;
  backButton.hidden = !back;
  backButton.textContent = back;
  steps.hidden = true;
};

export const setBody = (...content) => {
  body.replaceChildren(...content);
  body.scrollTop = 0;
};

// Where the open citation stands among those of its answer.
export const showPlace = (at, total) => {
  steps.hidden = total < 2;
  place.textContent = phrase("place of", { place: at, total });
};

// What there is to ask about: before the first question, and whenever somebody wants to see it.
export const showArticles = () => {
  state.opened = null;
  if (!state.library) state.shown = null;
  markOpen();
  setTop(phrase("articles"), state.shown ? phrase("back") : "");
  setBody(drawLibrary(readArticle));
};

export const openArticles = () => {
  state.library = true;
  showArticles();
  if (narrow.matches) openSheet();
  heading.focus();
};

export const readArticle = async (item) => {
  state.opened = { citation: { id: "" }, from: { article: item.article_id } };
  const mine = state.opened;
  setTop("", phrase("all articles"));
  try {
    const path = item.article_id.split("/").map(encodeURIComponent).join("/");
    const article = await get(`api/articles/${path}`);
    if (mine === state.opened) setArticle(article, { start: 0, end: 0 }, linkToArticle(article));
  } catch (error) {
    if (mine === state.opened) { setBody(make("p", "byline-note", error.message)); backButton.focus(); }
  }
};

const setArticle = (article, words, link, replaced = null) => {
  const { page, first } = drawArticle(article, words, link, replaced);
  setBody(page);
  const target = first || page;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: first ? "center" : "start" });
};

export const showNote = (text) => {
  setTop(phrase("sources"));
  setBody(make("p", "byline-note", text));
};

export const showList = () => {
  state.opened = null;
  state.library = false;
  markOpen();
  if (!state.shown) return;
  setTop(phrase("sources"));
  const wanted = state.shown;
  const current = () => wanted === state.shown && !state.opened && !state.library;
  passagesOf(wanted.ids).then(
    (passages) => { if (current()) drawList(passages, wanted); },
    (error) => { if (current()) showNote(error.message); },
  );
};

const drawList = (passages, { ids, cited, refused }) => {
  const numbered = passages.map((passage) => ({ ...passage, number: ids.indexOf(passage.passage_id) + 1 }));
  const isCited = (passage) => cited.has(passage.passage_id);
  const parts = [];
  const titled = cited.size > 0 || refused;
  const section = (title, members) => {
    if (!members.length) return;
    const element = make("section", "byline-section");
    if (titled) element.append(make("h3", "byline-section-title", title));
    const groups = new Map();
    for (const member of members) {
      if (!groups.has(member.article_id)) groups.set(member.article_id, []);
      groups.get(member.article_id).push(member);
    }
    for (const group of groups.values()) element.append(drawGroup(group, cited, titled));
    parts.push(element);
  };
  section(phrase("cited"), numbered.filter(isCited));
  section(phrase(refused ? "nearest" : "also found"), numbered.filter((passage) => !isCited(passage)));
  const before = body.scrollTop;
  setBody(...parts);
  body.scrollTop = before;
};

const drawGroup = (group, cited, titled) => {
  const element = make("div", "byline-article-group");
  element.append(make(titled ? "h4" : "h3", "byline-headline", group[0].title));
  if (about(group[0])) element.append(make("p", "byline-about", about(group[0])));
  for (const passage of group) {
    const citation = (cited.get(passage.passage_id) || [])[0] ||
      { id: passage.passage_id, start: passage.start, end: passage.end, number: passage.number };
    const row = button("byline-passage", undefined, () => openArticle(citation, { passage: passage.passage_id }));
    row.dataset.passage = passage.passage_id;
    const number = make("span", "byline-number");
    number.append(make("span", "byline-unseen", phrase("source")), String(passage.number));
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
  setTop(citation.number ? phrase("source number", { number: citation.number }) : "",
    phrase(state.shown && !state.library ? "back" : "all articles"));
  if (from.place) showPlace(...from.place);
  if (narrow.matches) openSheet();
  const mine = state.opened;
  try {
    const { article, replaced } = await articleOf(citation.id);
    if (mine === state.opened) setArticle(article, citation, linkToWords(citation), replaced);
  } catch (error) {
    if (mine === state.opened) { setBody(make("p", "byline-note", error.message)); backButton.focus(); }
  }
};

// Back to where the article was opened from: the chip in the answer, the passage in the list, or the list of articles.
export const goBack = async ({ toChip = false } = {}) => {
  if (!state.opened) {
    if (state.library && state.shown) { showList(); heading.focus(); }
    return;
  }
  const { from, citation } = state.opened;
  if (from.article !== undefined || !state.shown) {
    showArticles();
    heading.focus();
    document.dispatchEvent(new CustomEvent("byline-back", { detail: from.article }));
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

// --- the sheet on a phone -------------------------------------------------------------------------------------------

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
