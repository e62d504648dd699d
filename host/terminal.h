/* terminal.h - the terminal that a person sits at.
 *
 * Raw, it hands on each key at once, and shows none: it must not stay so. It is
 * put back at the end of the program, however that comes, but for a signal that
 * nobody handles (SIGQUIT, SIGSEGV, SIGKILL ...). */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>

/* 0, or one of libuv's errors: UV_ENOTTY for what is no terminal. */
int terminal_set_raw(int fd, bool raw);
int terminal_size(int fd, int *columns, int *rows);
void terminal_restore(void); /* also in a signal handler */

#endif
