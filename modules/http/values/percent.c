/* percent.c - each byte is decoded once, and what is decoded is never read as
 * encoded again: "%252e" is the name "%2e", and no dot. */
#include "modules/http/values/percent.h"

#include <string.h>

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* The byte that the three stand for that begin here, or -1. */
static int escaped(const char *text, size_t size) {
  if (size < 3 || text[0] != '%') return -1;
  int high = digit(text[1]), low = digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

size_t percent_decode(char *to, const char *text, size_t size, bool plus) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    int byte = escaped(text + i, size - i);
    if (byte >= 0) {
      to[count++] = (char)byte;
      i += 2;
    } else {
      to[count++] = plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return count;
}

bool percent_is_valid(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (text[i] == '%' && escaped(text + i, size - i) < 0) return false;
  return true;
}

static bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

size_t percent_encode(char *to, const char *text, size_t size) {
  static const char digits[] = "0123456789ABCDEF";
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (is_unreserved(text[i])) {
      to[count++] = text[i];
    } else {
      to[count++] = '%';
      to[count++] = digits[byte >> 4];
      to[count++] = digits[byte & 15];
    }
  }
  return count;
}

/* ---- the path of a request ----------------------------------------------- */

static bool is_dots(const char *name, size_t size) {
  return (size == 1 && name[0] == '.') ||
         (size == 2 && name[0] == '.' && name[1] == '.');
}

/* Of a name that has been decoded. */
static enum path_fault fault_of(const char *name, size_t size) {
  if (memchr(name, '\0', size) != NULL) return PATH_MALFORMED;
  if (memchr(name, '/', size) != NULL) return PATH_OUTSIDE; /* "%2f" */
  size_t begin = 0;
  for (size_t i = 0; i <= size; i++) {
    if (i < size && name[i] != '\\') continue;
    if (is_dots(name + begin, i - begin)) return PATH_OUTSIDE;
    begin = i + 1;
  }
  return PATH_OK;
}

/* What has been written ends at name->size, what is read always lies behind. */
static enum path_fault add_name(char *to, const char *text, size_t size,
                                struct path_name *name) {
  size_t begin = name->size;
  if (memchr(text, '\\', size) != NULL) return PATH_OUTSIDE;
  if (begin > 0) to[begin++] = '/';
  size_t count = percent_decode(to + begin, text, size, false);
  if (to[begin] == '.') name->is_hidden = true;
  name->size = begin + count;
  return fault_of(to + begin, count);
}

enum path_fault path_normalize(char *to, const char *text, size_t size,
                               struct path_name *name) {
  *name = (struct path_name){.is_directory = size > 0 && text[size - 1] == '/'};
  if (size == 0 || text[0] != '/' || !percent_is_valid(text, size))
    return PATH_MALFORMED;
  size_t begin = 1;
  for (size_t i = 1; i <= size; i++) {
    if (i < size && text[i] != '/') continue;
    if (i > begin) {
      enum path_fault fault = add_name(to, text + begin, i - begin, name);
      if (fault != PATH_OK) return fault;
    }
    begin = i + 1;
  }
  return PATH_OK;
}
