/* input.c - a uv_poll on standard input. It is a handle like any other, and
 * active only while somebody waits. */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/handle.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "neap.input";

struct input {
  struct handle handle; /* first member */
  uv_poll_t uv;
  struct task *reader;
};

static const struct work_kind input_kind = {.name = "input",
                                            .stop = handle_stop};

/* ---- open() -------------------------------------------------------------- */

static void on_close(struct handle *h) {
  wait_wake_all(((struct input *)h)->reader, UV_ECANCELED);
}

/* libuv makes the descriptor non-blocking. It shares that with our stdout and
 * with the shell, and we only read what is there: it stays as it was. */
static int init(struct input *input, uv_loop_t *loop) {
  int flags = fcntl(STDIN_FILENO, F_GETFL);
  int status = uv_poll_init(loop, &input->uv, STDIN_FILENO);
  if (flags >= 0) fcntl(STDIN_FILENO, F_SETFL, flags);
  return status;
}

static int open_input(lua_State *L) {
  struct host *host = host_of(L);
  struct owner *owner = owner_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct input *input = handle_new(host, sizeof *input);
  if (input == NULL) return luaL_error(L, "not enough memory");
  if (init(input, &host->loop) < 0) { /* a file: always ready */
    free(input);
    return 0;
  }
  input->handle.on_close = on_close;
  handle_open(&input->handle, &input->uv, &input_kind, owner);
  handle_fill_box(box, &input->handle);
  return 1;
}

/* ---- input:wait() -------------------------------------------------------- */

static void on_readable(uv_poll_t *uv, int status, int events) {
  struct input *input = uv->data;
  (void)status, (void)events; /* reading will tell */
  uv_poll_stop(uv);
  wait_wake_all(input->reader, 0);
}

static int wait_finish(lua_State *L) {
  (void)L;
  return 0;
}

static const struct wait input_wait = {"input", wait_finish, NULL};

static int wait_input(lua_State *L) {
  struct input *input = handle_check(L, 1, class_name);
  struct task *task = wait_begin(L, &input_wait, 2);
  if (uv_poll_start(&input->uv, UV_READABLE, on_readable) < 0)
    return wait_pass(L, task, &input->reader);
  return wait_park(L, task, &input->reader, WAIT_FOREVER);
}

/* Whoever waits goes on: something else has happened. */
static int wake_input(lua_State *L) {
  struct input *input = handle_check_any(L, 1, class_name);
  wait_wake_all(input->reader, 0);
  return 0;
}

/* ---- read() -------------------------------------------------------------- */

static bool is_readable(void) {
  struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
  return poll(&fd, 1, 0) > 0;
}

static bool read_byte(char *byte) {
  ssize_t count;
  do count = read(STDIN_FILENO, byte, 1);
  while (count < 0 && errno == EINTR);
  return count == 1;
}

static int read_input(lua_State *L) {
  luaL_Buffer line;
  char byte;
  luaL_buffinit(L, &line);
  while (read_byte(&byte)) {
    luaL_addchar(&line, byte);
    if (byte == '\n' || !is_readable()) break;
  }
  luaL_pushresult(&line);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {"wait", wait_input},
  {"wake", wake_input},
  {NULL, NULL},
};

void input_push(lua_State *L) {
  handle_class(L, class_name, methods, NULL);
  lua_pushcfunction(L, open_input);
  lua_pushcfunction(L, read_input);
}
