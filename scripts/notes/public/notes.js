// The page of notes.lua. What is done shows at once, and is taken back, with the reason, if the server refuses it.
// What others do, in another window or by the API, comes as events. What is being written outlives a reload.
// What a note says is put into the page as text only, never as HTML. A tab that is not seen holds no connection.
"use strict";

const at = id => document.getElementById(id);
const list = at("list"), editor = at("editor"), form = at("form"), search = at("search"), sort = at("sort");
const FIELDS = ["title", "text", "color", "pinned"];
const COLORS = ["plain", "yellow", "green", "blue", "pink"];

const notes = new Map(); // id -> note, as the server has it, or as it soon will
let revision = null; // how much of what has happened is in `notes`
let source = null; // of events
let editing = null; // { id (null: a new one), version, base } while the editor is open
let temporary = 0; // ids of notes that the server does not know yet: "new-1"
let shown = 200; // cards at most: more on demand

const memory = { // what this window remembers over a reload; it works without, too
  get(key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* not allowed */ } },
};

function element(kind, properties = {}, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

// ---- asking the server ---------------------------------------------------------

class Refused extends Error {
  constructor(status, message, answer) {
    super(message);
    Object.assign(this, { status, errors: answer.errors || {}, note: answer.note });
  }
}

async function ask(method, path, body, headers = {}) {
  let response, answer = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  try { // it goes on when the page is left meanwhile
    response = await fetch(path,
      { method, headers, body: body && JSON.stringify(body), cache: "no-store", keepalive: method !== "GET" });
  } catch {
    throw new Refused(0, "the server cannot be reached", {});
  }
  try {
    if (response.status !== 204) answer = await response.json();
  } catch { /* no JSON: a proxy, say */ }
  if (response.ok) return answer;
  throw new Refused(response.status, answer.detail || answer.title || `the server says ${response.status}`, answer);
}

const unchanged = note => ({ "if-match": `"${note.id}-${note.version}"` }); // or 412, with the note as it is now

// ---- the list ------------------------------------------------------------------

const PIN = "M8 3h8l-1 7 3 3v2H6v-2l3-3zM12 15v6";
const BIN = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5";

function drawing(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

function since(seconds) {
  const passed = Date.now() / 1000 - seconds;
  const format = new Intl.RelativeTimeFormat([], { numeric: "auto" });
  if (passed < 45) return "just now";
  if (passed < 3600) return format.format(-Math.round(passed / 60), "minute");
  if (passed < 86400) return format.format(-Math.round(passed / 3600), "hour");
  if (passed < 7 * 86400) return format.format(-Math.round(passed / 86400), "day");
  return new Date(seconds * 1000).toLocaleDateString([], { dateStyle: "medium" });
}

const nameOf = note => note.title || note.text.trim().split("\n")[0].slice(0, 60);

function card(id) {
  const open = element("button", { type: "button", onclick: () => edit(notes.get(id)) });
  const pin = element("button", { type: "button", className: "pin", title: "Keep on top",
    onclick: () => change(notes.get(id), { pinned: !notes.get(id).pinned }) }, drawing(PIN));
  const remove = element("button", { type: "button", className: "remove", title: "Delete",
    onclick: () => erase(notes.get(id)) }, drawing(BIN));
  const made = element("li", {}, element("h2", {}, open), element("p", { className: "body", dir: "auto" }), pin,
    element("footer", {}, element("time"), remove));
  made.dataset.id = id;
  return made;
}

function fill(made, note) {
  const name = nameOf(note), open = made.querySelector("h2 button"), time = made.querySelector("time");
  const color = COLORS.includes(note.color) ? note.color : "plain";
  const pin = made.querySelector(".pin"), remove = made.querySelector(".remove");
  made.className = `card ${color}${note.busy ? " busy" : ""}${note.fresh ? " fresh" : ""}`;
  made.setAttribute("aria-busy", Boolean(note.busy));
  made.querySelector("h2").classList.toggle("untitled", !note.title);
  open.textContent = note.title || "untitled";
  open.setAttribute("aria-label", `Edit ${name}`);
  made.querySelector(".body").textContent = note.text;
  made.querySelector(".body").hidden = !note.text;
  pin.setAttribute("aria-pressed", note.pinned);
  pin.setAttribute("aria-label", `Keep on top: ${name}`);
  remove.setAttribute("aria-label", `Delete ${name}`);
  pin.disabled = remove.disabled = open.disabled = typeof note.id !== "number";
  time.textContent = note.busy ? "saving" : since(note.updated);
  time.dateTime = new Date(note.updated * 1000).toISOString();
  time.title = new Date(note.updated * 1000).toLocaleString();
}

const orders = {
  updated: (a, b) => b.updated - a.updated,
  created: (a, b) => b.created - a.created,
  title: (a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true, sensitivity: "base" }),
};

function compare(a, b) {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  return orders[sort.value](a, b) || String(b.id).localeCompare(String(a.id), undefined, { numeric: true });
}

function draw() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...notes.values()].filter(note => {
    const all = (note.title + "\n" + note.text).toLowerCase();
    return words.every(word => all.includes(word));
  }).sort(compare);
  at("more").hidden = found.length <= shown;
  at("more").textContent = `Show ${found.length - shown} more`;
  found.length = Math.min(found.length, shown);
  const cards = new Map([...list.children].map(child => [child.dataset.id, child]));
  const focused = document.activeElement;
  let place = list.firstElementChild;
  for (const note of found) {
    const made = cards.get(String(note.id)) || card(note.id);
    cards.delete(String(note.id));
    fill(made, note);
    if (made === place) place = place.nextElementSibling;
    else list.insertBefore(made, place);
  }
  for (const gone of cards.values()) gone.remove();
  if (focused !== document.activeElement && focused.isConnected) focused.focus(); // a card that was moved
  at("empty").hidden = found.length > 0 || revision === null;
  at("empty").textContent = notes.size === 0 ? "Nothing is written down yet.\nPress n, or the button, for a first note."
    : `Nothing is found for “${search.value}”.`;
}

// Takes in a note as the server has it, unless we know a later version.
function take(note) {
  const known = notes.get(note.id);
  if (known && !known.busy && known.version > note.version) return;
  note.fresh = !known || (known.version !== note.version && !known.busy);
  notes.set(note.id, note);
  if (editing && editing.id === note.id && note.version > editing.version) conflict(note);
  draw();
  for (const key of unsent.keys()) forgetIfSaved(key);
}

function drop(id) {
  notes.delete(id);
  if (editing && editing.id === id) conflict(null);
  draw();
}

// ---- what has happened -----------------------------------------------------------

// Returns what takes it away. `refuse`: what else to do when it is closed by hand, where nothing else closes it.
function toast(text, { wrong = false, action, run, refuse } = {}) {
  const made = element("div", { className: wrong ? "toast wrong" : "toast" }, element("span", { textContent: text }));
  const close = () => made.remove();
  if (action) made.append(element("button", { type: "button", textContent: action, onclick() { close(); run(); } }));
  made.append(element("button", { type: "button", textContent: "✕", ariaLabel: "Close",
    onclick() { close(); if (refuse) refuse(); } }));
  if (!refuse) {
    made.classList.add("passing");
    setTimeout(close, 8000);
  }
  at("toasts").append(made);
  const passing = at("toasts").querySelectorAll(".passing");
  if (passing.length > 3) passing[0].remove();
  return close;
}

const quoted = note => { const name = nameOf(note); return name ? `“${name}”` : "The note"; };

// ---- what was written, and is not known to be saved ---------------------------------

// A key -> { note, fields, close }, from the moment when the editor closes. `close`: that of the toast that says so.
const unsent = new Map();

function keepUnsent() {
  memory.set("unsent", [...unsent].map(([key, { note, fields }]) => [key, { note, fields }]));
}

// Who only marks a note has written nothing.
function hold(note, fields) {
  const key = `${Date.now()}-${++temporary}`;
  if ("text" in fields) unsent.set(key, { note, fields });
  keepUnsent();
  return key;
}

function forget(key) {
  const entry = unsent.get(key);
  if (entry && entry.close) entry.close();
  unsent.delete(key);
  keepUnsent();
}

// Its answer may have been lost, or not have been there when the page was loaded anew.
function forgetIfSaved(key) {
  const { note, fields, close } = unsent.get(key);
  const known = note.id === null ? [...notes.values()] : [notes.get(note.id)];
  const isIt = one => one && !one.busy && FIELDS.every(name => one[name] === fields[name]);
  if (close && known.some(isIt)) forget(key);
}

// The editor opens again with it, or a click does that.
function failed(key, note, fields, problem) {
  const again = () => {
    if (editor.open) return failed(key, note, fields, problem);
    open({ ...note, ...fields }, { problem });
    forget(key);
  };
  const isOurs = problem.status === 412 || problem.status === 422 || problem.status === 404;
  if (isOurs && !editor.open && ("text" in fields)) return again();
  const close = toast(`${quoted({ ...note, ...fields })} was not saved: ${problem.message}.`,
    { wrong: true, action: "Edit again", run: again, refuse: unsent.has(key) && (() => forget(key)) });
  if (!unsent.has(key)) return;
  unsent.get(key).close = close;
  forgetIfSaved(key);
}

function offerUnsent() {
  for (const [key, { note, fields }] of memory.get("unsent") || []) {
    if (unsent.has(key)) continue;
    unsent.set(key, { note, fields });
    failed(key, note, fields, new Refused(0, "the page was left meanwhile", {}));
  }
}

// ---- doing -----------------------------------------------------------------------

async function create(fields) {
  const now = Date.now() / 1000, key = hold({ id: null }, fields), id = `new-${key}`;
  notes.set(id, { ...fields, id, version: 0, created: now, updated: now, busy: true });
  draw();
  try {
    const note = await ask("POST", "api/notes", fields);
    notes.delete(id);
    take(note);
    forget(key);
  } catch (problem) {
    notes.delete(id);
    draw();
    failed(key, { id: null }, fields, problem);
  }
}

async function change(note, fields) {
  const key = hold(note, fields);
  notes.set(note.id, { ...note, ...fields, busy: true });
  draw();
  try {
    take(await ask("PATCH", `api/notes/${note.id}`, fields, unchanged(note)));
    forget(key);
  } catch (problem) {
    const now = notes.get(note.id);
    if (now && now.busy) notes.set(note.id, problem.note || note);
    if (problem.status === 404) notes.delete(note.id);
    draw();
    failed(key, note, fields, problem);
  }
}

async function erase(note) {
  notes.delete(note.id);
  draw();
  try {
    await ask("DELETE", `api/notes/${note.id}`, undefined, unchanged(note));
    const fields = Object.fromEntries(FIELDS.map(name => [name, note[name]]));
    toast(`${quoted(note)} is deleted.`, { action: "Undo", run: () => create(fields) });
  } catch (problem) {
    if (problem.status === 404) return; // somebody was faster
    take(problem.note || { ...note, busy: false });
    const why = problem.status === 412 ? "it was changed meanwhile" : problem.message;
    toast(`${quoted(note)} was not deleted: ${why}.`,
      { wrong: true, action: "Try again", run: () => { if (notes.has(note.id)) erase(notes.get(note.id)); } });
  }
}

// ---- the editor ------------------------------------------------------------------

const controls = form.elements;

function written() {
  return { title: controls.title.value.trim(), text: controls.text.value, color: controls.color.value,
    pinned: controls.pinned.checked };
}

function keepDraft() {
  memory.set("draft", editing && { ...editing, fields: written() });
}

function problems(text, errors = {}) {
  at("problem").textContent = text;
  at("problem").hidden = !text;
  for (const name of ["title", "text"]) {
    const place = at(`${name}-problem`);
    place.textContent = errors[name] ? `This ${errors[name]}.` : "";
    place.hidden = !errors[name];
    controls[name].setAttribute("aria-invalid", Boolean(errors[name]));
  }
}

function open(note, { problem } = {}) {
  editing = { id: note.id, version: note.version || 0, created: note.created };
  controls.title.value = note.title;
  controls.text.value = note.text;
  controls.color.value = note.color;
  controls.pinned.checked = note.pinned;
  recolor();
  at("delete").hidden = note.id === null;
  at("conflict").hidden = true;
  problems("");
  editor.showModal();
  (note.id === null ? controls.title : controls.text).focus();
  const known = note.id !== null && (notes.get(note.id) || null);
  if (problem && problem.status === 422)
    problems(Object.keys(problem.errors).length ? "" : problem.message, problem.errors);
  else if (problem && problem.status !== 412 && problem.status !== 404) problems(problem.message);
  if (note.id !== null && !known) conflict(null);
  else if (known && known.version > editing.version) conflict(known);
  keepDraft();
}

const edit = note => { if (note) open(note); };
const blank = () => open({ id: null, title: "", text: "", color: "plain", pinned: false });

function recolor() {
  editor.className = controls.color.value;
}

// Somebody else has changed (or deleted) what is in the editor.
function conflict(theirs) {
  editing.theirs = theirs;
  at("conflict-text").textContent = theirs === null ? "This note was deleted elsewhere meanwhile."
    : `This note was changed elsewhere meanwhile. It now says:\n\n${theirs.title}\n${theirs.text}`;
  at("theirs").textContent = theirs === null ? "Let it go" : "Use that one";
  at("mine").textContent = theirs === null ? "Save mine as a new note" : "Keep mine";
  at("conflict").hidden = false;
  at("save").disabled = true;
}

at("theirs").addEventListener("click", () => {
  if (editing.theirs === null) return shut();
  const theirs = editing.theirs;
  shut();
  open(theirs);
});

at("mine").addEventListener("click", () => {
  if (editing.theirs === null) editing.id = null;
  else editing.version = editing.theirs.version;
  at("conflict").hidden = true;
  at("save").disabled = false;
  if (editing.id === null) at("delete").hidden = true;
  keepDraft();
  controls.text.focus();
});

function shut() {
  editing = null;
  keepDraft();
  at("save").disabled = false;
  editor.close();
}

form.addEventListener("submit", event => {
  event.preventDefault();
  if (at("save").disabled) return;
  const fields = written(), { id, version } = editing, known = notes.get(id);
  if (!fields.title && !fields.text.trim()) return problems("There is nothing to save yet.");
  shut();
  if (id === null) return create(fields);
  const differs = FIELDS.filter(name => fields[name] !== known[name]);
  if (differs.length > 0) change({ ...known, version }, fields);
});

form.addEventListener("input", () => { problems(""); recolor(); if (editing) keepDraft(); });
form.addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  else if (event.key === "Enter" && event.target === controls.title && !event.isComposing) {
    event.preventDefault();
    controls.text.focus();
  }
});

// Leaving the editor keeps what was changed one click away.
function leave() {
  const fields = written(), { id } = editing, known = notes.get(id), was = { ...editing };
  const changed = id === null ? fields.title || fields.text.trim()
    : !known || FIELDS.some(name => fields[name] !== known[name]);
  shut();
  const again = () => { if (!editor.open) open({ ...was, ...fields }); };
  if (changed) toast("Not saved.", { action: "Edit again", run: again });
}

at("cancel").addEventListener("click", leave);
editor.addEventListener("cancel", event => { event.preventDefault(); leave(); });
editor.addEventListener("mousedown", event => { if (event.target === editor) leave(); }); // beside it
at("delete").addEventListener("click", () => {
  const note = notes.get(editing.id);
  shut();
  if (note) erase(note);
});

// ---- what others do --------------------------------------------------------------

function state(connected) {
  at("state").classList.toggle("open", connected);
  at("state").textContent = connected ? "live" : "connecting";
}

// All of it; then what happens from there on.
async function load() {
  try {
    const answer = await ask("GET", "api/notes?limit=10000");
    const busy = [...notes.values()].filter(note => note.busy);
    notes.clear();
    for (const note of [...answer.notes, ...busy]) notes.set(note.id, note);
    const isFirst = revision === null;
    revision = answer.revision;
    draw();
    if (isFirst) begin();
    if (editing && editing.id !== null) {
      const known = notes.get(editing.id);
      if (!known || known.version > editing.version) conflict(known || null);
    }
    listen();
  } catch {
    state(false);
    setTimeout(load, 2000);
  }
}

function disconnect() {
  if (source) source.close();
  source = null;
}

// What is new: `revision` goes along, so that it can be gone on from there.
function on(kind, run) {
  source.addEventListener(kind, event => {
    revision = event.lastEventId;
    run(JSON.parse(event.data));
  });
}

function listen() {
  disconnect();
  if (document.hidden) return;
  source = new EventSource(`api/events?after=${encodeURIComponent(revision)}`);
  source.addEventListener("open", () => state(true));
  on("note", take);
  on("gone", drop);
  on("refresh", () => {
    disconnect();
    load();
  });
  source.addEventListener("error", () => { // it comes back by itself, unless the answer was another one
    state(false);
    if (!source || source.readyState !== EventSource.CLOSED) return;
    disconnect();
    setTimeout(load, 2000);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect();
  else if (revision !== null && !source) listen();
});

// ---- keys, and the beginning ------------------------------------------------------

document.addEventListener("keydown", event => {
  if (editor.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const writes = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "Escape" && event.target === search) {
    search.value = "";
    search.blur();
    draw();
  } else if (!writes && event.key === "n") {
    event.preventDefault();
    blank();
  } else if (!writes && event.key === "/") {
    event.preventDefault();
    search.focus();
  }
});

at("new").addEventListener("click", blank);
at("more").addEventListener("click", () => { shown += 200; draw(); });
search.addEventListener("input", () => { memory.set("search", search.value); draw(); });
sort.addEventListener("change", () => { memory.set("sort", sort.value); draw(); });
search.value = memory.get("search") || "";
if (orders[memory.get("sort")]) sort.value = memory.get("sort");
at("new").hidden = false;
setInterval(draw, 30000); // how long ago

const draft = memory.get("draft"); // the page was loaded anew while something was written

function begin() {
  if (draft && !editor.open) open({ ...draft, ...draft.fields });
  offerUnsent();
}

load();
