/* multipart.c - whatever bytes come to a multipart parser: the outcome does not
 * depend on how they are cut, and what is taken for a part is one.
 *
 * The first line of the input is a Content-Type, whose boundary is used if it has
 * one, the rest is the body. It is run whole, byte by byte, and cut at places
 * that its own bytes choose, with the usual limits and with narrow ones. What
 * holds of each part is asserted in multipart_run.h. */
#include "spec/c/multipart_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct part_limits limits[] = {
  {.header_size = 16384, .headers = 64},
  {.header_size = 80, .headers = 2},
};

enum cut { WHOLE, BYTES, PIECES };

/* As long as `most` at most, and mostly short. */
static size_t piece_size(uint64_t *random, size_t most) {
  *random = *random * 6364136223846793005U + 1442695040888963407U;
  uint64_t bits = *random >> 32;
  size_t size = 1 + (size_t)(bits >> 3) % (bits % 4 == 0 ? 200 : 12);
  return size < most ? size : most;
}

static struct outcome run(const struct part_limits *limit, const char *boundary,
                          enum cut cut, struct slice body) {
  struct run run;
  uint64_t random = 14695981039346656037U;
  for (size_t i = 0; i < body.size; i++)
    random = (random ^ (unsigned char)body.bytes[i]) * 1099511628211U;
  run_begin(&run, boundary, limit);
  for (size_t at = 0; at < body.size;) {
    size_t piece = body.size - at;
    if (cut == BYTES) piece = 1;
    if (cut == PIECES) piece = piece_size(&random, piece);
    run_piece(&run, body.bytes + at, piece);
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

static void try_all(const char *boundary, struct slice body) {
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    struct outcome whole = run(&limits[i], boundary, WHOLE, body);
    for (enum cut cut = BYTES; cut <= PIECES; cut++) {
      struct outcome other = run(&limits[i], boundary, cut, body);
      compare(&whole, &other);
      free(other.text);
    }
    free(whole.text);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *bytes = (const char *)data, *end = bytes + size;
  const char *line = size == 0 ? NULL : memchr(bytes, '\n', size);
  struct slice type = {bytes, line == NULL ? 0 : (size_t)(line - bytes)};
  const char *body = line == NULL ? bytes : line + 1;
  char boundary[BOUNDARY_MOST + 1] = "b";
  if (size == 0) return 0;
  struct slice found = content_type_boundary(type);
  if (found.bytes != NULL) {
    assert(found.size >= 1 && found.size <= BOUNDARY_MOST);
    memcpy(boundary, found.bytes, found.size);
    boundary[found.size] = '\0';
  }
  try_all(boundary, (struct slice){body, (size_t)(end - body)});
  return 0;
}
