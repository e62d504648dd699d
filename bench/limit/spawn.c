/* spawn - the limit for processes, with libuv's uv_spawn: runs a program that
 * writes a line, reads its output and waits for its end. Prints us of CPU for
 * each: spawn COUNT, 16 at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

enum { AT_ONCE = 16 };

struct slot {
  uv_process_t process;
  uv_pipe_t output;
  char text[64];
  size_t size;
  int open; /* of the two handles */
};

static struct slot slots[AT_ONCE];
static long left;

static void start(struct slot *slot);

static void on_closed(uv_handle_t *handle) {
  struct slot *slot = handle->data;
  if (--slot->open > 0) return;
  if (slot->size != 6 || memcmp(slot->text, "hello\n", 6) != 0) exit(1);
  if (left > 0) start(slot);
}

static void on_exit_of(uv_process_t *process, int64_t status, int number) {
  if (status != 0 || number != 0) exit(1);
  uv_close((uv_handle_t *)process, on_closed);
}

static void give_buffer(uv_handle_t *uv, size_t size, uv_buf_t *buffer) {
  struct slot *slot = uv->data;
  (void)size;
  *buffer = uv_buf_init(slot->text + slot->size,
                        (unsigned)(sizeof slot->text - slot->size));
}

static void on_read(uv_stream_t *uv, ssize_t size, const uv_buf_t *buffer) {
  struct slot *slot = uv->data;
  (void)buffer;
  if (size > 0) slot->size += (size_t)size;
  if (size < 0) uv_close((uv_handle_t *)uv, on_closed);
}

static void start(struct slot *slot) {
  char *argv[] = {"/bin/echo", "hello", NULL};
  uv_stdio_container_t stdio[3] = {
    {.flags = UV_IGNORE},
    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
     .data.stream = (uv_stream_t *)&slot->output},
    {.flags = UV_IGNORE}};
  uv_process_options_t options = {.file = argv[0],
                                  .args = argv,
                                  .exit_cb = on_exit_of,
                                  .stdio = stdio,
                                  .stdio_count = 3};
  left--;
  slot->size = 0;
  slot->open = 2;
  slot->process.data = slot->output.data = slot;
  uv_pipe_init(uv_default_loop(), &slot->output, 0);
  if (uv_spawn(uv_default_loop(), &slot->process, &options) < 0) exit(1);
  uv_read_start((uv_stream_t *)&slot->output, give_buffer, on_read);
}

static double us(struct timeval time) {
  return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 1000;
  struct rusage usage;
  left = count;
  for (int i = 0; i < AT_ONCE && left > 0; i++) start(&slots[i]);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  getrusage(RUSAGE_SELF, &usage);
  printf("%.1f\n", (us(usage.ru_utime) + us(usage.ru_stime)) / (double)count);
  return 0;
}
