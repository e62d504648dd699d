/* measure.h - how far a text reaches on the screen, as the library shows it. */
#ifndef CLI_REPL_MEASURE_H
#define CLI_REPL_MEASURE_H

#include <wchar.h>

struct measure {
  int columns; /* of the screen */
  int row, column;
};

void measure_text(struct measure *measure, const wchar_t *from,
                  const wchar_t *to);
/* What stands between two \1 is not seen: colours. */
void measure_prompt(struct measure *measure, const char *prompt);

#endif
