/* requests - what is asked, and what is expected for it: one request again and
 * again, or those of a list, in turn. */
#ifndef BENCH_HTTP_REQUESTS_H
#define BENCH_HTTP_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "answer.h"

struct request {
  char *bytes; /* as often as it is sent at once */
  size_t size;
  struct expected expected;
};

struct requests_options {
  unsigned depth; /* sent at once */
  size_t upload;  /* bytes of a body; 0: none, it is a GET */
  const char *path, *list;
};

/* Adds "name: value" to all requests that are made later. */
void requests_add_header(const char *header);

/* A list is a file with a line for each: method, path, text of the answer, with
 * a space between. Otherwise `expected` is what is expected. */
void requests_make(const struct requests_options *options, const char *port,
                   const struct expected *expected);

/* The next one. */
struct request *requests_next(void);

#endif
