/* front.c - puts a stream of our own in front of stdout and stderr. It passes
 * on at once what it gets, to what was there before. That needs a C library
 * where streams can be made and stdout can be set: elsewhere nothing happens,
 * and output appears in the middle of the line that is edited. */
#include "cli/repl/editor/front.h"

#include <unistd.h>

static bool partial;

#ifdef __GLIBC__

struct front {
  FILE *file, *behind;
  bool is_terminal;
};

static struct front fronts[2]; /* stdout, stderr */
static void (*before_write)(void);

static ssize_t pass_on(void *cookie, const char *bytes, size_t size) {
  struct front *front = cookie;
  if (size == 0) return 0;
  if (front->is_terminal) {
    before_write();
    partial = bytes[size - 1] != '\n';
  }
  size_t written = fwrite(bytes, 1, size, front->behind);
  if (fflush(front->behind) != 0 || written < size) return 0;
  return (ssize_t)size;
}

static FILE *put_before(struct front *front, FILE *behind, int fd, int mode) {
  cookie_io_functions_t functions = {.write = pass_on};
  front->behind = behind;
  front->is_terminal = isatty(fd);
  front->file = fopencookie(front, "w", functions);
  if (front->file == NULL) return behind;
  setvbuf(front->file, NULL, mode, BUFSIZ);
  return front->file;
}

static FILE *take_away(struct front *front) {
  if (front->file != NULL) fclose(front->file);
  front->file = NULL;
  return front->behind;
}

void front_open(void (*about_to_write)(void)) {
  if (before_write != NULL) return;
  before_write = about_to_write;
  stdout = put_before(&fronts[0], stdout, STDOUT_FILENO, _IOLBF);
  stderr = put_before(&fronts[1], stderr, STDERR_FILENO, _IONBF);
}

void front_close(void) {
  if (before_write == NULL) return;
  stdout = take_away(&fronts[0]);
  stderr = take_away(&fronts[1]);
  before_write = NULL;
}

#else

void front_open(void (*about_to_write)(void)) {
  (void)about_to_write;
}

void front_close(void) {}

#endif

void front_flush(void) {
  fflush(stdout);
  fflush(stderr);
}

bool front_is_partial(void) {
  return partial;
}

void front_end_line(void) {
  partial = false;
}
