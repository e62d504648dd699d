/* unpacking.c - whatever is sent as a packed body: what comes out does not depend
 * on how it is cut, and is no more than the limit, in pieces of a bounded size.
 *
 * The first byte of the input chooses the coding and the limit. What fails does so
 * however it is cut; but how much has come out before, and so which of two reasons
 * comes first, may differ. */
#include "modules/http/unpacking.h"

#include <assert.h>
#include <string.h>

enum { PIECE_MOST = 65536 };

struct outcome {
  char *text;
  size_t size;
  const char *why; /* it has failed */
};

struct run {
  struct unpacking *unpacking;
  struct outcome outcome;
  size_t limit;
  int status;
};

/* Who reads takes the piece. */
static void take_output(struct run *run) {
  struct codec_output *output = &run->unpacking->feed.output;
  struct outcome *outcome = &run->outcome;
  assert(output->size <= PIECE_MOST && output->room <= PIECE_MOST);
  assert(outcome->size + output->size <= run->limit);
  if (output->size > 0)
    memcpy(outcome->text + outcome->size, output->data, output->size);
  outcome->size += output->size;
  unpacking_clear(run->unpacking);
  const struct feed *feed = &run->unpacking->feed;
  if (run->unpacking->ended) assert(!feed->codec && !output->data);
}

static void unpack(struct run *run, const char *bytes, size_t size, bool last) {
  struct unpacking *unpacking = run->unpacking;
  do {
    if (run->status != 0) return;
    size_t used =
      unpacking_take(unpacking, bytes, size, last, run->limit, &run->status);
    assert(used <= size);
    assert(run->status <= 0);
    if (run->status == 0) take_output(run);
    bytes += used;
    size -= used;
  } while (size > 0 || unpacking->holds);
}

static void run_piece(struct run *run, const char *bytes, size_t size) {
  unpack(run, bytes, size, false);
}

#include "fuzz/cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t limits[] = {1 << 20, 1000, 0, 70000};

/* Where it comes whole, its last byte is known to be the last, as by a
 * Content-Length; else that it has ended is told behind it, as by chunks. */
static struct outcome unpack_cut(enum cut cut, uint8_t choice,
                                 const char *bytes, size_t size) {
  struct run run = {.unpacking = unpacking_new((enum coding)(choice % 3)),
                    .limit = limits[choice / 3 % 4]};
  assert(run.unpacking != NULL);
  run.outcome.text = malloc(run.limit + 1);
  if (cut == WHOLE) {
    unpack(&run, bytes, size, true);
  } else {
    run_cut(&run, cut, bytes, size);
    unpack(&run, "", 0, true);
  }
  assert(run.unpacking->ended == (run.status == 0));
  run.outcome.text[run.outcome.size] = '\0';
  if (run.status != 0) run.outcome.why = "failed";
  unpacking_free(run.unpacking);
  return run.outcome;
}

static void check(struct outcome whole, struct outcome other) {
  assert((whole.why == NULL) == (other.why == NULL));
  if (whole.why != NULL) {
    size_t both = whole.size < other.size ? whole.size : other.size;
    whole.size = other.size = both;
  }
  compare(&whole, &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const char *bytes = (const char *)data + 1;
  struct outcome whole = unpack_cut(WHOLE, data[0], bytes, size - 1);
  for (enum cut cut = BYTES; cut <= PIECES; cut++) {
    struct outcome other = unpack_cut(cut, data[0], bytes, size - 1);
    check(whole, other);
    free(other.text);
  }
  free(whole.text);
  return 0;
}
