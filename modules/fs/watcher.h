/* watcher.h - what a script holds of fs.watch, and the feed from which its
 * changes come: watch.lua, in tasks of the root. */
#ifndef MODULES_FS_WATCHER_H
#define MODULES_FS_WATCHER_H

#include <lua.h>
#include <stdbool.h>
#include <uv.h>

#include "host/handle.h"

struct notifier;
struct task;
struct watcher;

struct change {
  struct change *next;
  const char *kind;
  size_t size;
  char path[];
};

struct place {         /* where a task waits */
  struct task *waiter; /* first member: so task->parked leads to all of it */
  struct watcher *watcher;
};

struct watcher {
  struct handle handle; /* first member */
  uv_async_t uv;        /* while it counts the loop is alive */
  struct place starter, reader;
  struct change *first, **last; /* to be told */
  struct notifier *source;      /* who feeds it waits there, or NULL */
  char *path;                   /* as the script has it */
  char *absolute;
  double gather; /* s */
  bool recursive;
  int callback;        /* a reference, or LUA_NOREF */
  struct task *caller; /* that runs it now, or NULL */
  bool taken;          /* it has its change */
  bool armed, polling;
  bool begun; /* its version serves: it may be called */
};

/* The body of the task that feeds it; the watcher is its context. */
int watcher_feed(lua_State *L);

/* For the feed. */
bool watcher_is_wanted(const struct watcher *watcher);
bool watcher_is_idle(const struct watcher *watcher);
bool watcher_put(struct watcher *watcher, const char *path, size_t size,
                 const char *kind); /* false: no memory */
void watcher_deliver(struct watcher *watcher);
void watcher_arm(struct watcher *watcher);

#endif
