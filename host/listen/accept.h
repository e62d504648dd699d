/* accept.h - takes connections from the system, for a listener. */
#ifndef HOST_LISTEN_ACCEPT_H
#define HOST_LISTEN_ACCEPT_H

struct listener;

int accept_start(struct listener *listener); /* 0, or one of libuv's errors */
void accept_stop(struct listener *listener);
/* Those who wait by now: the socket is about to be closed. */
void accept_rest(struct listener *listener);
int accept_open_reserve(void); /* for listener->reserve */

#endif
