/* changes.c - what is to be told of files: a queue, until a reader takes it, or a
 * task that calls the callback, one at a time. It is filled only when it is
 * empty: what happens meanwhile is gathered by who fills it. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/notifier.h"
#include "host/task.h"
#include "modules/fs/watcher.h"

void changes_poke(const struct watcher *watcher) {
  if (watcher->source != NULL) notifier_poke(watcher->source);
}

/* ---- the queue ----------------------------------------------------------- */

bool watcher_put(struct watcher *watcher, const char *path, size_t size,
                 const char *kind) {
  struct change *change = malloc(sizeof *change + size);
  if (change == NULL) return false;
  change->next = NULL;
  change->kind = kind;
  change->size = size;
  memcpy(change->path, path, size);
  *watcher->last = change;
  watcher->last = &change->next;
  return true;
}

static void drop_first(struct watcher *watcher) {
  struct change *change = watcher->first;
  watcher->first = change->next;
  if (watcher->first == NULL) watcher->last = &watcher->first;
  free(change);
}

void changes_push(lua_State *L, struct watcher *watcher) {
  const struct change *change = watcher->first;
  lua_createtable(L, 0, 2);
  lua_pushlstring(L, change->path, change->size);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, change->kind);
  lua_setfield(L, -2, "kind");
  drop_first(watcher);
}

void changes_drop(struct watcher *watcher) {
  while (watcher->first != NULL) drop_first(watcher);
}

bool watcher_is_idle(const struct watcher *watcher) {
  return watcher->first == NULL && watcher->caller == NULL;
}

/* ---- the callback -------------------------------------------------------- */

static int run_callback(lua_State *L) {
  struct watcher *watcher = lua_touserdata(L, 1);
  if (watcher->handle.closing || watcher->first == NULL) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, watcher->callback);
  changes_push(L, watcher);
  watcher->taken = true;
  return task_call_last(L, 1);
}

/* The change may not have been taken: there was no memory, it was cancelled. */
static void call_ended(struct task *task, enum task_end end) {
  struct watcher *watcher = task->sink_data;
  (void)end;
  watcher->caller = NULL;
  if (!watcher->taken && watcher->first != NULL) drop_first(watcher);
  changes_call(watcher);
  if (watcher_is_idle(watcher)) changes_poke(watcher);
  handle_leave(&watcher->handle);
}

static const struct task_sink call_sink = {NULL, call_ended};

void changes_call(struct watcher *watcher) {
  struct handle *h = &watcher->handle;
  if (h->closing || watcher->callback == LUA_NOREF || !watcher->begun) return;
  if (watcher->caller != NULL || watcher->first == NULL) return;
  struct task *task = task_start(h->host, h->work.owner, run_callback, watcher);
  if (task == NULL) {
    uv_async_send(&watcher->uv); /* no memory: again in the next turn */
    return;
  }
  handle_use(h);
  task->sink = &call_sink;
  task->sink_data = watcher;
  task->name = "watch";
  task->origin = h->origin;
  task->work.spec = h->work.spec;
  watcher->caller = task;
  watcher->taken = false;
}

void watcher_deliver(struct watcher *watcher) {
  if (watcher->reader.waiter != NULL && watcher->first != NULL)
    task_wake(watcher->reader.waiter, 0);
  changes_call(watcher);
}
