/* answer - responses, checked while they come. Each has to have the status 200,
 * a date, and a body of the length that is expected, with a length given or
 * chunked; what is wrong ends the program. A response that equals the last one
 * to the same request in each byte but the date's needs no second look, which
 * keeps the load cheap. */
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

/* What a request is to be answered with. */
struct expected {
  const char *text;        /* the body, or NULL: any of this length */
  size_t length;           /* of the body; of a file's: see body.h */
  bool is_file;            /* body.h knows what it has to be */
  size_t known, date;      /* size of the last response, where its date is */
  char bytes[ANSWER_KEPT]; /* the last response, if it was small */
};

struct answer {
  struct expected *expected; /* set by who sends the request */
  enum answer_state state;
  size_t kept;             /* bytes in `bytes`; more than fit: not kept */
  size_t head;             /* size of the head */
  size_t left;             /* of the body or the chunk */
  size_t length;           /* of the body, as far as it is known */
  size_t taken;            /* of the body */
  bool digits;             /* the chunk's size has some */
  char bytes[ANSWER_KEPT]; /* the response, while it is small */
};

/* Returns how many bytes belong to this response; *whole: it is complete, and the
 * next call begins another one. */
size_t answer_take(struct answer *answer, const char *bytes, size_t size,
                   bool *whole);

_Noreturn void answer_fail(const char *format, ...)
  __attribute__((format(printf, 1, 2)));

#endif
