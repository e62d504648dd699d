/* answer - see answer.h. The head is collected, the rest is looked at where it
 * lies. The invariant: `left` bytes of a body or chunk are still to come. */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "body.h"

enum { DATE_SIZE = 29 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

_Noreturn void answer_fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("http_load: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool is_known(const struct expected *last, const char *bytes,
                     size_t size) {
  if (last->known == 0 || size < last->known) return false;
  size_t after = last->date + DATE_SIZE;
  return memcmp(bytes, last->bytes, last->date) == 0 &&
         memcmp(bytes + after, last->bytes + after, last->known - after) == 0;
}

static void keep(struct answer *answer, const char *bytes, size_t size) {
  if (answer->kept > ANSWER_KEPT) return;
  if (answer->kept + size <= ANSWER_KEPT)
    memcpy(answer->bytes + answer->kept, bytes, size);
  answer->kept += size;
}

/* The value of a header: its offset, or 0. The head ends with an empty line. */
static size_t find(const struct answer *answer, const char *name) {
  size_t size = strlen(name);
  const char *line = answer->bytes, *end = line + answer->head;
  while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
    if (++line + size >= end) return 0;
    if (strncasecmp(line, name, size) != 0 || line[size] != ':') continue;
    line += size + 1;
    while (*line == ' ') line++;
    return (size_t)(line - answer->bytes);
  }
  return 0;
}

static void begin_body(struct answer *answer) {
  static const char good[] = "HTTP/1.1 200 ";
  if (memcmp(answer->bytes, good, sizeof good - 1) != 0)
    answer_fail("answered: %.*s", (int)answer->kept, answer->bytes);
  if (find(answer, "Date") == 0) answer_fail("no date");
  size_t encoding = find(answer, "Content-Encoding");
  if (answer->expected->is_file)
    body_begin(encoding != 0 ? answer->bytes + encoding : NULL);
  size_t length = find(answer, "Content-Length");
  size_t coding = find(answer, "Transfer-Encoding");
  if (length != 0) {
    answer->left = strtoull(answer->bytes + length, NULL, 10);
    answer->length = answer->left;
    answer->state = ANSWER_BODY;
  } else if (coding != 0 &&
             strncasecmp(answer->bytes + coding, "chunked\r", 8) == 0) {
    if (answer->expected->text != NULL)
      answer_fail("chunked, for so short a text");
    answer->state = ANSWER_SIZE;
  } else {
    answer_fail("a body without length");
  }
}

static size_t take_head(struct answer *answer, const char *bytes, size_t size) {
  size_t had = answer->kept;
  size = smaller(size, ANSWER_KEPT - had);
  memcpy(answer->bytes + had, bytes, size);
  const char *end = memmem(answer->bytes, had + size, "\r\n\r\n", 4);
  answer->kept = had + size;
  if (end == NULL) {
    if (answer->kept == ANSWER_KEPT) answer_fail("too long a head");
    return size;
  }
  answer->kept = answer->head = (size_t)(end - answer->bytes) + 4;
  begin_body(answer);
  return answer->kept - had;
}

/* The line of a chunk's size, a byte at a time: it is short. */
static void take_size(struct answer *answer, char byte) {
  static const char hex[] = "0123456789abcdef";
  const char *digit = byte != '\0' ? strchr(hex, byte | 32) : NULL;
  if (byte == '\r') return;
  if (byte == '\n' && answer->digits) {
    answer->digits = false;
    answer->state = answer->left > 0 ? ANSWER_CHUNK : ANSWER_LAST;
    answer->length += answer->left;
    if (answer->left == 0) answer->left = 2;
  } else if (digit != NULL && answer->left <= answer->expected->length) {
    answer->digits = true;
    answer->left = answer->left * 16 + (size_t)(digit - hex);
  } else {
    answer_fail("a malformed chunk");
  }
}

/* What has a length: bodies, chunks, and the line ends behind them. */
static size_t take_rest(struct answer *answer, const char *bytes, size_t size) {
  size = smaller(size, answer->left);
  answer->left -= size;
  if (answer->expected->is_file &&
      (answer->state == ANSWER_BODY || answer->state == ANSWER_CHUNK)) {
    body_take(answer->taken, bytes, size);
    answer->taken += size;
  }
  if (answer->left > 0) return size;
  if (answer->state == ANSWER_CHUNK) {
    answer->state = ANSWER_CHUNK_END;
    answer->left = 2;
  } else if (answer->state == ANSWER_CHUNK_END) {
    answer->state = ANSWER_SIZE;
  }
  return size;
}

static bool is_whole(const struct answer *answer) {
  return answer->left == 0 &&
         (answer->state == ANSWER_BODY || answer->state == ANSWER_LAST);
}

static void check(const struct answer *answer) {
  const struct expected *expected = answer->expected;
  if (answer->length != expected->length)
    answer_fail("a body of %zu bytes, not %zu", answer->length,
                expected->length);
  if (expected->text != NULL && memcmp(answer->bytes + answer->head,
                                       expected->text, expected->length) != 0)
    answer_fail("another body: %.*s", (int)expected->length,
                answer->bytes + answer->head);
}

static void finish(struct answer *answer) {
  struct expected *expected = answer->expected;
  if (expected->is_file)
    body_end(answer->length);
  else
    check(answer);
  if (answer->kept <= ANSWER_KEPT) {
    memcpy(expected->bytes, answer->bytes, answer->kept);
    expected->known = answer->kept;
    expected->date = find(answer, "Date");
  }
  answer->state = ANSWER_HEAD;
  answer->kept = answer->length = answer->taken = 0;
}

static size_t take_part(struct answer *answer, const char *bytes, size_t size) {
  size_t taken = 1;
  if (answer->state == ANSWER_HEAD) return take_head(answer, bytes, size);
  if (answer->state == ANSWER_SIZE)
    take_size(answer, *bytes);
  else
    taken = take_rest(answer, bytes, size);
  keep(answer, bytes, taken);
  return taken;
}

size_t answer_take(struct answer *answer, const char *bytes, size_t size,
                   bool *whole) {
  size_t taken = 0;
  bool is_new = answer->state == ANSWER_HEAD && answer->kept == 0;
  *whole = is_new && is_known(answer->expected, bytes, size);
  if (*whole) return answer->expected->known;
  while (taken < size && !*whole) {
    taken += take_part(answer, bytes + taken, size - taken);
    *whole = answer->state != ANSWER_HEAD && is_whole(answer);
  }
  if (*whole) finish(answer);
  return taken;
}
