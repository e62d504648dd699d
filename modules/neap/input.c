/* input.c - neap.stdin: standard input as a stream.
 *
 * It belongs to the process, and each version of a program reads on where the
 * one before has stopped. It is only read while somebody waits for it: so it
 * keeps no program alive, and takes nothing from children that was not asked
 * for. Its description is shared with the shell: it is never made non-blocking.
 * What can be polled is read when it has something; files cannot, they are read
 * in the thread pool. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/stream/stream.h"
#include "host/terminal.h"
#include "host/wait.h"
#include "modules/neap/standard.h"

enum { PIECE = 65536 };

struct input {
  struct stream stream; /* first member */
  bool polled;
  struct piece *piece; /* that a thread reads, or NULL */
};

struct piece {
  uv_work_t uv;
  struct input *input;
  ssize_t size; /* or one of libuv's errors */
  char bytes[PIECE];
};

static ssize_t read_some(char *bytes, size_t size) {
  ssize_t count;
  do count = read(STDIN_FILENO, bytes, size);
  while (count < 0 && errno == EINTR);
  if (count < 0) return uv_translate_sys_error(errno);
  return count == 0 ? UV_EOF : count;
}

/* ---- what can be polled -------------------------------------------------- */

static void on_readable(uv_poll_t *uv, int status, int events) {
  struct stream *stream = uv->data;
  (void)events; /* reading will tell */
  char *scratch = stream->handle.host->scratch;
  ssize_t size = read_some(scratch, SCRATCH_SIZE);
  if (size != UV_EAGAIN)
    stream_receive(stream, scratch, size);
  else if (status < 0) /* then libuv has stopped it */
    uv_poll_start(uv, UV_READABLE, on_readable);
}

/* libuv makes it non-blocking: it shares that with our stdout and the shell. */
static int init_poll(uv_loop_t *loop, struct input *input) {
  int flags = fcntl(STDIN_FILENO, F_GETFL);
  int status = uv_poll_init(loop, &input->stream.uv.poll, STDIN_FILENO);
  if (flags >= 0) fcntl(STDIN_FILENO, F_SETFL, flags);
  return status;
}

/* ---- what cannot --------------------------------------------------------- */

static int start_piece(struct input *input);

static void work(uv_work_t *uv) {
  struct piece *piece = uv->data;
  piece->size = read_some(piece->bytes, sizeof piece->bytes);
}

/* Nobody may wait for it any more: then it is for the next one who does. */
static void after(uv_work_t *uv, int status) {
  struct piece *piece = uv->data;
  struct input *input = piece->input;
  struct stream *stream = &input->stream;
  input->piece = NULL;
  if (status == 0 && !stream->handle.closing)
    stream_receive(stream, piece->bytes, piece->size);
  free(piece);
  if (stream->reading && !stream->handle.closing) {
    status = start_piece(input);
    if (status < 0) stream_receive(stream, NULL, status);
  }
  handle_leave(&stream->handle);
}

static int start_piece(struct input *input) {
  struct stream *stream = &input->stream;
  if (input->piece != NULL) return 0;
  struct piece *piece = malloc(sizeof *piece);
  if (piece == NULL) return UV_ENOMEM;
  piece->uv.data = piece;
  piece->input = input;
  int status =
    uv_queue_work(&stream->handle.host->loop, &piece->uv, work, after);
  if (status < 0) {
    free(piece);
    return status;
  }
  input->piece = piece;
  handle_use(&stream->handle);
  return 0;
}

/* ---- as a stream --------------------------------------------------------- */

static int start(struct stream *stream) {
  struct input *input = (struct input *)stream;
  if (!input->polled) return start_piece(input);
  return uv_poll_start(&stream->uv.poll, UV_READABLE, on_readable);
}

static void stop(struct stream *stream) {
  if (((struct input *)stream)->polled) uv_poll_stop(&stream->uv.poll);
}

static void push_name(lua_State *L, const struct stream *stream) {
  (void)stream;
  lua_pushliteral(L, "stdin");
}

/* Who waits for a person to type something waits no longer. */
static void drain(struct work *work) {
  const struct stream *stream = (const struct stream *)work;
  if (stream->inbox.size == 0)
    wait_wake_all(stream_reading(stream), UV_ECANCELED);
}

static const struct stream_kind kind = {
  .work = {.name = "stdin", .stop = handle_stop, .drain = drain},
  .class_name = "neap.stdin",
  .size = sizeof(struct input),
  .push_name = push_name,
  .start = start,
  .stop = stop,
  .on_demand = true};

static void on_free(struct handle *h) {
  if (h->host->input == (struct stream *)h) h->host->input = NULL;
  stream_free(h);
}

/* Where it cannot be polled the handle does nothing, and is only closed. */
static int new_input(struct host *host) {
  struct stream *stream = stream_alloc(host, &kind);
  if (stream == NULL) return UV_ENOMEM;
  struct input *input = (struct input *)stream;
  int status = init_poll(&host->loop, input);
  if (status < 0 && status != UV_EPERM) { /* the prompt reads it now */
    free(stream);
    return status;
  }
  input->polled = status == 0;
  if (!input->polled) uv_pipe_init(&host->loop, &stream->uv.pipe, 0);
  stream->handle.on_free = on_free;
  stream->handle.end = NULL; /* at once: nothing goes out */
  stream->handle.rooted = true;
  stream->served = true; /* its end is that of the program */
  stream->shut = true;
  stream->broken = UV_EPIPE;
  stream_open(stream, &host->root->background);
  host->input = stream;
  return 0;
}

/* ---- stdin:raw(flag), stdin:size(), fields ------------------------------- */

static struct stream *check(lua_State *L) {
  return handle_check(L, 1, kind.class_name);
}

static int set_raw(lua_State *L) {
  const struct stream *stream = check(L);
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  int status = terminal_set_raw(STDIN_FILENO, lua_toboolean(L, 2));
  if (status < 0) return stream_error(L, stream, status, "raw mode of");
  lua_settop(L, 1);
  return 1;
}

static int get_size(lua_State *L) {
  check(L);
  return standard_push_size(L, STDIN_FILENO, "stdin");
}

static int get_is_terminal(lua_State *L) {
  handle_check_any(L, 1, kind.class_name);
  lua_pushboolean(L, isatty(STDIN_FILENO));
  return 1;
}

static const luaL_Reg methods[] = {
  {"chunks", stream_chunks},
  {"close", handle_method_close},
  {"lines", stream_lines},
  {"raw", set_raw},
  {"read", stream_read},
  {"size", get_size},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL},
  {"is_terminal", get_is_terminal, NULL},
  {NULL, NULL, NULL},
};

int standard_push_input(lua_State *L) {
  struct host *host = host_of(L);
  stream_class(L, &kind, methods, fields);
  struct box *box = handle_push_empty_box(L, kind.class_name, kind.values);
  int status = 0;
  if (host->input == NULL || host->input->handle.closing)
    status = new_input(host);
  if (status < 0) return luaL_error(L, "open stdin: %s", uv_strerror(status));
  handle_fill_box(box, &host->input->handle);
  return 1;
}
