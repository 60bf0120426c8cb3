// Small makers: elements, which get text as text and never as markup, and what the server says.
import { phrase } from "./words.js";

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

// A button that shows a picture where there is little room, and always says what it does.
export const iconButton = (className, text, act) => {
  const element = button(`byline-icon ${className}`, undefined, act);
  element.append(make("span", "byline-icon-text", text));
  element.setAttribute("aria-label", text);
  element.title = text;
  return element;
};

export const field = (labelled, input) => {
  const label = make("label", "byline-field");
  label.append(make("span", "byline-field-name", labelled), input);
  return label;
};

export const addressOf = (path) => new URL(path, document.baseURI);

const ask = async (path, options, failed) => {
  const response = await fetch(addressOf(path), options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error || failed);
  return body;
};

export const get = (path) => ask(path, { headers: { accept: "application/json" } }, phrase("failed"));

const asJson = (data) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(data) });

export const post = (path, data) => ask(path, asJson(data), phrase("not sent"));

// What comes back is a file for the reader.
export const postForFile = async (path, data) => {
  const response = await fetch(addressOf(path), asJson(data));
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error || phrase("failed"));
  const name = /filename="([\w.-]+)"/.exec(response.headers.get("content-disposition") || "");
  const link = make("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name ? name[1] : "byline";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

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
