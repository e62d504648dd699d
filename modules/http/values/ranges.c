/* ranges.c - "bytes=0-99, 200-, -50". A list is read to its end before anything
 * of it counts: one malformed range makes all of it none. */
#include "modules/http/values/ranges.h"

#include <stdbool.h>
#include <string.h>

/* What lies between two ranges costs less than the head of a part. */
enum { GAP_MOST = 80 };

struct cursor {
  const char *at, *end;
};

static void skip_space(struct cursor *cursor) {
  while (cursor->at < cursor->end &&
         (*cursor->at == ' ' || *cursor->at == '\t'))
    cursor->at++;
}

static bool take(struct cursor *cursor, char c) {
  if (cursor->at == cursor->end || *cursor->at != c) return false;
  cursor->at++;
  return true;
}

static bool is_at_digit(const struct cursor *cursor) {
  return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

/* What is too large for it is the largest there is. */
static bool take_number(struct cursor *cursor, uint64_t *number) {
  if (!is_at_digit(cursor)) return false;
  for (*number = 0; is_at_digit(cursor); cursor->at++) {
    uint64_t digit = (uint64_t)(*cursor->at - '0');
    bool fits = *number <= (UINT64_MAX - digit) / 10;
    *number = fits ? *number * 10 + digit : UINT64_MAX;
  }
  return true;
}

static bool take_unit(struct cursor *cursor) {
  static const char unit[] = "bytes";
  for (size_t i = 0; i < sizeof unit - 1; i++)
    if (!take(cursor, unit[i]) && !take(cursor, (char)(unit[i] - 'a' + 'A')))
      return false;
  return take(cursor, '=');
}

/* ---- what has been read so far ------------------------------------------- */

static bool nearly_meet(const struct range *a, const struct range *b) {
  const struct range *low = a->first <= b->first ? a : b;
  const struct range *high = low == a ? b : a;
  return high->first <= low->last || high->first - low->last <= GAP_MOST + 1;
}

static void join(struct range *into, const struct range *other) {
  if (other->first < into->first) into->first = other->first;
  if (other->last > into->last) into->last = other->last;
}

static void take_out(struct ranges *ranges, int index) {
  ranges->count--;
  memmove(&ranges->list[index], &ranges->list[index + 1],
          (size_t)(ranges->count - index) * sizeof ranges->list[0]);
}

/* One that has grown may meet others; it goes to the foremost of them. */
static void coalesce(struct ranges *ranges, int index) {
  for (int i = 0; i < ranges->count; i++) {
    if (i == index || !nearly_meet(&ranges->list[i], &ranges->list[index]))
      continue;
    int first = i < index ? i : index, second = i < index ? index : i;
    join(&ranges->list[first], &ranges->list[second]);
    take_out(ranges, second);
    index = first;
    i = -1; /* from the beginning */
  }
}

/* False: there are too many. */
static bool add(struct ranges *ranges, uint64_t first, uint64_t last) {
  if (ranges->count == RANGES_MOST) return false;
  ranges->list[ranges->count] = (struct range){first, last};
  ranges->count++;
  coalesce(ranges, ranges->count - 1);
  return true;
}

/* ---- one of the list ----------------------------------------------------- */

static bool add_suffix(struct ranges *ranges, uint64_t size, uint64_t length) {
  if (size == 0) return true; /* nothing satisfies it */
  return add(ranges, size < length ? length - size : 0, length - 1);
}

/* False: malformed, or one too many. */
static bool take_range(struct cursor *cursor, uint64_t length,
                       struct ranges *ranges) {
  uint64_t first, last = UINT64_MAX;
  if (take(cursor, '-'))
    return take_number(cursor, &first) && add_suffix(ranges, first, length);
  if (!take_number(cursor, &first) || !take(cursor, '-')) return false;
  if (is_at_digit(cursor) && (!take_number(cursor, &last) || last < first))
    return false;
  if (first >= length) return true;
  return add(ranges, first, last < length ? last : length - 1);
}

/* (Some clients ask for a range of whatever they fetch: so what is empty is
 * given to them.) */
enum ranges_result ranges_parse(const char *text, size_t size, uint64_t length,
                                struct ranges *ranges) {
  struct cursor cursor = {text, text + size};
  bool any = false;
  ranges->count = 0;
  if (length == 0 || !take_unit(&cursor)) return RANGES_NONE;
  for (;;) {
    skip_space(&cursor);
    if (cursor.at < cursor.end && *cursor.at != ',') {
      if (!take_range(&cursor, length, ranges)) return RANGES_NONE;
      any = true;
      skip_space(&cursor);
    }
    if (cursor.at == cursor.end) break;
    if (!take(&cursor, ',')) return RANGES_NONE;
  }
  if (!any) return RANGES_NONE;
  return ranges->count > 0 ? RANGES_SOME : RANGES_UNSATISFIABLE;
}
