/* host.c - opens and closes the machine. */
#include "host/host.h"

#include <assert.h>
#include <lauxlib.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "host/generation.h"
#include "host/job.h"
#include "host/luv.h"
#include "host/output.h"
#include "host/realm.h"
#include "host/shuffle.h"
#include "host/signals.h"
#include "host/task.h"
#include "host/task_object.h"
#include "host/terminal.h"
#include "host/watchdog.h"

enum { PATIENCE = 50 }; /* ms at the end, for what is forsaken */

/* Lua's buffers make themselves a class when one first grows, and never again:
 * if memory ran out halfway, string.rep would be broken for good. */
static void open_buffers(lua_State *L) {
  luaL_Buffer buffer;
  luaL_buffinitsize(L, &buffer, 2 * LUAL_BUFFERSIZE);
  luaL_pushresult(&buffer);
  lua_pop(L, 1);
}

/* Where asserts are on every block is malloc's own: so valgrind and sanitizers
 * see what uses it too late. */
static void open_memory(struct host *host) {
#ifdef NDEBUG
  lua_setallocf(host->L, memory_allocate, &host->memory);
#else
  (void)host;
#endif
}

/* The root generation takes a realm of its own: it is in place when no program
 * runs. What the state began with, nothing, is dropped. */
static int open_root(lua_State *L) {
  struct host *host = host_of(L);
  open_buffers(L);
  lobby_open(&host->lobby, L);
  task_object_open(L);
  host->root = generation_new(L, lua_tocfunction(L, 1));
  host->root->state = GENERATION_LIVE;
  lua_newtable(L);
  generation_get(L, host->root, GENERATION_REALM);
  realm_exchange(L, -2, -1);
  host->entered = host->root;
  return 0;
}

/* Until libuv has let go of everything. What is forsaken has a moment to end: a
 * thread that is only late is joined, as all are. */
static bool finish_loop(struct host *host) {
  struct pollfd fd = {.fd = uv_backend_fd(&host->loop), .events = POLLIN};
  while (host_is_alive(host)) uv_run(&host->loop, UV_RUN_ONCE);
  for (int i = 0; i < PATIENCE && uv_loop_alive(&host->loop); i++) {
    poll(&fd, 1, 1);
    uv_run(&host->loop, UV_RUN_NOWAIT);
  }
  return !uv_loop_alive(&host->loop);
}

static bool free_all(struct host *host) {
  output_detach(host);
  clock_close(&host->clock);
  children_close(host);
  signals_close(host); /* a second one still ends the wait for children */
  shuffle_end(host);
  if (!finish_loop(host)) return false;
  generation_free_all(host);
  origin_free_all(host);
  pool_free(&host->pool);
  buffers_free(&host->buffers);
  memory_trim(&host->memory);
  int status = uv_loop_close(&host->loop);
  assert(status == 0);
  (void)status;
  return true;
}

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int host_open(struct host *host, lua_CFunction open) {
  memset(host, 0, sizeof *host);
  int status = uv_loop_init(&host->loop);
  if (status < 0) return status;
  host->loop.data = host;
  host->exit_code = -1;
  host->lends = true;
  host->program.open = open;
  host->started = now();
  host->opened = uv_hrtime();
  clock_open(&host->clock, &host->loop);
  host->L = luaL_newstate();
  if (host->L != NULL && pool_open(&host->pool)) {
    *(struct host **)lua_getextraspace(host->L) = host;
    open_memory(host);
    lua_pushcfunction(host->L, open_root);
    lua_pushcfunction(host->L, open);
    if (lua_pcall(host->L, 1, 0, 0) == LUA_OK) return 0;
  }
  if (host->L != NULL) lua_close(host->L);
  free_all(host);
  return UV_ENOMEM;
}

/* (The count is libuv's own; it has no question for this.) */
bool host_is_alive(struct host *host) {
  uv_loop_t *loop = &host->loop;
  loop->active_reqs.count -= host->forsaken_requests;
  bool alive = uv_loop_alive(loop);
  loop->active_reqs.count += host->forsaken_requests;
  return alive;
}

int host_exit_code(const struct host *host) {
  if (host->exit_code >= 0) return host->exit_code;
  return host->failures > 0 ? 1 : 0;
}

/* Lua answers no question about its memory there. (From 5.4.4 on: before, there
 * is no way to tell.) */
bool host_in_finalizer(lua_State *L) {
  if (lua_isyieldable(L) && !host_of(L)->blocked) return false; /* mostly */
  return lua_gc(L, LUA_GCCOUNT) < 0;
}

/* ---- the end ------------------------------------------------------------- */

/* What is stopped may make a task ready that is then discarded: the queue must
 * not lead to it. */
static void discard(struct work *work, void *data) {
  struct host *host = data;
  if (task_is(work))
    task_discard((struct task *)work);
  else
    work_stop(work);
  host->ready = (struct queue){NULL, NULL};
}

/* Order matters: tasks hold boxes, boxes hold handles, libuv holds handles. (And
 * threads read strings of Lua: if one does not come back, the state stays.)
 * What is left of the work is stopped while the state can still let go of its
 * functions; closing the state drops the boxes; then libuv lets go. */
bool host_close(struct host *host) {
  host->phase = HOST_STOPPING;
  terminal_restore();
  watchdog_close(host);
  generation_each_work(host, discard, host);
  clock_cancel(&host->clock, &host->stop_limit);
  clock_cancel(&host->clock, &host->tidy.timeout);
  luv_close(host);
  if (!job_end_borrowing(host)) return false;
  lua_close(host->L);
  host->L = NULL; /* what libuv still holds must not touch it */
  return free_all(host);
}
