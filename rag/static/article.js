// An article, the cited words marked, with the ways to its original and to these words.
import { about, addressOf, button, characters, make, webAddress } from "./make.js";
import { copy } from "./say.js";
import { phrase } from "./words.js";

const addressWith = (values) => {
  const address = addressOf(".");
  for (const [name, value] of Object.entries(values)) address.searchParams.set(name, value);
  return address.href;
};

export const linkToWords = ({ id, start, end }) =>
  ({ text: phrase("link to words"), address: addressWith({ passage: id, start, end }) });

export const linkToArticle = ({ article_id }) =>
  ({ text: phrase("link to article"), address: addressWith({ article: article_id }) });

export const linkToQuestion = (question) => addressWith({ q: question });

// Returns the article's element, and the first of its marked words where there are any. `replaced` is the time from
// which on the article says something else, where this is an earlier version of it.
export const drawArticle = (article, { start, end }, link, replaced) => {
  const page = make("article", "byline-article");
  page.append(make("h3", "byline-article-title", article.title));
  if (about(article)) page.append(make("p", "byline-about", about(article)));
  if (replaced) page.append(make("p", "byline-note byline-earlier", phrase("earlier", { day: replaced.slice(0, 10) })));
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
  const ways = make("div", "byline-ways");
  const address = article.url ? webAddress(article.url) : null;
  if (address) {
    const original = make("a", "byline-original", phrase("original", { host: address.host }));
    original.href = address.href;
    original.target = "_blank";
    original.rel = "noopener noreferrer";
    ways.append(original);
  }
  ways.append(button("byline-quiet", link.text, () =>
    copy(link.address, { copied: phrase("link copied"), failed: phrase("not copied") })));
  page.append(ways);
  return { page, first };
};
