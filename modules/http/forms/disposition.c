/* disposition.c - Content-Disposition and Content-Type of forms.
 *
 * Browsers write %22, %0D and %0A for what would end a quoted name, leave all
 * else as it is, and mean a backslash by a backslash. Other clients write \" for
 * a quote, and then \\ before one. So a backslash is more than that only where a
 * quote follows: both get back what they have meant.
 *
 * RFC 7578 forbids filename*, some clients send it all the same: it counts where
 * there is no filename, and is ignored where it is nothing that we know. */
#include "modules/http/forms/disposition.h"

#include <string.h>
#include <strings.h>

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* The byte of "%41", or -1. */
static int escaped_byte(const char *at, const char *end) {
  if (end - at < 3 || *at != '%' || hex(at[1]) < 0 || hex(at[2]) < 0) return -1;
  return hex(at[1]) * 16 + hex(at[2]);
}

/* ---- filename* ----------------------------------------------------------- */

/* RFC 8187: UTF-8'en'a%20b. What is behind the second quote, or NULL. */
static const char *extended_text(struct slice value) {
  static const char charset[] = "utf-8'";
  size_t size = sizeof charset - 1;
  if (value.size <= size || strncasecmp(value.bytes, charset, size) != 0)
    return NULL;
  const char *quote = memchr(value.bytes + size, '\'', value.size - size);
  return quote == NULL ? NULL : quote + 1;
}

static bool is_extended(struct slice value) {
  const char *at = extended_text(value), *end = value.bytes + value.size;
  if (at == NULL) return false;
  for (; at < end; at++)
    if (*at == '%' && escaped_byte(at, end) <= 0) return false;
  return true;
}

static size_t decode_extended(struct slice value, char *to) {
  const char *at = extended_text(value), *end = value.bytes + value.size;
  size_t count = 0;
  while (at < end) {
    int byte = escaped_byte(at, end);
    to[count++] = byte < 0 ? *at : (char)byte;
    at += byte < 0 ? 1 : 3;
  }
  return count;
}

/* ---- name and filename --------------------------------------------------- */

/* How many backslashes are at this place? */
static size_t backslashes(const char *at, const char *end) {
  const char *begin = at;
  while (at < end && *at == '\\') at++;
  return (size_t)(at - begin);
}

/* Before a quote, also the one that has ended it, two of them are one. */
static const char *decode_backslashes(const char *at, const char *end, char *to,
                                      size_t *count) {
  size_t run = backslashes(at, end);
  at += run;
  bool before_quote = at == end || *at == '"';
  size_t kept = before_quote ? run / 2 : run;
  memset(to + *count, '\\', kept);
  *count += kept;
  return at;
}

static size_t decode(struct slice value, bool quoted, char *to) {
  const char *at = value.bytes, *end = value.bytes + value.size;
  size_t count = 0;
  if (!quoted) {
    if (value.size > 0) memcpy(to, value.bytes, value.size);
    return value.size;
  }
  while (at < end) {
    if (*at == '\\') {
      at = decode_backslashes(at, end, to, &count);
      continue;
    }
    bool escape =
      end - at >= 3 && (memcmp(at, "%22", 3) == 0 ||
                        memcmp(at, "%0D", 3) == 0 || memcmp(at, "%0A", 3) == 0);
    to[count++] = escape ? (char)escaped_byte(at, end) : *at;
    at += escape ? 3 : 1;
  }
  return count;
}

size_t disposition_name(const struct disposition *disposition, char *to) {
  return decode(disposition->name, disposition->name_quoted, to);
}

size_t disposition_filename(const struct disposition *disposition, char *to) {
  if (disposition->filename_extended)
    return decode_extended(disposition->filename, to);
  return decode(disposition->filename, disposition->filename_quoted, to);
}

/* ---- the header ---------------------------------------------------------- */

/* False: it is there twice, and another reader may take the other one. */
static bool set(struct slice *to, bool *quoted, const struct parameter *one) {
  if (to->bytes != NULL) return false;
  *to = one->value;
  *quoted = one->quoted;
  return true;
}

static const char *read_one(const struct parameter *one,
                            struct disposition *result,
                            struct slice *extended) {
  bool quoted;
  if (slice_is(one->name, "name") &&
      !set(&result->name, &result->name_quoted, one))
    return "a part with two names";
  if (slice_is(one->name, "filename") &&
      !set(&result->filename, &result->filename_quoted, one))
    return "a part with two file names";
  if (slice_is(one->name, "filename*") && !set(extended, &quoted, one))
    return "a part with two file names";
  return NULL;
}

const char *disposition_read(struct slice text, struct disposition *result) {
  struct slice kind, extended = {NULL, 0};
  struct parameter one;
  struct parameters left = parameters_begin(text, &kind);
  const char *why = NULL;
  int more;
  *result = (struct disposition){.name = {NULL, 0}};
  if (!slice_is(kind, "form-data")) return "a part that is no form-data";
  while (why == NULL && (more = parameters_next(&left, &one)) != 0)
    why = more < 0 ? "a content-disposition that is none"
                   : read_one(&one, result, &extended);
  if (why != NULL) return why;
  if (result->name.bytes == NULL) return "a part without a name";
  if (result->filename.bytes == NULL && extended.bytes != NULL &&
      is_extended(extended)) {
    result->filename = extended;
    result->filename_extended = true;
  }
  return NULL;
}

/* ---- Content-Type -------------------------------------------------------- */

bool content_type_is(struct slice text, const char *type) {
  struct slice value;
  parameters_begin(text, &value);
  return slice_is(value, type);
}

/* RFC 2046, section 5.1.1. */
static bool is_boundary(struct slice value) {
  static const char allowed[] = "0123456789'()+_,-./:=? "
                                "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (value.size == 0 || value.size > BOUNDARY_MOST) return false;
  for (size_t i = 0; i < value.size; i++)
    if (value.bytes[i] == '\0' || strchr(allowed, value.bytes[i]) == NULL)
      return false;
  return value.bytes[value.size - 1] != ' ';
}

struct slice content_type_boundary(struct slice text) {
  struct slice value, boundary = {NULL, 0}, none = {NULL, 0};
  struct parameter one;
  struct parameters left = parameters_begin(text, &value);
  int more;
  while ((more = parameters_next(&left, &one)) > 0) {
    if (!slice_is(one.name, "boundary")) continue;
    if (boundary.bytes != NULL) return none;
    boundary = one.value;
  }
  if (more < 0 || boundary.bytes == NULL || !is_boundary(boundary)) return none;
  return boundary;
}
