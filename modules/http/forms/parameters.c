/* parameters.c - RFC 9110, section 5.6.6, and RFC 2183, section 2: a value ends
 * where both say it does. What browsers put into one is undone in disposition.c.
 *
 * Without quotes it may be more than a token, as many a boundary is. */
#include "modules/http/forms/parameters.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end) {
  while (at < end && is_blank(*at)) at++;
  return at;
}

bool slice_is(struct slice slice, const char *text) {
  return slice.size == strlen(text) &&
         strncasecmp(slice.bytes, text, slice.size) == 0;
}

struct parameters parameters_begin(struct slice text, struct slice *value) {
  const char *end = text.bytes + text.size;
  const char *at = skip_blanks(text.bytes, end);
  const char *stop = memchr(at, ';', (size_t)(end - at));
  if (stop == NULL) stop = end;
  const char *last = stop;
  while (last > at && is_blank(last[-1])) last--;
  *value = (struct slice){at, (size_t)(last - at)};
  return (struct parameters){stop, end};
}

/* A quote with an odd number of backslashes before it is none. */
static const char *find_quote(const char *at, const char *end) {
  bool escaped = false;
  for (; at < end; at++) {
    if (*at == '"' && !escaped) return at;
    escaped = *at == '\\' && !escaped;
  }
  return NULL;
}

static const char *take_quoted(struct parameter *one, const char *at,
                               const char *end) {
  const char *quote = find_quote(at, end);
  if (quote == NULL) return NULL;
  one->quoted = true;
  one->value = (struct slice){at, (size_t)(quote - at)};
  return quote + 1;
}

static const char *take_bare(struct parameter *one, const char *at,
                             const char *end) {
  const char *begin = at;
  while (at < end && *at != ';' && *at != '"' && !is_blank(*at)) at++;
  one->quoted = false;
  one->value = (struct slice){begin, (size_t)(at - begin)};
  return at;
}

static const char *take_name(struct parameter *one, const char *at,
                             const char *end) {
  const char *begin = at;
  while (at < end && *at != '=' && *at != ';' && *at != '"' && !is_blank(*at))
    at++;
  one->name = (struct slice){begin, (size_t)(at - begin)};
  at = skip_blanks(at, end);
  if (one->name.size == 0 || at == end || *at != '=') return NULL;
  return skip_blanks(at + 1, end);
}

/* (One semicolon too many is seen often enough.) */
int parameters_next(struct parameters *left, struct parameter *one) {
  const char *at = left->at, *end = left->end;
  while (at < end && (*at == ';' || is_blank(*at))) at++;
  if (at == end) return 0;
  at = take_name(one, at, end);
  if (at == NULL) return -1;
  at = at < end && *at == '"' ? take_quoted(one, at + 1, end)
                              : take_bare(one, at, end);
  if (at == NULL) return -1;
  at = skip_blanks(at, end);
  if (at < end && *at != ';') return -1;
  left->at = at;
  return 1;
}
