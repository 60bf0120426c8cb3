// The chat as it stands in the page: its messages, and the links in them.
//
// A message carries links of Byline's own: `#s-<ids>` names every passage found for it, in the order of their numbers;
// `#c-<id>-<start>-<end>` cites words of an article (offsets in characters), `#w-...` names words in the same way that
// stand behind the answer and are not cited; `#f-<id>-<verdict>` says what a reader thinks of the answer, `#l-question`
// copies the address of the question.
const WORDS_OF = /^#([cw])-([0-9a-f]{32})-(\d+)-(\d+)$/;
const FOUND = /^#s-([0-9a-f.]*)$/;
const ANSWER = /^byline-answer-([\w-]{1,64})$/;

export const chat = () => document.getElementById("byline-chat");
const MESSAGES = ".bot.message, .message.bot, [data-testid='bot']";
const outermost = (elements) => elements.filter((element, _, all) => !all.some((other) => other !== element && other.contains(element)));
export const messages = () => outermost(Array.from(chat()?.querySelectorAll(MESSAGES) || []));
const questions = () => outermost(Array.from(chat()?.querySelectorAll("[data-testid='user']") || []));
export const wordLinks = (root) =>
  Array.from(root.querySelectorAll('#byline-chat a[href^="#c-"], #byline-chat a[href^="#w-"]'));
export const citationLinks = (root) => Array.from(root.querySelectorAll('a[href^="#c-"]'));

// The question that a message answers: the last one before it.
export const questionOf = (message) => {
  const before = questions().filter((one) => one.compareDocumentPosition(message) & Node.DOCUMENT_POSITION_FOLLOWING);
  return before.length ? before[before.length - 1].textContent.trim() : "";
};

export const askedSoFar = () => questions().map((one) => one.textContent.trim());

export const answerIdOf = (message) => {
  const mark = message.querySelector(".byline-below[id]");
  const match = mark && ANSWER.exec(mark.id);
  return match ? match[1] : "";
};

// The words of an article that a link opens: cited ones have the number of their source.
export const readCitation = (link) => {
  const match = WORDS_OF.exec(link.getAttribute("href") || "");
  if (!match) return null;
  const number = match[1] === "c" ? link.textContent.trim() : "";
  return { id: match[2], start: Number(match[3]), end: Number(match[4]), number };
};

export const namesFound = (link) => FOUND.test(link.getAttribute("href") || "");

// A redraw replaces a link by its like: it is found again by message, address and how many came before it.
export const placeOf = (link) => {
  const all = messages();
  const message = all.findIndex((element) => element.contains(link));
  if (message < 0) return null;
  const href = link.getAttribute("href");
  const same = Array.from(all[message].querySelectorAll("a")).filter((other) => other.getAttribute("href") === href);
  return { message, href, turn: same.indexOf(link) };
};

export const findLink = (place) => {
  const message = place && messages()[place.message];
  if (!message) return null;
  return Array.from(message.querySelectorAll("a")).filter((link) => link.getAttribute("href") === place.href)[place.turn];
};

export const readMessage = (message) => {
  const link = message && message.querySelector('a[href^="#s-"]');
  const match = link && FOUND.exec(link.getAttribute("href") || "");
  if (!match) return null;
  const ids = match[1].split(".").filter((id) => /^[0-9a-f]{32}$/.test(id));
  const cited = new Map();
  for (const citation of citationLinks(message).map(readCitation).filter(Boolean)) {
    if (!cited.has(citation.id)) cited.set(citation.id, []);
    cited.get(citation.id).push(citation);
  }
  const refused = Boolean(message.querySelector(".byline-refused"));
  return ids.length ? { ids, cited, refused, key: match[1] } : null;
};
