// The articles there are: found by headline and outlet, sorted by day, opened; added and removed where that is allowed.
import { addForm } from "./adding.js";
import { corpusNow, readCorpus } from "./asking.js";
import { confirmed } from "./dialogs.js";
import { about, button, get, iconButton, make, post } from "./make.js";
import { say } from "./say.js";
import { phrase } from "./words.js";

const A_PAGE = 50;
const WAIT_MS = 200;
const wanted = { query: "", order: "newest" };
let drawn = null; // what is drawn now: an older answer of the server must not be drawn into it

const listed = (offset) =>
  get(`page/articles?${new URLSearchParams({ ...wanted, offset: String(offset), limit: String(A_PAGE) })}`);

const drawRow = (item, open, again) => {
  const row = make("div", "byline-article-line");
  const main = button("byline-article-row", undefined, () => open(item));
  main.dataset.article = item.article_id;
  main.append(make("span", "byline-headline", item.title));
  if (about(item)) main.append(make("span", "byline-about", about(item)));
  if (item.copy_of) main.append(make("span", "byline-about", phrase("copy of", { name: item.copy_of })));
  row.append(main);
  if (corpusNow()?.max_upload_bytes) {
    row.append(iconButton("byline-remove", phrase("remove this", { title: item.title }), () => remove(item, again)));
  }
  return row;
};

const remove = async (item, again) => {
  if (!await confirmed(phrase("remove sure", { title: item.title }), phrase("remove"))) return;
  try {
    await post("page/remove", { article_ids: [item.article_id] });
    say(phrase("removed"));
    await readCorpus();
  } catch (error) {
    say(error.message);
  }
  again();
};

export const drawLibrary = (open) => {
  const library = make("div", "byline-library");
  const tools = make("div", "byline-library-tools");
  const search = make("input", "byline-input");
  search.type = "search";
  search.value = wanted.query;
  search.placeholder = phrase("search articles");
  search.setAttribute("aria-label", phrase("search articles"));
  const order = make("select", "byline-input byline-order");
  order.setAttribute("aria-label", phrase("sort"));
  for (const [value, text] of [["newest", phrase("newest")], ["oldest", phrase("oldest")], ["title", phrase("by title")]]) {
    const option = make("option", "", text);
    option.value = value;
    order.append(option);
  }
  order.value = wanted.order;
  tools.append(search, order);
  const count = make("p", "byline-library-count");
  count.setAttribute("role", "status");
  const list = make("div", "byline-library-list");
  library.append(tools, addForm(() => draw()), count, list);
  drawn = library;

  const draw = async (offset = 0) => {
    try {
      const { articles, total } = await listed(offset);
      if (drawn !== library) return;
      const rows = articles.map((item) => drawRow(item, open, () => draw()));
      if (offset) list.querySelector(".byline-more")?.remove();
      else list.replaceChildren();
      list.append(...rows);
      count.textContent = total ? phrase("article count", { count: total }) : phrase("no article");
      const left = total - offset - articles.length;
      if (left > 0) {
        const more = button("byline-quiet byline-more", phrase("more", { count: Math.min(left, A_PAGE) }),
          async () => { await draw(offset + articles.length); });
        list.append(more);
      }
      if (offset) rows[0]?.querySelector("button").focus();
    } catch (error) {
      if (drawn === library) list.replaceChildren(make("p", "byline-note", error.message));
    }
  };

  let waiting = 0;
  search.addEventListener("input", () => {
    wanted.query = search.value.trim();
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(), WAIT_MS);
  });
  order.addEventListener("change", () => { wanted.order = order.value; draw(); });
  library.addEventListener("byline-redraw", () => draw());
  library.ready = draw();
  return library;
};

// Back from an article: to its row.
document.addEventListener("byline-back", async ({ detail }) => {
  const library = drawn;
  await library?.ready;
  if (library !== drawn || detail === undefined) return;
  const rows = Array.from(library.querySelectorAll(".byline-article-row"));
  rows.find((row) => row.dataset.article === detail)?.focus();
});

// What changes the corpus changes the list, and whether it may be changed is known late.
document.addEventListener("byline-corpus", () => { if (drawn?.isConnected) drawn.dispatchEvent(new Event("byline-redraw")); });
