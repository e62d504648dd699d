/* spawn.c - a child process, and all that it writes.
 *
 * Four handles: the process, a timer, and a pipe each for its stdout and stderr,
 * which are read to their ends into C memory, whether somebody asks or not: so a
 * child never waits for us. The child is over when it has exited and both pipes
 * have ended. It never outlives its handle: closing that kills it and waits for
 * it, so that nothing is left to become a zombie. */
#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <uv.h>

#include "host/error.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/test/test.h"

extern char **environ;

static const char class_name[] = "test.child";

enum { LEAST_ROOM = 4096 };

struct output {
  struct handle handle; /* first member */
  uv_pipe_t uv;
  struct child *child; /* that closes us before it goes */
  char *bytes;         /* that nobody has taken */
  size_t size, room;
  bool ended;
};

struct
  alarm { /* for those who wait: by real time, also where time is virtual */
  struct handle handle; /* first member */
  uv_timer_t uv;
  struct child *child; /* as above */
};

struct child {
  struct handle handle; /* first member */
  uv_process_t uv;
  struct output *outputs[2];
  struct alarm *alarm;
  struct task *waiters; /* for news */
  int code;             /* the exit status, or 128 + the signal */
  bool exited;
};

/* No origin: it belongs to the child, which has one. */
static const struct work_kind output_kind = {.name = "output",
                                             .stop = handle_stop};
static const struct work_kind alarm_kind = {.name = "alarm",
                                            .stop = handle_stop};
static const struct work_kind child_kind = {.name = "child",
                                            .stop = handle_stop};

static bool is_over(const struct child *child) {
  return child->exited && child->outputs[0]->ended && child->outputs[1]->ended;
}

static bool has_news(const struct child *child) {
  return child->handle.closing || child->outputs[0]->size > 0 ||
         child->outputs[1]->size > 0 || is_over(child);
}

static void tell(const struct child *child) {
  if (has_news(child)) wait_wake_all(child->waiters, 0);
}

/* ---- its output ---------------------------------------------------------- */

static void give_buffer(uv_handle_t *uv, size_t suggested, uv_buf_t *buffer) {
  struct output *output = uv->data;
  (void)suggested;
  *buffer = uv_buf_init(NULL, 0); /* no memory: read calls back with ENOBUFS */
  if (output->room - output->size < LEAST_ROOM) {
    size_t room = output->room * 2 + LEAST_ROOM;
    char *bytes = realloc(output->bytes, room);
    if (bytes == NULL) return;
    output->bytes = bytes;
    output->room = room;
  }
  *buffer = uv_buf_init(output->bytes + output->size,
                        (unsigned)(output->room - output->size));
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer) {
  struct output *output = uv->data;
  (void)buffer;
  if (count > 0) output->size += (size_t)count;
  if (count < 0) {
    output->ended = true;
    uv_read_stop(uv);
  }
  tell(output->child);
}

static void free_output(struct handle *h) {
  free(((struct output *)h)->bytes);
}

/* ---- its life ------------------------------------------------------------ */

static void on_ended(uv_process_t *uv, int64_t status, int number) {
  struct child *child = uv->data;
  child->exited = true;
  child->code = number != 0 ? 128 + number : (int)status;
  tell(child);
}

static void end_process(struct child *child) {
  int status;
  if (child->exited) return;
  uv_process_kill(&child->uv, SIGKILL);
  while (waitpid(child->uv.pid, &status, 0) < 0 && errno == EINTR) continue;
}

static void on_close(struct handle *h) {
  struct child *child = (struct child *)h;
  end_process(child);
  for (int i = 0; i < 2; i++) handle_close(&child->outputs[i]->handle);
  handle_close(&child->alarm->handle);
  wait_wake_all(child->waiters, UV_ECANCELED);
}

static void free_child(struct handle *h) {
  struct child *child = (struct child *)h;
  for (int i = 0; i < 2; i++) handle_leave(&child->outputs[i]->handle);
  handle_leave(&child->alarm->handle);
}

static struct child *new_child(struct host *host) {
  struct child *child = handle_new(host, sizeof *child);
  struct output *out = handle_new(host, sizeof *out);
  struct output *err = handle_new(host, sizeof *err);
  struct alarm *alarm = handle_new(host, sizeof *alarm);
  if (child == NULL || out == NULL || err == NULL || alarm == NULL) {
    free(child);
    free(out);
    free(err);
    free(alarm);
    return NULL;
  }
  child->outputs[0] = out;
  child->outputs[1] = err;
  child->alarm = alarm;
  return child;
}

static void open_outputs(struct child *child, struct owner *owner) {
  for (int i = 0; i < 2; i++) {
    struct output *output = child->outputs[i];
    uv_pipe_init(&child->handle.host->loop, &output->uv, 0);
    handle_open(&output->handle, &output->uv, &output_kind, owner);
    handle_use(&output->handle); /* the child does, until it is freed */
    output->handle.on_free = free_output;
    output->child = child;
  }
}

/* The process is alive while somebody waits: the alarm need not be. */
static void open_alarm(struct child *child, struct owner *owner) {
  struct alarm *alarm = child->alarm;
  uv_timer_init(&child->handle.host->loop, &alarm->uv);
  uv_unref((uv_handle_t *)&alarm->uv);
  handle_open(&alarm->handle, &alarm->uv, &alarm_kind, owner);
  handle_use(&alarm->handle);
  alarm->child = child;
}

static int start(struct child *child, uv_process_options_t *options) {
  uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
  for (int i = 0; i < 2; i++) {
    stdio[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[i + 1].data.stream = (uv_stream_t *)&child->outputs[i]->uv;
  }
  options->stdio = stdio;
  options->stdio_count = 3;
  options->exit_cb = on_ended;
  uv_loop_t *loop = &child->handle.host->loop;
  int status = uv_spawn(loop, &child->uv, options);
  for (int i = 0; i < 2 && status == 0; i++)
    status = uv_read_start(stdio[i + 1].data.stream, give_buffer, on_read);
  return status;
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

static int spawn(lua_State *L) {
  uv_process_options_t options = {.file = luaL_checkstring(L, 1),
                                  .cwd = luaL_optstring(L, 4, NULL)};
  options.args = push_strings(L, 2);
  options.env = push_strings(L, 3);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct child *child = new_child(host_of(L));
  if (child == NULL) return luaL_error(L, "not enough memory for a child");
  open_outputs(child, owner);
  open_alarm(child, owner);
  int status = start(child, &options);
  child->handle.on_close = on_close;
  child->handle.on_free = free_child;
  child->handle.origin = origin;
  child->exited = !uv_is_active((uv_handle_t *)&child->uv);
  handle_open(&child->handle, &child->uv, &child_kind, owner);
  handle_fill_box(box, &child->handle);
  if (status == 0) return 1;
  handle_close(&child->handle);
  lua_pushfstring(L, "spawn %s", options.file);
  return error_result(L, status, lua_tostring(L, -1));
}

/* ---- child:news(seconds) -> out, err, over ----------------------------- */

static void push_output(lua_State *L, struct output *output) {
  lua_pushlstring(L, output->bytes, output->size);
  output->size = 0;
}

static int news_finish(lua_State *L) {
  struct child *child = handle_check_any(L, 1, class_name);
  if (child->handle.closing) return error_result(L, UV_ECANCELED, "child");
  for (int i = 0; i < 2; i++) push_output(L, child->outputs[i]);
  lua_pushboolean(L, is_over(child));
  return 3;
}

static const struct wait news_wait = {"child", news_finish, NULL};

static void on_alarm(uv_timer_t *uv) {
  const struct alarm *alarm = uv->data;
  wait_wake_all(alarm->child->waiters, UV_ETIMEDOUT);
}

/* Whoever is woken too early waits again, and sets it again. */
static void set_alarm(struct child *child, lua_Number seconds) {
  uv_timer_t *timer = &child->alarm->uv;
  uint64_t ms = (uint64_t)(seconds * 1000) + 1;
  if (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) <= ms)
    return;
  uv_timer_start(timer, on_alarm, ms, 0);
}

/* What it has written since the last time. Without any, waits for it, for so
 * many seconds at most. */
static int news(lua_State *L) {
  struct child *child = handle_check_any(L, 1, class_name);
  lua_Number seconds = check_seconds(L, 2);
  lua_settop(L, 2);
  struct task *task = wait_begin(L, &news_wait, 3);
  if (has_news(child)) return wait_pass(L, task, &child->waiters);
  set_alarm(child, seconds);
  return wait_park(L, task, &child->waiters, WAIT_FOREVER);
}

/* real_time() -> seconds, whatever time it is for tasks */
static int real_time(lua_State *L) {
  lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
  return 1;
}

static int push_pid(lua_State *L) {
  const struct child *child = handle_check_any(L, 1, class_name);
  lua_pushinteger(L, child->uv.pid);
  return 1;
}

/* Its status; nothing while it runs. */
static int push_code(lua_State *L) {
  const struct child *child = handle_check_any(L, 1, class_name);
  if (!child->exited) return 0;
  lua_pushinteger(L, child->code);
  return 1;
}

/* kill(number) -> whether it has been sent. One that is over gets none: its pid
 * may be another's. */
static int send_signal(lua_State *L) {
  struct child *child = handle_check_any(L, 1, class_name);
  int number = (int)luaL_checkinteger(L, 2);
  bool sent = !child->exited && !child->handle.closing &&
              uv_process_kill(&child->uv, number) == 0;
  lua_pushboolean(L, sent);
  return 1;
}

/* signal_number("TERM") -> 15 */
static int signal_number(lua_State *L) {
  static const char *const names[] = {"HUP",  "INT",  "QUIT", "KILL",
                                      "USR1", "USR2", "PIPE", "TERM",
                                      "CONT", "STOP", NULL};
  static const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGKILL, SIGUSR1,
                                SIGUSR2, SIGPIPE, SIGTERM, SIGCONT, SIGSTOP};
  lua_pushinteger(L, numbers[luaL_checkoption(L, 1, NULL, names)]);
  return 1;
}

/* exepath() -> the program that runs */
static int exepath(lua_State *L) {
  char path[4096];
  size_t size = sizeof path;
  int status = uv_exepath(path, &size);
  if (status < 0) return error_result(L, status, "exepath");
  lua_pushlstring(L, path, size);
  return 1;
}

/* environment() -> { "NAME=value", ... } */
static int environment(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; environ[i] != NULL; i++) {
    lua_pushstring(L, environ[i]);
    lua_rawseti(L, -2, i + 1);
  }
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
  {"environment", environment},
  {"exepath", exepath},
  {"real_time", real_time},
  {"signal_number", signal_number},
  {"spawn", spawn},
  {NULL, NULL},
};
