/* measure.c - counts columns: letters of one or two, ^X for control characters,
 * tabs; a line that is full goes on in the next one. */
#include "cli/repl/editor/measure.h"

#include <stdbool.h>
#include <string.h>
#include <wctype.h>

enum { TAB = 8, CONTROL = 2, ESCAPED = 7 /* \U+1234 */ };

static void advance(struct measure *measure, int width) {
  if (measure->column + width > measure->columns) {
    measure->row++;
    measure->column = 0;
  }
  measure->column += width;
  if (measure->column < measure->columns) return;
  measure->row++;
  measure->column = 0;
}

static void add(struct measure *measure, wchar_t c) {
  int width = wcwidth(c);
  if (c == L'\n') {
    measure->row++;
    measure->column = 0;
  } else if (c == L'\t') {
    do advance(measure, 1);
    while (measure->column % TAB != 0);
  } else if (width >= 0) {
    if (width > 0) advance(measure, width);
  } else {
    advance(measure, iswcntrl((wint_t)c) ? CONTROL : ESCAPED);
  }
}

void measure_text(struct measure *measure, const wchar_t *from,
                  const wchar_t *to) {
  for (; from < to; from++) add(measure, *from);
}

void measure_prompt(struct measure *measure, const char *prompt) {
  mbstate_t state;
  bool unseen = false;
  memset(&state, 0, sizeof state);
  while (*prompt != '\0') {
    wchar_t c;
    size_t size = mbrtowc(&c, prompt, strlen(prompt), &state);
    if (size == (size_t)-1 || size == (size_t)-2) return;
    prompt += size;
    if (c == L'\1')
      unseen = !unseen;
    else if (!unseen)
      add(measure, c);
  }
}
