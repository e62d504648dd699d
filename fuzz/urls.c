/* urls.c - whatever path a request has: the name for the file system is relative,
 * has no "." or ".." and no NUL in it, and fits where it is put. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/values/percent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, size_t size) {
  assert(memchr(name, '\0', size) == NULL);
  for (size_t begin = 0; begin < size;) {
    const char *slash = memchr(name + begin, '/', size - begin);
    size_t end = slash == NULL ? size : (size_t)(slash - name);
    size_t length = end - begin;
    assert(length > 0 && (slash == NULL || end + 1 < size));
    assert(length != 1 || name[begin] != '.');
    assert(length != 2 || memcmp(name + begin, "..", 2) != 0);
    begin = end + 1;
  }
}

static void check_encoding(const char *text, size_t size) {
  char *encoded = malloc(3 * size + 1), *decoded = malloc(3 * size + 1);
  assert(encoded != NULL && decoded != NULL);
  size_t count = percent_encode(encoded, text, size);
  assert(count <= 3 * size && percent_is_valid(encoded, count));
  assert(percent_decode(decoded, encoded, count, false) == size);
  assert(size == 0 || memcmp(decoded, text, size) == 0);
  free(encoded);
  free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  struct path_name name;
  char *to = malloc(size + 1);
  assert(to != NULL);
  if (path_normalize(to, text, size, &name) == PATH_OK) {
    assert(name.size <= size);
    check(to, name.size);
  }
  check_encoding(text, size);
  free(to);
  return 0;
}
