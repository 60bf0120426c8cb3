// The open conversation as it is kept: read from the chat when an answer is whole, drawn again after a reload.
import { answerIdOf, messages, questionOf } from "./conversation.js";
import { restore } from "./gradio.js";
import { conversation, keep, newId, openId, setOpenId } from "./keep.js";
import { get } from "./make.js";
import { say } from "./say.js";
import { phrase } from "./words.js";

const answers = new Map(); // answer id -> promise of the answer as it is kept
let seen = "";
let told = false;
let restoring = false; // a conversation was asked for and is not drawn yet

export const answerOf = (id) => {
  if (!answers.has(id)) answers.set(id, get(`page/answers/${encodeURIComponent(id)}`).catch(() => null));
  return answers.get(id);
};

const turnOf = async (message) => {
  const question = questionOf(message);
  const id = answerIdOf(message);
  if (!question || message.querySelector(".byline-problem")) return null;
  if (!id) return { question, text: message.textContent.trim() };
  const answer = await answerOf(id);
  return answer ? { question, answer, answer_id: id } : null;
};

export const turns = async () => (await Promise.all(messages().map(turnOf))).filter(Boolean);

// Keeps what the chat shows, once an answer is whole.
export const keepShown = async () => {
  const all = messages();
  const state = all.map((message) => `${questionOf(message)}${answerIdOf(message)}`).join("|");
  if (state === seen) return;
  seen = state;
  if (!all.length) { if (!restoring) setOpenId(""); return; }
  restoring = false;
  const shown = await turns();
  if (!shown.length || seen !== state) return;
  if (!openId()) setOpenId(newId());
  if (keep(openId(), shown)) return;
  if (!told) say(phrase("not kept"));
  told = true;
};

export const openConversation = async (id) => {
  const kept = conversation(id);
  if (!kept) { setOpenId(""); return; }
  for (const turn of kept.turns) if (turn.answer_id && turn.answer) answers.set(turn.answer_id, Promise.resolve(turn.answer));
  restoring = true;
  setOpenId(id);
  seen = kept.turns.map((turn) => `${turn.question}${turn.answer_id || ""}`).join("|");
  await restore({ title: kept.title, turns: kept.turns });
};
