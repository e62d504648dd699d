/* terminal.h - the settings of the terminal, which come back whatever happens:
 * at the end, when a signal ends the program, and while it is stopped. */
#ifndef CLI_REPL_TERMINAL_H
#define CLI_REPL_TERMINAL_H

/* Keeps the settings as they are now. `changed` is called in a signal handler:
 * with SIGWINCH, or with SIGCONT when somebody may have changed them. */
void terminal_open(int fd, void (*changed)(int number));
void terminal_close(void); /* as they were; idempotent */
int terminal_columns(int fd);

#endif
