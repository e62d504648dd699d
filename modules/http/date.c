/* date.c - RFC 9110, section 5.6.7: IMF-fixdate. No locale has a say in it. */
#include "modules/http/date.h"

#include <stdio.h>
#include <time.h>

#include "host/clock.h"

static size_t format(time_t second, char *text, size_t size) {
  static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                 "Thu", "Fri", "Sat"};
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  struct tm tm;
  gmtime_r(&second, &tm);
  return (size_t)snprintf(text, size,
                          "HTTP/1.1 200 OK\r\n"
                          "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                          days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                          (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
                          tm.tm_sec);
}

/* The wall clock is only asked when loop time has gone on: once a turn. */
const char *date_begin(const struct clock *clock, size_t *size) {
  static char text[96];
  static size_t text_size;
  static time_t made = -1;
  static uint64_t asked = UINT64_MAX;
  uint64_t turn = clock_ms(clock);
  if (turn != asked) {
    time_t now = (time_t)clock_wall(clock);
    if (now != made) text_size = format(now, text, sizeof text);
    made = now;
    asked = turn;
  }
  *size = text_size;
  return text;
}
