/* spawn - the limit for running programs: libuv's uv_spawn, with what a program
 * writes read to its end. spawn COUNT: runs /bin/true so often, 8 at a time, and
 * prints how many ended well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { AT_A_TIME = 8, PARTS = 3 }; /* the process, two pipes */

struct run {
  uv_process_t process;
  uv_pipe_t pipes[2]; /* stdout, stderr */
  int open;           /* of the parts */
  char buffer[4096];
};

static uv_loop_t *loop;
static long count, begun, ended;

static void begin(struct run *run);

static void on_closed(uv_handle_t *handle) {
  struct run *run = handle->data;
  if (--run->open == 0 && begun < count) begin(run);
}

static void on_end(uv_process_t *process, int64_t status, int signal) {
  if (status == 0 && signal == 0) ended++;
  uv_close((uv_handle_t *)process, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct run *run = handle->data;
  (void)size;
  *buffer = uv_buf_init(run->buffer, sizeof run->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  (void)buffer;
  if (got < 0) uv_close((uv_handle_t *)stream, on_closed);
}

static void begin(struct run *run) {
  static char *argv[] = {"/bin/true", NULL};
  uv_stdio_container_t files[3] = {{.flags = UV_IGNORE}};
  uv_process_options_t options = {
    .file = argv[0], .args = argv, .exit_cb = on_end, .stdio = files};
  options.stdio_count = 3;
  begun++;
  run->open = PARTS;
  run->process.data = run;
  for (int i = 0; i < 2; i++) {
    uv_pipe_init(loop, &run->pipes[i], 0);
    run->pipes[i].data = run;
    files[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    files[i + 1].data.stream = (uv_stream_t *)&run->pipes[i];
  }
  int status = uv_spawn(loop, &run->process, &options);
  if (status < 0) {
    fprintf(stderr, "spawn: %s\n", uv_strerror(status));
    exit(1);
  }
  for (int i = 0; i < 2; i++)
    uv_read_start((uv_stream_t *)&run->pipes[i], on_alloc, on_read);
}

int main(int argc, char **argv) {
  static struct run runs[AT_A_TIME];
  loop = uv_default_loop();
  count = argc > 1 ? atol(argv[1]) : 1000;
  for (int i = 0; i < AT_A_TIME && begun < count; i++) begin(&runs[i]);
  uv_run(loop, UV_RUN_DEFAULT);
  printf("%ld\n", ended);
  return 0;
}
