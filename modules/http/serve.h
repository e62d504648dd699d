/* serve.h - the task that calls the handler for a connection's requests. */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include <stdbool.h>

struct client;
struct server;

/* Its request has been read, up to the body. False: without memory. */
bool serve_start(struct client *client);
/* Cancels what its handler is doing. */
void serve_end_all(struct server *server);

#endif
