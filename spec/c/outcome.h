/* outcome.h - what has come out of a parser, written down as text: so it can be
 * compared, whatever the pieces were in which the bytes went in. */
#ifndef SPEC_OUTCOME_H
#define SPEC_OUTCOME_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
  char *text;
  size_t size, capacity;
  const char *why;
};

static void say(struct outcome *outcome, const char *text, size_t size) {
  if (outcome->capacity - outcome->size <= size) {
    outcome->capacity = 2 * (outcome->size + size) + 256;
    outcome->text = realloc(outcome->text, outcome->capacity);
    assert(outcome->text != NULL);
  }
  if (size > 0) memcpy(outcome->text + outcome->size, text, size);
  outcome->size += size;
  outcome->text[outcome->size] = '\0';
}

#endif
