/* cuts.h - bytes go into a parser whole, byte by byte, or cut at places that they
 * choose themselves; what comes out is to be the same. Included behind what
 * declares struct run and run_piece. */
#ifndef FUZZ_CUTS_H
#define FUZZ_CUTS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum cut { WHOLE, BYTES, PIECES };

/* As long as `most` at most, and mostly short. */
static size_t piece_size(uint64_t *random, size_t most) {
  *random = *random * 6364136223846793005U + 1442695040888963407U;
  uint64_t bits = *random >> 32;
  size_t size = 1 + (size_t)(bits >> 3) % (bits % 4 == 0 ? 200 : 12);
  return size < most ? size : most;
}

static void run_cut(struct run *run, enum cut cut, const char *bytes,
                    size_t size) {
  uint64_t random = 14695981039346656037U;
  for (size_t i = 0; i < size; i++)
    random = (random ^ (unsigned char)bytes[i]) * 1099511628211U;
  for (size_t at = 0; at < size;) {
    size_t piece = size - at;
    if (cut == BYTES) piece = 1;
    if (cut == PIECES) piece = piece_size(&random, piece);
    run_piece(run, bytes + at, piece);
    at += piece;
  }
}

static void compare(const struct outcome *one, const struct outcome *other) {
  if (one->size == other->size &&
      memcmp(one->text, other->text, one->size) == 0)
    return;
  fprintf(stderr, "whole: %s (%s)\ncut:   %s (%s)\n", one->text,
          one->why == NULL ? "" : one->why, other->text,
          other->why == NULL ? "" : other->why);
  abort();
}

#endif
