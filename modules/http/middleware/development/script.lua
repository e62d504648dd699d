-- What runs in each page: it listens which version is live, and loads the page again where that is another one.
--
-- A browser has six connections to an address, for all of its tabs. So one tab of those that are seen has the stream,
-- and tells the others; a tab in the background has nothing, and asks when it is seen again. (Which one it is, is
-- settled by a lock. Where there are none, as the address is not thought to be safe, each has a stream.)
--
-- What was typed in stays: it is kept over the load, as a browser keeps it when its user loads a page again, and more
-- reliably. What cannot be kept holds the load off.
--
-- What was reloaded for a version several times and is still not of it, will never be: a cache, say. (Once is not
-- enough: it may come across another load, which was under way.)
return [==[
(() => {
  "use strict";
  const script = document.currentScript, version = script.dataset.version, url = new URL("reload", script.src).href;
  const PAUSE = 700; // ms without a key, before a page is taken from under somebody's fingers
  const AWAY = 30000; // ms for another page to come, that was asked for: loading this one would call that off
  const isSeen = () => document.visibilityState !== "hidden";

  const memory = { // of this tab, over a load; without it all works, but keeps nothing
    take(key) {
      try {
        const text = sessionStorage.getItem(key);
        sessionStorage.removeItem(key);
        return JSON.parse(text);
      } catch { return null; }
    },
    put(key, value) {
      try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* not allowed, or full */ }
    },
  };

  // ---- what there is to say

  let notice;

  function hide(about) {
    if (!notice || about && notice.about !== about) return;
    notice.remove();
    notice = undefined;
  }

  function button(text, run) {
    const made = document.createElement("button");
    made.textContent = text;
    made.onclick = run;
    return made;
  }

  // Texts stand below each other, and are not broken from the second one on: lines of a program.
  function show(about, title, texts, action) {
    hide();
    notice = document.createElement("neap-notice");
    notice.about = about;
    notice.setAttribute("role", "alert");
    const root = notice.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      :host { all: initial; position: fixed; z-index: 2147483647; inset: auto 0 0 0; width: auto; color-scheme: dark; }
      div { max-height: 60vh; overflow: auto; padding: 14px 18px 16px; background: #1a1e25; color: #e4e7ec;
        border-top: 3px solid #ff8d80; box-shadow: 0 -6px 24px #0006; font: 14px/1.5 system-ui, sans-serif; }
      b { color: #ff8d80; } button { font: inherit; padding: 4px 12px; margin: 10px 0 0; color: inherit;
        background: #2b313a; border: 0; border-radius: 6px; cursor: pointer; }
      button.close { float: right; font-size: 18px; line-height: 1; padding: 4px 9px; margin: -4px -6px 0 12px;
        background: none; }
      button:hover { background: #3a424d; } button:focus-visible { outline: 2px solid #7ab8e0; }
      pre { margin: 8px 0 0; font: 13px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        white-space: pre-wrap; overflow-wrap: anywhere; }
      pre + pre { color: #aab2bd; white-space: pre; overflow-x: auto; }
    `);
    root.adoptedStyleSheets = [sheet];
    const box = document.createElement("div"), head = document.createElement("b");
    const close = button("\u00d7", () => hide());
    close.className = "close";
    close.setAttribute("aria-label", "Close");
    head.textContent = title;
    box.append(close, head);
    for (const text of texts) {
      if (!text) continue;
      const pre = document.createElement("pre");
      pre.textContent = text;
      box.append(pre);
    }
    if (action) box.append(action);
    root.append(box);
    document.documentElement.append(notice);
    try { // before a dialog, too
      notice.popover = "manual";
      notice.showPopover();
    } catch { /* not known here */ }
  }

  // ---- what was typed in

  const touched = new Set(); // by the user
  let lastKey = -PAUSE, homeless = []; // of the page before: there is no field for it
  const isTicked = control => control.type === "checkbox" || control.type === "radio";

  function note(event) {
    lastKey = performance.now();
    if (event.type === "input") touched.add(event.composedPath()[0]);
  }

  // Whether it goes with the page.
  function cannotBeKept(control) {
    if (!control.isConnected) return false;
    if (control.isContentEditable) return control.textContent.trim() !== "";
    if (control.type === "file") return control.files.length > 0;
    return (control.type === "password" || control.getRootNode() !== document) && Boolean(control.value);
  }

  function alike(kind, id, name, type, value) {
    return [...document.querySelectorAll(kind)].filter(one => one.id === id && one.name === name && one.type === type
      && (type !== "radio" || one.value === value));
  }

  function describe(control) {
    const { localName, id, name, type, value } = control;
    const focused = document.activeElement === control;
    const selection = focused && typeof control.selectionStart === "number"
      && [control.selectionStart, control.selectionEnd];
    const chosen = control.options && [...control.options].flatMap(one => one.selected ? [one.value] : []);
    const place = alike(localName, id, name, type, value).indexOf(control);
    return { localName, id, name, type, value, place, checked: control.checked, chosen, focused, selection };
  }

  function isWorthKeeping(control) {
    if (!control.isConnected || !("value" in control) || control.getRootNode() !== document) return false;
    if (isTicked(control)) return control.checked !== control.defaultChecked;
    if (control.type === "password" || control.type === "file") return false;
    return control.options || control.value !== control.defaultValue;
  }

  function keep() {
    const controls = [...touched].filter(isWorthKeeping).map(describe).concat(homeless);
    if (controls.length > 0) memory.put("neap.typed", { path: location.pathname + location.search, controls });
  }

  // With the setter of its class: what a library has put over it would take the change for its own.
  function set(control, name, value) {
    if (control[name] === value) return false;
    const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(control), name)?.set;
    if (own) own.call(control, value);
    else control[name] = value;
    return true;
  }

  function give(kept) {
    const control = alike(kept.localName, kept.id, kept.name, kept.type, kept.value)[kept.place];
    if (!control) return false;
    let changed = false;
    if (kept.chosen) {
      for (const one of control.options) {
        const selected = kept.chosen.includes(one.value);
        changed = one.selected !== selected || changed;
        one.selected = selected;
      }
    } else changed = isTicked(control) ? set(control, "checked", kept.checked) : set(control, "value", kept.value);
    touched.add(control);
    if (changed) for (const type of ["input", "change"]) control.dispatchEvent(new Event(type, { bubbles: true }));
    if (kept.focused && document.activeElement === document.body) {
      control.focus({ preventScroll: true });
      if (kept.selection) control.setSelectionRange(...kept.selection);
    }
    return true;
  }

  // Some fields are made by scripts, a moment later.
  async function restore() {
    const kept = memory.take("neap.typed");
    if (!kept || kept.path !== location.pathname + location.search) return;
    homeless = kept.controls;
    for (const pause of [0, 100, 400, 1500]) {
      await new Promise(resolve => setTimeout(resolve, pause));
      homeless = homeless.filter(one => !give(one));
    }
    const texts = homeless.filter(one => !isTicked(one) && !one.chosen).map(one => one.value);
    if (texts.length > 0 && !notice)
      show("typed", "What was typed in is kept. There is no field for it on this page", [texts.join("\n\n")]);
  }

  addEventListener("load", restore);
  for (const type of ["input", "keydown"]) addEventListener(type, event => event.isTrusted && note(event), true);

  // ---- another version

  let source, leave, reloading = false, isDue = false, left = -AWAY;
  let told = null; // what the stream has said

  function load() {
    reloading = true;
    location.reload();
  }

  function reload(other) {
    isDue = true;
    disconnect();
    if ("sent" in script.dataset)
      return show("changed", "The program has changed", ["Reload the page to send the form again."]);
    if ([...touched].some(cannotBeKept))
      return show("changed", "The program has changed", ["Something is written here that would be lost."],
        button("Reload all the same", load));
    const rest = Math.max(lastKey + PAUSE, left + AWAY) - performance.now();
    if (rest > 0) return setTimeout(reload, rest, other);
    const mark = other + " " + location.href, [seen, tries] = memory.take("neap.reload") ?? [];
    const count = seen === mark ? tries + 1 : 1;
    memory.put("neap.reload", [mark, count]);
    if (count > 3)
      return show("changed", "This page is of an older version",
        ["It was reloaded, and is the same. Does something keep it?"]);
    load();
  }

  function hear(news) {
    if (isDue || !isSeen()) return;
    if (news.version !== version) return reload(news.version);
    if (!news.failed) return hide("failed");
    const { text, lines } = JSON.parse(news.failed);
    show("failed", "Not reloaded: the version before goes on", [text, lines]);
  }

  const others = "BroadcastChannel" in window ? new BroadcastChannel(url) : { postMessage() {} };
  others.onmessage = ({ data }) => data ? hear(data) : source && told && others.postMessage(told);

  function tell(change) {
    told = { ...told, ...change };
    others.postMessage(told);
    hear(told);
  }

  function listen() {
    told = null;
    source = new EventSource(url);
    source.addEventListener("version", event => tell({ version: event.data }));
    source.addEventListener("fine", () => tell({ failed: null }));
    source.addEventListener("failed", event => tell({ failed: event.data }));
    source.onerror = () => {
      if (!source || source.readyState !== EventSource.CLOSED) return;
      disconnect();
      setTimeout(connect, 1000);
    };
  }

  function disconnect() {
    if (source) source.close();
    if (leave) leave();
    source = leave = undefined;
  }

  function connect() {
    if (leave || isDue || !isSeen()) return;
    if (!navigator.locks) {
      leave = () => {};
      return listen();
    }
    const waiting = new AbortController();
    leave = () => waiting.abort();
    navigator.locks.request("neap.reload " + url, { signal: waiting.signal }, () => new Promise(resolve => {
      if (waiting.signal.aborted) return resolve();
      leave = resolve;
      listen();
    })).catch(() => { /* no longer wanted */ });
    others.postMessage(null); // who has the stream says what is so
  }

  document.addEventListener("visibilitychange", () => isSeen() ? connect() : disconnect());
  addEventListener("beforeunload", () => { left = performance.now(); });
  addEventListener("pagehide", () => {
    if (reloading) keep();
    disconnect();
  });
  addEventListener("pageshow", event => {
    if (event.persisted) [isDue, left] = [false, -AWAY]; // back again
    connect();
  });
  connect();
})();
]==]
