/* parameters.h - what stands behind the semicolons of a header:
 *
 *   form-data; name="files"; filename="tea \"green\".txt"
 *
 * Pure C: nothing is copied, slices point into the text. */
#ifndef HTTP_FORMS_PARAMETERS_H
#define HTTP_FORMS_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
  const char *bytes; /* NULL: there is none */
  size_t size;
};

struct parameter {
  struct slice name;
  struct slice value; /* as it was sent, between the quotes */
  bool quoted;
};

struct parameters { /* what is left */
  const char *at, *end;
};

/* What stands before the first semicolon goes to `value`, without blanks. */
struct parameters parameters_begin(struct slice text, struct slice *value);
/* 1: there is another one; 0: that was all; -1: what follows is none. */
int parameters_next(struct parameters *left, struct parameter *one);

bool slice_is(struct slice slice, const char *text); /* in any case */

#endif
