// Hover and focus: the words behind a number, and the reason why a sentence is in doubt.
import { placeOf, readCitation } from "./conversation.js";
import { characters, make } from "./make.js";
import { articleOf, narrow } from "./panel.js";
import { phrase } from "./words.js";

const DELAY_MS = 120;
const canHover = window.matchMedia("(hover: hover)");
const card = make("div", "byline-card");
card.setAttribute("role", "tooltip");
card.id = "byline-card";
card.hidden = true;
let timer = 0;
let shownFor = null;

export const hideCard = () => {
  clearTimeout(timer);
  card.hidden = true;
  shownFor?.removeAttribute("aria-describedby");
  shownFor = null;
};

export const isCardShown = () => !card.hidden;

const isPointedAt = (element) => element.isConnected && (element.matches(":hover") || document.activeElement === element);

const place = (element, ...content) => {
  hideCard();
  card.replaceChildren(...content);
  card.hidden = false;
  shownFor = element;
  element.setAttribute("aria-describedby", card.id);
  // A sentence may run over several lines: the card belongs to the first.
  const box = element.getClientRects()[0] || element.getBoundingClientRect();
  const last = element.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left - 14), window.innerWidth - card.offsetWidth - 8);
  const below = last.bottom + 8 + card.offsetHeight < window.innerHeight;
  card.style.left = `${Math.max(8, left)}px`;
  card.style.top = `${below ? last.bottom + 8 : box.top - card.offsetHeight - 8}px`;
};

const showWords = (link) => {
  const citation = readCitation(link);
  if (!citation || narrow.matches) return;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const { article } = await articleOf(citation.id).catch(() => ({}));
    if (!article || !isPointedAt(link)) return;
    const quote = characters(article.text).slice(citation.start, citation.end).join("");
    place(link, make("strong", "", link.dataset.label || article.title), make("span", "", `“${quote.trim()}”`));
  }, DELAY_MS);
};

const showReason = (doubt) => {
  clearTimeout(timer);
  timer = setTimeout(() => { if (isPointedAt(doubt)) place(doubt, make("span", "", doubt.dataset.reason)); }, DELAY_MS);
};

const show = (target) => {
  const found = target.closest('#byline-chat a[href^="#c-"], #byline-chat a[href^="#w-"], #byline-chat [data-reason]');
  if (!found || found !== shownFor) hideCard();
  if (!found || found === shownFor) return;
  if (found.dataset.reason) showReason(found);
  else showWords(found);
};

// Where keyboard focus is in the chat, to put it back after a redraw.
export const focus = { at: null };

export const addHover = () => {
  const region = make("section");
  region.setAttribute("aria-label", phrase("hint"));
  region.append(card);
  document.body.append(region);
  document.addEventListener("mouseover", (event) => {
    if (canHover.matches && event.target instanceof Element) show(event.target);
  });
  document.addEventListener("focusin", (event) => {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest("#byline-chat a");
    focus.at = link ? placeOf(link) : null;
    if (event.target.matches(":focus-visible, [data-reason]")) show(event.target);
    else hideCard();
  });
  document.addEventListener("scroll", hideCard, true);
  document.addEventListener("pointerdown", () => { focus.at = null; }, true);
};
