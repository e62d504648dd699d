/* machine.h - a host for a test: Lua texts run as tasks of its root generation,
 * which sees what the test has put into its globals. */
#ifndef SPEC_MACHINE_H
#define SPEC_MACHINE_H

#include <assert.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/task.h"
#include "modules/modules.h"

/* A test that hangs is worse than one that fails; and who writes to what nobody
 * reads is told so, as in the program (host/signals.c). */
static inline struct host *machine_open(unsigned seconds) {
  struct host *host = malloc(sizeof *host);
  assert(host != NULL);
  signal(SIGPIPE, SIG_IGN);
  int status = host_open(host, modules_open);
  assert(status == 0);
  (void)status;
  alarm(seconds);
  return host;
}

static inline void machine_close(struct host *host) {
  bool closed = host_close(host);
  assert(closed);
  (void)closed;
  free(host);
}

static inline int machine_over(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* The body of a task: `text` is the context. */
static inline int machine_run_text(lua_State *L) {
  const char *text = lua_touserdata(L, 1);
  if (luaL_loadbuffer(L, text, strlen(text), "=test") != LUA_OK)
    return lua_error(L);
  lua_callk(L, 0, 0, 0, machine_over);
  return 0;
}

/* The text must outlive the task. */
static inline struct task *machine_start(struct host *host, struct owner *owner,
                                         const char *text) {
  struct task *task =
    task_start(host, owner, machine_run_text, (void *)(intptr_t)text);
  assert(task != NULL);
  return task;
}

/* As a function of Lua: (path) what is told goes there; (): as it was. */
static inline int machine_stderr(lua_State *L) {
  static int kept = -1;
  const char *path = luaL_optstring(L, 1, NULL);
  int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : kept;
  if (kept < 0) kept = dup(STDERR_FILENO);
  fflush(stderr);
  dup2(fd, STDERR_FILENO);
  close(fd);
  if (path == NULL) kept = -1;
  return 0;
}

#endif
