// What is asked of Gradio's own parts: a value put into a field, a question sent, the conversation begun anew.

const part = (id, tag) => document.querySelector(`#${id} ${tag}`) || document.querySelector(`#${id}`);

const fill = (id, value) => {
  const area = part(id, "textarea");
  if (!area || !("value" in area)) return false;
  area.value = value;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
};

const TRIES = 6;
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const nextFrame = () => pause(30);

export const ready = () => Boolean(document.querySelector("#byline-question textarea") && part("byline-kept", "textarea"));

export const setChoices = (choices) => fill("byline-choices", JSON.stringify(choices));

export const questionBox = () => document.querySelector("#byline-question textarea");

export const isAnswering = () => document.body.classList.contains("byline-busy") ||
  Boolean(document.querySelector("#byline-question .stop-button"));

// Sends a question as if it had been typed.
export const ask = async (question) => {
  if (!fill("byline-question", question)) return;
  await nextFrame();
  document.querySelector("#byline-question .submit-button")?.click();
};

// Does `act` until the chat shows a question: right after loading, Gradio's parts are there before they listen.
export const untilShown = async (act, waitMs) => {
  for (let tries = 0; tries < TRIES && !document.querySelector("#byline-chat .user-row"); tries += 1) {
    await act();
    for (let waited = 0; waited < waitMs && !document.querySelector("#byline-chat .user-row"); waited += 50) await pause(50);
  }
};

export const writeQuestion = (text) => {
  fill("byline-question", text);
  questionBox()?.focus();
};

export const beginAnew = () => part("byline-new", "button")?.click();

export const restore = async (conversation) => {
  if (!fill("byline-kept", JSON.stringify(conversation))) return;
  await nextFrame();
  part("byline-restore", "button")?.click();
};
