/* connection.h - a stream with a peer: a socket that is connected.
 *
 * Whoever made it knows its two ends by address; one that we accepted is served
 * by a function, which reads and writes as any task, or by a table of events. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "host/listen/service.h"
#include "host/stream/ends.h"
#include "host/stream/stream.h"

struct listener;

struct connection {
  struct stream stream; /* first member */
  union peer peer;
  struct listener *server; /* whose function serves it, or NULL */
  struct served served;    /* by a table of events, or not */
  struct events *events;   /* and how far that has come, or NULL */
};

/* NULL without memory. `type` is UV_TCP or UV_NAMED_PIPE. */
struct connection *connection_new(struct host *host, struct owner *owner,
                                  uv_handle_type type);
/* The same for one that was accepted, see accepted.h. */
struct connection *connection_accept(const struct listener *listener, int fd);
void connection_open_class(lua_State *L);

/* credentials.c */
void connection_push_credentials(lua_State *L,
                                 const struct connection *connection);

#endif
