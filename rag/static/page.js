// The sources panel, and what the chat's own links do.
//
// A message of the page carries two kinds of link: `#s-<ids>` names every passage found for it, in the order of their
// numbers, and `#c-<id>-<start>-<end>` cites words of an article (offsets in characters). This script draws the panel
// from them with textContent and createElement alone: text of articles and models never becomes markup.
(() => {
  "use strict";

  const WORDS = {
    sources: "Sources",
    sourcesOf: (count) => `Sources (${count})`,
    back: "← All sources",
    close: "Close",
    cited: "Cited in the answer",
    found: "Also found",
    searching: "Passages appear here as soon as they are found.",
    articles: "Articles",
    allArticles: "← All articles",
    more: (count) => `and ${count} more`,
    refused: "The articles do not answer this question, so nothing is cited.",
    original: (host) => `Open the original at ${host}`,
    chip: (number, label) => `Source ${number}: ${label}`,
    source: "Source ",
    failed: "This could not be opened.",
    article: (number) => `Source ${number}`,
    copied: "Copied with its sources",
    send: "Send",
    stop: "Stop",
  };

  const CITED = /^#c-([0-9a-f]{32})-(\d+)-(\d+)$/;
  const FOUND = /^#s-([0-9a-f.]*)$/;
  const MOST_LISTED = 100;
  const narrow = window.matchMedia("(max-width: 900px)");
  const canHover = window.matchMedia("(hover: hover)");

  const articles = new Map(); // passage id -> promise of the passage with its article
  const lists = new Map(); // ids joined by "," -> promise of passages
  let shown = null; // {key, ids, cited} of the list in the panel
  let opened = null; // {citation, opener} of the article in the panel
  let pinned = null; // the message whose sources a person asked to see, until a new answer
  let newest = ""; // the `#s-` link of the last answer
  let focused = null; // where keyboard focus was in the chat, to put it back after a redraw

  // --- small makers -------------------------------------------------------------------------------------------------

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const button = (className, text, act) => {
    const element = make("button", className, text);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  };

  const get = async (path) => {
    const response = await fetch(new URL(path, document.baseURI), { headers: { accept: "application/json" } });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.error || WORDS.failed);
    return body;
  };

  const remember = (store, key, load) => {
    if (!store.has(key)) {
      if (store.size > 200) store.delete(store.keys().next().value);
      store.set(key, load().catch((error) => { store.delete(key); throw error; }));
    }
    return store.get(key);
  };

  const articleOf = (id) => remember(articles, id, () => get(`api/passages/${id}`));
  const passagesOf = (ids) =>
    remember(lists, ids.join(","), async () => (await get(`api/passages?ids=${ids.join(",")}`)).passages);

  const webAddress = (url) => {
    try {
      const address = new URL(url);
      return ["http:", "https:"].includes(address.protocol) ? address : null;
    } catch {
      return null;
    }
  };

  const about = (item) => [item.source, item.published].filter(Boolean).join(" · ");

  // Offsets count characters as Python does; JavaScript counts some of them twice.
  const characters = (text) => Array.from(text);

  // --- the panel ----------------------------------------------------------------------------------------------------

  const panel = make("div", "byline-sources");
  panel.setAttribute("role", "complementary");
  panel.id = "byline-sources";
  panel.setAttribute("aria-label", WORDS.sources);
  const backButton = button("byline-back", WORDS.back, () => goBack());
  const heading = make("h2", "byline-panel-title", WORDS.sources);
  heading.tabIndex = -1;
  const closeButton = button("byline-close", WORDS.close, () => closeSheet());
  const top_ = make("div", "byline-panel-top");
  top_.append(backButton, heading, closeButton);
  const body = make("div", "byline-panel-body");
  body.tabIndex = -1;
  panel.append(top_, body);
  const veil = make("div", "byline-veil");
  veil.addEventListener("click", () => closeSheet());
  const opener = button("byline-open-sources", WORDS.sources, () => {
    if (shown) showList();
    else showArticles();
    openSheet(heading);
  });
  const card = make("div", "byline-card");
  card.setAttribute("role", "tooltip");
  card.id = "byline-card";
  card.hidden = true;
  const status = make("div", "byline-unseen");
  status.setAttribute("role", "status");

  const setBody = (...content) => {
    body.replaceChildren(...content);
    body.scrollTop = 0;
  };

  // Before the first question: what there is to ask about.
  const showArticles = async () => {
    shown = null;
    opened = null;
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
    opened = { citation: { id: "" }, from: { article: item.article_id } };
    const mine = opened;
    backButton.hidden = false;
    backButton.textContent = WORDS.allArticles;
    heading.textContent = "";
    try {
      const path = item.article_id.split("/").map(encodeURIComponent).join("/");
      const article = await get(`api/articles/${path}`);
      if (mine === opened) drawArticle(article, { start: 0, end: 0 });
    } catch (error) {
      if (mine === opened) setBody(make("p", "byline-note", error.message));
    }
  };

  const showNote = (text) => {
    backButton.hidden = true;
    heading.textContent = WORDS.sources;
    setBody(make("p", "byline-note", text));
  };

  const showList = () => {
    opened = null;
    markOpen();
    if (!shown) return;
    backButton.hidden = true;
    heading.textContent = WORDS.sources;
    const wanted = shown;
    passagesOf(wanted.ids).then(
      (passages) => { if (wanted === shown && !opened) drawList(passages, wanted); },
      (error) => { if (wanted === shown && !opened) showNote(error.message); },
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

  const openArticle = async (citation, from) => {
    hideCard();
    opened = { citation, from };
    markOpen();
    backButton.hidden = false;
    backButton.textContent = WORDS.back;
    heading.textContent = WORDS.article(citation.number);
    if (narrow.matches) openSheet();
    const mine = opened;
    try {
      const { article } = await articleOf(citation.id);
      if (mine === opened) drawArticle(article, citation);
    } catch (error) {
      if (mine === opened) { setBody(make("p", "byline-note", error.message)); backButton.focus(); }
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
  const goBack = async ({ toChip = false } = {}) => {
    if (!opened) return;
    const { from, citation } = opened;
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
    if (shown) await passagesOf(shown.ids).catch(() => []);
    const row = body.querySelector(`[data-passage="${CSS.escape(from.passage || citation.id)}"]`);
    if (row) row.focus();
    else heading.focus();
  };

  // --- the sheet on a phone -----------------------------------------------------------------------------------------

  let sheetFrom = null;
  const app = () => document.querySelector("gradio-app") || document.querySelector(".gradio-container");

  const openSheet = (focusOn) => {
    if (!narrow.matches) return;
    if (!panel.classList.contains("byline-open")) sheetFrom = document.activeElement;
    panel.classList.add("byline-open");
    veil.classList.add("byline-open");
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-modal", "true");
    const page = app();
    if (page) page.inert = true;
    if (focusOn) focusOn.focus();
  };

  const closeSheet = ({ keepFocus = false } = {}) => {
    if (!panel.classList.contains("byline-open")) return;
    panel.classList.remove("byline-open");
    veil.classList.remove("byline-open");
    panel.setAttribute("role", "complementary");
    panel.removeAttribute("aria-modal");
    const page = app();
    if (page) page.inert = false;
    if (keepFocus) return;
    const link = opened && opened.from.link ? findLink(opened.from.link) : null;
    opened = null;
    showList();
    const target = link || (sheetFrom && sheetFrom.isConnected ? sheetFrom : opener);
    target.focus();
  };

  narrow.addEventListener("change", () => closeSheet({ keepFocus: true }));

  // --- the chat -----------------------------------------------------------------------------------------------------

  const chat = () => document.getElementById("byline-chat");
  const messages = () => Array.from(chat()?.querySelectorAll(".bot.message, .message.bot, [data-testid='bot']") || [])
    .filter((element, _, all) => !all.some((other) => other !== element && other.contains(element)));
  const citationLinks = (root) => Array.from(root.querySelectorAll('a[href^="#c-"]'));

  const readCitation = (link) => {
    const match = CITED.exec(link.getAttribute("href") || "");
    return match && { id: match[1], start: Number(match[2]), end: Number(match[3]), number: link.textContent.trim() };
  };

  // A redraw replaces a link by its like: it is found again by message, address and how many came before it.
  const placeOf = (link) => {
    const all = messages();
    const message = all.findIndex((element) => element.contains(link));
    if (message < 0) return null;
    const href = link.getAttribute("href");
    const same = Array.from(all[message].querySelectorAll("a")).filter((other) => other.getAttribute("href") === href);
    return { message, href, turn: same.indexOf(link) };
  };

  const findLink = (place) => {
    const message = place && messages()[place.message];
    if (!message) return null;
    return Array.from(message.querySelectorAll("a")).filter((link) => link.getAttribute("href") === place.href)[place.turn];
  };

  const markOpen = () => {
    const current = opened && opened.from.link ? findLink(opened.from.link) : null;
    for (const link of document.querySelectorAll('#byline-chat a[href^="#c-"]')) {
      if (link === current) link.setAttribute("aria-current", "true");
      else if (link.hasAttribute("aria-current")) link.removeAttribute("aria-current");
    }
  };

  const readMessage = (message) => {
    const link = message && message.querySelector('a[href^="#s-"]');
    const match = link && FOUND.exec(link.getAttribute("href") || "");
    if (!match) return null;
    const ids = match[1].split(".").filter((id) => /^[0-9a-f]{32}$/.test(id));
    const cited = new Map();
    for (const citation of citationLinks(message).map(readCitation).filter(Boolean)) {
      if (!cited.has(citation.id)) cited.set(citation.id, []);
      cited.get(citation.id).push(citation);
    }
    return ids.length ? { ids, cited, key: match[1] } : null;
  };

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
    if (focused && document.activeElement === document.body) findLink(focused)?.focus({ preventScroll: true });

    const lastLink = all.length + ":" + (last?.querySelector('a[href^="#s-"]')?.getAttribute("href") || "");
    if (lastLink !== newest) { newest = lastLink; pinned = null; if (!busy || all.length === 0) opened = null; }
    const read = readMessage(pinned !== null && all[pinned] ? all[pinned] : last);
    if (!read) {
      opener.hidden = busy;
      if (opener.textContent !== WORDS.articles) opener.textContent = WORDS.articles;
      shown = null;
      if (opened) return;
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
    if (shown && shown.drawn === drawn) { markOpen(); return; }
    shown = { ...read, drawn };
    if (opened) markOpen();
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

  // --- hover and focus: the words behind a number -------------------------------------------------------------------

  let cardTimer = 0;
  const hideCard = () => { clearTimeout(cardTimer); card.hidden = true; };

  const showCard = (link) => {
    const citation = readCitation(link);
    if (!citation || narrow.matches) return;
    clearTimeout(cardTimer);
    cardTimer = setTimeout(async () => {
      const { article } = await articleOf(citation.id).catch(() => ({}));
      if (!article || !link.isConnected || !(link.matches(":hover") || document.activeElement === link)) return;
      const quote = characters(article.text).slice(citation.start, citation.end).join("");
      card.replaceChildren(make("strong", "", link.dataset.label || article.title), make("span", "", `“${quote.trim()}”`));
      card.hidden = false;
      const box = link.getBoundingClientRect();
      const left = Math.min(Math.max(8, box.left - 24), window.innerWidth - card.offsetWidth - 8);
      const below = box.bottom + 8 + card.offsetHeight < window.innerHeight;
      card.style.left = `${left}px`;
      card.style.top = `${below ? box.bottom + 8 : box.top - card.offsetHeight - 8}px`;
    }, 120);
  };

  const chipOf = (event) => event.target instanceof Element ? event.target.closest('#byline-chat a[href^="#c-"]') : null;
  document.addEventListener("mouseover", (event) => {
    if (!canHover.matches) return;
    const chip = chipOf(event);
    if (chip) showCard(chip);
    else hideCard();
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target instanceof Element ? event.target.closest("#byline-chat a") : null;
    focused = link ? placeOf(link) : null;
    const chip = chipOf(event);
    if (chip && chip.matches(":focus-visible")) showCard(chip);
    else hideCard();
  });
  document.addEventListener("scroll", hideCard, true);
  document.addEventListener("pointerdown", () => { focused = null; }, true);

  // --- clicks and keys ----------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest('#byline-chat a[href^="#"]');
    if (link) {
      event.preventDefault();
      event.stopPropagation();
      const index = messages().findIndex((element) => element.contains(link));
      const citation = readCitation(link);
      if (index >= 0) { pinned = index; }
      const place = placeOf(link);
      if (citation) { sync(); openArticle(citation, { link: place, passage: citation.id }); }
      else if (FOUND.test(link.getAttribute("href") || "")) { opened = null; sync(); showList(); openSheet(heading); }
      return;
    }
    const copy = event.target.closest('#byline-chat button[aria-label*="opy"], #byline-chat button[title*="opy"]');
    if (copy) copyMessage(copy, event);
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (!card.hidden) hideCard();
    if (opened) { event.preventDefault(); goBack({ toChip: true }); }
    else if (panel.classList.contains("byline-open")) { event.preventDefault(); closeSheet(); }
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
    for (const link of copy.querySelectorAll('a[href^="#s-"]')) link.remove();
    for (const link of copy.querySelectorAll('a[href^="#c-"]')) link.textContent = `[${link.textContent}]`;
    const lines = [];
    for (const block of copy.querySelectorAll("p, li:not(:has(p))")) if (block.textContent.trim()) lines.push(block.textContent.trim());
    let text = lines.join("\n\n") || copy.textContent.trim();
    if (sources.size) {
      text += "\n\n" + Array.from(sources).sort((a, b) => a[0] - b[0]).map(([n, label]) => `[${n}] ${label}`).join("\n");
    }
    navigator.clipboard.writeText(text).then(() => { status.textContent = WORDS.copied; }, () => {});
  };

  // --- start --------------------------------------------------------------------------------------------------------

  const start = () => {
    document.body.append(veil, panel, card, status);
    showArticles();
    sync();
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
