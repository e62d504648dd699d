/* encoder.h - an encoding that is under way. */
#ifndef MODULES_JSON_ENCODER_H
#define MODULES_JSON_ENCODER_H

#include <stdbool.h>

#include "modules/json/output.h"
#include "modules/json/path.h"

struct encoder {
  struct output out;
  const void *null, *array_mark;
  int depth, depth_most;
  int indent; /* spaces a level; 0: all in one line */
  bool ascii, sorted;
};

/* Writes the value on top of the stack, which is found at this step, and leaves
 * it there. */
void encoder_put(struct encoder *encoder, const struct step *step);
void encoder_put_table(struct encoder *encoder, const struct step *step);
/* A string, or a key of the table that is found there. */
void encoder_put_string(struct encoder *encoder, const char *text, size_t size,
                        const struct step *step);

#endif
