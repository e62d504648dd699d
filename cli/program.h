/* program.h - the main task: all that the command line asks to be run. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

struct host;
struct options;

/* Makes the generation that serves, and its main task: it is ready to run.
 * 0, or one of libuv's statuses. */
int program_start(struct host *host, const struct options *options);

#endif
