/* cookies.c - whatever a Cookie header is: each pair lies within it, in order; a
 * name is never empty and holds nothing that ends it; to read a pair again gives
 * the same; and a value never grows by decoding. */
#include "modules/http/values/cookies.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name, size_t size) {
  assert(size > 0);
  assert(memchr(name, ';', size) == NULL && memchr(name, '=', size) == NULL);
  assert(name[0] != ' ' && name[0] != '\t');
  assert(name[size - 1] != ' ' && name[size - 1] != '\t');
}

static void check_value(const char *value, size_t size) {
  assert(memchr(value, ';', size) == NULL);
  char *bytes = malloc(size + 1);
  assert(bytes != NULL);
  size_t count = cookies_decode(bytes, value, size);
  assert(count <= size);
  if (memchr(value, '%', size) == NULL)
    assert(count == size && memcmp(bytes, value, size) == 0);
  free(bytes);
}

/* From the name to the end of the value alone it is the same cookie; but quotes
 * are gone, and those within may be taken for such. */
static void check_again(const struct cookie *cookie) {
  const char *text = cookie->name;
  size_t size = (size_t)(cookie->value + cookie->value_size - text);
  struct cookie again;
  assert(cookies_next(&text, &size, &again));
  assert(again.name == cookie->name && again.name_size == cookie->name_size);
  assert(!cookies_next(&text, &size, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *header = (const char *)data, *end = header + size;
  const char *after = header;
  struct cookie cookie;
  size_t left = size;
  while (cookies_next(&header, &left, &cookie)) {
    assert(header + left == end);
    assert(cookie.name >= after && cookie.value > cookie.name);
    assert(cookie.name + cookie.name_size < cookie.value);
    after = cookie.value + cookie.value_size;
    assert(after <= header);
    check_name(cookie.name, cookie.name_size);
    check_value(cookie.value, cookie.value_size);
    check_again(&cookie);
  }
  assert(left == 0);
  return 0;
}
