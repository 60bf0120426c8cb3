// What a reader thinks of an answer: three small buttons under it, and a comment where something is wrong.
import { make, button, post } from "./make.js";
import { say } from "./say.js";
import { phrase } from "./words.js";

const RATING = /^#f-([\w-]{1,64})-(up|down|wrong)$/;
const VERDICTS = { up: "up", down: "down", wrong: "wrong source" };
const MOST_CHARACTERS = 4000;
const given = new Map(); // answer id -> what was said of it last

const read = (link) => {
  const match = RATING.exec(link.getAttribute("href") || "");
  return match && { id: match[1], name: match[2] };
};

// The links of a message become buttons that say whether they are pressed.
export const markRatings = (log) => {
  for (const link of log.querySelectorAll('a[href^="#f-"]')) {
    const rating = read(link);
    if (!rating) continue;
    const pressed = String(given.get(rating.id) === rating.name);
    if (link.getAttribute("aria-pressed") === pressed) continue;
    link.setAttribute("role", "button");
    link.setAttribute("aria-pressed", pressed);
    link.dataset.rating = rating.name;
  }
};

const store = async ({ id, name }, comment) => {
  await post("api/feedback", { answer_id: id, verdict: VERDICTS[name], comment });
  given.set(id, name);
  say(phrase("thanks"));
};

// --- the comment ------------------------------------------------------------------------------------------------------

const dialog = make("dialog", "byline-dialog");
const title = make("h2", "byline-dialog-title");
title.id = "byline-dialog-title";
dialog.setAttribute("aria-labelledby", title.id);
const label = make("label", "byline-dialog-label", phrase("comment"));
const area = make("textarea", "byline-comment");
area.id = "byline-comment";
area.maxLength = MOST_CHARACTERS;
area.rows = 4;
label.htmlFor = area.id;
const problem = make("p", "byline-dialog-problem");
problem.setAttribute("role", "alert");
const sending = button("byline-send", phrase("send"), () => sendComment());
const buttons = make("div", "byline-dialog-buttons");
buttons.append(button("byline-cancel", phrase("cancel"), () => dialog.close()), sending);
dialog.append(title, label, area, make("p", "byline-note", phrase("kept here")), problem, buttons);
let asked = null;
let afterwards = null;

const sendComment = async () => {
  sending.disabled = true;
  problem.textContent = "";
  try {
    await store(asked, area.value);
    dialog.close();
    afterwards();
  } catch (error) {
    problem.textContent = error.message;
  }
  sending.disabled = false;
};

// Returns whether the link was one of these; `done` runs when what was said is stored.
export const rate = (link, done) => {
  const rating = read(link);
  if (!rating) return false;
  if (rating.name === "up") {
    store(rating, "").then(done, (error) => say(error.message));
    return true;
  }
  asked = rating;
  afterwards = done;
  title.textContent = rating.name === "wrong" ? phrase("which source") : phrase("what is wrong");
  area.value = "";
  problem.textContent = "";
  dialog.showModal();
  area.focus();
  return true;
};

export const addRating = () => document.body.append(dialog);
