/* multipart.c - whatever bytes come to a multipart parser: the outcome does not
 * depend on how they are cut, and what is taken for a part is one.
 *
 * The first line of the input is a Content-Type, whose boundary is used if it has
 * one, the rest is the body. It is run whole, byte by byte, and cut at places
 * that its own bytes choose, with the usual limits and with narrow ones. What
 * holds of each part is asserted in multipart_run.h. */
#include "spec/c/multipart_run.h"

#include "fuzz/cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct part_limits limits[] = {
  {.header_size = 16384, .headers = 64},
  {.header_size = 80, .headers = 2},
};

static struct outcome run(const struct part_limits *limit, const char *boundary,
                          enum cut cut, struct slice body) {
  struct run run;
  run_begin(&run, boundary, limit);
  run_cut(&run, cut, body.bytes, body.size);
  return run_finish(&run);
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
