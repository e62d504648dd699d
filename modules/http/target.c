/* target.c - RFC 9112, 3.2: origin-form "/path?query", absolute-form
 * "http://host/path", and asterisk-form "*", which is for OPTIONS.
 *
 * Only visible ASCII is let through, and no "#": no client sends a fragment.
 * What RFC 3986 wants quoted beyond that ("|", "{", "\"), browsers send as it
 * is. */
#include "modules/http/target.h"

#include <stdint.h>
#include <string.h>

#include "modules/http/authority.h"
#include "modules/http/head.h"

static bool is_visible(const char *text, size_t size) {
  unsigned bad = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    bad |= (c - 0x21U > 0x7e - 0x21) | (c == '#');
  }
  return bad == 0;
}

const char *target_authority(const char *text, size_t size, size_t *length) {
  size_t begin;
  if (size > 0 && text[0] == '/') return NULL; /* most are */
  if (size > 7 && head_same(text, "http://", 7))
    begin = 7;
  else if (size > 8 && head_same(text, "https://", 8))
    begin = 8;
  else
    return NULL;
  size_t end = begin;
  while (end < size && text[end] != '/' && text[end] != '?') end++;
  *length = end - begin;
  return text + begin;
}

const char *target_path(const char *text, size_t size, size_t *path_size) {
  size_t length;
  const char *authority = target_authority(text, size, &length);
  const char *path = authority == NULL ? text : authority + length;
  const char *end = text + size,
             *mark = memchr(path, '?', (size_t)(end - path));
  *path_size = (size_t)((mark == NULL ? end : mark) - path);
  if (*path_size > 0) return path;
  *path_size = 1;
  return "/"; /* RFC 9110, 4.2.3 */
}

const char *target_fault(const char *text, size_t size, bool any) {
  if (!is_visible(text, size)) return "a byte that no target may have";
  if (size > 0 && text[0] == '/') return NULL;
  if (size == 1 && text[0] == '*')
    return any ? NULL : "the target * is for OPTIONS";
  size_t length;
  const char *authority = target_authority(text, size, &length);
  if (authority == NULL) return "the target is no path and no http URL";
  if (!authority_is_valid(authority, length))
    return "the target's host is malformed";
  return NULL;
}
