// Conversations, kept in this browser alone: each under a key of its own, so that two tabs do not undo each other.
//
// {title, time, turns: [{question, answer, answer_id} or {question, text}]}; the server draws them anew from these parts.
import { addressOf } from "./make.js";

const MOST = 50;
const MOST_TURNS = 20;
const MOST_TITLE = 120;
// Two pages under one host, each below a path of its own, keep theirs apart.
const PREFIX = `byline:${addressOf(".").pathname}:`;
const OPEN = `${PREFIX}open`;

let gone = false; // whoever used the page has left: what is still drawn until it is loaded anew is not kept again

const stored = () => {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}conversation:`));
  } catch {
    return [];
  }
};

const read = (key) => {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    const sound = kept && typeof kept.title === "string" && Number.isFinite(kept.time) && Array.isArray(kept.turns) &&
      kept.turns.length && kept.turns.every((turn) => turn && typeof turn.question === "string");
    return sound ? { id: key.slice(key.lastIndexOf(":") + 1), title: kept.title.slice(0, MOST_TITLE), time: kept.time,
      turns: kept.turns.slice(-MOST_TURNS) } : null;
  } catch {
    return null;
  }
};

export const conversations = () => stored().map(read).filter(Boolean).sort((a, b) => b.time - a.time);

export const conversation = (id) => read(`${PREFIX}conversation:${id}`);

// Returns whether it could be kept.
export const keep = (id, turns) => {
  if (gone) return true;
  const known = conversation(id);
  const title = known?.title || turns[0].question.replace(/\s+/g, " ").trim().slice(0, MOST_TITLE);
  const record = JSON.stringify({ title, time: Date.now(), turns: turns.slice(-MOST_TURNS) });
  for (let tries = 0; tries <= MOST; tries += 1) {
    try {
      localStorage.setItem(`${PREFIX}conversation:${id}`, record);
      for (const old of conversations().slice(MOST)) forget(old.id);
      return true;
    } catch {
      const oldest = conversations().filter((one) => one.id !== id).pop();
      if (!oldest) return false;
      forget(oldest.id);
    }
  }
  return false;
};

export const forget = (id) => {
  try { localStorage.removeItem(`${PREFIX}conversation:${id}`); } catch { /* nothing is kept, then */ }
};

export const forgetAll = () => { for (const key of stored()) { try { localStorage.removeItem(key); } catch { /* as above */ } } };

// Leaves nothing of whoever used the page here, what was chosen on it included.
export const forgetPerson = () => {
  setOpenId("");
  gone = true;
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch { /* as above */ }
};

// Which conversation this tab has open: it is there again after a reload.
export const openId = () => {
  try { return sessionStorage.getItem(OPEN) || ""; } catch { return ""; }
};

export const setOpenId = (id) => {
  try {
    if (id && !gone) sessionStorage.setItem(OPEN, id);
    else sessionStorage.removeItem(OPEN);
  } catch { /* as above */ }
};

export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const setting = (name) => {
  try { return localStorage.getItem(`${PREFIX}${name}`); } catch { return null; }
};

export const setSetting = (name, value) => {
  try { localStorage.setItem(`${PREFIX}${name}`, value); } catch { /* as above */ }
};
