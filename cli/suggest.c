/* suggest.c - the distance between words: how many letters must be put in,
 * taken out, replaced or swapped with their neighbour to make one the other. */
#include "cli/suggest.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST = 32, FAR = LONGEST };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t distance(const char *a, const char *b) {
  size_t rows = strlen(a), columns = strlen(b);
  size_t d[LONGEST + 1][LONGEST + 1];
  if (rows > LONGEST || columns > LONGEST) return FAR;
  for (size_t i = 0; i <= rows; i++) d[i][0] = i;
  for (size_t j = 0; j <= columns; j++) d[0][j] = j;
  for (size_t i = 1; i <= rows; i++) {
    for (size_t j = 1; j <= columns; j++) {
      d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
      d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[rows][columns];
}

const char *suggest(const char *word, const char *const names[]) {
  const char *nearest = NULL;
  size_t best = strlen(word) > 3 ? 2 : 1; /* more would be guessing */
  for (int i = 0; names[i] != NULL; i++) {
    size_t d = distance(word, names[i]);
    if (d > best || (d == best && nearest != NULL)) continue;
    best = d;
    nearest = names[i];
  }
  return nearest;
}
