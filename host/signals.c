/* signals.c - from a signal to the loop, or to the line that runs. */
#include "host/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/blocking.h"
#include "host/cancel.h"
#include "host/child.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/output.h"
#include "host/report.h"
#include "host/taker.h"
#include "host/task.h"
#include "host/task_list.h"
#include "host/terminal.h"
#include "host/wait.h"
#include "host/watchdog.h"

static struct {
  struct host *host; /* NULL: there is none */
  pthread_t thread;
  uv_async_t async;
  volatile sig_atomic_t ends; /* how often it was asked to end */
  volatile sig_atomic_t wants_list, overran, cuts, hung_up, stops;
  volatile unsigned found;          /* host->runs when the last two were set */
  volatile sig_atomic_t interrupts; /* that nobody has answered */
  bool (*ends_running)(const struct host *host, int times);
  void (*act)(struct host *host); /* or NULL: SIGINT ends the program */
  void (*hang_up)(struct host *host);
  bool has_hang_up; /* it is handled; without hang_up as SIGTERM is */
  void (*cut)(lua_State *L, struct host *host);
  lua_State *hooked; /* where our hook has replaced another, or none */
  lua_Hook old_hook;
  int old_mask, old_count;
} signals;

/* ---- inside Lua ---------------------------------------------------------- */

/* The line that runs, or where nothing but C does, the one that started it. */
static void report_place(struct host *host, lua_State *L) {
  const struct origin start = host->current->origin;
  struct origin origin = origin_of(host, L);
  if (origin.source == NULL && start.source != NULL)
    fprintf(stderr, ", started at %s:%d", start.source, start.line);
  else
    fprintf(stderr, ", at %s:%d", origin.source != NULL ? origin.source : "?",
            origin.line);
}

/* Nobody is kept waiting by a script that is alone. */
static void report_overrun(struct host *host, lua_State *L, lua_Debug *ar) {
  struct blocking blocking;
  if (!uv_loop_alive(&host->loop) && queue_is_empty(&host->ready)) return;
  bool blocks = blocking_find(L, ar, &blocking);
  host->overruns++;
  report_begin(host->current);
  fprintf(stderr, "task %llu (%s) has held the loop for over %u ms",
          (unsigned long long)host->current->id, host->current->name,
          (unsigned)(host->watchdog.limit / 1000000));
  if (blocks) fprintf(stderr, " in %s", blocking.name);
  report_place(host, L);
  if (blocks && blocking.instead != NULL)
    fprintf(stderr, ": use %s", blocking.instead);
  else if (output_has_blocked())
    fputs(": much is printed and slowly read, neap.stdout:write would wait",
          stderr);
  fputc('\n', stderr);
}

/* What serves nobody is cancelled where it is, even if it never waits. */
static void end_running(lua_State *L, struct host *host) {
  loop_drain(host);
  if (owner_is_background(host->current->work.owner) &&
      !host->current->unwinding)
    wait_end_here(L);
}

/* A new version has not given way for too long while it was loaded. */
static void cut(lua_State *L, struct host *host) {
  const struct generation *generation = generation_here(L);
  if (generation->state != GENERATION_PREPARING) {
    if (signals.cut != NULL) signals.cut(L, host);
    return;
  }
  struct origin origin = origin_of(host, L);
  lua_pushfstring(L,
                  "%s:%d: it has held the loop for over %d s while it was "
                  "loaded",
                  origin.source != NULL ? origin.source : "?", origin.line,
                  WATCHDOG_LOAD_CPU_MS / 1000);
  if (host->current->unwinding) cancel_raise(L);
  generation_refuse(L, lua_tostring(L, -1));
}

static void on_hook(lua_State *L, lua_Debug *ar) {
  struct host *host = host_of(L);
  if (signals.hooked == L)
    lua_sethook(L, signals.old_hook, signals.old_mask, signals.old_count);
  else
    lua_sethook(L, NULL, 0, 0);
  signals.hooked = NULL;
  if (host->current == NULL) return;
  if (signals.ends > 0) end_running(L, host);
  if (signals.stops && !host->current->unwinding) wait_end_here(L);
  if (signals.interrupts > 0 &&
      signals.ends_running(host, (int)signals.interrupts)) {
    signals.interrupts = 0;
    wait_end_here(L);
  }
  bool same = signals.found == host->runs; /* that task has not ended since */
  if (signals.overran && same) report_overrun(host, L, ar);
  signals.overran = 0;
  if (signals.wants_list) task_list_print(host, stderr, L);
  signals.wants_list = 0;
  bool cuts = signals.cuts && same;
  signals.cuts = 0;
  if (cuts) cut(L, host);
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

static void look(struct host *host) {
  enum watchdog_finding finding = watchdog_look(host);
  if (finding == WATCHDOG_NOTHING) return;
  signals.found = host->runs;
  if (finding == WATCHDOG_OVERRUN) {
    blocking_mark();
    signals.overran = 1;
  } else {
    signals.cuts = 1;
  }
  interrupt(host->running);
}

static void end_now_or_soon(int number) {
  if (++signals.ends > 1) {
    children_kill(signals.host);
    terminal_restore();
    _exit(128 + number);
  }
  interrupt(signals.host->running);
}

/* Whoever reads lines is told: it does not end the program. */
static bool interrupt_came(int number) {
  if (number != SIGINT || signals.act == NULL || signals.ends > 0) return false;
  signals.interrupts++;
  interrupt(signals.host->running);
  return true;
}

static void on_signal(int number) {
  int saved = errno;
  if (signals.host == NULL) return;
  if (!pthread_equal(pthread_self(), signals.thread)) {
    pthread_kill(signals.thread, number); /* only there it may touch Lua */
    return;
  }
  bool taken = interrupt_came(number) || taker_came(number);
  switch (taken ? 0 : number) {
    case SIGTERM:
    case SIGINT: end_now_or_soon(number); break;
    case SIGUSR1:
      signals.wants_list = 1;
      interrupt(signals.host->running);
      break;
    case SIGNAL_LOOK:
      look(signals.host);
      errno = saved;
      return;
    case SIGHUP:
      if (signals.hang_up != NULL)
        signals.hung_up = 1;
      else
        end_now_or_soon(number);
      break;
  }
  uv_async_send(&signals.async);
  errno = saved;
}

static void ignore(int number) {
  (void)number;
}

/* The host has gone, but not yet all that was printed. */
static void on_late(int number) {
  if (++signals.ends > 1) _exit(128 + number);
}

static void on_async(uv_async_t *async) {
  (void)async;
  if (signals.host->phase == HOST_STOPPING) return; /* there is no Lua left */
  taker_tell();
  if (signals.ends > 0) loop_drain(signals.host);
  if (signals.interrupts > 0) signals.act(signals.host);
  signals.interrupts = 0;
  if (signals.hung_up) signals.hang_up(signals.host);
  signals.hung_up = 0;
  if (!signals.wants_list) return;
  signals.wants_list = 0;
  task_list_print(signals.host, stderr, NULL);
}

/* ---- open and close ------------------------------------------------------ */

static void handle_with(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_flags = flags;
  action.sa_handler = handler;
  sigaction(number, &action, NULL);
}

static void handle(int number, void (*handler)(int)) {
  handle_with(number, handler, SA_RESTART);
}

/* What the host does with it itself, and so never gives up. */
static bool is_ours(int number) {
  return number == SIGTERM || number == SIGINT || number == SIGUSR1 ||
         (number == SIGHUP && signals.has_hang_up);
}

void signals_handle(int number, struct sigaction *before) {
  if (is_ours(number)) return;
  sigaction(number, NULL, before);
  handle(number, on_signal);
}

/* That its taker is stopped because the program ends must not let it kill the
 * program before all has ended, and all is out. */
void signals_leave(int number, const struct sigaction *before) {
  if (is_ours(number)) return;
  if (signals.host != NULL && signals.host->phase != HOST_RUNNING)
    handle(number, ignore);
  else
    sigaction(number, before, NULL);
}

void signals_keep_alive(bool alive) {
  if (alive)
    uv_ref((uv_handle_t *)&signals.async);
  else
    uv_unref((uv_handle_t *)&signals.async);
}

int signals_open(struct host *host) {
  int status = uv_async_init(&host->loop, &signals.async, on_async);
  if (status < 0) return status;
  uv_unref((uv_handle_t *)&signals.async);
  signals.host = host;
  signals.thread = pthread_self();
  handle(SIGTERM, on_signal);
  handle(SIGINT, on_signal);
  handle(SIGUSR1, on_signal);
  handle(SIGNAL_LOOK, on_signal);
  handle(SIGPIPE, ignore);
  handle(SIGXFSZ, ignore);
  return 0;
}

/* Where somebody may hang up, that ends the program, as everybody expects. */
void signals_on_hang_up(void (*hang_up)(struct host *host)) {
  int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal >= 0) {
    close(terminal);
    return;
  }
  signals.hang_up = hang_up;
  signals.has_hang_up = true;
  handle(SIGHUP, on_signal);
}

/* A script that takes it meanwhile has found it to be nobody's: it stays so. */
void signals_end_on_hang_up(void) {
  struct sigaction action;
  sigaction(SIGHUP, NULL, &action);
  if (signals.host == NULL || action.sa_handler != SIG_DFL) return;
  signals.has_hang_up = true;
  handle(SIGHUP, on_signal);
}

void signals_end_running(struct host *host) {
  if (signals.host != host || host->current == NULL) return;
  signals.stops = 1;
  interrupt(host->running);
}

void signals_on_cut(void (*fn)(lua_State *L, struct host *host)) {
  signals.cut = fn;
}

/* What blocks in a line that is typed gives up, as in lua: no SA_RESTART. */
void signals_on_interrupt(bool (*ends_running)(const struct host *host,
                                               int times),
                          void (*act)(struct host *host)) {
  signals.ends_running = ends_running;
  signals.act = act;
  handle_with(SIGINT, on_signal, 0);
}

void signals_close(struct host *host) {
  if (signals.host != host) return;
  taker_end_all();
  handle(SIGTERM, on_late);
  handle(SIGINT, on_late);
  handle(SIGUSR1, ignore);
  handle(SIGNAL_LOOK, ignore);
  if (signals.has_hang_up)
    handle(SIGHUP, signals.hang_up != NULL ? ignore : on_late);
  signals.host = NULL;
  uv_close((uv_handle_t *)&signals.async, NULL);
}
