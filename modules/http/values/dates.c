/* dates.c - the Gregorian calendar, counted in days; the day of the week that is
 * given is read, but not believed. */
#include "modules/http/values/dates.h"

#include <string.h>

enum { DAY = 86400 };

#define SECONDS_LEAST (-62167219200) /* the first one of the year 0 */
#define SECONDS_MOST 253402300799    /* the last one of the year 9999 */

static const char days[7][10] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                 "Monday",   "Tuesday", "Wednesday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
  int year, month, day; /* the month from 0, the day from 1 */
  int hour, minute, second;
};

/* ---- days since 1970: years begin in March, so that leap days end them ----- */

static int64_t days_of(const struct date *date) {
  int64_t month = (date->month + 10) % 12;
  int64_t year = date->year - (month >= 10 ? 1 : 0) + 400;
  int64_t of_year = (153 * month + 2) / 5 + date->day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + of_year -
         (719468 + 146097);
}

static void set_day(struct date *date, int64_t count) {
  int64_t day = count + 719468 + 146097; /* since the first of March, -400 */
  int64_t era = day / 146097, rest = day % 146097;
  int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
  int64_t of_year = rest - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * of_year + 2) / 153;
  date->day = (int)(of_year - (153 * month + 2) / 5) + 1;
  date->month = (int)(month + 2) % 12;
  date->year = (int)(year + era * 400 - 400 + (month >= 10 ? 1 : 0));
}

static void put(char *to, int64_t number, int digits) {
  for (; digits > 0; number /= 10) to[--digits] = (char)('0' + number % 10);
}

/* (Not by snprintf, as each file that is sent has one.) */
void dates_format(int64_t seconds, char text[DATES_SIZE]) {
  if (seconds < SECONDS_LEAST) seconds = SECONDS_LEAST;
  if (seconds > SECONDS_MOST) seconds = SECONDS_MOST;
  int64_t count = seconds / DAY, of_day = seconds % DAY;
  if (of_day < 0) {
    of_day += DAY;
    count--;
  }
  struct date date;
  set_day(&date, count);
  int week = (int)(((count % 7) + 7) % 7);
  memcpy(text, "day, 00 mon 0000 00:00:00 GMT", DATES_SIZE);
  memcpy(text, days[week], 3);
  put(text + 5, date.day, 2);
  memcpy(text + 8, months[date.month], 3);
  put(text + 12, date.year, 4);
  put(text + 17, of_day / 3600, 2);
  put(text + 20, of_day / 60 % 60, 2);
  put(text + 23, of_day % 60, 2);
}

/* ---- parse --------------------------------------------------------------- */

struct cursor { /* what is left; size_t -1: something did not fit */
  const char *text;
  size_t size;
  bool failed;
};

static void skip(struct cursor *at, const char *word) {
  size_t size = strlen(word);
  at->failed = at->failed || at->size < size || memcmp(at->text, word, size);
  if (at->failed) return;
  at->text += size;
  at->size -= size;
}

static int number(struct cursor *at, size_t width) {
  int value = 0;
  at->failed = at->failed || at->size < width;
  for (size_t i = 0; i < width && !at->failed; i++) {
    char c = at->text[i];
    at->failed = c < '0' || c > '9';
    value = value * 10 + (c - '0');
  }
  if (at->failed) return 0;
  at->text += width;
  at->size -= width;
  return value;
}

static int month(struct cursor *at) {
  for (int i = 0; i < 12; i++) {
    if (at->failed || at->size < 3 || memcmp(at->text, months[i], 3) != 0)
      continue;
    skip(at, months[i]);
    return i;
  }
  at->failed = true;
  return 0;
}

static void time_of_day(struct cursor *at, struct date *date) {
  date->hour = number(at, 2);
  skip(at, ":");
  date->minute = number(at, 2);
  skip(at, ":");
  date->second = number(at, 2);
}

/* "Sunday", or its first three letters: what there is of it. */
static bool skip_day(struct cursor *at) {
  for (int i = 0; i < 7; i++) {
    size_t size = strlen(days[i]);
    bool whole = at->size >= size && memcmp(at->text, days[i], size) == 0;
    if (!whole) size = 3;
    if (at->size < size || memcmp(at->text, days[i], size) != 0) continue;
    at->text += size;
    at->size -= size;
    return true;
  }
  return false;
}

/* ", 06 Nov 1994 08:49:37 GMT" */
static void fixdate(struct cursor *at, struct date *date) {
  skip(at, ", ");
  date->day = number(at, 2);
  skip(at, " ");
  date->month = month(at);
  skip(at, " ");
  date->year = number(at, 4);
  skip(at, " ");
  time_of_day(at, date);
  skip(at, " GMT");
}

/* ", 06-Nov-94 08:49:37 GMT" */
static void rfc850(struct cursor *at, struct date *date) {
  skip(at, ", ");
  date->day = number(at, 2);
  skip(at, "-");
  date->month = month(at);
  skip(at, "-");
  date->year = number(at, 2);
  skip(at, " ");
  time_of_day(at, date);
  skip(at, " GMT");
}

/* " Nov  6 08:49:37 1994" */
static void asctime_date(struct cursor *at, struct date *date) {
  skip(at, " ");
  date->month = month(at);
  skip(at, " ");
  bool padded = !at->failed && at->size > 0 && at->text[0] == ' ';
  if (padded) skip(at, " ");
  date->day = number(at, padded ? 1 : 2);
  skip(at, " ");
  time_of_day(at, date);
  skip(at, " ");
  date->year = number(at, 4);
}

/* Of two digits: what lies more than 50 years ahead is meant to be past. */
static int full_year(int year, int64_t now) {
  char text[DATES_SIZE];
  dates_format(now, text);
  struct cursor at = {text + 12, 4, false};
  int current = number(&at, 4);
  year += current - current % 100;
  return year > current + 50 ? year - 100 : year;
}

static bool is_date(const struct date *date) {
  static const int lengths[12] = {31, 29, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
  int year = date->year;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  int length = date->month == 1 && !leap ? 28 : lengths[date->month];
  return date->day >= 1 && date->day <= length && date->hour < 24 &&
         date->minute < 60 && date->second <= 60; /* 60: a leap second */
}

bool dates_parse(const char *text, size_t size, int64_t now, int64_t *seconds) {
  struct cursor at = {text, size, false};
  struct date date = {0};
  if (!skip_day(&at) || at.size < 5) return false;
  if (at.text[0] == ' ') {
    asctime_date(&at, &date);
  } else if (at.text[4] == ' ') {
    fixdate(&at, &date);
  } else {
    rfc850(&at, &date);
    date.year = full_year(date.year, now);
  }
  if (at.failed || at.size > 0 || !is_date(&date)) return false;
  *seconds =
    days_of(&date) * DAY + date.hour * 3600 + date.minute * 60 + date.second;
  return true;
}
