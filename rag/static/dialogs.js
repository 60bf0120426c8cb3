// Dialogs: a title, what is in them, a way out; focus goes back to where it was.
import { button, make } from "./make.js";
import { phrase } from "./words.js";

let numbered = 0;

// A dialog with a title and a body of its own; closing it gives focus back, as `dialog` elements do.
export const makeDialog = (className, title) => {
  const dialog = make("dialog", `byline-dialog ${className}`);
  const heading = make("h2", "byline-dialog-title", title);
  heading.id = `byline-dialog-${numbered += 1}`;
  dialog.setAttribute("aria-labelledby", heading.id);
  const close = button("byline-dialog-close", phrase("close"), () => dialog.close());
  const top = make("div", "byline-dialog-top");
  top.append(heading, close);
  const body = make("div", "byline-dialog-body");
  dialog.append(top, body);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  return { dialog, heading, body };
};

// Asks before what cannot be undone.
export const confirmed = (question, act) =>
  new Promise((resolve) => {
    const { dialog, body } = makeDialog("byline-confirm", question);
    let sure = false;
    const yes = button("byline-danger", act, () => { sure = true; dialog.close(); });
    const no = button("byline-cancel", phrase("cancel"), () => dialog.close());
    const buttons = make("div", "byline-dialog-buttons");
    buttons.append(no, yes);
    body.append(buttons);
    dialog.addEventListener("close", () => { dialog.remove(); resolve(sure); });
    dialog.showModal();
    no.focus();
  });
