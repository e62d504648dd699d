/* inbox.c - a buffer that grows at its end and is read at its beginning. */
#include "host/stream/inbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes --------------------------------------------------------------- */

static bool grow(struct inbox *inbox, size_t size) {
  size_t capacity = inbox->capacity * 2 > size ? inbox->capacity * 2 : size;
  char *buffer = malloc(capacity);
  if (buffer == NULL) return false;
  if (inbox->size > 0) memcpy(buffer, inbox->bytes, inbox->size);
  free(inbox->buffer);
  inbox->buffer = inbox->bytes = buffer;
  inbox->capacity = capacity;
  return true;
}

/* There is memory for so many bytes behind those that are there. */
static bool reserve(struct inbox *inbox, size_t more) {
  size_t used = (size_t)(inbox->bytes - inbox->buffer);
  if (inbox->buffer == NULL || inbox->capacity < inbox->size + more)
    return grow(inbox, inbox->size + more);
  if (inbox->capacity - used < inbox->size + more) {
    memmove(inbox->buffer, inbox->bytes, inbox->size);
    inbox->bytes = inbox->buffer;
  }
  return true;
}

char *inbox_room(struct inbox *inbox, size_t size) {
  return reserve(inbox, size) ? inbox->bytes + inbox->size : NULL;
}

void inbox_put(struct inbox *inbox, size_t size) {
  assert(inbox->buffer != NULL);
  inbox->size += size;
}

bool inbox_add(struct inbox *inbox, const char *bytes, size_t size) {
  if (!reserve(inbox, size)) return false;
  memcpy(inbox->bytes + inbox->size, bytes, size);
  inbox->size += size;
  return true;
}

void inbox_lend(struct inbox *inbox, char *bytes, size_t size) {
  assert(inbox->size == 0 && inbox->buffer == NULL);
  inbox->bytes = bytes;
  inbox->size = size;
}

bool inbox_keep(struct inbox *inbox) {
  return inbox->size == 0 || inbox->buffer != NULL || reserve(inbox, 0);
}

void inbox_consume(struct inbox *inbox, size_t size) {
  assert(size <= inbox->size);
  inbox->bytes += size;
  inbox->size -= size;
  inbox->scanned = 0;
  if (inbox->size == 0) inbox_free(inbox);
}

void inbox_free(struct inbox *inbox) {
  free(inbox->buffer);
  *inbox = (struct inbox){.buffer = NULL};
}

/* ---- formats ------------------------------------------------------------- */

struct cursor {
  const char *bytes;
  size_t at, size;
  bool ended, endless;
};

static enum scan some(struct cursor *c, struct span *span) {
  size_t rest = c->size - c->at;
  *span = (struct span){c->at, rest, rest > 0};
  c->at = c->size;
  return rest > 0 || c->ended ? SCAN_DONE : SCAN_MORE;
}

static bool is_too_long(const struct cursor *c, size_t size) {
  return size > LINE_MOST && !c->endless;
}

static enum scan line(struct cursor *c, size_t skip, bool kept,
                      struct span *span) {
  size_t start = c->at, rest = c->size - start;
  const char *end = NULL;
  if (skip < rest) end = memchr(c->bytes + start + skip, '\n', rest - skip);
  if (end == NULL) {
    if (!c->ended) return is_too_long(c, rest) ? SCAN_TOO_LONG : SCAN_MORE;
    return some(c, span); /* the last one has no line break */
  }
  size_t size = (size_t)(end - (c->bytes + start));
  *span = (struct span){start, size + kept, true};
  c->at += size + 1;
  return SCAN_DONE;
}

static enum scan count(struct cursor *c, size_t wanted, struct span *span) {
  size_t rest = c->size - c->at;
  if (rest < wanted || rest == 0) {
    if (!c->ended) return SCAN_MORE;
    return some(c, span);
  }
  *span = (struct span){c->at, wanted, true};
  c->at += wanted;
  return SCAN_DONE;
}

static enum scan all(struct cursor *c, struct span *span) {
  if (!c->ended) return SCAN_MORE;
  some(c, span);
  span->found = true;
  return SCAN_DONE;
}

/* ---- a numeral, read as by liolib.c -------------------------------------- */

enum { NUMERAL_MOST = 200 }; /* a longer one is none */

static bool is_digit(char c, bool hex) {
  return (c >= '0' && c <= '9') ||
         (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static bool take(struct cursor *c, char one, char other) {
  if (c->at == c->size) return false;
  if (c->bytes[c->at] != one && c->bytes[c->at] != other) return false;
  c->at++;
  return true;
}

static int take_digits(struct cursor *c, bool hex) {
  size_t start = c->at;
  while (c->at < c->size && is_digit(c->bytes[c->at], hex)) c->at++;
  return (int)(c->at - start);
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* False: what there is of it is none. */
static bool skip_numeral(struct cursor *c) {
  bool hex = false;
  int digits = 0;
  take(c, '+', '-');
  if (take(c, '0', '0')) {
    hex = take(c, 'x', 'X');
    digits = hex ? 0 : 1;
  }
  digits += take_digits(c, hex);
  if (take(c, '.', '.')) digits += take_digits(c, hex);
  if (digits == 0) return false;
  if (hex ? !take(c, 'p', 'P') : !take(c, 'e', 'E')) return true;
  take(c, '+', '-');
  return take_digits(c, false) > 0;
}

/* What ends a numeral must have arrived, or it may go on. */
static enum scan number(struct cursor *c, struct span *span) {
  while (c->at < c->size && is_space(c->bytes[c->at])) c->at++;
  size_t start = c->at, end = c->size;
  if (end - start > NUMERAL_MOST + 1) c->size = start + NUMERAL_MOST + 1;
  bool is_numeral = skip_numeral(c);
  c->size = end;
  bool is_long = c->at - start > NUMERAL_MOST;
  if (is_long) c->at = start + NUMERAL_MOST;
  if (c->at == end && !c->ended)
    return is_too_long(c, end) ? SCAN_TOO_LONG : SCAN_MORE;
  *span = (struct span){start, c->at - start, is_numeral && !is_long};
  return SCAN_DONE;
}

/* ---- all formats of a read ----------------------------------------------- */

static enum scan scan_one(struct cursor *c, const struct format *format,
                          size_t skip, struct span *span) {
  switch (format->kind) {
    case FORMAT_LINE: return line(c, skip, false, span);
    case FORMAT_LINE_KEPT: return line(c, skip, true, span);
    case FORMAT_COUNT: return count(c, format->count, span);
    case FORMAT_ALL: return all(c, span);
    case FORMAT_NUMBER: return number(c, span);
    default: return some(c, span);
  }
}

static bool is_line(const struct format *format) {
  return format->kind == FORMAT_LINE || format->kind == FORMAT_LINE_KEPT;
}

enum scan inbox_scan(struct inbox *inbox, const struct want *want, bool ended,
                     struct result *result) {
  struct cursor cursor = {inbox->bytes, 0, inbox->size, ended, want->endless};
  if (inbox->size == 0 && !ended) return SCAN_MORE; /* for every format */
  result->count = 0;
  for (int i = 0; i < want->count; i++) {
    struct span *span = &result->spans[i];
    enum scan scan =
      scan_one(&cursor, &want->formats[i], i == 0 ? inbox->scanned : 0, span);
    if (scan == SCAN_MORE && i == 0 && is_line(&want->formats[i]))
      inbox->scanned = inbox->size;
    if (scan != SCAN_DONE) return scan;
    result->count++;
    if (!span->found) break;
  }
  result->size = cursor.at;
  return SCAN_DONE;
}
