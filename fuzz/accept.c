/* accept.c - whatever a client sends as Accept or Accept-Encoding: weights are
 * in their range, what is best has the greatest one, order and spelling of what
 * is not concerned change nothing.
 *
 * The first byte says which header it is, the rest is its value. */
#include "modules/http/values/accept.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COUNT = 5 };

static const char *const offers[][COUNT] = {
  {"text/html", "text/html;level=1", "application/json", "image/png",
   "text/plain; charset=\"utf-8\""},
  {"br", "gzip", "deflate", "identity", "zstd"},
};

static unsigned weigh(enum accept_kind kind, const char *value, size_t size,
                      int offer) {
  const char *text = offers[kind][offer];
  unsigned weight = accept_weight(kind, value, size, text, strlen(text));
  assert(weight <= ACCEPT_MOST);
  return weight;
}

/* In memory of exactly their size. */
static char *copy(const char *before, const char *value, size_t size,
                  const char *after, size_t *whole) {
  size_t before_size = strlen(before), after_size = strlen(after);
  *whole = before_size + size + after_size;
  char *text = malloc(*whole == 0 ? 1 : *whole);
  if (text == NULL) abort();
  memcpy(text, before, before_size);
  memcpy(text + before_size, value, size);
  memcpy(text + before_size + size, after, after_size);
  return text;
}

/* An element more, of something else, matters to nobody who is spoken of. */
static void check_with(enum accept_kind kind, const char *value, size_t size,
                       const char *before) {
  size_t whole;
  char *text = copy(before, value, size, "", &whole);
  for (int i = 0; i < COUNT; i++) {
    unsigned weight = weigh(kind, value, size, i);
    unsigned other = weigh(kind, text, whole, i);
    /* (Types: a header of nothing but faults is as none at all.) */
    assert(weight == other ||
           (kind == ACCEPT_TYPE && other == 0 && weight == ACCEPT_MOST));
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  enum accept_kind kind = data[0] & 1 ? ACCEPT_ENCODING : ACCEPT_TYPE;
  size_t length;
  char *value = copy("", (const char *)data + 1, size - 1, "", &length);
  unsigned most = 0;
  int first = ACCEPT_NONE;
  for (int i = COUNT - 1; i >= 0; i--) {
    unsigned weight = weigh(kind, value, length, i);
    if (weight == 0 || weight < most) continue;
    most = weight;
    first = i;
  }
  assert(accept_best(kind, value, length, offers[kind], COUNT) == first);
  check_with(kind, value, length, kind == ACCEPT_TYPE ? "a/b;q=1, " : "a, ");
  check_with(kind, value, length, "(, ");
  accept_is_offer(kind, value, length);
  free(value);
  return 0;
}
