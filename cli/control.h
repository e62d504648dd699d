/* control.h - lets a running program be asked, by `neap ps`, `neap status` and
 * `neap reload`: over a Unix socket, DIR/PID.sock, see rundir.h.
 *
 * A client sends one line; it gets "0" or "1" in a line of its own, then what it
 * is to print, then the end. The socket is opened some time after the start, so
 * that it costs a short script nothing. It keeps no program alive, and belongs
 * to the root generation: so it outlives each version of the program. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

struct host;
struct options;

/* For a program that is a script in a file; the options live as long as it. */
void control_start(struct host *host, const struct options *options);

#endif
