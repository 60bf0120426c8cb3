// What the page says beside the conversation: a line that passes, read aloud as well.
import { make } from "./make.js";

const STAYS_MS = 4000;
const status = make("div", "byline-toast");
status.setAttribute("role", "status");
let forgetting = 0;

export const say = (text) => {
  status.textContent = text;
  clearTimeout(forgetting);
  forgetting = setTimeout(() => { status.textContent = ""; }, STAYS_MS);
};

export const copy = (text, said) => {
  const written = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error());
  return written.then(() => say(said.copied), () => say(said.failed));
};

export const addStatus = () => document.body.append(status);
