// The conversations kept in this browser: open one, delete one or all, take the open one along as a file.
import { confirmed, makeDialog } from "./dialogs.js";
import { beginAnew } from "./gradio.js";
import { openConversation, turns } from "./history.js";
import { conversations, forget, forgetAll, openId, setOpenId } from "./keep.js";
import { button, iconButton, make, postForFile } from "./make.js";
import { say } from "./say.js";
import { phrase, language } from "./words.js";

const past = { dialog: null };
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

const drawPast = () => {
  const all = conversations();
  const list = make("ul", "byline-past-list");
  for (const one of all) {
    const row = make("li", "byline-past-row");
    const main = button("byline-article-row", undefined, () => { past.dialog.close(); openConversation(one.id); });
    main.append(make("span", "byline-headline", one.title));
    const when = day.format(one.time) + (one.id === openId() ? ` · ${phrase("current")}` : "");
    main.append(make("span", "byline-about", when));
    row.append(main, iconButton("byline-remove", phrase("delete this", { title: one.title }), () => {
      forget(one.id);
      if (one.id === openId()) { setOpenId(""); beginAnew(); }
      say(phrase("deleted"));
      drawPast();
      past.heading.focus();
    }));
    list.append(row);
  }
  const parts = all.length ? [list] : [make("p", "byline-note", phrase("no conversations"))];
  if (all.length) parts.push(make("p", "byline-note", phrase("kept in browser")));
  const buttons = make("div", "byline-dialog-buttons byline-past-buttons");
  if (document.querySelector(".user-row")) {
    buttons.append(
      make("span", "byline-field-name", phrase("export")),
      button("byline-cancel", phrase("as markdown"), () => exported("markdown")),
      button("byline-cancel", phrase("as page"), () => exported("page")),
    );
  }
  if (all.length) {
    buttons.append(button("byline-danger", phrase("delete all"), async () => {
      if (!await confirmed(phrase("delete sure"), phrase("delete all"))) return;
      forgetAll();
      setOpenId("");
      beginAnew();
      say(phrase("deleted"));
      past.dialog.close();
    }));
  }
  past.body.replaceChildren(...parts, buttons);
};

const exported = async (form) => {
  try {
    const shown = await turns();
    if (!shown.length) return;
    const title = conversations().find((one) => one.id === openId())?.title || shown[0].question.slice(0, 120);
    await postForFile(`page/export/${form}`, { title, turns: shown });
    say(phrase("exported"));
  } catch (error) {
    say(error.message);
  }
};

export const openPast = () => {
  if (!past.dialog) {
    Object.assign(past, makeDialog("byline-past", phrase("conversations")));
    past.heading.tabIndex = -1;
  }
  drawPast();
  past.dialog.showModal();
  (past.body.querySelector("button") || past.heading).focus();
};
