/* output.c - puts a stream of our own in front of stdout and stderr. It passes
 * on at once what it gets, to what was there before. That needs a C library
 * where streams can be made and stdout can be set: elsewhere nothing happens,
 * and output appears in the middle of the line that is edited. */
#include "cli/repl/editor/output.h"

#include <unistd.h>

static bool partial;

#ifdef __GLIBC__

struct output {
  FILE *front, *behind;
  bool is_terminal;
};

static struct output outputs[2]; /* stdout, stderr */
static void (*before_write)(void);

static ssize_t pass_on(void *cookie, const char *bytes, size_t size) {
  struct output *output = cookie;
  if (size == 0) return 0;
  if (output->is_terminal) {
    before_write();
    partial = bytes[size - 1] != '\n';
  }
  size_t written = fwrite(bytes, 1, size, output->behind);
  if (fflush(output->behind) != 0 || written < size) return 0;
  return (ssize_t)size;
}

static FILE *put_before(struct output *output, FILE *behind, int fd, int mode) {
  cookie_io_functions_t functions = {.write = pass_on};
  output->behind = behind;
  output->is_terminal = isatty(fd);
  output->front = fopencookie(output, "w", functions);
  if (output->front == NULL) return behind;
  setvbuf(output->front, NULL, mode, BUFSIZ);
  return output->front;
}

static FILE *take_away(struct output *output) {
  if (output->front != NULL) fclose(output->front);
  output->front = NULL;
  return output->behind;
}

void output_open(void (*about_to_write)(void)) {
  if (before_write != NULL) return;
  before_write = about_to_write;
  stdout = put_before(&outputs[0], stdout, STDOUT_FILENO, _IOLBF);
  stderr = put_before(&outputs[1], stderr, STDERR_FILENO, _IONBF);
}

void output_close(void) {
  if (before_write == NULL) return;
  stdout = take_away(&outputs[0]);
  stderr = take_away(&outputs[1]);
  before_write = NULL;
}

#else

void output_open(void (*about_to_write)(void)) {
  (void)about_to_write;
}

void output_close(void) {}

#endif

void output_flush(void) {
  fflush(stdout);
  fflush(stderr);
}

bool output_is_partial(void) {
  return partial;
}

void output_end_line(void) {
  partial = false;
}
