// The page of files.lua works without this. With it files are sent one by one, as soon as they are chosen or dropped,
// each with its progress; the list follows. What a file is called is put into the page as text only.
"use strict";

const form = document.getElementById("upload");
const list = document.getElementById("uploads"), total = document.getElementById("total");
const AT_ONCE = 2;

const waiting = [], counts = { all: 0, saved: 0, failed: 0 };
let running = 0;

function element(kind, properties = {}, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

function sizeText(bytes) { // as text.lua has it
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let unit = -1;
  do { bytes /= 1000; unit++; } while (bytes >= 999.95 && unit < units.length - 1);
  return `${bytes.toFixed(bytes < 9.95 ? 1 : 0).replace(/\.0$/, "")} ${units[unit]}`;
}

// ---- the list of the folder ------------------------------------------------------

function nameOf(link) { // nothing for a name that is no text
  try { return decodeURIComponent(link.getAttribute("href").replace(/\/$/, "")); } catch { return null; }
}

const links = () => document.querySelectorAll("#list tr:not(.up) td.name a");
let shown = null; // the names in the list: it may be long, and many files may be dropped at once
const isThere = name => (shown ??= new Set([...links()].map(nameOf))).has(name);
const fresh = new Set(); // what was saved since the list was shown last
let showing = null, again = false;

async function show() {
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of ["list", "sum"]) document.getElementById(id).replaceWith(page.getElementById(id));
    shown = null;
    for (const link of links()) {
      if (fresh.delete(nameOf(link))) link.closest("tr").classList.add("fresh");
    }
  } catch { /* it cannot be reached: the next upload says so */ }
}

// Once more behind one that is under way: that may have been too early.
async function refresh() {
  if (showing) { again = true; return; }
  do {
    again = false;
    showing = show();
    await showing;
    showing = null;
  } while (again);
}

// ---- an upload -------------------------------------------------------------------

function showTotal() {
  const { all, saved, failed } = counts;
  const left = all - saved - failed;
  total.hidden = list.hidden = all === 0;
  total.textContent = (left ? `${saved} of ${all} files added` : `${saved} ${saved === 1 ? "file" : "files"} added`)
    + (failed ? `, ${failed} refused` : "");
}

function setState(upload, state, note) {
  upload.item.className = state;
  upload.note.textContent = note;
  upload.bar.hidden = state === "done" || state === "failed";
  upload.button.hidden = state === "done";
  upload.button.textContent = state === "failed" ? (upload.final ? "Dismiss" : "Try again") : "Cancel";
  showTotal();
}

function fail(upload, message, final = false) {
  upload.final = final; // no use to try again
  counts.failed++;
  setState(upload, "failed", message);
}

function forget(upload) {
  upload.item.remove();
  counts.all--;
  showTotal();
}

function press(upload) {
  const state = upload.item.className;
  if (state === "failed") {
    counts.failed--;
    if (upload.final) { forget(upload); return; }
    enqueue(upload);
  } else if (state === "waiting") {
    waiting.splice(waiting.indexOf(upload), 1);
    forget(upload);
  } else {
    upload.request.abort();
  }
}

function messageOf(request) {
  try {
    const answer = JSON.parse(request.responseText);
    if (answer.detail) return answer.detail;
  } catch { /* a proxy has answered, say */ }
  return `The server has refused it (${request.status}).`;
}

function finish(upload) {
  running--;
  next();
  if (running === 0 || fresh.size >= 20) refresh();
}

function send(upload) {
  const request = upload.request = new XMLHttpRequest(), body = new FormData();
  body.append("files", upload.file);
  running++;
  setState(upload, "running", "0 %");
  request.open("POST", form.action);
  request.setRequestHeader("accept", "application/json");
  request.upload.onprogress = event => {
    if (!event.lengthComputable) return;
    upload.bar.value = event.loaded / event.total;
    const percent = Math.floor(100 * event.loaded / event.total);
    upload.note.textContent = percent < 100 ? `${percent} % of ${sizeText(upload.file.size)}` : "saving";
  };
  request.onload = () => {
    if (request.status === 201) {
      counts.saved++;
      fresh.add(upload.file.name);
      setState(upload, "done", `${sizeText(upload.file.size)}, added`);
    } else {
      fail(upload, messageOf(request), request.status < 500 && request.status !== 408);
    }
    finish(upload);
  };
  request.onerror = () => {
    fail(upload, "The connection was lost, and nothing of it was kept.");
    finish(upload);
  };
  request.onabort = () => {
    forget(upload);
    finish(upload);
  };
  request.send(body);
}

function next() {
  while (running < AT_ONCE && waiting.length > 0) send(waiting.shift());
}

function enqueue(upload) {
  waiting.push(upload);
  upload.bar.value = 0;
  setState(upload, "waiting", "waiting");
  next();
}

// What the server would refuse for sure is not sent first.
function problem(file, isFolder) {
  const most = Number(form.dataset.maxFile);
  if (isFolder) return "A folder cannot be added, only the files in it.";
  if (file.size > most) return `It has ${sizeText(file.size)}; a file may have ${form.dataset.limit}.`;
  if (isThere(file.name)) return "Something of this name is there already: nothing is overwritten.";
  return null;
}

function add(file, isFolder = false) {
  const upload = {
    file, item: element("li"), note: element("span", { className: "note" }), bar: element("progress", { max: 1 }),
    button: element("button", { type: "button" }),
  };
  upload.bar.setAttribute("aria-label", file.name);
  upload.button.onclick = () => press(upload);
  upload.item.append(element("bdi", { textContent: file.name }), upload.note, upload.button, upload.bar);
  list.append(upload.item);
  counts.all++;
  const why = problem(file, isFolder);
  if (why) fail(upload, why, true); else enqueue(upload);
}

// ---- what is chosen, what is dropped ---------------------------------------------

const bringsFiles = event => [...event.dataTransfer?.types ?? []].includes("Files");

function watch() {
  const input = form.elements.files;
  form.classList.add("live");
  form.querySelector("p").prepend(element("span", { className: "drop", textContent: "or drop them anywhere. " }));
  input.required = false;
  input.onchange = () => {
    const files = [...input.files];
    input.value = ""; // so that the same one may be chosen again
    for (const file of files) add(file);
  };
  form.onsubmit = event => event.preventDefault();

  let depth = 0; // of elements that the pointer has entered with files
  const mark = change => {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", event => { if (bringsFiles(event)) { event.preventDefault(); mark(1); } });
  addEventListener("dragleave", event => { if (bringsFiles(event)) mark(-1); });
  addEventListener("dragover", event => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", event => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    mark(0);
    for (const item of event.dataTransfer.items) {
      const file = item.kind === "file" && item.getAsFile();
      if (file) add(file, item.webkitGetAsEntry?.()?.isDirectory ?? false);
    }
  });
  addEventListener("beforeunload", event => { if (running > 0) event.preventDefault(); });
}

if (form) watch();
