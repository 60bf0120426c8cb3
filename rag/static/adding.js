// Articles added in the page: files and an address, with how far each is.
import { corpusNow, readCorpus } from "./asking.js";
import { addressOf, field, make } from "./make.js";
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

// Has an address fetched and indexed.
const fetchAddress = async (address, progress) =>
  followed(await fetch(addressOf("page/fetch"), {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ address }),
  }), progress);

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
  const draw = () => {
    form.hidden = !corpusNow()?.max_upload_bytes;
    files.accept = (corpusNow()?.endings || []).join(",");
  };
  form.append(make("summary", "byline-adding-title", phrase("add articles")));
  const files = make("input", "byline-files");
  files.type = "file";
  files.multiple = true;
  files.setAttribute("aria-label", phrase("add files"));
  const online = make("form", "byline-online");
  const address = make("input", "byline-input");
  address.inputMode = "url";
  address.autocomplete = "off";
  address.spellcheck = false;
  address.maxLength = 2000;
  address.placeholder = "https://";
  const fetched = make("button", "byline-send", phrase("add"));
  fetched.type = "submit";
  online.append(field(phrase("add address"), address), fetched);
  const told = make("div", "byline-adding-told");
  told.setAttribute("role", "status");
  const bar = make("progress", "byline-progress");
  bar.hidden = true;
  const line = (text, className = "byline-note") => told.append(make("p", className, text));

  // Adds one after another; each is a name and what adds it. Returns whether all went well.
  const work = async (named) => {
    const parts = [files, address, fetched];
    for (const part of parts) part.disabled = true;
    bar.hidden = false;
    told.replaceChildren();
    let added = 0;
    let failed = 0;
    for (const [index, { name, act }] of named.entries()) {
      bar.setAttribute("aria-label", phrase("adding", { name }));
      bar.max = named.length;
      bar.removeAttribute("value");
      try {
        const report = await act((done) => { bar.value = index + done; });
        added += report.added.length + report.changed.length;
        failed += report.skipped.length;
        for (const skipped of report.skipped) line(phrase("skipped", skipped), "byline-dialog-problem");
      } catch (error) {
        failed += 1;
        // What is said of an address begins with it.
        const text = error.message.startsWith(name) ? error.message : phrase("skipped", { name, reason: error.message });
        line(text, "byline-dialog-problem");
      }
      bar.value = index + 1;
    }
    line(phrase("added", { count: added }));
    bar.hidden = true;
    for (const part of parts) part.disabled = false;
    files.value = "";
    await readCorpus();
    again();
    return !failed;
  };

  files.addEventListener("change", () => {
    const most = corpusNow().max_upload_bytes;
    work(Array.from(files.files, (file) => ({
      name: file.name,
      act: (progress) => {
        if (file.size > most) throw new Error(phrase("too large", { name: file.name, most: Math.floor(most / 2 ** 20) }));
        return send(file, progress);
      },
    })));
  });
  online.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = address.value.trim();
    if (!name) { address.focus(); return; }
    const well = await work([{ name, act: (progress) => fetchAddress(name, progress) }]);
    if (well) address.value = "";
    address.focus();
  });
  document.addEventListener("byline-corpus", draw);
  draw();
  form.append(files, online, bar, told);
  return form;
};
