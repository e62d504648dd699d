/* cookies.c - reads as servers do what browsers send (RFC 6265, 4.2 and 5.4), and
 * what of it is no pair is left out: nothing is an error. No Lua, no memory.
 *
 * Names are not decoded: or "%5F_Host-id" would be taken for "__Host-id", which a
 * browser lets nobody forge. */
#include "modules/http/values/cookies.h"

#include <string.h>

#include "modules/http/values/percent.h"

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *size) {
  for (; *size > 0 && is_space(**text); (*size)--) (*text)++;
  while (*size > 0 && is_space((*text)[*size - 1])) (*size)--;
}

static void unquote(const char **text, size_t *size) {
  if (*size < 2 || **text != '"' || (*text)[*size - 1] != '"') return;
  (*text)++;
  *size -= 2;
}

/* False: it has no name. Browsers send such a cookie as a value alone. */
static bool split(const char *pair, size_t size, struct cookie *cookie) {
  const char *equals = memchr(pair, '=', size);
  if (equals == NULL) return false;
  cookie->name = pair;
  cookie->name_size = (size_t)(equals - pair);
  cookie->value = equals + 1;
  cookie->value_size = size - cookie->name_size - 1;
  trim(&cookie->name, &cookie->name_size);
  trim(&cookie->value, &cookie->value_size);
  unquote(&cookie->value, &cookie->value_size);
  return cookie->name_size > 0;
}

bool cookies_next(const char **header, size_t *size, struct cookie *cookie) {
  while (*size > 0) {
    const char *pair = *header, *end = memchr(pair, ';', *size);
    size_t pair_size = end != NULL ? (size_t)(end - pair) : *size;
    size_t used = pair_size + (end != NULL);
    *header += used;
    *size -= used;
    if (split(pair, pair_size, cookie)) return true;
  }
  return false;
}

size_t cookies_decode(char *to, const char *value, size_t size) {
  return percent_decode(to, value, size, false);
}
