// Small makers: elements, which get text as text and never as markup, and what the server says.
import { WORDS } from "./words.js";

export const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

export const button = (className, text, act) => {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
};

const ask = async (path, options, failed) => {
  const response = await fetch(new URL(path, document.baseURI), options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error || failed);
  return body;
};

export const get = (path) => ask(path, { headers: { accept: "application/json" } }, WORDS.failed);

export const post = (path, data) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(data) }, WORDS.notSent);

export const webAddress = (url) => {
  try {
    const address = new URL(url);
    return ["http:", "https:"].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
};

export const about = (item) => [item.source, item.published].filter(Boolean).join(" · ");

// Offsets count characters as Python does; JavaScript counts some of them twice.
export const characters = (text) => Array.from(text);
