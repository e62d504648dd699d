/* conditions.c - whatever If-Match, If-Range and dates say: a tag that is found by
 * a strong comparison is found by a weak one, ranges are allowed only for what is
 * unchanged, and a date that is read is written as the same one.
 *
 * Each line of the input is taken as all of them, beside a tag and a date. */
#include "modules/http/values/conditions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/values/dates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now = 1700000000;

static void check_date(struct value line) {
  int64_t seconds, again;
  char text[DATES_SIZE];
  if (!dates_parse(line.text, line.size, now, &seconds)) return;
  dates_format(seconds, text);
  assert(strlen(text) == DATES_SIZE - 1);
  if (seconds > 253402300799) return; /* a leap second at the end of 9999 */
  assert(dates_parse(text, DATES_SIZE - 1, now, &again) && again == seconds);
}

static struct validators validators_of(const char *etag) {
  return (struct validators){.etag = {etag, strlen(etag)},
                             .modified = 784111777,
                             .has_modified = true,
                             .now = now};
}

static void check_tags(struct value line) {
  struct validators strong = validators_of("\"a\""),
                    weak = validators_of("W/\"a\"");
  bool found = conditions_list_has(&line, &strong.etag, true);
  bool found_weak = conditions_list_has(&line, &strong.etag, false);
  assert(!found || found_weak);
  assert(conditions_list_has(&line, &weak.etag, false) == found_weak);
  struct conditions match = {.match = line, .reads = true},
                    none = {.none_match = line, .reads = true},
                    range = {.range = line, .reads = true};
  assert((conditions_judge(&match, &strong) == VERDICT_GO) == found);
  assert((conditions_judge(&none, &strong) == VERDICT_GO) == !found_weak);
  int64_t date = 0;
  bool allowed = conditions_allow_range(&range, &strong);
  assert(!allowed || found || memchr(line.text, ':', line.size) != NULL);
  if (dates_parse(line.text, line.size, now, &date))
    assert(allowed == (date == strong.modified));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *end = text + size;
  while (text < end) {
    const char *stop = memchr(text, '\n', (size_t)(end - text));
    size_t length = (size_t)((stop == NULL ? end : stop) - text);
    char *copy = malloc(length + 1); /* so that what lies behind it is seen */
    assert(copy != NULL);
    memcpy(copy, text, length);
    copy = realloc(copy, length > 0 ? length : 1);
    struct value line = {copy, length};
    check_date(line);
    check_tags(line);
    free(copy);
    text += length + 1;
  }
  return 0;
}
