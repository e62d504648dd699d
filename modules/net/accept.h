/* accept.h - takes connections from the system. */
#ifndef NET_ACCEPT_H
#define NET_ACCEPT_H

struct server;

int accept_start(struct server *server); /* 0, or one of libuv's errors */
void accept_stop(struct server *server);
int accept_open_reserve(void); /* for server->reserve */

#endif
