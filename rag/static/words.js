// Every word the page's scripts show comes from rag/text.json, which the server gives as text.js.
import { TEXT } from "./text.js";

const plural = new Intl.PluralRules(TEXT.language);
const number = new Intl.NumberFormat(TEXT.language);

// A text with its {names} filled in; `count` chooses the plural form as well.
export const phrase = (key, values = {}) => {
  const entry = TEXT[key];
  const text = typeof entry === "string" ? entry : entry[plural.select(values.count)] ?? entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === "number" ? number.format(values[name]) : String(values[name] ?? ""));
};
export const language = TEXT.language;
