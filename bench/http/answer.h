/* answer - responses, checked while they come. Each has to have the status 200,
 * a date, and a body of the length that is expected, with a length given or
 * chunked; what is wrong ends the program. A response that equals the last one
 * in each byte but the date's needs no second look, which keeps the load cheap. */
#ifndef BENCH_HTTP_ANSWER_H
#define BENCH_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_KEPT = 4096 };

enum answer_state {
  ANSWER_HEAD,
  ANSWER_BODY,
  ANSWER_SIZE,
  ANSWER_CHUNK,
  ANSWER_CHUNK_END,
  ANSWER_LAST,
};

struct answer {
  enum answer_state state;
  size_t kept;             /* bytes in `bytes`; more than fit: not kept */
  size_t head;             /* size of the head */
  size_t left;             /* of the body or the chunk */
  size_t length;           /* of the body, so far */
  bool digits;             /* the chunk's size has some */
  char bytes[ANSWER_KEPT]; /* the response, while it is small */
};

/* text: what the body has to be, or NULL: any of this length. */
void answer_expect(const char *text, size_t length);

/* Returns how many bytes belong to this response; *whole: it is complete, and the
 * next call begins another one. */
size_t answer_take(struct answer *answer, const char *bytes, size_t size,
                   bool *whole);

_Noreturn void answer_fail(const char *format, ...)
  __attribute__((format(printf, 1, 2)));

#endif
