// Articles added in the page: files and an address, with how far each is.
import { corpusNow, readCorpus } from "./asking.js";
import { addressOf, make } from "./make.js";
import { phrase } from "./words.js";

const PIECE_BYTES = 512 * 1024;

const failure = async (response) => new Error((await response.json().catch(() => ({}))).error || phrase("not sent"));

// Sends a file in pieces, then has it indexed; tells `progress` how much is done, from 0 to 1.
const send = async (file, progress) => {
  const upload = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  let offset = 0;
  do {
    const piece = file.slice(offset, offset + PIECE_BYTES);
    const response = await fetch(addressOf(`page/pieces/${upload}?offset=${offset}`), { method: "POST", body: piece });
    if (!response.ok) throw await failure(response);
    offset += piece.size;
    progress(offset / (file.size || 1) / 2);
  } while (offset < file.size);
  const path = `page/add/${upload}?name=${encodeURIComponent(file.name)}`;
  return followed(await fetch(addressOf(path), { method: "POST" }), (done) => progress(0.5 + done / 2));
};

// Reads what the server tells while it works: a line of JSON each, the report last.
const followed = async (response, progress) => {
  if (!response.ok) throw await failure(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = {};
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value || "")).split("\n");
    rest = lines.pop();
    for (const line of lines.filter(Boolean)) {
      last = JSON.parse(line);
      if (last.total) progress(last.done / last.total);
    }
    if (done) break;
  }
  if (last.error) throw new Error(last.error);
  return last;
};

export const addForm = (again) => {
  const form = make("details", "byline-adding");
  form.hidden = !corpusNow()?.max_upload_bytes;
  document.addEventListener("byline-corpus", () => { form.hidden = !corpusNow()?.max_upload_bytes; });
  form.append(make("summary", "byline-adding-title", phrase("add articles")));
  const files = make("input", "byline-files");
  files.type = "file";
  files.multiple = true;
  files.setAttribute("aria-label", phrase("add files"));
  const told = make("div", "byline-adding-told");
  told.setAttribute("role", "status");
  const bar = make("progress", "byline-progress");
  bar.hidden = true;
  const line = (text, className = "byline-note") => told.append(make("p", className, text));

  const work = async (named, act) => {
    files.disabled = true;
    bar.hidden = false;
    told.replaceChildren();
    let added = 0;
    for (const [index, one] of named.entries()) {
      const name = one.name;
      bar.setAttribute("aria-label", phrase("adding", { name }));
      bar.max = named.length;
      try {
        const report = await act(one, (done) => { bar.value = index + done; });
        added += report.added.length + report.changed.length;
        for (const skipped of report.skipped) line(phrase("skipped", skipped), "byline-dialog-problem");
      } catch (error) {
        line(phrase("skipped", { name, reason: error.message }), "byline-dialog-problem");
      }
      bar.value = index + 1;
    }
    line(phrase("added", { count: added }));
    bar.hidden = true;
    files.disabled = false;
    files.value = "";
    await readCorpus();
    again();
  };

  files.addEventListener("change", () => {
    const most = corpusNow().max_upload_bytes;
    const chosen = Array.from(files.files);
    work(chosen, (file, progress) => {
      if (file.size > most) throw new Error(phrase("too large", { name: file.name, most: Math.floor(most / 2 ** 20) }));
      return send(file, progress);
    });
  });
  form.append(files, bar, told);
  return form;
};
