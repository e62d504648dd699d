/* run.c - process.run: a program as a function. Its input is one string, its
 * output is read into C memory; the task waits for its end.
 *
 * It is over when the program has ended, and what lies in its pipes then has
 * been read: whoever else still has them, something it left in the background,
 * is not waited for. All of it goes by real time, and virtual time stands still
 * meanwhile. When the task is cancelled the program is ended, by itself: what
 * it is made of goes when it has gone. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/capture.h"
#include "host/child.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/signal_names.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/process/command.h"
#include "modules/process/process.h"

static const char class_name[] = "neap.process.run";

static const size_t limit_otherwise = 16 << 20;

struct place {         /* where its task waits */
  struct task *waiter; /* first member, see interrupt */
  struct run *run;
};

struct run {
  struct child child; /* first member */
  struct place place;
  struct capture *outputs[2]; /* or NULL */
  struct feed *feed;          /* its input, or NULL */
  size_t limit;               /* bytes of output */
  int failure;                /* why it could not be started, or read, or 0 */
  bool cwd_failed;            /* in that directory */
  bool is_too_much;
};

/* ---- its input ----------------------------------------------------------- */

struct feed { /* a pipe that goes when all has been written, or is not wanted */
  struct handle handle; /* first member */
  uv_pipe_t uv;
  uv_write_t write;
  char data[];
};

static const struct work_kind feed_kind = {
  .name = "input", .stop = handle_stop, .lasts = true};

static void on_written(uv_write_t *uv, int status) {
  struct handle *h = uv->handle->data;
  (void)status; /* EPIPE: it has ended without having read it all */
  h->host->peer_requests--;
  handle_close(h);
  handle_leave(h);
}

/* `fd` is its own from now on. */
static int start_feed(struct run *run, int fd, const char *data, size_t size) {
  struct host *host = run->child.handle.host;
  struct feed *feed = handle_new(host, sizeof *feed + size);
  if (feed == NULL) {
    close(fd);
    return UV_ENOMEM;
  }
  memcpy(feed->data, data, size);
  uv_buf_t buffer = uv_buf_init(feed->data, (unsigned)size);
  uv_pipe_init(&host->loop, &feed->uv, 0);
  handle_open(&feed->handle, &feed->uv, &feed_kind,
              run->child.handle.work.owner);
  handle_use(&feed->handle); /* the run does */
  run->feed = feed;
  int status = uv_pipe_open(&feed->uv, fd);
  if (status < 0) close(fd);
  if (status == 0)
    status =
      uv_write(&feed->write, (uv_stream_t *)&feed->uv, &buffer, 1, on_written);
  if (status < 0) return status;
  handle_use(&feed->handle); /* the request does */
  host->peer_requests++;
  return 0;
}

/* ---- its output ---------------------------------------------------------- */

static size_t size_of_output(const struct run *run) {
  size_t size = 0;
  for (int i = 0; i < 2; i++)
    if (run->outputs[i] != NULL) size += run->outputs[i]->size;
  return size;
}

static void on_output(struct capture *capture) {
  struct run *run = capture->data;
  if (capture->broken != 0) run->failure = capture->broken;
  if (size_of_output(run) > run->limit) run->is_too_much = true;
  if (run->failure == 0 && !run->is_too_much) return;
  for (int i = 0; i < 2; i++) /* nobody wants the rest */
    if (run->outputs[i] != NULL) handle_close(&run->outputs[i]->handle);
  child_end(&run->child);
}

static int start_capture(struct run *run, int i, int fd) {
  struct capture *capture =
    capture_new(run->child.handle.host, fd, run->child.handle.work.owner);
  if (capture == NULL) return UV_ENOMEM;
  capture->tell = on_output;
  capture->data = run;
  run->outputs[i] = capture;
  return 0;
}

/* ---- its life ------------------------------------------------------------ */

static void on_over(struct child *child) {
  struct run *run = (struct run *)child;
  for (int i = 0; i < 2; i++) {
    struct capture *capture = run->outputs[i];
    if (capture == NULL) continue;
    capture_finish(capture);
    if (capture->broken != 0) run->failure = capture->broken;
  }
  if (size_of_output(run) > run->limit) run->is_too_much = true;
  child->handle.host->errands--;
  wait_wake_all(run->place.waiter, 0);
}

/* Whether it has run or not. */
static void on_close(struct handle *h) {
  struct run *run = (struct run *)h;
  for (int i = 0; i < 2; i++)
    if (run->outputs[i] != NULL) handle_close(&run->outputs[i]->handle);
  if (run->feed != NULL) handle_close(&run->feed->handle);
}

static void on_free(struct handle *h) {
  struct run *run = (struct run *)h;
  for (int i = 0; i < 2; i++)
    if (run->outputs[i] != NULL) handle_leave(&run->outputs[i]->handle);
  if (run->feed != NULL) handle_leave(&run->feed->handle);
}

static struct run *new_run(struct host *host, struct owner *owner) {
  struct child *child = child_new(host, sizeof(struct run), owner, false);
  if (child == NULL) return NULL;
  struct run *run = (struct run *)child;
  child->on_over = on_over;
  child->handle.on_close = on_close;
  child->handle.on_free = on_free;
  run->place.run = run;
  return run;
}

/* The pipes that are asked for; -1 for the others. */
struct pipes {
  int ours[3], theirs[3];
};

static int make_pipes(struct launch *launch, struct pipes *pipes) {
  for (int i = 0; i < 3; i++) pipes->ours[i] = pipes->theirs[i] = -1;
  for (int i = 0; i < 3; i++) {
    if (launch->files[i] == FILE_AS_OUTPUT)
      launch->files[i] = launch->files[STDOUT_FILENO];
    if (launch->files[i] != FILE_PIPE) continue;
    int fd = command_pipe(launch, i, &pipes->theirs[i]);
    if (fd < 0) return fd;
    pipes->ours[i] = fd;
  }
  return 0;
}

static void close_all(int fds[3]) {
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) close(fds[i]);
}

static int start_pipes(struct run *run, struct pipes *pipes, const char *data,
                       size_t size) {
  int status = 0;
  for (int i = 0; i < 3; i++) {
    int fd = pipes->ours[i];
    if (fd < 0) continue;
    pipes->ours[i] = -1;
    int result = i == STDIN_FILENO ? start_feed(run, fd, data, size)
                                   : start_capture(run, i - 1, fd);
    if (result < 0) status = result;
  }
  return status;
}

/* What could not be started is closed; what has been started is over when it
 * ends. */
static int start_run(struct run *run, struct launch *l, const char *data,
                     size_t size) {
  struct pipes pipes;
  int status = l->cwd != NULL ? launch_check_cwd(l->cwd) : 0;
  if (status < 0) {
    run->cwd_failed = true;
    return status;
  }
  status = make_pipes(l, &pipes);
  if (status == 0) status = child_start(&run->child, l);
  close_all(pipes.theirs);
  if (status == 0) run->child.handle.host->errands++;
  if (status == 0) status = start_pipes(run, &pipes, data, size);
  close_all(pipes.ours);
  return status;
}

/* ---- process.run(list [, options] [, callback]) -------------------------- */

static void push_result(lua_State *L, const struct run *run) {
  static const char *const names[] = {"stdout", "stderr"};
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, run->child.status);
  lua_setfield(L, -2, "status");
  if (run->child.signal != 0) {
    lua_pushstring(L, signal_name(run->child.signal));
    lua_setfield(L, -2, "signal");
  }
  for (int i = 0; i < 2; i++) {
    const struct capture *capture = run->outputs[i];
    if (capture == NULL) continue;
    lua_pushlstring(L, capture->bytes, capture->size);
    lua_setfield(L, -2, names[i]);
  }
}

static int run_finish(lua_State *L) { /* list, options, box */
  const struct box *box = lua_touserdata(L, 3);
  const struct run *run = (const struct run *)box->handle;
  if (run == NULL) return command_error(L, wait_status(L), "run", false);
  if (run->failure < 0)
    return command_error(L, run->failure, "run", run->cwd_failed);
  if (run->is_too_much) {
    command_error(L, UV_ENOBUFS, "run", false);
    lua_geti(L, 1, 1);
    lua_pushfstring(L, "run %s: more than %I bytes of output",
                    lua_tostring(L, -1), (LUAI_UACINT)run->limit);
    lua_replace(L, -4);
    lua_pop(L, 1);
  } else if (run->child.is_late) {
    command_error(L, UV_ETIMEDOUT, "run", false);
  } else if (run->child.ending) { /* its owner is over, and so are we soon */
    command_error(L, UV_ECANCELED, "run", false);
  } else {
    push_result(L, run);
    return 1;
  }
  push_result(L, run);
  return 4;
}

/* It ends by itself, and nobody waits for that. */
static bool interrupt(struct task *task) {
  child_end(&((struct place *)task->parked)->run->child);
  return false;
}

static const struct wait run_wait = {"run", run_finish, interrupt};

static size_t check_limit(lua_State *L) {
  if (lua_isnil(L, 2) || lua_getfield(L, 2, "limit") == LUA_TNIL)
    return limit_otherwise;
  int is_integer;
  lua_Integer limit = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || limit < 0)
    luaL_argerror(L, 2, "limit is a number of bytes");
  return (size_t)limit;
}

static const char *check_input(lua_State *L, struct launch *launch,
                               size_t *size) {
  if (lua_isnil(L, 2) || lua_getfield(L, 2, "stdin") == LUA_TNIL) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, 2, "stdin is a string: what it reads");
  launch->files[STDIN_FILENO] = FILE_PIPE;
  const char *data = lua_tolstring(L, -1, size);
  if (*size > INT32_MAX) luaL_argerror(L, 2, "stdin is more than 2 GB");
  return data;
}

int process_run(lua_State *L) {
  static const char *const options[] = {"cwd",    "env",     "inherit_env",
                                        "limit",  "stderr",  "stdin",
                                        "stdout", "timeout", NULL};
  struct launch launch;
  size_t size = 0;
  option_arguments(L, 1, options);
  command_check(L, &launch);
  const char *data = check_input(L, &launch, &size);
  command_check_file(L, &launch, STDOUT_FILENO, "stdout", FILE_PIPE);
  command_check_file(L, &launch, STDERR_FILENO, "stderr", FILE_PIPE);
  int64_t timeout = option_ms(L, 2, "timeout");
  size_t limit = check_limit(L);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  lua_pushvalue(L, 3); /* list, options, callback, ..., box, callback */
  lua_replace(L, 4);
  lua_replace(L, 3);
  struct task *task = wait_begin(L, &run_wait, 4);
  struct run *run = new_run(task->host, owner);
  if (run == NULL) return wait_fail(L, task, UV_ENOMEM);
  handle_fill_box(box, &run->child.handle);
  run->child.handle.origin = origin;
  run->limit = limit;
  run->failure = start_run(run, &launch, data, size);
  if (run->failure < 0) {
    handle_end(&run->child.handle);
    return wait_fail(L, task, 0);
  }
  if (timeout >= 0) child_limit(&run->child, (uint64_t)timeout);
  return wait_park(L, task, &run->place.waiter, WAIT_FOREVER);
}

static const luaL_Reg methods[] = {
  {NULL, NULL},
};

void process_open_run(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
}
