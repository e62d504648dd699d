/* http_request.c - whatever bytes come to an intake: the outcome does not
 * depend on how they are cut, and what is taken for a request is one.
 *
 * The input is what a connection sends. It is run whole, byte by byte, and cut
 * at places that its own bytes choose, with the usual limits and with narrow
 * ones. What holds of each request is asserted in intake_run.h. (Only the
 * words of a refusal may differ: a line may have more than one fault.) */
#include "spec/c/intake_run.h"

#include "fuzz/cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct intake_limits limits[] = {
  {.header_size = 16384, .target_size = 8192, .headers = 100},
  {.header_size = 200, .target_size = 20, .headers = 3},
};

static struct outcome run(const struct intake_limits *limit, enum cut cut,
                          const char *bytes, size_t size) {
  struct run run;
  run_begin(&run, limit);
  run_cut(&run, cut, bytes, size);
  return run_finish(&run);
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
