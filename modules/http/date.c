/* date.c - RFC 9110, section 5.6.7: IMF-fixdate. No locale has a say in it. */
#include "modules/http/date.h"

#include <stdio.h>
#include <time.h>

#include "host/clock.h"
#include "modules/http/values/dates.h"

static size_t format(time_t second, char *text, size_t size) {
  char date[DATES_SIZE];
  dates_format(second, date);
  return (size_t)snprintf(text, size,
                          "HTTP/1.1 200 OK\r\n"
                          "Date: %s\r\n",
                          date);
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
