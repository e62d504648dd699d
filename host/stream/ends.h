/* ends.h - what the two ends of a socket are called.
 *
 * The system forgets the peer of a TCP connection as soon as that has left, but
 * messages and logs must name it then: so it is noted at the beginning. */
#ifndef HOST_STREAM_ENDS_H
#define HOST_STREAM_ENDS_H

#include <lua.h>
#include <netinet/in.h>

struct stream;

union peer { /* of TCP, or what stands for it; else AF_UNSPEC */
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

void peer_set(union peer *peer, const struct sockaddr *name);
/* Of a stream that is connected. */
void peer_learn(union peer *peer, const struct stream *stream);
/* "127.0.0.1:5000"; nil, where it never was connected. */
void peer_push(lua_State *L, const union peer *peer);
/* "127.0.0.1:5000", "unix:/path", or nil. */
void ends_push_peer(lua_State *L, const struct stream *stream,
                    const union peer *peer);
void ends_push_address(lua_State *L, const struct stream *stream);

#endif
