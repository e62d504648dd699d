/* number.c - numbers as JSON: what is written reads back as the same number,
 * integers as integers and floats as floats. Whatever the locale is. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/json/json.h"

static char *put_digits(char *end, uint64_t value) { /* they end there */
  do *--end = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  return end;
}

size_t json_write_integer(char *to, lua_Integer value) {
  char digits[24], *end = digits + sizeof digits;
  uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
  char *start = put_digits(end, size);
  if (value < 0) *--start = '-';
  memcpy(to, start, (size_t)(end - start));
  return (size_t)(end - start);
}

/* ---- floats -------------------------------------------------------------- */

static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
enum { PLACES = 8 };

/* Most floats in documents are short: prices, coordinates. Where an integer of
 * at most 15 digits, divided by a power of ten, is the number again, then its
 * digits are: both are exact, so one division rounds as reading does, and no
 * two texts of up to 15 digits are read as the same number. 0: it is not short. */
static size_t write_short(char *to, double value) {
  const uint64_t most = UINT64_C(1000000000000000);
  double whole = fabs(value);
  if (!(whole < 1e15)) return 0;
  for (int places = 0; places <= PLACES; places++) {
    uint64_t all = (uint64_t)(whole * tens[places] + 0.5);
    if (all >= most) return 0;
    if ((double)all / tens[places] != whole) continue;
    char digits[40], *end = digits + sizeof digits;
    uint64_t unit = (uint64_t)tens[places];
    char *start = put_digits(end, all % unit);
    while (end - start < places) *--start = '0';
    if (places == 0) *start = '0'; /* "1.0": it stays a float */
    *--start = '.';
    start = put_digits(start, all / unit);
    if (signbit(value)) *--start = '-';
    memcpy(to, start, (size_t)(end - start));
    return (size_t)(end - start);
  }
  return 0;
}

/* The locale's point may be any text: it is what no number has. */
static size_t without_locale(char *to, const char *from) {
  char *start = to;
  bool is_float = false;
  for (; *from != '\0'; from++) {
    bool plain = strchr("+-0123456789e", *from) != NULL;
    if (plain)
      *to++ = *from;
    else if (to[-1] != '.')
      *to++ = '.';
    if (!plain || *from == 'e') is_float = true;
  }
  if (!is_float) {
    memcpy(to, ".0", 2);
    to += 2;
  }
  return (size_t)(to - start);
}

size_t json_write_float(char *to, lua_Number value) {
  size_t size = write_short(to, value);
  if (size > 0) return size;
  char text[64];
  for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break; /* at the last one it is */
  }
  return without_locale(to, text);
}
