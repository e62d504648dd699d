/* dates.h - RFC 9110, 5.6.7: the dates of header values, in seconds since 1970.
 * Pure functions: no Lua, no locale, no time zone. */
#ifndef HTTP_VALUES_DATES_H
#define HTTP_VALUES_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATES_SIZE = 30 }; /* "Sun, 06 Nov 1994 08:49:37 GMT", and a NUL */

/* Of the years 0 to 9999; what lies outside becomes their first or last second. */
void dates_format(int64_t seconds, char text[DATES_SIZE]);
/* All three forms: the one above, "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6
 * 08:49:37 1994". `now` tells the century of the second. False: it is none. */
bool dates_parse(const char *text, size_t size, int64_t now, int64_t *seconds);

#endif
