/* loop.h - run what is ready, poll, again.
 *
 * It ends when nothing is ready and nothing is alive that could make something
 * ready; when that leaves tasks waiting, they are told so. */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

struct host;

void loop_run(struct host *host);
/* Lets the ready tasks run. Also the last act of a hot libuv callback. */
void loop_dispatch(struct host *host);
/* Ends it: every task is cancelled, then all handles are closed. */
void loop_stop(struct host *host, int exit_code);
/* The same, but what serves a connection may finish first, for a while. */
void loop_drain(struct host *host);

#endif
