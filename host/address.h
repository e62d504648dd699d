/* address.h - "host:port", ":port", "[::1]:port", "unix:/path". */
#ifndef HOST_ADDRESS_H
#define HOST_ADDRESS_H

#include <lua.h>
#include <stdbool.h>
#include <sys/un.h>
#include <uv.h>

enum { ADDRESS_TEXT = 160 }; /* enough for any that is formatted */

struct address {
  bool is_unix;
  char host[256]; /* a name or a number, "" for none; of Unix sockets: a path */
  char port[6];
};

/* Argument `index`, which must be one: raises, and says what one looks like. */
void address_check(lua_State *L, int index, struct address *address);
/* 0, or UV_EINVAL, UV_ENAMETOOLONG. */
int address_parse(const char *text, struct address *address);
/* A numeric host or none. `any`, to listen: none is all interfaces, and not
 * loopback, and "localhost" is a number too. UV_EAI_NONAME where it would have
 * to be looked up. */
int address_resolve(const struct address *address, bool any,
                    struct sockaddr_storage *result);
/* The name of a Unix socket, and its size. */
socklen_t address_unix(const char *path, struct sockaddr_un *name);
int address_port(const struct address *address);
void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT]);
/* Without a port: "127.0.0.1", "fe80::1%eth0". False: it is of another kind. */
bool address_format_host(const struct sockaddr *address,
                         char text[ADDRESS_TEXT]);

#endif
