/* http_ranges.c - ranges.h, conditions.h and dates.h: tables of what clients send,
 * and what it means. */
#include "modules/http/values/ranges.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/values/conditions.h"
#include "modules/http/values/dates.h"

/* ---- ranges, of 1000 bytes where nothing else is said --------------------- */

struct row {
  const char *text, *expected; /* "0-99,200-299", "none", "416" */
  uint64_t length;             /* 0: 1000 */
};

static const struct row rows[] = {
  {"bytes=0-0", "0-0", 0},
  {"bytes=0-", "0-999", 0},
  {"bytes=0-99", "0-99", 0},
  {"BYTES=0-99", "0-99", 0},
  {"bytes=999-", "999-999", 0},
  {"bytes=900-2000", "900-999", 0},
  {"bytes=-1", "999-999", 0},
  {"bytes=-5000", "0-999", 0},
  {"bytes= 0-1 , 500-501 ", "0-1,500-501", 0},
  {"bytes=,0-1,,500-501,", "0-1,500-501", 0},
  {"bytes=500-600,0-99", "500-600,0-99", 0},
  {"bytes=0-99,1000-1100", "0-99", 0},
  {"bytes=0-18446744073709551615", "0-999", 0},
  {"bytes=0-99999999999999999999999", "0-999", 0},
  {"bytes=00000000000000000000000-1", "0-1", 0},
  {"bytes=-99999999999999999999999", "0-999", 0},
  {"bytes=99999999999999999999999-", "416", 0},
  /* they overlap, meet, or nearly do */
  {"bytes=0-99,50-149", "0-149", 0},
  {"bytes=0-99,100-199", "0-199", 0},
  {"bytes=0-99,180-199", "0-199", 0},
  {"bytes=0-99,181-199", "0-99,181-199", 0},
  {"bytes=500-599,0-99,520-530", "500-599,0-99", 0},
  {"bytes=0-9,300-309,600-609,0-999", "0-999", 0},
  {"bytes=300-309,0-9,600-609,5-700", "0-700", 0},
  {"bytes=-10,0-9", "990-999,0-9", 0},
  {"bytes=0-,0-,0-,0-,0-,0-,0-,0-", "0-999", 0},
  {"bytes=0-18446744073709551614,0-", "0-18446744073709551613", UINT64_MAX - 1},
  /* nothing satisfies them */
  {"bytes=1000-", "416", 0},
  {"bytes=1000-1000,2000-", "416", 0},
  {"bytes=-0", "416", 0},
  {"bytes=-0,1000-", "416", 0},
  /* malformed, or of another kind */
  {"", "none", 0},
  {"bytes", "none", 0},
  {"bytes=", "none", 0},
  {"bytes=,", "none", 0},
  {"bytes=-", "none", 0},
  {"bytes=a-b", "none", 0},
  {"bytes=1-0", "none", 0},
  {"bytes=0-1,5-4", "none", 0},
  {"bytes=0-1;2-3", "none", 0},
  {"bytes=0-1 2-3", "none", 0},
  {"bytes=0 - 1", "none", 0},
  {"bytes=0--1", "none", 0},
  {"bytes=--1", "none", 0},
  {"bytes=+0-1", "none", 0},
  {"bytes=0x0-1", "none", 0},
  {"bytes =0-1", "none", 0},
  {"lines=0-1", "none", 0},
  {"bytes=0-1-2", "none", 0},
};

static void describe(enum ranges_result result, const struct ranges *ranges,
                     char *to) {
  if (result != RANGES_SOME) {
    strcpy(to, result == RANGES_NONE ? "none" : "416");
    return;
  }
  for (int i = 0; i < ranges->count; i++)
    to += sprintf(to, "%s%llu-%llu", i == 0 ? "" : ",",
                  (unsigned long long)ranges->list[i].first,
                  (unsigned long long)ranges->list[i].last);
}

static void test_rows(void) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[2000];
    struct ranges ranges;
    uint64_t length = rows[i].length == 0 ? 1000 : rows[i].length;
    describe(ranges_parse(rows[i].text, strlen(rows[i].text), length, &ranges),
             &ranges, text);
    if (strcmp(text, rows[i].expected) != 0)
      fprintf(stderr, "%s: %s\n", rows[i].text, text);
    assert(strcmp(text, rows[i].expected) == 0);
  }
}

static void test_empty(void) {
  struct ranges ranges;
  assert(ranges_parse("bytes=0-9", 9, 0, &ranges) == RANGES_NONE);
  assert(ranges_parse("bytes=-9", 8, 0, &ranges) == RANGES_NONE);
}

/* So many of one byte each, far from each other. */
static enum ranges_result ask_for(int count, struct ranges *ranges) {
  char text[4000], *at = text + sprintf(text, "bytes=");
  for (int i = 0; i < count; i++)
    at += sprintf(at, "%d-%d,", i * 1000, i * 1000);
  return ranges_parse(text, (size_t)(at - text), 1000000, ranges);
}

static void test_many(void) {
  struct ranges ranges;
  assert(ask_for(RANGES_MOST, &ranges) == RANGES_SOME);
  assert(ranges.count == RANGES_MOST);
  assert(ask_for(RANGES_MOST + 1, &ranges) == RANGES_NONE);
}

/* ---- dates --------------------------------------------------------------- */

static void check_date(const char *text, int64_t expected) {
  int64_t seconds = -1;
  bool is_date = dates_parse(text, strlen(text), 1700000000, &seconds);
  if (!is_date) fprintf(stderr, "%s\n", text);
  assert(is_date && seconds == expected);
}

static void check_no_date(const char *text) {
  int64_t seconds;
  assert(!dates_parse(text, strlen(text), 1700000000, &seconds));
}

static void test_dates(void) {
  char text[DATES_SIZE];
  dates_format(784111777, text);
  assert(strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0);
  dates_format(0, text);
  assert(strcmp(text, "Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  dates_format(-1, text);
  assert(strcmp(text, "Wed, 31 Dec 1969 23:59:59 GMT") == 0);
  dates_format(951782400, text);
  assert(strcmp(text, "Tue, 29 Feb 2000 00:00:00 GMT") == 0);
  dates_format(INT64_MAX, text);
  assert(strcmp(text, "Fri, 31 Dec 9999 23:59:59 GMT") == 0);
  dates_format(INT64_MIN, text);
  assert(strcmp(text, "Sat, 01 Jan 0000 00:00:00 GMT") == 0);
  for (int64_t s = -62167219200; s < 253402300800; s += 86400 * 27 + 12347) {
    dates_format(s, text);
    check_date(text, s);
  }
  check_date("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
  check_date("Sun Nov  6 08:49:37 1994", 784111777);
  check_date("Sun Nov 16 08:49:37 1994", 784111777 + 864000);
  check_date("Monday, 01-Jan-73 00:00:00 GMT", 3250454400); /* 2073 */
  check_date("Tuesday, 01-Jan-74 00:00:00 GMT", 126230400); /* 1974 */
  check_no_date("");
  check_no_date("Sun");
  check_no_date("0");
  check_no_date("Sun, 06 Nov 1994 08:49:37");
  check_no_date("Sun, 06 Nov 1994 08:49:37 CET");
  check_no_date("Sun, 06 Nov 1994 08:49:37 GMT ");
  check_no_date("Sun, 31 Nov 1994 08:49:37 GMT");
  check_no_date("Sun, 29 Feb 1900 08:49:37 GMT");
  check_no_date("Sun, 00 Nov 1994 08:49:37 GMT");
  check_no_date("Sun, 06 Nov 1994 24:00:00 GMT");
  check_no_date("Sun, 06 nov 1994 08:49:37 GMT");
  check_no_date("Sun, 6 Nov 1994 08:49:37 GMT");
}

/* ---- conditions ---------------------------------------------------------- */

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT" /* 784111777: when it changed */
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

struct condition_row {
  const char *method, *match, *unmodified, *none_match, *modified;
  enum verdict weak, strong; /* as its tag is W/"a" or "a" */
};

static const struct condition_row condition_rows[] = {
  {"GET", NULL, NULL, NULL, NULL, VERDICT_GO, VERDICT_GO},
  {"GET", "*", NULL, NULL, NULL, VERDICT_GO, VERDICT_GO},
  {"GET", "\"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_GO},
  {"GET", "W/\"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", "\"b\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", "\"b\", \"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_GO},
  {"GET", "\"b\" \"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", "\"b,\"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", ",, \"b,\" ,\"a\"", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_GO},
  {"GET", "", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", "a", NULL, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", NULL, BEFORE, NULL, NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"GET", NULL, DATE, NULL, NULL, VERDICT_GO, VERDICT_GO},
  {"GET", NULL, "never", NULL, NULL, VERDICT_GO, VERDICT_GO},
  {"GET", "*", BEFORE, NULL, NULL, VERDICT_GO, VERDICT_GO},
  {"GET", NULL, NULL, "*", NULL, VERDICT_NOT_MODIFIED, VERDICT_NOT_MODIFIED},
  {"GET", NULL, NULL, "\"a\"", NULL, VERDICT_NOT_MODIFIED,
   VERDICT_NOT_MODIFIED},
  {"GET", NULL, NULL, "\"b\", W/\"a\"", NULL, VERDICT_NOT_MODIFIED,
   VERDICT_NOT_MODIFIED},
  {"GET", NULL, NULL, "\"b\"", NULL, VERDICT_GO, VERDICT_GO},
  {"GET", NULL, NULL, "\"b\"", AFTER, VERDICT_GO, VERDICT_GO},
  {"GET", NULL, NULL, NULL, BEFORE, VERDICT_GO, VERDICT_GO},
  {"GET", NULL, NULL, NULL, DATE, VERDICT_NOT_MODIFIED, VERDICT_NOT_MODIFIED},
  {"GET", NULL, NULL, NULL, AFTER, VERDICT_NOT_MODIFIED, VERDICT_NOT_MODIFIED},
  {"GET", NULL, NULL, NULL, "x", VERDICT_GO, VERDICT_GO},
  {"GET", "\"b\"", NULL, "*", NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"PUT", NULL, NULL, "*", NULL, VERDICT_FAILED, VERDICT_FAILED},
  {"PUT", NULL, NULL, NULL, AFTER, VERDICT_GO, VERDICT_GO},
};

static struct value value_of(const char *text) {
  return (struct value){text, text == NULL ? 0 : strlen(text)};
}

static struct validators validators_of(const char *etag) {
  return (struct validators){.etag = value_of(etag),
                             .modified = 784111777,
                             .has_modified = true,
                             .now = 800000000};
}

static void test_conditions(void) {
  struct validators weak = validators_of("W/\"a\""),
                    strong = validators_of("\"a\"");
  for (size_t i = 0; i < sizeof condition_rows / sizeof *condition_rows; i++) {
    const struct condition_row *row = &condition_rows[i];
    struct conditions conditions = {.match = value_of(row->match),
                                    .unmodified_since =
                                      value_of(row->unmodified),
                                    .none_match = value_of(row->none_match),
                                    .modified_since = value_of(row->modified),
                                    .reads = strcmp(row->method, "GET") == 0};
    if (conditions_judge(&conditions, &weak) != row->weak ||
        conditions_judge(&conditions, &strong) != row->strong)
      fprintf(stderr, "row %d\n", (int)i);
    assert(conditions_judge(&conditions, &weak) == row->weak);
    assert(conditions_judge(&conditions, &strong) == row->strong);
  }
}

static bool allows(const char *text, const struct validators *validators) {
  struct conditions conditions = {.range = value_of(text)};
  return conditions_allow_range(&conditions, validators);
}

static void test_if_range(void) {
  struct validators weak = validators_of("W/\"a\""),
                    strong = validators_of("\"a\"");
  assert(allows(NULL, &weak) && allows(NULL, &strong));
  assert(allows("\"a\"", &strong) && !allows("\"a\"", &weak));
  assert(!allows("W/\"a\"", &strong) && !allows("\"b\"", &strong));
  assert(!allows("*", &strong) && !allows("", &strong));
  assert(!allows("\"a\", \"b\"", &strong));
  assert(allows(DATE, &strong) && allows(" " DATE " ", &weak));
  assert(!allows(BEFORE, &strong) && !allows(AFTER, &strong));
  strong.now = strong.modified;
  assert(!allows(DATE, &strong));
}

int main(void) {
  test_rows();
  test_empty();
  test_many();
  test_dates();
  test_conditions();
  test_if_range();
  return 0;
}
