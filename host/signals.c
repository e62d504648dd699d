/* signals.c - from a signal to the loop, or to the line that runs. */
#include "host/signals.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "host/loop.h"
#include "host/task.h"
#include "host/task_list.h"
#include "host/wait.h"
#include "host/watchdog.h"

static struct {
  struct host *host; /* NULL: there is none */
  pthread_t thread;
  uv_async_t async;
  volatile sig_atomic_t ends; /* how often it was asked to end */
  volatile sig_atomic_t wants_list, overran;
  lua_State *hooked; /* where our hook has replaced another, or none */
  lua_Hook old_hook;
  int old_mask, old_count;
} signals;

/* ---- inside Lua ---------------------------------------------------------- */

/* Nobody is kept waiting by a script that is alone. */
static void report_overrun(struct host *host, lua_State *L) {
  if (!uv_loop_alive(&host->loop) && queue_is_empty(&host->ready)) return;
  struct origin origin = origin_of(host, L);
  host->overruns++;
  fprintf(stderr,
          "neap: task %llu (%s) has held the loop for over %u ms, at "
          "%s:%d\n",
          (unsigned long long)host->current->id, host->current->name,
          (unsigned)(host->watchdog.limit / 1000000),
          origin.source != NULL ? origin.source : "?", origin.line);
}

/* What serves nobody is cancelled where it is, even if it never waits. */
static void end_running(lua_State *L, struct host *host) {
  loop_drain(host);
  if (owner_is_background(host->current->work.owner) &&
      !host->current->unwinding)
    wait_end_here(L);
}

static void on_hook(lua_State *L, lua_Debug *ar) {
  struct host *host = host_of(L);
  (void)ar;
  if (signals.hooked == L)
    lua_sethook(L, signals.old_hook, signals.old_mask, signals.old_count);
  else
    lua_sethook(L, NULL, 0, 0);
  signals.hooked = NULL;
  if (host->current == NULL) return;
  if (signals.ends > 0) end_running(L, host);
  if (signals.overran) report_overrun(host, L);
  signals.overran = 0;
  if (!signals.wants_list) return;
  signals.wants_list = 0;
  task_list_print(host, stderr, L);
}

/* lua_sethook may be called from a signal handler; lua.c does the same. */
static void interrupt(lua_State *L) {
  if (L == NULL || lua_gethook(L) == on_hook) return;
  signals.hooked = L;
  signals.old_hook = lua_gethook(L);
  signals.old_mask = lua_gethookmask(L);
  signals.old_count = lua_gethookcount(L);
  lua_sethook(L, on_hook,
              LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* ---- the handlers -------------------------------------------------------- */

static void on_signal(int number) {
  int saved = errno;
  if (signals.host == NULL) return;
  if (!pthread_equal(pthread_self(), signals.thread)) {
    pthread_kill(signals.thread, number); /* only there it may touch Lua */
    return;
  }
  switch (number) {
    case SIGTERM:
    case SIGINT:
      if (++signals.ends > 1) _exit(128 + number);
      interrupt(signals.host->running);
      break;
    case SIGUSR1:
      signals.wants_list = 1;
      interrupt(signals.host->running);
      break;
    case SIGNAL_LOOK:
      if (watchdog_look(signals.host)) {
        signals.overran = 1;
        interrupt(signals.host->running);
      }
      errno = saved;
      return;
  }
  uv_async_send(&signals.async);
  errno = saved;
}

static void ignore(int number) {
  (void)number;
}

static void on_async(uv_async_t *async) {
  (void)async;
  if (signals.ends > 0) loop_drain(signals.host);
  if (!signals.wants_list) return;
  signals.wants_list = 0;
  task_list_print(signals.host, stderr, NULL);
}

/* ---- open and close ------------------------------------------------------ */

static void handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = handler;
  sigaction(number, &action, NULL);
}

static void handle_all(void (*handler)(int)) {
  handle(SIGTERM, handler);
  handle(SIGINT, handler);
  handle(SIGUSR1, handler);
  handle(SIGNAL_LOOK, handler);
}

int signals_open(struct host *host) {
  int status = uv_async_init(&host->loop, &signals.async, on_async);
  if (status < 0) return status;
  uv_unref((uv_handle_t *)&signals.async);
  signals.host = host;
  signals.thread = pthread_self();
  handle_all(on_signal);
  handle(SIGPIPE, ignore);
  return 0;
}

void signals_close(struct host *host) {
  if (signals.host != host) return;
  handle_all(SIG_DFL);
  signals.host = NULL;
  uv_close((uv_handle_t *)&signals.async, NULL);
}
