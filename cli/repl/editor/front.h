/* front.h - tells when something is about to be written to the terminal, so
 * that the line which is edited there can make room. Whatever goes through
 * stdout and stderr is noticed; what other programs write is not. */
#ifndef CLI_REPL_FRONT_H
#define CLI_REPL_FRONT_H

#include <stdbool.h>
#include <stdio.h>

/* `about_to_write` is called before each write to a terminal. */
void front_open(void (*about_to_write)(void));
void front_close(void); /* idempotent */
void front_flush(void);
/* The last that was written is no whole line. */
bool front_is_partial(void);
void front_end_line(void); /* that is over now */

#endif
