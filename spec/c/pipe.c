/* pipe.c - a class of streams that is no socket: the pipes of a child are read,
 * written and closed by the functions that connections have, too. */
#include <string.h>

#include "host/stream/stream.h"
#include "spec/c/machine.h"

static void push_name(lua_State *L, const struct stream *stream) {
  (void)stream;
  lua_pushliteral(L, "child");
}

static const struct stream_kind kind = {.work = {.name = "pipe",
                                                 .stop = handle_stop,
                                                 .drain = stream_drain,
                                                 .lasts = true},
                                        .class_name = "test.pipe",
                                        .size = sizeof(struct stream),
                                        .push_name = push_name};

static const luaL_Reg methods[] = {
  {"chunks", stream_chunks},
  {"close", handle_method_close},
  {"lines", stream_lines},
  {"read", stream_read},
  {"shutdown", stream_shutdown},
  {"write", stream_write},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL},
  {"pending", stream_field_pending, NULL},
  {NULL, NULL, NULL},
};

/* ---- cat() -> what it reads, what it writes ------------------------------ */

static struct stream *new_pipe(struct host *host) {
  struct stream *stream =
    stream_new(host, &host->root->background, UV_NAMED_PIPE, &kind);
  assert(stream != NULL);
  return stream;
}

static void on_exit_of_child(uv_process_t *child, int64_t status, int signal) {
  (void)status, (void)signal;
  uv_close((uv_handle_t *)child, NULL);
}

static int cat(lua_State *L) {
  static uv_process_t child;
  struct host *host = host_of(L);
  struct stream *in = new_pipe(host), *out = new_pipe(host);
  uv_stdio_container_t stdio[3] = {
    {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = &in->uv.stream},
    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
     .data.stream = &out->uv.stream},
    {.flags = UV_IGNORE}};
  uv_process_options_t options = {.file = "cat",
                                  .args = (char *[]){"cat", NULL},
                                  .exit_cb = on_exit_of_child,
                                  .stdio_count = 3,
                                  .stdio = stdio};
  int status = uv_spawn(&host->loop, &child, &options);
  assert(status == 0);
  status = stream_start(out); /* what is only written is not started */
  assert(status == 0);
  (void)status;
  stream_push(L, in);
  stream_push(L, out);
  return 2;
}

static const char text[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "local input, output = cat()\n"
  "assert(input:write 'one\\ntwo\\n' == input)\n"
  "assert(output:read() == 'one\\ntwo\\n')\n"
  "local big = ('x'):rep(1000000)\n"
  "local writer = neap.go(function()\n"
  "  assert(input:write { big, '\\n' })\n"
  "  assert(input:shutdown())\n"
  "end)\n"
  "local count = 0\n"
  "for line in output:lines() do\n"
  "  count = count + 1\n"
  "  assert(line == big)\n"
  "end\n"
  "writer:join()\n"
  "assert(count == 1 and input.pending == 0)\n"
  "assert(output:read() == nil)\n"
  "local _, message, code = input:write 'more'\n"
  "assert(message == 'write child: broken pipe' and code == 'EPIPE')\n"
  /* Methods belong to all of them, what only sockets have does not. */
  "local server <close> = net.listen('127.0.0.1:0', function() end)\n"
  "local conn <close> = net.connect(server.address)\n"
  "assert(input.read(conn, 0) == conn:read(0))\n"
  "local ok, why = pcall(conn.nodelay, input, true)\n"
  "assert(not ok and why:find('neap.connection expected', 1, true), why)\n"
  "ok, why = pcall(conn.read, io.stdout)\n"
  "assert(not ok and why:find('stream expected', 1, true), why)\n"
  "input:close()\n"
  "ok, why = pcall(input.write, input, 'x')\n"
  "assert(not ok and why:find('this pipe is closed', 1, true), why)\n"
  "assert(input.closed and not output.closed)\n"
  "done = true\n";

int main(void) {
  struct host *host = machine_open(20);
  stream_class(host->L, &kind, methods, fields);
  lua_register(host->L, "cat", cat);
  machine_start(host, &host->root->background, text);
  loop_run(host);
  lua_getglobal(host->L, "done");
  assert(lua_toboolean(host->L, -1) && host_exit_code(host) == 0);
  machine_close(host);
  return 0;
}
