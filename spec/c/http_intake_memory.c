/* http_intake_memory.c - there is no memory for a head, or for what comes into
 * it: each time it is asked for, in turn. The request is refused with 503,
 * and the next one, with memory, is served.
 *
 * head.c is here once more, with a malloc that fails: it is linked instead of the
 * other, as it has all of its names. */
#include <stdlib.h>

static int left = -1; /* until the one that fails; below 0: none does */

static void *unless_failing(void *block, size_t size) {
  return left >= 0 && left-- == 0 ? NULL : realloc(block, size);
}

#define malloc(size) unless_failing(NULL, size)
#define realloc(block, size) unless_failing(block, size)
#include "modules/http/head.c"
#undef malloc
#undef realloc

#include "spec/c/intake_run.h"

#define BYTES100                                                               \
  "0123456789012345678901234567890123456789012345678901234567890123456789"     \
  "012345678901234567890123456789"
#define BYTES400 BYTES100 BYTES100 BYTES100 BYTES100

/* Longer than what comes first: so there is more to ask for. */
static const char request[] =
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
  "X: " BYTES400 "\r\n\r\n1\r\nx\r\n0\r\nY: " BYTES400 BYTES400
  "\r\nZ: " BYTES400 "\r\n\r\n";
static const char expected[] =
  "POST / 1.1; Host: a; Transfer-Encoding: chunked; X: " BYTES400
  " | x | Y: " BYTES400 BYTES400 "; Z: " BYTES400;

static const struct intake_limits limits = {
  .header_size = 16384, .target_size = 8192, .headers = 100};

/* In pieces of such a size; false: all of it was served. */
static bool is_refused(int failing, size_t piece) {
  struct run run;
  run_begin(&run, &limits);
  left = failing;
  for (size_t at = 0; at < sizeof request - 1; at += piece) {
    size_t rest = sizeof request - 1 - at;
    run_piece(&run, request + at, rest < piece ? rest : piece);
  }
  left = -1;
  bool refused = run.intake.state == INTAKE_REFUSED;
  struct outcome outcome = run_finish(&run);
  assert(strcmp(outcome.text, refused ? "503" : expected) == 0);
  free(outcome.text);
  return refused;
}

int main(void) {
  static const size_t pieces[] = {1, 2, 7, 100, sizeof request};
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    int failing = 0;
    while (is_refused(failing, pieces[i])) failing++;
    assert(failing >= 3); /* the head, the headers, the trailers */
  }
  return 0;
}
