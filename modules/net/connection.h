/* connection.h - a stream with a peer: a socket that is connected.
 *
 * Whoever made it knows its two ends by address; one that we accepted is served
 * by a function, which reads and writes as any task, or by a table of events. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "host/listen/service.h"
#include "host/stream/stream.h"

struct listener;

struct connection {
  struct stream stream; /* first member */
  union {               /* of TCP: for messages, also when it has left */
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } peer;
  struct listener *server; /* whose function serves it, or NULL */
  struct served served;    /* by a table of events, or not */
  struct events *events;   /* and how far that has come, or NULL */
};

/* NULL without memory. `type` is UV_TCP or UV_NAMED_PIPE. */
struct connection *connection_new(struct host *host, struct owner *owner,
                                  uv_handle_type type);
void connection_open_class(lua_State *L);

/* names.c */
void connection_set_peer(struct connection *connection,
                         const struct sockaddr *peer);
void connection_learn_peer(struct connection *connection); /* it is connected */
void connection_push_peer(lua_State *L, const struct connection *connection);
void connection_push_address(lua_State *L, const struct connection *connection);

/* credentials.c */
void connection_push_credentials(lua_State *L,
                                 const struct connection *connection);

#endif
