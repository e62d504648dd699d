/* http_request.c - whatever bytes come to an intake: the outcome does not
 * depend on how they are cut, and what is taken for a request is one.
 *
 * The input is what a connection sends. It is run whole, byte by byte, and cut
 * at places that its own bytes choose, with the usual limits and with narrow
 * ones. What holds of each request is asserted in intake_run.h. (Only the
 * words of a refusal may differ: a line may have more than one fault.) */
#include "spec/c/intake_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct intake_limits limits[] = {
  {.header_size = 16384, .target_size = 8192, .headers = 100},
  {.header_size = 200, .target_size = 20, .headers = 3},
};

enum cut { WHOLE, BYTES, PIECES };

/* As long as `most` at most, and mostly short. */
static size_t piece_size(uint64_t *random, size_t most) {
  *random = *random * 6364136223846793005U + 1442695040888963407U;
  uint64_t bits = *random >> 32;
  size_t size = 1 + (size_t)(bits >> 3) % (bits % 4 == 0 ? 200 : 12);
  return size < most ? size : most;
}

static struct outcome run(const struct intake_limits *limit, enum cut cut,
                          const char *bytes, size_t size) {
  struct run run;
  uint64_t random = 14695981039346656037U;
  for (size_t i = 0; i < size; i++)
    random = (random ^ (unsigned char)bytes[i]) * 1099511628211U;
  run_begin(&run, limit);
  for (size_t at = 0; at < size;) {
    size_t piece = size - at;
    if (cut == BYTES) piece = 1;
    if (cut == PIECES) piece = piece_size(&random, piece);
    run_piece(&run, bytes + at, piece);
    at += piece;
  }
  return run_finish(&run);
}

static void compare(const struct outcome *one, const struct outcome *other) {
  if (one->size == other->size &&
      memcmp(one->text, other->text, one->size) == 0)
    return;
  fprintf(stderr, "whole: %s (%s)\ncut:   %s (%s)\n", one->text,
          one->why == NULL ? "" : one->why, other->text,
          other->why == NULL ? "" : other->why);
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *bytes = (const char *)data;
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    struct outcome whole = run(&limits[i], WHOLE, bytes, size);
    for (enum cut cut = BYTES; cut <= PIECES; cut++) {
      struct outcome other = run(&limits[i], cut, bytes, size);
      compare(&whole, &other);
      free(other.text);
    }
    free(whole.text);
  }
  return 0;
}
