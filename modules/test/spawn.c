/* spawn.c - a child process, and all that it writes.
 *
 * Beside the process there are two pipes, which are read to their ends whether
 * somebody asks or not, and a timer. The child is over when it has exited and
 * both pipes have ended. It never outlives its handle: closing that kills it
 * and waits for it. */
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "host/capture.h"
#include "host/child.h"
#include "host/error.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/signal_names.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/test/test.h"

static const char class_name[] = "test.child";

struct subject {
  struct handle handle; /* first member */
  uv_timer_t
    uv; /* for those who wait: by real time, also where it is virtual */
  struct child *child;
  struct capture *outputs[2];
  struct task *waiters; /* for news */
};

static bool is_over(const struct subject *subject) {
  return !child_runs(subject->child) && subject->outputs[0]->ended &&
         subject->outputs[1]->ended;
}

static bool has_news(const struct subject *subject) {
  return subject->handle.closing || subject->outputs[0]->size > 0 ||
         subject->outputs[1]->size > 0 || is_over(subject);
}

static void tell(const struct subject *subject) {
  if (has_news(subject)) wait_wake_all(subject->waiters, 0);
}

static void on_output(struct capture *capture) {
  tell(capture->data);
}

static void on_over(struct child *child) {
  tell(child->data);
}

/* ---- its life ------------------------------------------------------------ */

static const struct work_kind kind = {.name = "child", .stop = handle_stop};

static void on_close(struct handle *h) {
  struct subject *subject = (struct subject *)h;
  child_kill(subject->child);
  handle_close(&subject->child->handle); /* it may never have run */
  for (int i = 0; i < 2; i++) handle_close(&subject->outputs[i]->handle);
  wait_wake_all(subject->waiters, UV_ECANCELED);
}

static void on_free(struct handle *h) {
  struct subject *subject = (struct subject *)h;
  for (int i = 0; i < 2; i++) handle_leave(&subject->outputs[i]->handle);
  handle_leave(&subject->child->handle);
}

static void drop(struct handle *h) {
  if (h == NULL) return;
  handle_close(h);
  handle_leave(h);
}

/* False without memory: then there is nothing of it. */
static bool new_parts(struct subject *subject, struct owner *owner,
                      const int ours[2]) {
  struct host *host = subject->handle.host;
  struct capture **outputs = subject->outputs;
  for (int i = 0; i < 2; i++) outputs[i] = capture_new(host, ours[i], owner);
  subject->child = child_new(host, sizeof *subject->child, owner, false);
  if (subject->child != NULL) handle_use(&subject->child->handle);
  if (subject->child != NULL && outputs[0] != NULL && outputs[1] != NULL)
    return true;
  drop((struct handle *)subject->child);
  for (int i = 0; i < 2; i++) drop((struct handle *)outputs[i]);
  return false;
}

/* NULL without memory; `ours` are its own in any case. */
static struct subject *new_subject(struct host *host, struct owner *owner,
                                   const int ours[2]) {
  struct subject *subject = handle_new(host, sizeof *subject);
  if (subject == NULL) {
    for (int i = 0; i < 2; i++) close(ours[i]);
    return NULL;
  }
  if (!new_parts(subject, owner, ours)) {
    free(subject);
    return NULL;
  }
  uv_timer_init(&host->loop, &subject->uv);
  uv_unref((uv_handle_t *)&subject->uv);
  subject->child->on_over = on_over;
  subject->child->data = subject;
  for (int i = 0; i < 2; i++) {
    subject->outputs[i]->tell = on_output;
    subject->outputs[i]->data = subject;
  }
  subject->handle.on_close = on_close;
  subject->handle.on_free = on_free;
  handle_open(&subject->handle, &subject->uv, &kind, owner);
  return subject;
}

/* ---- spawn(file, arguments, environment, directory) ---------------------- */

/* The strings lie in the table, the array in a userdata: pushed. */
static char **push_strings(lua_State *L, int table) {
  luaL_checktype(L, table, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, table);
  char **strings = lua_newuserdatauv(L, (count + 1) * sizeof *strings, 0);
  for (lua_Unsigned i = 0; i < count; i++) {
    if (lua_rawgeti(L, table, (lua_Integer)i + 1) != LUA_TSTRING)
      luaL_error(L, "bad argument to a child (string expected, got %s)",
                 luaL_typename(L, -1));
    strings[i] = (char *)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

static int make_pipes(struct launch *l, int ours[2]) {
  uv_file ends[2][2];
  int status = uv_pipe(ends[0], UV_NONBLOCK_PIPE, 0);
  if (status < 0) return status;
  status = uv_pipe(ends[1], UV_NONBLOCK_PIPE, 0);
  if (status < 0) {
    close(ends[0][0]);
    close(ends[0][1]);
    return status;
  }
  for (int i = 0; i < 2; i++) {
    ours[i] = ends[i][0];
    l->files[i + 1] = ends[i][1];
  }
  return 0;
}

static int spawn(lua_State *L) {
  struct launch l = {.cwd = luaL_optstring(L, 4, NULL),
                     .files = {LAUNCH_NULL, LAUNCH_NULL, LAUNCH_NULL}};
  const char *file = luaL_checkstring(L, 1);
  int ours[2];
  l.argv = push_strings(L, 2);
  l.env = push_strings(L, 3);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  int status = l.cwd != NULL ? launch_check_cwd(l.cwd) : 0;
  if (status == 0) status = make_pipes(&l, ours);
  if (status == 0) {
    struct subject *subject = new_subject(host_of(L), owner, ours);
    if (subject == NULL) return luaL_error(L, "not enough memory for a child");
    subject->handle.origin = origin;
    handle_fill_box(box, &subject->handle);
    status = child_start(subject->child, &l);
    for (int i = 1; i < 3; i++) close(l.files[i]);
    if (status == 0) return 1;
    handle_end(&subject->handle);
  }
  return error_result(L, status, lua_pushfstring(L, "spawn %s", file));
}

/* ---- child:news(seconds) -> out, err, over ----------------------------- */

static void push_output(lua_State *L, struct capture *output) {
  lua_pushlstring(L, output->bytes, output->size);
  output->size = 0;
}

static int news_finish(lua_State *L) {
  struct subject *subject = handle_check_any(L, 1, class_name);
  if (subject->handle.closing) return error_result(L, UV_ECANCELED, "child");
  for (int i = 0; i < 2; i++) push_output(L, subject->outputs[i]);
  lua_pushboolean(L, is_over(subject));
  return 3;
}

static const struct wait news_wait = {"child", news_finish, NULL};

static void on_alarm(uv_timer_t *uv) {
  const struct subject *subject = uv->data;
  wait_wake_all(subject->waiters, UV_ETIMEDOUT);
}

/* Whoever is woken too early waits again, and sets it again. */
static void set_alarm(struct subject *subject, lua_Number seconds) {
  uv_timer_t *timer = &subject->uv;
  uint64_t ms = (uint64_t)(seconds * 1000) + 1;
  if (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) <= ms)
    return;
  uv_timer_start(timer, on_alarm, ms, 0);
}

/* What it has written since the last time. Without any, waits for it, for so
 * many seconds at most. */
static int news(lua_State *L) {
  struct subject *subject = handle_check_any(L, 1, class_name);
  lua_Number seconds = check_seconds(L, 2);
  lua_settop(L, 2);
  struct task *task = wait_begin(L, &news_wait, 3);
  if (has_news(subject)) return wait_pass(L, task, &subject->waiters);
  set_alarm(subject, seconds);
  return wait_park(L, task, &subject->waiters, WAIT_FOREVER);
}

/* real_time() -> seconds, whatever time it is for tasks */
static int real_time(lua_State *L) {
  lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
  return 1;
}

static int push_pid(lua_State *L) {
  const struct subject *subject = handle_check_any(L, 1, class_name);
  lua_pushinteger(L, subject->child->pid);
  return 1;
}

/* Its status; nothing while it runs. */
static int push_code(lua_State *L) {
  const struct subject *subject = handle_check_any(L, 1, class_name);
  if (child_runs(subject->child)) return 0;
  lua_pushinteger(L, subject->child->status);
  return 1;
}

/* kill(signal) -> whether it has been sent. One that is over gets none: its pid
 * may be another's. */
static int send_signal(lua_State *L) {
  const struct subject *subject = handle_check_any(L, 1, class_name);
  int number = signal_check(L, 2);
  bool sent =
    child_runs(subject->child) && kill(subject->child->pid, number) == 0;
  lua_pushboolean(L, sent);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {"code", push_code},
  {"kill", send_signal},
  {"news", news},
  {"pid", push_pid},
  {NULL, NULL},
};

void test_spawn_open(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
}

const luaL_Reg test_spawn[] = {
  {"real_time", real_time},
  {"spawn", spawn},
  {NULL, NULL},
};
